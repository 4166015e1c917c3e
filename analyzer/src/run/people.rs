//! What people did meanwhile: heard while live, and judged by what the telescopes saw since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use noroshi_proto::id::SensorId;
use noroshi_proto::limits::CLOCK_BEHIND_MAX;
use noroshi_proto::time::Millis;
use noroshi_store::maintenance::Maintenance;
use noroshi_store::notices::SINKHOLE;
use noroshi_store::registry::Registry;
use noroshi_store::remedy::{Event, Remedy, Standing};
use noroshi_store::steps::Step;
use noroshi_store::store::{Store, StoreError};
use uuid::Uuid;

use super::RunError;
use crate::alerts::silence::{Judgement, Silent, Sky, Stretches, Watched};
use crate::alerts::{Heard, Outcome, Suppression};
use crate::analysis::Analysis;
use crate::detectors;
use crate::settings::Settings;

/// How often people are listened to, in milliseconds.
const HEAR_MILLIS: u64 = 5_000;
/// How often silences are judged, in milliseconds.
const JUDGE_MILLIS: u64 = 600_000;
/// How long after its time stamp a step may become visible, in milliseconds.
const VISIBLE_WITHIN_MILLIS: u64 = 120_000;
/// A case is judged for so long after its partner called it clean, in milliseconds: as long as
/// the ledger says who watched.
const JUDGED_MILLIS: u64 = 90 * 86_400_000;
/// Ids of the analyzer's steps are drawn from this namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x6e6f_726f_7368_6920_7374_6570_2069_6473);
const DAY_MILLIS: u64 = 86_400_000;

/// Takes up the cases that were open when the last analyzer stopped, and those that could go on.
pub(super) async fn resume(
    analysis: &mut Analysis,
    store: &Store,
    settings: &Settings,
    position: u64,
) -> Result<(), RunError> {
    let mut cases = store.open_cases().await?;
    let since = position.saturating_sub((settings.cases.quiet_days + 2) * 86_400);
    cases.extend(store.closed_cases(since).await?);
    let ids: Vec<Uuid> = cases.iter().map(|case| case.alert.id).collect();
    for case in cases {
        analysis.alerts.resume(case.alert, case.version);
    }
    analysis.alerts.remember(store.observations(&ids).await?);
    Ok(())
}

/// How far a live analyzer has listened.
pub(super) struct People {
    registry: Arc<Registry>,
    quiet_seconds: u64,
    /// `None` before the first time.
    heard_at: Option<Millis>,
    judged_at: Option<Millis>,
    started_at: Millis,
}

impl People {
    /// Has heard nothing yet.
    pub(super) fn new(now: Millis, registry: Arc<Registry>, settings: &Settings) -> Self {
        Self {
            registry,
            quiet_seconds: settings.cases.quiet_days * 86_400,
            heard_at: None,
            judged_at: None,
            started_at: now,
        }
    }

    /// Listens, where it is time again, and gives what follows from it for open cases.
    pub(super) async fn hear(
        &mut self,
        store: &Store,
        now: Millis,
        analysis: &mut Analysis,
    ) -> Result<Vec<Outcome>, StoreError> {
        let last = self.heard_at.unwrap_or(Millis(0));
        if now.0 < last.0 + HEAR_MILLIS {
            return Ok(Vec::new());
        }
        let refuted = store.refuted(now).await?;
        let heard = Heard {
            suppressions: refuted.iter().filter_map(Suppression::new).collect(),
            maintenance: store
                .maintenance(Millis(now.0.saturating_sub(DAY_MILLIS)))
                .await?,
        };
        let since = last.max(self.started_at);
        let since = Millis(since.0.saturating_sub(VISIBLE_WITHIN_MILLIS));
        for id in store.withdrawn(since).await? {
            // whoever took it back wrote that down already
            analysis.alerts.withdraw(id);
        }
        self.heard_at = Some(now);
        let works: Vec<detectors::Maintenance> = heard.maintenance.iter().map(work).collect();
        analysis.maintain(&works);
        Ok(analysis.alerts.hear(heard, now))
    }

    /// Judges the cases that partners call clean, where it is time again.
    pub(super) async fn judge(&mut self, store: &Store, now: Millis) -> Result<(), StoreError> {
        let last = self.judged_at.unwrap_or(Millis(0));
        if now.0 < last.0 + JUDGE_MILLIS {
            return Ok(());
        }
        let steps = judge_silences(store, &self.registry, self.quiet_seconds, now).await?;
        if !steps.is_empty() {
            tracing::info!(cases = steps.len(), "silences judged");
        }
        self.judged_at = Some(now);
        Ok(())
    }
}

