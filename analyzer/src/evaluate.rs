//! How well the detectors do on a scenario whose truth is known.
//!
//! The same analysis as in operation, all detectors and the cases, over windows that are
//! made while it works; and beside it three rules that others use, on the same series of
//! sources in ten minutes.
//!
//! | module           | gives                                                       |
//! |------------------|-------------------------------------------------------------|
//! | [`series`]       | sources per service in ten minutes                          |
//! | [`changefinder`] | what nicter's ChangeFinder would say                        |
//! | [`dshield`]      | what the trend of DShield would say                         |
//! | [`poisson`]      | what a plain Poisson rule would say                         |
//! | [`claim`]        | what somebody says, whoever it is                           |
//! | [`judge`]        | claims and truth, compared                                  |
//! | [`score`]        | recall, precision, delays                                   |
//! | [`report`]       | all of it as text                                           |

pub mod changefinder;
pub mod claim;
pub mod dshield;
pub mod judge;
pub mod poisson;
pub mod report;
pub mod score;
pub mod series;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use noroshi_store::registry::Registry;
use noroshi_store::window::Window;
use serde::Serialize;

use self::claim::{Claim, Claims};
use self::judge::Judgement;
use self::score::{Course, Method, Shifts};
use self::series::Series;
use crate::alerts::Purpose;
use crate::analysis::Analysis;
use crate::detectors::{self, Observation};
use crate::scenario::truth::Truth;
use crate::scenario::{Scenario, region};
use crate::settings::Settings;

/// Windows that are handed over at once, and how many of those may wait.
const BATCH: usize = 30;
const WAITING: usize = 2;

/// One evaluation to be made.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Over what.
    pub scenario: &'a Scenario,
    /// Decides every packet.
    pub seed: u64,
    /// The thresholds.
    pub settings: &'a Settings,
    /// Detectors to be judged alone, by name and without the rules of others; none means all.
    pub only: &'a [String],
    /// What the thread that asks has spent of its processor: a clock from outside.
    pub clock: fn() -> Duration,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Of which scenario.
    pub scenario: &'static str,
    /// With which seed.
    pub seed: u64,
    /// Days that were watched.
    pub days: f64,
    /// Sensors.
    pub sensors: usize,
    /// Dark addresses of all of them.
    pub addresses: u64,
    /// Flow tuples that were examined.
    pub flow_tuples: u64,
    /// Packets that they stand for.
    pub packets: u64,
    /// The detectors and the cases, then each rule of others.
    pub methods: Vec<Method>,
    /// Each detector alone.
    pub detectors: Vec<Method>,
    /// Each thing that happened.
    pub courses: Vec<Course>,
    /// The first false claims of our own, in order of time.
    pub wrong: Vec<Claim>,
    /// How many cases each partner was told of, by shift.
    pub shifts: Vec<Shifts>,
    /// Seconds of processors, of the whole program; for the shell to fill in.
    pub cpu_seconds: f64,
    /// Seconds that it took; for the shell to fill in.
    pub seconds: f64,
    /// The most memory it had, in bytes; for the shell to fill in.
    pub memory_bytes: u64,
}

/// What was gathered while windows passed.
struct Gathered {
    claims: Claims,
    series: Series,
    flow_tuples: u64,
    packets: u64,
    /// By detector, processor time.
    spent: Vec<(&'static str, Duration)>,
}

impl Run<'_> {
    /// Makes it. `progress` hears, now and then, which second has been reached.
    ///
    /// # Panics
    /// When a thread that makes windows does, or the scenario's registry is wrong, which a
    /// test of every scenario rules out.
    pub fn evaluate(&self, progress: &mut dyn FnMut(u64)) -> Evaluation {
        let play = self.scenario.play(self.seed);
        let truths = play.truths();
        let gathered = std::thread::scope(|scope| {
            let (sender, windows) = sync_channel(WAITING);
            scope.spawn(move || {
                let mut play = play;
                loop {
                    let batch: Vec<Window> = play.by_ref().take(BATCH).collect();
                    if batch.is_empty() || sender.send(batch).is_err() {
                        return;
                    }
                }
            });
            self.gather(&windows, progress)
        });
        self.judge(&truths, &gathered)
    }

    fn gather(&self, windows: &Receiver<Vec<Window>>, progress: &mut dyn FnMut(u64)) -> Gathered {
        let text = region::registry(&self.scenario.sensors);
        let registry = Registry::parse("registry.toml", &text)
            .expect("the registry of every scenario is parsed in a test");
        let mut analysis = Analysis::new(
            self.settings,
            Arc::new(registry),
            Observation::Recorded,
            Purpose::Operation,
        )
        .timed(self.clock);
        if !self.only.is_empty() {
            analysis = analysis.only(self.only);
        }
        let (mut claims, mut series) = (Claims::default(), Series::default());
        let (mut flow_tuples, mut packets) = (0, 0);
        for batch in windows {
            let (outcomes, ()) = rayon::join(
                || analysis.examine(&batch),
                || {
                    if self.only.is_empty() {
                        batch.iter().for_each(|window| series.take(window));
                    }
                },
            );
            claims.take(outcomes);
            for window in &batch {
                flow_tuples += window.flows.len() as u64;
                packets += window.packets();
            }
            if let Some(last) = batch.last() {
                progress(last.end());
            }
        }
        claims.take(analysis.alerts.checkpoint());
        series.close();
        Gathered {
            claims,
            series,
            flow_tuples,
            packets,
            spent: analysis.spent(),
        }
    }

    fn judge(&self, truths: &[Truth], gathered: &Gathered) -> Evaluation {
        let scenario = self.scenario;
        let days = scenario.watched_seconds() as f64 / 86_400.0;
        let span = score::Span {
            days,
            sensors: scenario.sensors.len(),
            partners: region::PARTNERS.len(),
        };
        let claims = gathered.claims.all();
        let own = Judgement::of(&claims, truths);
        let total: Duration = gathered.spent.iter().map(|(_, spent)| *spent).sum();
        let mut methods = vec![Method::pushed("noroshi", &own, truths, span).taking(total)];
        let rules = series::RULES.iter().filter(|_| self.only.is_empty());
        for (name, rule) in rules {
            let claims = gathered.series.claims(*rule);
            let judged = Judgement::of(&claims, truths);
            methods.push(Method::of_series(name, &judged, truths, span));
        }
        let kinds = detectors::all(self.settings, Observation::Recorded);
        let facts = kinds.iter().map(|detector| detector.facts());
        let is_judged =
            |name: &str| self.only.is_empty() || self.only.iter().any(|one| one == name);
        let judged = facts.filter(|facts| is_judged(facts.name));
        let detectors = judged.map(|facts| {
            let spent = gathered.spent.iter().find(|(name, _)| *name == facts.name);
            Method::of_kinds(facts, &own, truths, span)
                .taking(spent.map_or(Duration::ZERO, |(_, spent)| *spent))
        });
        Evaluation {
            scenario: scenario.name,
            seed: self.seed,
            days,
            sensors: scenario.sensors.len(),
            addresses: scenario.addresses(),
            flow_tuples: gathered.flow_tuples,
            packets: gathered.packets,
            detectors: detectors.collect(),
            methods,
            courses: score::courses(&own, truths),
            wrong: score::wrong(&own),
            shifts: score::shifts(&own, (scenario.from, scenario.until)),
            cpu_seconds: 0.0,
            seconds: 0.0,
            memory_bytes: 0,
        }
    }
}
