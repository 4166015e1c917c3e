//! The live analyzer: polls the store, closes windows, keeps what follows from them.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use noroshi_proto::time::{IntervalLength, Millis};
use noroshi_store::lease::{Lease, Role};
use noroshi_store::ledger::{ArrivalCursor, Watermark};
use noroshi_store::observations::Observation as Observed;
use noroshi_store::positions::Position;
use noroshi_store::registry::Registry;
use noroshi_store::store::{Store, StoreError};
use noroshi_store::window::Window;
use tracing::{Instrument as _, trace_span};

use super::decided::Decided;
use super::people::{self, People};
use super::rolling::Rolling;
use super::warm::{roll_up_due, warm_up};
use super::{RunError, examine};
use crate::alerts::{Outcome, Purpose};
use crate::analysis::Analysis;
use crate::detectors::Observation;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::windows::{Closing, Due, Intake, Pace, mark_late};

/// How often the store is asked for news.
const POLL: Duration = Duration::from_millis(500);
/// How long a lease lasts, and how often it is renewed, in milliseconds.
const LEASE_MILLIS: u64 = 30_000;
const RENEW_MILLIS: u64 = 10_000;
/// Event time examined at once, in seconds: at first, at least and, where little happens,
/// at most.
const STRETCH_SECONDS: u64 = 600;
const STRETCH_SECONDS_MIN: u64 = 60;
const STRETCH_SECONDS_MAX: u64 = 128 * 86_400;
/// Flows examined at once, about.
const STRETCH_FLOWS: usize = 250_000;
/// Event time between checkpoints, in seconds.
const CHECKPOINT_SECONDS: u64 = 600;
/// How far back sensors are asked how far they have come, in seconds.
const WATERMARK_SECONDS: u64 = 3_600;
/// How long all registered sensors are waited for at the start, at their pace.
const EXPECT_MILLIS: u64 = 10_000;
/// How far back arrivals are asked for at the start, in milliseconds, beyond the position.
const ARRIVALS_MILLIS: u64 = 3_600_000;

/// How a live analyzer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// What drives time on.
    pub pace: Pace,
    /// Whether what is seen is real.
    pub purpose: Purpose,
}

impl Mode {
    /// Sensors that report what they see now.
    pub const OPERATION: Self = Self {
        pace: Pace::Clock,
        purpose: Purpose::Operation,
    };
    /// Captures played back by sensors, for people to watch.
    pub const EXERCISE: Self = Self {
        pace: Pace::Sensors,
        purpose: Purpose::Exercise,
    };
}

/// What a live analyzer works with.
pub struct Parts {
    /// Where batches are, and cases are kept.
    pub store: Store,
    /// Who the partners are.
    pub registry: Arc<Registry>,
    /// Every threshold.
    pub settings: Settings,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
}

/// Examines what sensors report, as time passes, until `shutdown`.
///
/// Waits while another analyzer holds the lease, and while the store does not answer.
///
/// # Errors
/// [`RunError::Store`] where the store refuses, or another analyzer took over.
pub async fn run(parts: Parts, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
    run_as(Mode::OPERATION, parts, shutdown).await
}

/// [`run`], in a mode.
///
/// # Errors
/// As [`run`].
pub async fn run_as(
    mode: Mode,
    parts: Parts,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let mut shutdown = pin!(shutdown);
    let holder = holder();
    let lease = loop {
        match lease(&parts.store, &holder).await {
            Ok(Some(lease)) => break lease,
            Ok(None) => {}
            Err(error) => wait_out(error)?,
        }
        if rest(&mut shutdown).await {
            return Ok(());
        }
    };
    tracing::info!(token = lease.token(), "analyzer holds the lease");
    parts.metrics.lead();
    let mut analyzer = loop {
        match Live::start(mode, &parts).await {
            Ok(analyzer) => break analyzer,
            Err(RunError::Store(error)) => wait_out(error)?,
            Err(error) => return Err(error),
        }
        if rest(&mut shutdown).await {
            return Ok(());
        }
    };
    analyzer.lease = Some(lease);
    loop {
        let over = rest(&mut shutdown).await;
        let stepped = analyzer.step(over).instrument(trace_span!("round")).await;
        let intake = &analyzer.intake;
        let tables = analyzer.analysis.as_ref().map(Analysis::tables);
        let tables = tables.unwrap_or_default();
        parts
            .metrics
            .come(intake.position(), intake.accounts(), tables);
        match stepped {
            Ok(()) if over => return Ok(()),
            Ok(()) => {}
            Err(RunError::Store(error)) => wait_out(error)?,
            Err(error) => return Err(error),
        }
        if over {
            return Ok(()); // what could not be kept is examined again at the next start
        }
    }
}

