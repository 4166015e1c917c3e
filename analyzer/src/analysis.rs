//! Windows in, outcomes out: every detector and the cases, as one fold.
//!
//! Live, replay and warm-up are this fold over different windows.

use std::sync::Arc;
use std::time::Duration;

use noroshi_store::past::PastBin;
use noroshi_store::registry::Registry;
use noroshi_store::window::Window;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use tracing::{Span, trace_span};
use uuid::Uuid;

use crate::alerts::{Alerts, Outcome, Purpose};
use crate::detectors::{self, Detector, Fill, Maintenance, Observation, WarmUp};
use crate::finding::Finding;
use crate::settings::Settings;

/// Everything one analyzer knows.
pub struct Analysis {
    detectors: Vec<Box<dyn Detector>>,
    /// The cases.
    pub alerts: Alerts,
    registry: Arc<Registry>,
    /// What a thread has spent of its processor: a clock from outside.
    clock: fn() -> Duration,
    /// Processor time of each detector.
    spent: Vec<Duration>,
}

/// The past that detectors must see, in seconds before the present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// By windows.
    pub windows_seconds: u64,
    /// By rollups; what is newer than the last of them by windows.
    pub rollups_seconds: u64,
}

impl Analysis {
    /// Knows nothing yet.
    pub fn new(
        settings: &Settings,
        registry: Arc<Registry>,
        observation: Observation,
        purpose: Purpose,
    ) -> Self {
        let detectors = detectors::all(settings, observation);
        Self {
            spent: vec![Duration::ZERO; detectors.len()],
            detectors,
            alerts: Alerts::new(settings, purpose),
            registry,
            clock: || Duration::ZERO,
        }
    }

    /// With these detectors alone, by name.
    pub fn only(mut self, names: &[String]) -> Self {
        self.detectors
            .retain(|detector| names.iter().any(|name| name == detector.facts().name));
        self.spent.truncate(self.detectors.len());
        self
    }

    /// See [`Alerts::named`].
    pub fn named(self, namespace: Uuid) -> Self {
        Self {
            alerts: self.alerts.named(namespace),
            ..self
        }
    }

    /// Measures each detector by this clock, which tells what the thread that asks has spent
    /// of its processor.
    pub fn timed(self, clock: fn() -> Duration) -> Self {
        Self { clock, ..self }
    }

    /// What each detector has spent, by name.
    pub fn spent(&self) -> Vec<(&'static str, Duration)> {
        let names = self.detectors.iter().map(|detector| detector.facts().name);
        names.zip(self.spent.iter().copied()).collect()
    }

    /// How full the tables of all detectors are.
    pub fn tables(&self) -> Vec<Fill> {
        let tables = self.detectors.iter().map(|detector| detector.tables());
        tables.flatten().collect()
    }

    /// The past that the detectors must see before they can be trusted.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for detector in &self.detectors {
            match detector.facts().warm_up {
                WarmUp::Nothing => {}
                WarmUp::Windows { seconds } => {
                    needs.windows_seconds = needs.windows_seconds.max(seconds);
                }
                WarmUp::Rollups { seconds } => {
                    needs.rollups_seconds = needs.rollups_seconds.max(seconds);
                }
            }
        }
        needs
    }

    /// Seconds of the past that the detectors must see, by whatever tells it.
    pub fn warm_up_seconds(&self) -> u64 {
        let needs = self.needs();
        needs.windows_seconds.max(needs.rollups_seconds)
    }

    /// Shows the detectors bins that rollups remember, in order and before any window.
    pub fn recall(&mut self, past: &[PastBin]) {
        self.detectors.par_iter_mut().for_each(|detector| {
            for bin in past {
                detector.recall(bin);
            }
        });
    }

    /// Tells the detectors when sensors are being worked on.
    pub fn maintain(&mut self, works: &[Maintenance]) {
        for detector in &mut self.detectors {
            detector.maintain(works);
        }
    }

    /// Shows the detectors what is past; what they find in it was told then.
    pub fn warm_up(&mut self, windows: &[Window]) {
        self.find(windows);
    }

    /// Takes closed windows in, in order, and says what becomes of them.
    pub fn examine(&mut self, windows: &[Window]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut by_detector = self.find(windows);
        for (index, window) in windows.iter().enumerate() {
            let findings = by_detector
                .iter_mut()
                .flat_map(|found| std::mem::take(&mut found[index]))
                .collect();
            let times = (window.interval.start(), window.end());
            outcomes.extend(self.alerts.merge(findings, &self.registry, times));
        }
        outcomes
    }

    /// The findings of each detector, window by window. Detectors know nothing of each
    /// other, so each folds all windows on a core of its own.
    fn find(&mut self, windows: &[Window]) -> Vec<Vec<Vec<Finding>>> {
        let clock = self.clock;
        let span = Span::current();
        self.detectors
            .par_iter_mut()
            .zip(self.spent.par_iter_mut())
            .map(|(detector, spent)| {
                let family =
                    span.in_scope(|| trace_span!("detector", detector = detector.facts().name));
                let _entered = family.entered();
                let before = clock();
                let found = windows
                    .iter()
                    .map(|window| detector.examine(window))
                    .collect();
                *spent += clock().saturating_sub(before);
                found
            })
            .collect()
    }
}
