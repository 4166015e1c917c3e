//! The centre's command line: `noroshi`.
#![allow(dead_code)]

mod arguments;
mod failure;
mod text;

fn main() {}
