//! The sensor turns packets that reach unused address space into one small
//! summary per interval, and delivers it to the collector.
//!
//! | module          | takes            | gives                     | touches the world |
//! |-----------------|------------------|---------------------------|-------------------|
//! | [`config`]      | a file           | what the sensor runs on   | yes               |
//! | [`capture`]     | files, a network | frames, with their time   | yes               |
//! | [`decode`]      | a frame          | a packet, or why not      | no                |
//! | [`telescope`]   | an address       | whether it is watched     | no                |
//! | [`darkness`]    | packets          | what is in use, and not to be recorded | its list   |
//! | [`classify`]    | a header         | a traffic class           | no                |
//! | [`fingerprint`] | a header         | the tools that write such | no                |
//! | [`key`]         | a file           | the key targets are masked with | yes         |
//! | [`identity`]    | a token          | certificates, connections | yes               |
//! | [`mask`]        | a target         | a number that hides it    | no                |
//! | [`summarise`]   | packets          | one batch per interval    | no                |
//! | [`spool`]       | batches          | batches, even after a crash | yes             |
//! | [`ship`]        | batches          | acknowledgements          | yes               |
//! | [`sense`]       | frames           | batches: all of the above | no                |
//! | [`update`]      | what was signed  | the sensor's next version | yes               |
//! | [`rights`]      | nothing          | capabilities given up     | yes               |
//! | [`run`]         | a configuration  | the sensor as a whole     | yes               |
//! | [`doctor`]      | what was looked at | what to do about it    | no                |
//! | [`command`]     | arguments        | an exit code              | yes               |

pub mod capture;
pub mod classify;
pub mod clock;
pub mod command;
pub mod config;
pub mod darkness;
pub mod decode;
pub mod doctor;
pub mod fingerprint;
pub mod identity;
pub mod key;
pub mod log;
pub mod mask;
pub mod packet;
pub mod rights;
pub mod run;
pub mod sense;
pub mod ship;
pub mod spool;
pub mod summarise;
pub mod telescope;
pub mod update;