/// Whether the analyzer should end, after one pause.
async fn rest(shutdown: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
    tokio::time::timeout(POLL, shutdown.as_mut()).await.is_ok()
}

/// An error that waiting may cure is logged; any other ends the analyzer.
fn wait_out(error: StoreError) -> Result<(), RunError> {
    match error {
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "waiting for the store");
            Ok(())
        }
        other => Err(other.into()),
    }
}

async fn lease(store: &Store, holder: &str) -> Result<Option<Lease>, StoreError> {
    let now = store.wall_time().await?;
    let until = Millis(now.0 + LEASE_MILLIS);
    store
        .acquire_lease(Role::Analyzer, holder, now, until)
        .await
}

/// This machine's name: the same after a restart, so that its lease is taken over at once.
fn holder() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("analyzer@{}", name.trim())
}

/// How much event time to examine next, after a stretch that held these windows.
fn stretch_after(stretch: u64, windows: &[Window]) -> u64 {
    let flows: usize = windows.iter().map(|window| window.flows.len()).sum();
    if flows > STRETCH_FLOWS {
        return (stretch / 2).max(STRETCH_SECONDS_MIN);
    }
    if flows < STRETCH_FLOWS / 16 {
        return (stretch * 4).min(STRETCH_SECONDS_MAX);
    }
    stretch
}

/// A live analyzer, between two steps.
struct Live {
    mode: Mode,
    store: Store,
    closing: Closing,
    /// `None` only while it is lent to a blocking thread.
    analysis: Option<Analysis>,
    intake: Intake,
    /// Arrived after their intervals had closed, and not yet examined.
    late: VecDeque<Due>,
    /// Event time examined at once, in seconds.
    stretch: u64,
    cursor: ArrivalCursor,
    /// What the store had before this wall time has been taken in.
    taken: Millis,
    lease: Option<Lease>,
    renewed: Millis,
    checkpoint: u64,
    rolling: Rolling,
    /// Decided, and not yet kept.
    decided: Decided,
    observed: Vec<Observed>,
    people: People,
    metrics: Arc<Metrics>,
}

/// What arrived before this analyzer began.
struct Before {
    intake: Intake,
    late: VecDeque<Due>,
    cursor: ArrivalCursor,
}

impl Before {
    /// At wall time `now`, after the last analyzer came to `position` (event time) and had taken
    /// in what the store had at wall time `taken`.
    async fn read(
        pace: Pace,
        store: &Store,
        (now, position, taken): (Millis, u64, Millis),
    ) -> Result<Self, StoreError> {
        let since = now.0.min(position.saturating_mul(1000).max(1));
        let since = match pace {
            Pace::Clock => since.saturating_sub(ARRIVALS_MILLIS),
            Pace::Sensors => now.0.saturating_sub(ARRIVALS_MILLIS),
        };
        let mut intake = Intake::new(position);
        let mut late = VecDeque::new();
        let mut cursor = ArrivalCursor::since(Millis(since.min(taken.0)));
        loop {
            let before = store.arrivals(&mut cursor).await?;
            if before.is_empty() {
                break;
            }
            late.extend(intake.resume(before, taken));
        }
        Ok(Self {
            intake,
            late,
            cursor,
        })
    }
}

