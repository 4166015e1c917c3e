//! What makes a source a scanner: the bar that detectors keyed by source share.

use std::cmp::Reverse;
use std::mem;
use std::net::IpAddr;

use noroshi_proto::traffic::Service;
use noroshi_store::alert::Kind;

use super::hosts::fingerprint;
use super::sources::{Activity, Conversation, Sensors};
use super::statistics::poisson_interval;
use crate::finding::{About, Estimates, Finding, Fingerprint, Reason, SERVICES_MAX, Support};
use crate::settings::Hosts;

/// Packets per target from which few targets are asked again and again: a conversation of a
/// misdirected client, not part of a scan.
const MISDIRECTED_PACKETS_PER_TARGET: u64 = 3;

/// What one source must reach to be named.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'a> {
    /// The source.
    pub source: IpAddr,
    /// The thresholds.
    pub settings: &'a Hosts,
    /// Telescope addresses that are up.
    pub watched: u64,
    /// Distinct targets that the source hit: many rules ask, and each view has to be asked.
    pub targets: u64,
}

impl Bar<'_> {
    /// Targets without which nobody is named: fewer only where fewer are watched.
    pub fn targets_min(&self) -> u64 {
        let least = self.settings.targets_min;
        if self.source.is_ipv4() && self.watched > 0 {
            least.min(self.watched)
        } else {
            least
        }
    }

    /// Whether some telescope, or all together, saw as many targets as scanners reach.
    pub fn covers_enough(&self, activity: &Activity) -> bool {
        let enough = |targets: u64, addresses: u64| {
            let share = (self.settings.targets_share * addresses as f64).ceil() as u64;
            targets >= share.max(self.targets_min())
        };
        let views = &activity.views;
        enough(self.targets, activity.views.addresses())
            || views
                .iter()
                .any(|view| enough(view.targets(), view.addresses))
    }

    /// The conversations that are part of a scan, by index: those with targets enough of
    /// their own; and, of a source that is `marked` as a scanner's or has targets enough in
    /// all, those with fewer, unless they keep asking the same.
    pub fn asked(&self, activity: &Activity, marked: impl Fn(&Conversation) -> bool) -> Vec<usize> {
        let broad = self.targets >= self.settings.targets_published;
        let counts = |one: &Conversation| {
            one.targets() >= self.targets_min()
                || ((broad || marked(one))
                    && one.packets <= MISDIRECTED_PACKETS_PER_TARGET * one.targets())
        };
        let all = activity.conversations.iter().enumerate();
        all.filter(|(_, one)| counts(one))
            .map(|(index, _)| index)
            .collect()
    }

    /// How well what is known of a source carries.
    pub fn support(&self, activity: &Activity) -> Support {
        let (settings, targets) = (self.settings, self.targets);
        if targets < settings.targets_min && activity.packets() < 10 {
            return Support::Weak;
        }
        if targets < settings.targets_published || activity.forgeable {
            return Support::Plain;
        }
        if activity.views.hops_apart() > settings.hops_apart {
            return Support::Torn;
        }
        let lasts = activity.lasted() >= settings.steady_seconds as f64;
        if lasts && activity.views.hops_spread() <= settings.hops_spread {
            return Support::Steady;
        }
        Support::Broad
    }
}

/// A finding about the `asked` conversations, to be completed with its kind and reason.
/// Their fresh packets move into it; `None` where there are none.
pub fn report(
    bar: &Bar<'_>,
    activity: &mut Activity,
    asked: &[usize],
    sensors: &Sensors,
    about: About,
) -> Option<Finding> {
    let conversations = asked.iter().map(|index| &activity.conversations[*index]);
    let leading = conversations
        .clone()
        .max_by_key(|one| (one.packets, Reverse(one.service)))?;
    let source_port = (leading.source_port != 0).then_some(leading.source_port);
    let first = conversations.clone().map(|one| one.first).min()?;
    let last = conversations.map(|one| one.last).max()?;
    let (services, packets) = fresh(activity, asked);
    (packets > 0).then(|| Finding {
        kind: Kind::ScanningHost,
        about,
        first,
        last,
        at: 0,
        packets,
        targets: bar.targets,
        sources: None,
        sensors: sensors.names(activity.views.sensors()),
        services,
        source_port,
        fingerprint: None,
        usual: Some(0.0),
        rate: activity.rate(bar.source),
        estimates: estimates(activity, bar),
        support: bar.support(activity),
        reason: Reason::Scan,
        late: false,
        victims: Vec::new(),
    })
}

/// How fast it scans, between which bounds, and how much of the telescope it has covered:
/// the share that was hit, which for random scanning with replacement (Mirai) is
/// `1 - exp(-coverage)`.
fn estimates(activity: &Activity, bar: &Bar<'_>) -> Estimates {
    let Some(rate) = activity.rate(bar.source) else {
        return Estimates::default();
    };
    let packets = activity.packets();
    let (low, high) = poisson_interval(packets);
    let each = rate / packets as f64;
    let hit = bar.targets as f64 / activity.views.addresses().max(1) as f64;
    let is_random = fingerprint(&activity.marks, packets, bar.settings) == Some(Fingerprint::Mirai);
    let coverage = if is_random && hit < 1.0 {
        -(-hit).ln_1p()
    } else {
        hit.min(1.0)
    };
    Estimates {
        rate_between: Some((low * each, high * each)),
        coverage: Some(coverage),
        ..Estimates::default()
    }
}

/// Takes the packets not yet reported: by service, and in all.
fn fresh(activity: &mut Activity, asked: &[usize]) -> (Vec<(Service, u64)>, u64) {
    let mut services: Vec<(Service, u64)> = Vec::new();
    let mut packets = mem::take(&mut activity.others);
    for index in asked {
        let one = &mut activity.conversations[*index];
        let fresh = mem::take(&mut one.fresh);
        packets += fresh;
        match services
            .iter_mut()
            .find(|(service, _)| *service == one.service)
        {
            Some((_, sum)) => *sum += fresh,
            None if fresh > 0 => services.push((one.service, fresh)),
            None => {}
        }
    }
    services.sort_unstable_by_key(|(service, packets)| (Reverse(*packets), *service));
    services.truncate(SERVICES_MAX);
    (services, packets)
}
