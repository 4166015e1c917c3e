//! The shape of the repository, held by tests: what ARCHITECTURE.md and CONTRIBUTING.md promise.

mod documents;
mod manifests;
mod sources;
mod tree;
