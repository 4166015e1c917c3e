//! `noroshi sensor enrol|revoke|list`: who the sensors are.
//!
//! It works on the directory of identities, beside any number of collectors, and needs no store.

use std::io::{self, Write};

use anyhow::{Context, anyhow};
use noroshi_collector::clock;
use noroshi_collector::identity::journal::{self, Deed};
use noroshi_collector::identity::register::Register;
use noroshi_collector::identity::revocations::RevocationsDirectory;
use noroshi_collector::identity::tls::TlsSettings;
use noroshi_collector::identity::tokens::Tokens;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use serde_json::json;

use crate::arguments::sensors::{Sensor as Verb, SensorEnrol, SensorList, SensorRevoke};
use crate::command::author::author;
use crate::command::identities::{self, Roll, Standing};
use crate::config::Config;
use crate::failure::Failure;

const HOUR_MILLIS: u64 = 3_600_000;

pub fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Enrol(arguments) => enrol(&arguments),
        Verb::Revoke(arguments) => revoke(&arguments),
        Verb::List(arguments) => list(&arguments),
    }
}

fn enrol(arguments: &SensorEnrol) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    known(&config, &arguments.sensor)?;
    let tls = tls(&config)?;
    let now = clock::now();
    let until = Millis(now.0 + arguments.hours * HOUR_MILLIS);
    let by = author(arguments.by.as_deref());
    let (token, authority) = identities::invite(tls, &arguments.sensor, &by, (now, until))?;
    let mut out = io::stdout().lock();
    let said = if arguments.json {
        let line = json!({
            "sensor": arguments.sensor.as_str(),
            "token": token.to_string(),
            "until": until.to_string(),
            "authority": authority.to_string(),
        });
        writeln!(out, "{line}")
    } else {
        // The token alone on standard output, to be copied or piped.
        eprintln!(
            "Token of sensor {}, good once, until {until}. On the sensor's machine:\n  \
             noroshi-sensor enrol --config sensor.toml",
            arguments.sensor
        );
        writeln!(out, "{token}")
    };
    said.context("standard output")?;
    Ok(())
}

fn revoke(arguments: &SensorRevoke) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let tls = tls(&config)?;
    let now = clock::now();
    let sensor = &arguments.sensor;
    let issued = Register::open(&tls.directory)?.of(sensor)?;
    if config.registry.sensor(sensor).is_none() && issued.is_none() {
        known(&config, sensor)?; // a slip of the pen revokes nobody
    }
    // First what is used, then what could be.
    RevocationsDirectory::open(&tls.directory)?.revoke(sensor, now)?;
    Tokens::open(&tls.directory)?.withdraw(sensor)?;
    let by = author(arguments.by.as_deref());
    journal::note(&tls.directory, Deed::Revoked, sensor, &by, now)?;
    let mut out = io::stdout().lock();
    let said = if arguments.json {
        let line = json!({"sensor": sensor.as_str(), "revoked_at": now.to_string()});
        writeln!(out, "{line}")
    } else {
        writeln!(
            out,
            "sensor {sensor}: every certificate until {now} is void, and its streams end; a younger \
             one lets it in again (`noroshi sensor enrol {sensor}`)"
        )
    };
    said.context("standard output")?;
    Ok(())
}

fn list(arguments: &SensorList) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let tls = tls(&config)?;
    let now = clock::now();
    let roll = Roll::open(tls, now)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for sensor in config.registry.sensors() {
        let standing = roll.of(&sensor.id)?;
        print(&mut out, &sensor.id, &standing, arguments.json).context("standard output")?;
    }
    out.flush().context("standard output")?;
    Ok(())
}

fn print(
    out: &mut impl Write,
    sensor: &SensorId,
    standing: &Standing,
    json: bool,
) -> io::Result<()> {
    let (sensor, word) = (sensor.as_str(), standing.word);
    let time = |time: Option<Millis>| time.map(|time| time.to_string());
    let until = time(standing.issued.map(|issued| issued.until));
    let (revoked, token) = (time(standing.revoked), time(standing.token_until));
    if json {
        let line = json!({
            "sensor": sensor,
            "state": word,
            "certificate_until": until,
            "revoked_at": revoked,
            "token_until": token,
        });
        return writeln!(out, "{line}");
    }
    write!(out, "{sensor:<16} {word:<12}")?;
    for (what, when) in [
        ("certificate until", until),
        ("revoked at", revoked),
        ("token until", token),
    ] {
        if let Some(when) = when {
            write!(out, "  {what} {when}")?;
        }
    }
    writeln!(out)
}

fn tls(config: &Config) -> Result<&TlsSettings, Failure> {
    config.collector.tls.as_ref().ok_or_else(|| {
        Failure::Failed(anyhow!(
            "without [collector.tls] the collector listens on this machine alone and asks no \
             sensor who it is: write it, with the names by which sensors reach the collector"
        ))
    })
}

fn known(config: &Config, sensor: &SensorId) -> Result<(), Failure> {
    if config.registry.sensor(sensor).is_some() {
        return Ok(());
    }
    let sensors = config.registry.sensors().iter();
    let known: Vec<&str> = sensors.map(|known| known.id.as_str()).collect();
    Err(Failure::Failed(anyhow!(
        "sensor {sensor} is not in the registry, which has: {}",
        known.join(", ")
    )))
}
