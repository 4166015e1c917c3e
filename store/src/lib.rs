//! Rows and questions: what the centre keeps, and the engine that keeps it.
//!
//! | module         | takes                          | gives                                        |
//! |----------------|--------------------------------|----------------------------------------------|
//! | [`document`]   | a TOML file                    | sections, and errors with file and line      |
//! | [`registry`]   | partners, prefixes, sensors    | whose an address is                          |
//! | [`origin`]     | –                              | what is known of a source                    |
//! | [`engine`]     | a directory                    | ClickHouse, served on loopback               |
//! | [`store`]      | an engine or server            | the one handle, its schema and retention     |
//! | `question`     | a file of `queries/`           | a question of that name, and a span of it    |
//! | [`append`]     | admitted batches               | rows, each batch exactly once                |
//! | [`ledger`]     | –                              | which batches are kept, who watched when     |
//! | [`week`]       | an instant, or a name          | a week of ISO 8601, in UTC                   |
//! | [`windows`]    | a range of time                | [`window`]s for detectors, in order          |
//! | [`rollups`]    | closed periods                 | coarser counts, and series for baselines     |
//! | [`past`]       | a range of time                | what detectors must remember of it           |
//! | [`alert`]      | –                              | an alert, as partners read it                |
//! | [`cases`]      | transitions of alerts          | cases, their history, what changed           |
//! | [`remedy`]     | what people say of a case      | where it stands on its partner's side        |
//! | [`steps`]      | what people do with cases      | their standing, what they do not want again  |
//! | [`changes`]    | a cursor                       | cases as partners read them, as they change  |
//! | [`explanation`]| an alert, a language           | what is said of it                           |
//! | [`digest`]     | alerts                         | what can wait, by AS and network             |
//! | [`observations`] | what was seen of a case      | a row per case and day                       |
//! | [`maintenance`] | when sensors are worked on    | whose silence means nothing                  |
//! | [`notices`]    | evidence from elsewhere        | cases apart, kept for a short time           |
//! | [`stix`]       | STIX objects                   | the same, in the order they were published   |
//! | [`tally`]      | a period                       | how its cases fared                          |
//! | [`listing`]    | a filter                       | alerts page by page, for people              |
//! | [`figures`]    | a range of time                | rates, services, countries                   |
//! | [`deeds`]      | one address, a range of time   | what its packets did                         |
//! | [`explore`]    | a service, a country, a time   | scans by parts, as sums                      |
//! | [`shifts`]     | a time                         | what escalated, what was done in it          |
//! | [`hellos`]     | what sensors say of themselves | what each said last                          |
//! | [`sources`]    | a search, or one address       | single sources, and the rows beneath         |
//! | [`reported`]   | a period                       | what a partner's report counts               |
//! | [`deliveries`] | messages to partners           | which of them are still to be delivered      |
//! | [`lease`]      | a role                         | the right to be the only one in it           |
//! | [`namespace`]  | –                              | what ids of cases are derived in             |
//! | [`positions`]  | a reader's progress            | where it goes on after a restart             |
//! | [`accounting`] | –                              | the sums that have to agree                  |
//!
//! SQL stands in `migrations/` (the schema) and `queries/` (one question each).

pub mod accounting;
pub mod alert;
pub mod append;
mod block;
pub mod cases;
pub mod changes;
pub mod deeds;
pub mod deliveries;
pub mod digest;
pub mod document;
pub mod engine;
pub mod explanation;
pub mod explore;
pub mod figures;
pub mod hellos;
pub mod lease;
pub mod ledger;
pub mod listing;
pub mod maintenance;
pub mod namespace;
pub mod notices;
pub mod observations;
pub mod origin;
pub mod past;
pub mod positions;
pub mod prefix_map;
mod question;
pub mod registry;
pub mod remedy;
pub mod reported;
pub mod retention;
pub mod rollups;
mod schema;
pub mod shifts;
pub mod sources;
pub mod steps;
pub mod stix;
pub mod store;
pub mod tally;
pub mod week;
pub mod window;
pub mod windows;
