//! Hosts that answer from the port of an amplifier: others abuse them.
//!
//! Somebody asked them in the name of one of our addresses. Answers that all hit one address
//! on one day are an attack on that address, or a lost reply, and yield nothing.

use noroshi_proto::flow::Flow;
use noroshi_proto::traffic::Traffic;
use noroshi_store::alert::Kind;
use noroshi_store::window::Window;

use super::scanner::{Bar, report};
use super::sources::Sources;
use super::{Detector, Facts, Fill, WarmUp};
use crate::finding::{About, Finding, Reason, Support};
use crate::settings::{self, Hosts, OpenReflector, Settings};

/// Milliseconds of a day.
const DAY_MILLIS: u64 = 86_400_000;

/// Finds open reflectors.
#[derive(Debug)]
pub struct OpenReflectors {
    settings: OpenReflector,
    hosts: Hosts,
    sources: Sources,
}

impl OpenReflectors {
    /// Knows no source yet.
    pub fn new(settings: &Settings) -> Self {
        let remembered = settings.open_reflector.days_min * DAY_MILLIS / 1000;
        let remembering = settings::Sources {
            // answers of different days belong together, whatever the telescope
            silence_seconds_min: remembered,
            silence_seconds_max: remembered,
            ..settings.sources.clone()
        };
        Self {
            settings: settings.open_reflector.clone(),
            hosts: settings.hosts.clone(),
            sources: Sources::new(&remembering, is_answer),
        }
    }
}

impl Detector for OpenReflectors {
    fn tables(&self) -> Vec<Fill> {
        vec![self.sources.fill("amplifiers")]
    }

    fn facts(&self) -> Facts {
        Facts {
            name: "open_reflector",
            kinds: &[Kind::OpenReflector],
            warm_up: WarmUp::Windows {
                seconds: 2 * 86_400,
            },
        }
    }

    fn examine(&mut self, window: &Window) -> Vec<Finding> {
        let mut findings = Vec::new();
        let (settings, hosts, watched) = (&self.settings, &self.hosts, window.addresses());
        self.sources
            .observe(window, |source, activity, sensors, seen| {
                let days = 1 + activity.last.0 / DAY_MILLIS - activity.first.0 / DAY_MILLIS;
                if activity.targets() < settings.targets_min && days < settings.days_min {
                    return;
                }
                let bar = Bar {
                    source,
                    settings: hosts,
                    watched,
                    targets: activity.targets(),
                };
                let all: Vec<usize> = (0..activity.conversations.len()).collect();
                let about = About::Source(source, activity.origin.clone());
                let Some(mut finding) = report(&bar, activity, &all, sensors, about) else {
                    return;
                };
                finding.kind = Kind::OpenReflector;
                finding.reason = Reason::AmplifierAnswers;
                finding.support = Support::Weak; // an answer's source is forged as easily
                finding.rate = None;
                finding.estimates = Default::default();
                finding.at = window.end();
                finding.late = seen.iter().all(|sighting| sighting.late);
                findings.push(finding);
            });
        findings
    }
}

fn is_answer(flow: &Flow) -> bool {
    flow.tuple.traffic == Traffic::BackscatterUdp
}
