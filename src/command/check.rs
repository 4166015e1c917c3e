//! `noroshi check`: what is wrong with the configuration, and where.

use crate::arguments::Configured;
use crate::config;
use crate::failure::Failure;

pub fn run(arguments: &Configured) -> Result<(), Failure> {
    let checked = config::check(&arguments.config)?;
    for note in checked.notes {
        println!("note: {note}");
    }
    let registry = checked.config.registry;
    println!(
        "{}: good; {} partners, {} sensors, registry version {}",
        arguments.config.display(),
        registry.partners().len(),
        registry.sensors().len(),
        registry.version(),
    );
    Ok(())
}
