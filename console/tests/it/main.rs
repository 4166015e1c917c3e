//! The console as browsers meet it: over HTTP, on a real store.

mod acts;
mod desk;
mod elsewhere;
mod explore;
mod forger;
mod mine;
mod pages;
mod roles;
mod scans;
mod sensors;
mod shift;
mod sign_in;
mod trial;
