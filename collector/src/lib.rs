//! Admits, enriches and keeps what sensors send. Stateless: any number of collectors may run.
//!
//! | module       | takes                    | gives                          | touches the world |
//! |--------------|--------------------------|--------------------------------|-------------------|
//! | [`settings`] | what the operator wrote  | what is meant                  | no                |
//! | [`run`]      | a listening address      | a server                       | yes               |
//! | [`listen`]   | a listening address      | connections, and whose they are | yes              |
//! | [`identity`] | certificates, tokens     | who a sensor is                | its directory     |
//! | [`update`]   | what was signed elsewhere | sensors' next versions       | its directory     |
//! | [`ingest`]   | a sensor's stream        | acknowledgements and refusals  | yes               |
//! | [`admit`]    | a hello or a batch       | a verdict                      | no                |
//! | [`enrich`]   | a batch                  | where and whose its sources are | its files        |
//! | [`metrics`]  | what the others did      | what Prometheus reads          | no                |

pub mod admit;
pub mod clock;
pub mod enrich;
pub mod identity;
pub mod ingest;
pub mod listen;
pub mod metrics;
pub mod run;
pub mod settings;
pub mod update;