impl Live {
    /// Warms up over the past, and takes up the open cases.
    async fn start(mode: Mode, parts: &Parts) -> Result<Self, RunError> {
        let Parts {
            store,
            registry,
            settings,
            metrics,
        } = parts;
        let now = store.wall_time().await?;
        let length = IntervalLength::DEFAULT;
        let position = store.position().await?.unwrap_or(match mode.pace {
            Pace::Clock => Position {
                through: now.interval(length).start(),
                taken: now,
            },
            Pace::Sensors => Position {
                through: 0,
                taken: Millis(now.0.saturating_sub(ARRIVALS_MILLIS)),
            },
        });
        let Position {
            through: position,
            taken,
        } = position;
        let sensors = registry.sensors().len();
        let registry = Arc::clone(registry);
        let observation = match mode.pace {
            Pace::Clock => Observation::Live,
            Pace::Sensors => Observation::Recorded, // where a capture ends, observation ends
        };
        let analysis = Analysis::new(settings, Arc::clone(&registry), observation, mode.purpose)
            .named(store.case_namespace().await?);
        roll_up_due(store, position).await?;
        let mut analysis = warm_up(analysis, store, position).await?;
        people::resume(&mut analysis, store, settings, position).await?;
        let before = Before::read(mode.pace, store, (now, position, taken)).await?;
        tracing::info!(position, cases = analysis.alerts.open(), "analyzer is warm");
        Ok(Self {
            metrics: Arc::clone(metrics),
            mode,
            store: store.clone(),
            closing: Closing::new(length, mode.pace)
                .expecting(sensors, Millis(now.0 + EXPECT_MILLIS)),
            analysis: Some(analysis),
            intake: before.intake,
            late: before.late,
            taken,
            stretch: STRETCH_SECONDS,
            cursor: before.cursor,
            lease: None,
            renewed: now,
            checkpoint: position,
            rolling: Rolling::new(store, position),
            decided: Decided::default(),
            observed: Vec::new(),
            people: People::new(now, registry, settings),
        })
    }

    /// Takes in what arrived, examines what is over, keeps what follows.
    async fn step(&mut self, over: bool) -> Result<(), RunError> {
        let now = self.store.wall_time().await?;
        self.renew(now).await?;
        if let Some(analysis) = &mut self.analysis {
            let outcomes = self.people.hear(&self.store, now, analysis).await?;
            self.tell(outcomes);
        }
        self.keep().await?;
        let since = match self.mode.pace {
            Pace::Clock => now.seconds().saturating_sub(WATERMARK_SECONDS),
            Pace::Sensors => 0,
        };
        let watermarks = self.store.watermarks(since).await?;
        // arrivals after watermarks: whoever said that an interval is complete has sent it
        let arrivals = self.store.arrivals(&mut self.cursor).await?;
        self.taken = now;
        let firsts = arrivals.iter().filter_map(|one| one.spans.first());
        firsts.for_each(|span| self.rolling.arrived(span.start));
        self.late.extend(self.intake.arrive(arrivals));
        let was_late = !self.late.is_empty();
        self.examine_late().await?;
        if let Some(through) = self.closing.through(now, &watermarks) {
            self.examine_through(through, &watermarks).await?;
        }
        let position = self.intake.position();
        if over || was_late || position >= self.checkpoint + CHECKPOINT_SECONDS {
            self.save(position).await?;
        }
        match (self.mode.pace, over) {
            (Pace::Sensors, true) => self.rolling.finish(position).await,
            _ => self.rolling.follow(position),
        }
    }

    async fn renew(&mut self, now: Millis) -> Result<(), RunError> {
        let Some(lease) = &self.lease else {
            return Ok(());
        };
        if now.0 >= self.renewed.0 + RENEW_MILLIS {
            let until = Millis(now.0 + LEASE_MILLIS);
            self.store.renew_lease(lease, until).await?;
            self.renewed = now;
        }
        Ok(())
    }

