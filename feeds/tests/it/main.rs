//! Feeds as a partner's machine meets them: over HTTP, on a real store.

mod desk;
mod files;
mod interop;
mod need_to_know;
mod reading;
mod stream;
