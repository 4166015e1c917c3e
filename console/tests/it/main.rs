//! The console as browsers meet it: over HTTP, on a real store.

mod acts;
mod desk;
mod pages;
mod roles;
mod sign_in;
