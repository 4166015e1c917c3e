//! Feeds as a partner's machine meets them: over HTTP, on a real store.

mod desk;
mod need_to_know;
mod push;
mod reading;
