//! Feeds as a partner's machine meets them: over HTTP, on a real store.

mod desk;
mod need_to_know;
mod publishing;
mod reading;
mod samples;
mod stix;
mod taxii;
