//! Alerts as partners' receivers get them: webhooks, mail and syslog on loopback, on a real store.

mod crash;
mod mails;
pub(crate) mod sinks;
pub(crate) mod site;
mod syslogs;
mod webhooks;
