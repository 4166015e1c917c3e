//! Feeds as a partner's machine meets them: over HTTP, on a real store.

mod credentials;
mod desk;
mod files;
mod gpg;
mod interop;
mod load;
mod metrics;
mod need_to_know;
mod openapi;
mod publishing;
mod push;
mod reading;
mod report;
mod samples;
mod steps;
mod stix;
mod stream;
mod taxii;
