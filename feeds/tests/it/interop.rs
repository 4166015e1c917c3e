//! Partners' own programs read what is served: see `feeds/interop`.

mod client;
mod intelmq;
mod misp;
