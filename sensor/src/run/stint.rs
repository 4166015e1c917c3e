//! What a sensor does under one configuration: from its start, or from a change of the
//! configuration, to the next. Each has an epoch of its own.

use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::id::Epoch;
use noroshi_proto::time::Millis;
use noroshi_proto::update::version::Version;

use super::RunError;
use crate::clock;
use crate::config::{Config, Method};
use crate::darkness::{Darkness, kept};
use crate::decode::Decoder;
use crate::key;
use crate::mask::{Mask, MaskKey};
use crate::sense::Sense;
use crate::ship;
use crate::ship::lanes::Order;
use crate::summarise::{Cut, Settings, Summariser};
use crate::telescope::Telescope;

/// A configuration, and what was drawn or read for it.
#[derive(Clone)]
pub(super) struct Stint {
    pub config: Config,
    /// What is watched, from beginning to end.
    pub telescope: Telescope,
    /// When it begins, or what begins it was wanted.
    pub from: Millis,
    epoch: Epoch,
    key: MaskKey,
}

impl Stint {
    /// Draws what it takes to begin at `from`.
    ///
    /// # Errors
    /// Nothing is watched then, the key or the list of what is lit cannot be read, or there are no
    /// random numbers.
    pub fn prepare(config: Config, from: Millis) -> Result<Self, RunError> {
        let telescope = watched(&config, from)?;
        let key = key::load_or_draw(&config.salt_file)?;
        let epoch = key::draw_epoch().map_err(RunError::system("read random numbers"))?;
        kept::read(&config.spool.path)?; // told now rather than when it begins
        Ok(Self {
            config,
            telescope,
            from,
            epoch,
            key,
        })
    }

    /// The same, to begin at another time.
    ///
    /// # Errors
    /// Nothing is watched then.
    pub fn at(self, from: Millis) -> Result<Self, RunError> {
        let telescope = watched(&self.config, from)?;
        Ok(Self {
            telescope,
            from,
            ..self
        })
    }

    /// What the kernel has to pass: where its filter cannot be changed, all that is ever watched.
    pub fn passed(&self) -> Telescope {
        match self.config.capture.method {
            Method::Ring => self.telescope.clone(),
            Method::Pcap => self.config.telescope.ever(),
        }
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
            memory: config.memory,
        };
        let mask = Mask::new(&self.key, self.telescope.clone());
        let decoder = Decoder::new(self.telescope.clone(), config.delivery);
        let darkness = Darkness::new(kept::read(&config.spool.path)?);
        Ok(Sense::new(decoder, Summariser::new(settings, mask)).doubting(darkness))
    }

    /// How its batches are shipped, by a sensor of this version.
    pub fn ship_settings(&self, version: Version) -> ship::Settings {
        let mut settings = ship_settings(&self.config, &self.telescope, self.epoch);
        settings.hello.software_version = version.to_string();
        settings
    }
}

fn watched(config: &Config, from: Millis) -> Result<Telescope, RunError> {
    let telescope = config.telescope.at(from);
    if telescope.prefixes().is_empty() {
        return Err(RunError::NothingWatched(from));
    }
    Ok(telescope)
}

/// How the sensor of this configuration ships while it watches `telescope`.
pub fn ship_settings(config: &Config, telescope: &Telescope, epoch: Epoch) -> ship::Settings {
    ship::Settings {
        collector: config.collector.clone(),
        hello: Hello {
            sensor: config.sensor.clone(),
            epoch,
            software_version: env!("CARGO_PKG_VERSION").to_owned(),
            interval_length: config.interval_length,
            telescope: telescope.prefixes().to_vec(),
            purpose: Purpose::Live,
            clock: clock::now(),
        },
        order: Order::LiveFirst,
        patience: None,
    }
}
