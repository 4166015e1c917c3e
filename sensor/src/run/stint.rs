//! What a sensor does under one configuration: from its start, or from a change of the
//! configuration, to the next. Each has an epoch of its own.

use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::id::Epoch;
use noroshi_proto::update::version::Version;

use super::RunError;
use crate::clock;
use crate::config::Config;
use crate::darkness::{Darkness, kept};
use crate::decode::Decoder;
use crate::key;
use crate::mask::{Mask, MaskKey};
use crate::sense::Sense;
use crate::ship;
use crate::ship::lanes::Order;
use crate::summarise::{Cut, Settings, Summariser};

/// A configuration, and what was drawn or read for it.
#[derive(Clone)]
pub(super) struct Stint {
    pub config: Config,
    epoch: Epoch,
    key: MaskKey,
}

impl Stint {
    /// Draws what it takes.
    ///
    /// # Errors
    /// The key or the list of what is lit cannot be read, or there are no random numbers.
    pub fn prepare(config: Config) -> Result<Self, RunError> {
        let key = key::load_or_draw(&config.salt_file)?;
        let epoch = key::draw_epoch().map_err(RunError::system("read random numbers"))?;
        kept::read(&config.spool.path)?; // told now rather than when it begins
        Ok(Self { config, epoch, key })
    }

    /// Nothing seen yet.
    ///
    /// # Errors
    /// The list of what is lit cannot be read: without it nothing may be recorded.
    pub fn sense(&self) -> Result<Sense, RunError> {
        let config = &self.config;
        let settings = Settings {
            sensor: config.sensor.clone(),
            epoch: self.epoch,
            interval_length: config.interval_length,
            cut: Cut::EveryInterval,
        };
        let mask = Mask::new(&self.key, config.telescope.clone());
        let decoder = Decoder::new(config.telescope.clone(), config.delivery);
        let darkness = Darkness::new(kept::read(&config.spool.path)?);
        Ok(Sense::new(decoder, Summariser::new(settings, mask)).doubting(darkness))
    }

    /// How its batches are shipped, by a sensor of this version.
    pub fn ship_settings(&self, version: Version) -> ship::Settings {
        ship::Settings {
            hello: Hello {
                software_version: version.to_string(),
                ..hello(&self.config, self.epoch)
            },
            ..ship_settings(&self.config, self.epoch)
        }
    }
}

/// How the sensor of this configuration ships.
pub fn ship_settings(config: &Config, epoch: Epoch) -> ship::Settings {
    ship::Settings {
        collector: config.collector.clone(),
        hello: hello(config, epoch),
        order: Order::LiveFirst,
        patience: None,
    }
}

fn hello(config: &Config, epoch: Epoch) -> Hello {
    Hello {
        sensor: config.sensor.clone(),
        epoch,
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        interval_length: config.interval_length,
        telescope: config.telescope.prefixes().to_vec(),
        purpose: Purpose::Live,
        clock: clock::now(),
    }
}
