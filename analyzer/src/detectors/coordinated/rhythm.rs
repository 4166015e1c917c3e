//! Whether the networks that ask for a port do so at the same times, beyond chance.
//!
//! Dark-TRACER names the ports that enough networks of an anomalous window or group ask for.
//! That names popular ports as well, and its authors found most such alerts false. So a port
//! must have a rhythm of its own: were its networks independent, each would be active in any
//! of the slots alike, and the number active at once would be a sum of independent trials
//! (its tail is at most a binomial's: Hoeffding, 1956). Networks that are always active say
//! nothing about that and do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::gathering::{Gathering, Pair};

/// A port that is asked for in a rhythm.
#[derive(Clone, Debug)]
pub(super) struct Rhythm<'a> {
    /// Which.
    pub(super) port: u16,
    /// Sources active when most are, in ascending order.
    pub(super) members: Vec<&'a Pair>,
    /// Their networks.
    pub(super) networks: BTreeSet<u64>,
    /// Networks active at once that chance explains.
    pub(super) usual: f64,
}

/// Everybody who asks for each port, in ascending order of network, subnet and source.
pub(super) fn by_port(gathering: &Gathering) -> BTreeMap<u16, Vec<&Pair>> {
    let mut ports: BTreeMap<u16, Vec<&Pair>> = BTreeMap::new();
    for pair in gathering.pairs.values() {
        ports.entry(pair.port).or_default().push(pair);
    }
    for pairs in ports.values_mut() {
        pairs.sort_unstable_by_key(|pair| (pair.network, pair.subnet, pair.source));
    }
    ports
}

/// What is taken to be independent of each other: networks, or their parts.
pub(super) type Whose = fn(&Pair) -> u64;

/// How many of these there are, in order.
pub(super) fn count(pairs: &[&Pair], whose: Whose) -> usize {
    pairs.chunk_by(|a, b| whose(a) == whose(b)).count()
}

/// The rhythm of those who ask for a port, if chance below `chance` does not explain it.
pub(super) fn of<'a>(
    pairs: &[&'a Pair],
    whose: Whose,
    (slots, chance): (usize, f64),
) -> Option<Rhythm<'a>> {
    let port = pairs.first()?.port;
    let always = (1_u32 << slots) - 1;
    let of_networks = pairs.chunk_by(|a, b| whose(a) == whose(b));
    let active: Vec<u32> = of_networks
        .map(|group| group.iter().fold(0, |bits, pair| bits | pair.slots))
        .filter(|bits| *bits != always)
        .collect();
    let all: u32 = active.iter().map(|bits| bits.count_ones()).sum();
    let usual = f64::from(all) / slots as f64;
    let trials = active.len() as f64;
    let mut peaks = 0_u32;
    for slot in 0..slots {
        let at_once = active.iter().filter(|bits| *bits >> slot & 1 == 1).count();
        let tail = tail_bound(at_once as f64, trials, usual / trials.max(1.0));
        if tail * slots as f64 <= chance {
            peaks |= 1 << slot;
        }
    }
    if peaks == 0 {
        return None;
    }
    let at_peaks = pairs.iter().filter(|pair| pair.slots & peaks != 0);
    let members: Vec<&Pair> = at_peaks.copied().collect();
    Some(Rhythm {
        port,
        networks: members.iter().map(|pair| whose(pair)).collect(),
        members,
        usual: (usual * 10.0).round() / 10.0,
    })
}

/// An upper bound of P(X ≥ `matches`) for a binomial (Chernoff; Hoeffding, 1963).
fn tail_bound(matches: f64, trials: f64, chance: f64) -> f64 {
    let share = matches / trials.max(1.0);
    if share <= chance || chance <= 0.0 {
        return 1.0;
    }
    let hit = share * (share / chance).ln();
    let miss = (1.0 - share) * ((1.0 - share) / (1.0 - chance)).ln();
    let miss = if share < 1.0 { miss } else { 0.0 };
    (-trials * (hit + miss)).exp()
}

impl Rhythm<'_> {
    /// Whether one target gets more than `share` of the packets, and of the pairs of source
    /// and target: a flood, or a wrong address, but no scan (level 4 of Dark-TRACER).
    pub(super) fn has_one_target(&self, share: f64) -> bool {
        let mut targets: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        let mut all = (0, 0);
        for (target, packets) in self.members.iter().flat_map(|pair| pair.targets()) {
            let one = targets.entry(*target).or_default();
            *one = (one.0 + packets, one.1 + 1);
            all = (all.0 + packets, all.1 + 1);
        }
        let Some(most) = targets.values().max() else {
            return false;
        };
        let above = |part: u64, of: u64| part as f64 > share * of as f64;
        above(most.0, all.0) && above(most.1, all.1)
    }

    /// Whether most sources of the smaller of both take part in the other as well.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        let sources = |rhythm: &Self| -> BTreeSet<u64> {
            rhythm.members.iter().map(|pair| pair.source).collect()
        };
        let (one, other) = (sources(self), sources(other));
        one.intersection(&other).count() * 2 >= one.len().min(other.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::detectors::statistics::poisson_tail;

    #[test]
    fn the_bound_is_what_it_should_be() {
        assert_eq!(tail_bound(5.0, 10.0, 0.5), 1.0);
        assert_eq!(tail_bound(10.0, 10.0, 0.0), 1.0, "nothing is known");
        let all = tail_bound(10.0, 10.0, 0.25);
        assert!((all - 0.25_f64.powi(10)).abs() < 1e-12, "{all}");
    }

    proptest! {
        /// For rare events the bound lies above the tail of a Poisson.
        #[test]
        fn the_bound_is_above_the_tail(matches in 1_u64..60, trials in 2_000_u64..9_000) {
            let mean = trials as f64 * 1e-3;
            let bound = tail_bound(matches as f64, trials as f64, 1e-3);
            let tail = poisson_tail(matches, mean) * (1.0 - 1e-3_f64).powi(2);
            prop_assert!(bound >= tail * 0.9, "{bound} {tail}");
        }
    }
}
