//! What may come in: verdicts on hellos and batches.
//!
//! Pure: the registry and the time are arguments. Whatever the wire's own rules forbid
//! (damage, disorder, sizes) has been refused when the message was parsed.

use std::collections::BTreeSet;

use ipnet::IpNet;
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::limits::{CLOCK_AHEAD_MAX, CLOCK_BEHIND_MAX, CLOCK_SLOW_MAX};
use noroshi_proto::refusal::Refusal;
use noroshi_proto::time::{Interval, Millis};
use noroshi_store::registry::Registry;
use noroshi_store::registry::sensor::Sensor;

use crate::settings::Replay;

pub mod allowance;

/// The sensor that may open a stream at `now`.
///
/// # Errors
/// The refusal that tells the sensor, and its operator, what to do.
pub fn hello<'r>(
    hello: &Hello,
    registry: &'r Registry,
    replay: Replay,
    now: Millis,
) -> Result<&'r Sensor, Refusal> {
    let Some(sensor) = registry.sensor(&hello.sensor) else {
        return Err(Refusal::UnknownSensor(hello.sensor.to_string()));
    };
    match (hello.purpose, replay) {
        (Purpose::Live, _) => {
            clock_is_sane(hello.clock, now)?;
            let registered = sensor.telescope_at(now.seconds()).prefixes;
            same_telescope(&hello.telescope, &registered)?;
        }
        (Purpose::Replay, Replay::Refused) => return Err(Refusal::ReplayNotAdmitted),
        // A capture may span changes of the telescope: every batch is compared by its own time.
        (Purpose::Replay, Replay::Admitted) => watched_once(&hello.telescope, sensor)?,
    }
    Ok(sensor)
}

/// Whether a batch of an open stream is taken at `now`.
///
/// # Errors
/// The refusal that tells the sensor what to do.
pub fn batch(
    batch: &Batch,
    hello: &Hello,
    registry: &Registry,
    now: Millis,
) -> Result<(), Refusal> {
    if batch.id.sensor != hello.sensor {
        return Err(Refusal::Malformed(format!(
            "batch {} came on the stream of sensor {}",
            batch.id, hello.sensor
        )));
    }
    let Some(sensor) = registry.sensor(&hello.sensor) else {
        return Err(Refusal::UnknownSensor(hello.sensor.to_string()));
    };
    if hello.purpose == Purpose::Live {
        times_are_sane(batch, now)?;
    }
    for span in &batch.spans {
        let first = match span {
            Span::Silent { first, .. } => *first,
            Span::Active { interval, .. } => *interval,
        };
        same_size(batch, sensor, first)?;
    }
    targets_fit(batch)
}

fn clock_is_sane(clock: Millis, now: Millis) -> Result<(), Refusal> {
    let ahead = clock.0.saturating_sub(now.0);
    if u128::from(ahead) > CLOCK_AHEAD_MAX.as_millis() {
        return Err(Refusal::ClockAhead(format!(
            "it says {clock}, the collector says {now}: set the sensor's clock (NTP)"
        )));
    }
    let behind = now.0.saturating_sub(clock.0);
    if u128::from(behind) > CLOCK_SLOW_MAX.as_millis() {
        return Err(Refusal::ClockBehind(format!(
            "it says {clock}, the collector says {now}: set the sensor's clock (NTP)"
        )));
    }
    Ok(())
}

fn times_are_sane(batch: &Batch, now: Millis) -> Result<(), Refusal> {
    let latest = now.seconds().saturating_add(CLOCK_AHEAD_MAX.as_secs());
    if batch.complete_through > latest {
        return Err(Refusal::ClockAhead(format!(
            "batch {} is complete through {}, the collector's clock says {now}",
            batch.id,
            Interval(batch.complete_through),
        )));
    }
    let earliest = now.seconds().saturating_sub(CLOCK_BEHIND_MAX.as_secs());
    match batch.flows().map(|(interval, _)| interval).min() {
        Some(oldest) if oldest.start() < earliest => Err(Refusal::TooOld(format!(
            "batch {} holds the interval {oldest}, the store takes back to {}",
            batch.id,
            Interval(earliest),
        ))),
        _ => Ok(()),
    }
}

fn same_telescope(declared: &[IpNet], registered: &[IpNet]) -> Result<(), Refusal> {
    let set = |prefixes: &[IpNet]| prefixes.iter().map(IpNet::trunc).collect::<BTreeSet<_>>();
    if set(declared) == set(registered) {
        return Ok(());
    }
    Err(Refusal::TelescopeMismatch(format!(
        "the sensor watches {}, the registry says {} for now: make them equal",
        listed(declared),
        listed(registered),
    )))
}

fn watched_once(declared: &[IpNet], sensor: &Sensor) -> Result<(), Refusal> {
    let known: Vec<IpNet> = sensor
        .watched
        .iter()
        .map(|watched| watched.prefix)
        .collect();
    match declared
        .iter()
        .find(|prefix| !known.contains(&prefix.trunc()))
    {
        None => Ok(()),
        Some(foreign) => Err(Refusal::TelescopeMismatch(format!(
            "the sensor watches {foreign}, the registry knows {}",
            listed(&known)
        ))),
    }
}

fn same_size(batch: &Batch, sensor: &Sensor, first: Interval) -> Result<(), Refusal> {
    let registered = sensor.telescope_at(first.start()).addresses();
    if batch.telescope_addresses == registered {
        return Ok(());
    }
    Err(Refusal::TelescopeMismatch(format!(
        "batch {} watched {} IPv4 addresses at {first}, the registry says {registered} for then: \
         mend the telescope's `from` and `until`, or the sensor's prefixes",
        batch.id, batch.telescope_addresses,
    )))
}

/// A telescope of IPv4 cannot have been hit at more addresses than it has.
fn targets_fit(batch: &Batch) -> Result<(), Refusal> {
    let wrong = batch.flows().find(|(_, flow)| {
        flow.tuple.source.is_ipv4() && u64::from(flow.tally.targets) > batch.telescope_addresses
    });
    match wrong {
        None => Ok(()),
        Some((interval, flow)) => Err(Refusal::Malformed(format!(
            "batch {} counts {} targets at {interval} in a telescope of {} addresses",
            batch.id, flow.tally.targets, batch.telescope_addresses
        ))),
    }
}

fn listed(prefixes: &[IpNet]) -> String {
    /// More would not be read.
    const NAMED_MAX: usize = 8;
    if prefixes.is_empty() {
        return "nothing".to_owned();
    }
    let named: Vec<_> = prefixes
        .iter()
        .take(NAMED_MAX)
        .map(IpNet::to_string)
        .collect();
    match prefixes.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests;
