//! `noroshi alerts withdraw`: take alerts back, one or in bulk.
//!
//! For when a sensor, a geo build or a list proves wrong. The reason is carried through every
//! feed. Withdrawing twice withdraws nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anyhow::Context;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Basis, Kind, State};
use noroshi_store::cases::AlertFilter;
use noroshi_store::remedy::Event;
use noroshi_store::steps::Step;
use noroshi_store::store::Store;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::json;
use uuid::Uuid;

use crate::arguments::alerts::Withdraw as Arguments;
use crate::command::author::author;
use crate::failure::Failure;
use crate::text;

/// Alerts looked at in one go; a store with more needs a shorter period.
const ALERTS_MAX: u32 = 200_000;
/// Steps recorded in one insert.
const STEPS_MAX: usize = 1_000;

/// What is taken back.
struct Selection {
    ids: BTreeSet<Uuid>,
    sensor: Option<SensorId>,
    filter: AlertFilter,
    basis: Option<Basis>,
    scanner: Option<String>,
    opened: (Millis, Millis),
}

/// What was found.
#[derive(Default)]
struct Found {
    alerts: Vec<Alert>,
    /// Seen by the sensor, and by others too.
    seen_by_others: usize,
}

pub async fn run(store: &Store, arguments: Arguments) -> Result<(), Failure> {
    let selection = Selection::read(&arguments)?;
    let found = selection.find(store).await?;
    if !arguments.dry_run {
        let reason = arguments.reason.clone().unwrap_or_default();
        if reason.trim().is_empty() {
            return Err(wrong("partners read the reason: --reason TEXT".to_owned()));
        }
        let by = author(arguments.by.as_deref());
        record(store, &found.alerts, &by, &reason).await?;
    }
    print(&found, &arguments).context("standard output")?;
    Ok(())
}

fn wrong(text: String) -> Failure {
    Failure::Failed(anyhow::anyhow!(text))
}

impl Selection {
    fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let anything = !arguments.id.is_empty()
            || arguments.sensor.is_some()
            || arguments.kind.is_some()
            || arguments.partner.is_some()
            || arguments.basis.is_some()
            || arguments.scanner.is_some()
            || arguments.from.is_some()
            || arguments.to.is_some();
        if !anything {
            return Err(wrong(
                "this would withdraw every alert: name --id, --sensor, --kind, --partner, --basis, \
                 --scanner, --from or --to"
                    .to_owned(),
            ));
        }
        let opened = (
            arguments.from.unwrap_or(Millis(0)),
            arguments.to.unwrap_or(Millis(u64::MAX)),
        );
        if opened.0 >= opened.1 {
            return Err(wrong("--from must be before --to".to_owned()));
        }
        Ok(Self {
            ids: arguments.id.iter().copied().collect(),
            sensor: arguments.sensor.clone(),
            filter: AlertFilter {
                partner: arguments
                    .partner
                    .as_deref()
                    .map(super::partner)
                    .transpose()?,
                kind: arguments.kind.as_deref().map(super::kind).transpose()?,
                from: arguments.from, // what was opened later was detected later
                limit: ALERTS_MAX,
                ..AlertFilter::default()
            },
            basis: arguments.basis.as_deref().map(basis).transpose()?,
            scanner: arguments.scanner.clone(),
            opened,
        })
    }

    async fn find(&self, store: &Store) -> Result<Found, Failure> {
        let mut cases = store.alerts(&self.filter).await?;
        if cases.len() == ALERTS_MAX as usize {
            return Err(wrong(format!(
                "more than {ALERTS_MAX} alerts: name a shorter period with --from and --to"
            )));
        }
        let imported = store
            .notices(self.filter.partner.as_ref(), ALERTS_MAX)
            .await?;
        cases.extend(imported);
        let mut alerts: Vec<Alert> = cases.into_iter().map(|case| case.alert).collect();
        alerts.retain(|alert| self.holds(alert));
        let Some(sensor) = &self.sensor else {
            return Ok(Found {
                alerts,
                seen_by_others: 0,
            });
        };
        let ids: Vec<Uuid> = alerts.iter().map(|alert| alert.id).collect();
        let mut sensors: BTreeMap<Uuid, BTreeSet<SensorId>> = BTreeMap::new();
        for seen in store.observations(&ids).await? {
            sensors.entry(seen.case).or_default().extend(seen.sensors);
        }
        let mut found = Found::default();
        for alert in alerts {
            match sensors.get(&alert.id) {
                Some(saw) if saw.contains(sensor) && saw.len() == 1 => found.alerts.push(alert),
                Some(saw) if saw.contains(sensor) => found.seen_by_others += 1,
                Some(_) | None => {}
            }
        }
        Ok(found)
    }

    fn holds(&self, alert: &Alert) -> bool {
        let (from, until) = self.opened;
        let attributed = alert.attribution.as_ref().map(|found| found.basis);
        alert.state != State::Withdrawn
            && (self.ids.is_empty() || self.ids.contains(&alert.id))
            && self.filter.kind.is_none_or(|kind: Kind| kind == alert.kind)
            && self.basis.is_none_or(|basis| attributed == Some(basis))
            && (self.scanner.is_none() || self.scanner == alert.evidence.scanner)
            && from <= alert.opened_at
            && alert.opened_at < until
    }
}

fn basis(name: &str) -> Result<Basis, Failure> {
    let deserializer: StrDeserializer<'_, ValueError> = name.into_deserializer();
    Basis::deserialize(deserializer).map_err(|error| wrong(format!("--basis: {error}")))
}

async fn record(store: &Store, alerts: &[Alert], by: &str, reason: &str) -> Result<(), Failure> {
    let at = store.wall_time().await?;
    let step = |alert: &Alert| Step {
        case: alert.id,
        id: Uuid::new_v4(),
        event: Event::Withdraw,
        at,
        by: by.to_owned(),
        note: reason.to_owned(),
        probability: None,
        partner: alert.partner.clone().unwrap_or_default(),
    };
    for some in alerts.chunks(STEPS_MAX) {
        let steps: Vec<Step> = some.iter().map(step).collect();
        store.record_steps(&steps).await?;
    }
    let action = format!("alerts withdraw ({} alerts)", alerts.len());
    store.audit(by, &action, reason).await?;
    Ok(())
}

fn print(found: &Found, arguments: &Arguments) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for alert in &found.alerts {
        let partner = alert.partner.as_deref().unwrap_or("centre");
        let subject = text::subject(&alert.subject);
        if arguments.json {
            let line = json!({
                "id": alert.id,
                "kind": alert.kind,
                "partner": alert.partner,
                "subject": subject,
                "opened_at": alert.opened_at.to_string(),
            });
            writeln!(out, "{line}")?;
        } else {
            let kind = alert.kind.name();
            writeln!(out, "{}  {kind:<17} {partner:<10} {subject}", alert.id)?;
        }
    }
    let (alerts, others) = (found.alerts.len(), found.seen_by_others);
    if arguments.json {
        let summary = json!({ "summary": {
            "matching": alerts,
            "withdrawn": if arguments.dry_run { 0 } else { alerts },
            "seen_by_others": others,
            "dry_run": arguments.dry_run,
        }});
        writeln!(out, "{summary}")?;
        return out.flush();
    }
    match arguments.dry_run {
        true => writeln!(out, "{alerts} alerts would be withdrawn")?,
        false => writeln!(out, "{alerts} alerts withdrawn")?,
    }
    if others > 0 {
        writeln!(out, "{others} more were seen by other sensors too and stay")?;
    }
    out.flush()
}