    async fn examine_late(&mut self) -> Result<(), RunError> {
        while let Some(due) = self.late.front() {
            let mut windows = self.read(due).await?;
            mark_late(&mut windows);
            self.late.pop_front();
            self.examine(windows).await?;
            self.keep().await?;
        }
        Ok(())
    }

    async fn examine_through(
        &mut self,
        through: u64,
        watermarks: &[Watermark],
    ) -> Result<(), RunError> {
        let before = self.intake.position();
        while let Some(due) = self.intake.next(through, self.stretch) {
            let windows = self.read(&due).await?;
            self.stretch = stretch_after(self.stretch, &windows);
            self.examine(windows).await?;
            self.intake.pass(due.range.end);
            self.keep().await?;
        }
        if through > before {
            let tick = self.closing.tick(through, watermarks);
            self.examine(vec![tick]).await?;
            self.keep().await?;
        }
        Ok(())
    }

    async fn read(&self, due: &Due) -> Result<Vec<Window>, StoreError> {
        let length = self.closing.length;
        let range = due.range.clone();
        let read = self.store.windows_of(&due.arrivals, range, length);
        let span = trace_span!("read", batches = due.arrivals.len());
        read.instrument(span).await
    }

    /// What is examined is decided, whether or not it can be kept at once.
    async fn examine(&mut self, windows: Vec<Window>) -> Result<(), RunError> {
        self.intake.count(&windows);
        let analysis = self
            .analysis
            .take()
            .expect("it is put back below, or the analyzer has ended");
        let (analysis, outcomes) = examine(analysis, windows).await?;
        self.analysis = Some(analysis);
        self.tell(outcomes);
        Ok(())
    }

    fn tell(&mut self, outcomes: Vec<Outcome>) {
        for outcome in &outcomes {
            let (what, numbered) = match outcome {
                Outcome::Opened(numbered) => ("opened", numbered),
                Outcome::Continued(numbered) => ("continued", numbered),
                Outcome::Kept(numbered) => ("kept", numbered),
                Outcome::Closed(numbered) => ("closed", numbered),
                Outcome::Disputed(numbered) => ("disputed", numbered),
                Outcome::Withdrawn(numbered) => ("withdrawn", numbered),
            };
            let kind = numbered.alert.kind.name();
            tracing::debug!(id = %numbered.alert.id, kind, what, "case");
        }
        self.metrics.tell(&outcomes);
        self.decided.take(outcomes);
        if let Some(analysis) = &mut self.analysis {
            self.observed.extend(analysis.alerts.observations());
        }
    }

    /// Keeps what was decided; what fails to be kept stays to be kept again.
    async fn keep(&mut self) -> Result<(), RunError> {
        let (cases, observations) = (self.decided.cases(), self.observed.len());
        if cases + observations == 0 {
            return Ok(());
        }
        let keeping = async {
            self.store.observe(&self.observed).await?;
            self.observed.clear();
            Ok(self.decided.keep(&self.store).await?)
        };
        let span = trace_span!("keep", cases, observations);
        keeping.instrument(span).await
    }

    /// Keeps what continues, then the position.
    async fn save(&mut self, position: u64) -> Result<(), RunError> {
        let changed = self
            .analysis
            .as_mut()
            .map(|analysis| analysis.alerts.checkpoint())
            .unwrap_or_default();
        self.tell(changed);
        self.keep().await?;
        if let Some(lease) = &self.lease {
            let position = Position {
                through: position,
                taken: self.taken,
            };
            self.store.save_position(lease, position).await?;
        }
        self.checkpoint = position;
        if self.mode.pace == Pace::Clock {
            let now = self.store.wall_time().await?;
            self.people.judge(&self.store, now).await?;
        }
        let accounts = self.intake.accounts();
        tracing::info!(position, ?accounts, "checkpoint");
        Ok(())
    }
}