/// A maintenance as detectors know it.
fn work(maintenance: &Maintenance) -> detectors::Maintenance {
    detectors::Maintenance {
        sensor: maintenance.sensor.clone(),
        span: maintenance.from.seconds()..maintenance.until.seconds(),
    }
}

/// Judges every case that its partner calls clean by what the telescopes saw since, and records
/// what follows. Judging again at the same moment records nothing new.
///
/// # Errors
/// As the store's questions and answers fail.
pub async fn judge_silences(
    store: &Store,
    registry: &Registry,
    quiet_seconds: u64,
    now: Millis,
) -> Result<Vec<Step>, StoreError> {
    let since = Millis(now.0.saturating_sub(JUDGED_MILLIS));
    let mut cases = store.cases_standing(Event::Resolve, since).await?;
    cases.retain(|(case, standing)| {
        let is_over = standing.state.after(Event::Reappear).is_ok();
        is_over && case.alert.reason_code != SINKHOLE // which no telescope saw
    });
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let watermarks = store
        .watermarks(now.seconds().saturating_sub(2 * CLOCK_BEHIND_MAX.as_secs()))
        .await?;
    let maintenance = store.maintenance(since).await?;
    let sky = Sky {
        watermarks: &watermarks,
        maintenance: &maintenance,
        now: now.seconds(),
    };
    let ids: Vec<Uuid> = cases.iter().map(|(case, _)| case.alert.id).collect();
    let sensors = sensors_of(store, &ids).await?;
    let nobody = BTreeSet::new();
    let mut steps = Vec::new();
    for (case, standing) in &cases {
        let silent = Silent {
            alert: &case.alert,
            standing,
            sensors: sensors.get(&case.alert.id).unwrap_or(&nobody),
        };
        let stretches = silent.stretches(&sky);
        let watched = match standing.state {
            Remedy::Confirmed => Watched {
                active: 0.0,
                silent: 0.0,
            }, // seen again, or as it was
            _ => watched(store, silent.sensors, &stretches).await?,
        };
        let judgement = silent.judge(&sky, registry, watched, quiet_seconds);
        steps.extend(step(&silent, judgement, now));
    }
    store.record_steps(&steps).await?;
    Ok(steps)
}

/// Which sensors saw each case.
async fn sensors_of(
    store: &Store,
    cases: &[Uuid],
) -> Result<BTreeMap<Uuid, BTreeSet<SensorId>>, StoreError> {
    let mut sensors: BTreeMap<Uuid, BTreeSet<SensorId>> = BTreeMap::new();
    for observation in store.observations(cases).await? {
        let known = sensors.entry(observation.case).or_default();
        known.extend(observation.sensors);
    }
    Ok(sensors)
}

async fn watched(
    store: &Store,
    sensors: &BTreeSet<SensorId>,
    stretches: &Stretches,
) -> Result<Watched, StoreError> {
    let active = store.exposure(sensors, stretches.active.clone()).await?;
    let mut silent = 0.0;
    for range in &stretches.silent {
        silent += store.exposure(sensors, range.clone()).await?;
    }
    Ok(Watched { active, silent })
}

/// What is written down of a judgement.
fn step(silent: &Silent<'_>, judgement: Judgement, now: Millis) -> Option<Step> {
    let (event, note, probability) = match judgement {
        Judgement::Wait => return None,
        Judgement::Reappeared => (Event::Reappear, String::new(), None),
        Judgement::Confirmed { probability } => {
            let note = "the silence would be this unlikely had nothing changed".to_owned();
            (Event::Confirm, note, Some(probability))
        }
        Judgement::Quiet { doubt, probability } => {
            tracing::info!(case = %silent.alert.id, ?doubt, "a silence proves nothing");
            (Event::StayQuiet, doubt.text().to_owned(), probability)
        }
    };
    let Standing { since, .. } = silent.standing;
    let name = format!("{}|{}|{}", silent.alert.id, event.name(), since.0);
    Some(Step {
        case: silent.alert.id,
        id: Uuid::new_v5(&NAMESPACE, name.as_bytes()),
        event,
        at: now,
        by: "analyzer".to_owned(),
        note,
        probability,
        partner: silent.alert.partner.clone().unwrap_or_default(),
    })
}
