//! How many distinct targets a source hit, sensor by sensor.
//!
//! Telescopes are disjoint and each masks its targets with a key of its own, so estimates
//! of different sensors add up, and samples of one sensor merge.

use noroshi_proto::flow::Tally;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_store::window::Watch;
use smallvec::SmallVec;

use super::sources::{hops, hops_spread};

/// Sensors kept; what further ones see adds no targets.
const VIEWS_MAX: usize = 64;
/// Sensors that there is room for at once when a second one sees a source.
const MORE: usize = 3;

/// What each sensor saw of one source. The first stands here itself: most sources have no other,
/// and those that come once and go must cost no allocation.
#[derive(Clone, Debug, Default)]
pub struct Views(SmallVec<[View; 1]>);

/// What one sensor saw of it.
#[derive(Clone, Debug)]
pub struct View {
    sensor: u16,
    /// Addresses the sensor watched.
    pub addresses: u64,
    bits: TargetBits,
    sample_max: usize,
    sample: TargetSample,
    most: u32,
    sum: u64,
    /// Lowest and highest time-to-live.
    ttl: (u8, u8),
}

impl Views {
    /// Takes in what a sensor counted; `sample_max` is the size of samples of this class.
    pub fn add(&mut self, tally: &Tally, watch: &Watch, sensor: u16, sample_max: usize) {
        let known = self.0.iter().position(|view| view.sensor == sensor);
        match known {
            Some(index) => self.0[index].add(tally, watch),
            None if self.0.len() < VIEWS_MAX => {
                if self.0.len() == 1 {
                    self.0.reserve(MORE); // whom two sensors saw, others see as well
                }
                self.0.push(View {
                    sensor,
                    addresses: watch.addresses,
                    bits: watch.target_bits,
                    sample_max,
                    sample: tally.sample.clone(),
                    most: tally.targets,
                    sum: tally.targets.into(),
                    ttl: (tally.ttl_min, tally.ttl_max),
                });
            }
            None => {}
        }
    }

    /// Each sensor's view.
    pub fn iter(&self) -> impl Iterator<Item = &View> {
        self.0.iter()
    }

    /// Addresses of the sensors that saw it, and of `sensor`, which is about to.
    pub fn addresses_with(&self, sensor: u16, addresses: u64) -> u64 {
        let others = self.0.iter().filter(|view| view.sensor != sensor);
        others.map(|view| view.addresses).sum::<u64>() + addresses
    }

    /// Addresses of the sensors that saw it.
    pub fn addresses(&self) -> u64 {
        self.0.iter().map(|view| view.addresses).sum()
    }

    /// Distinct targets.
    pub fn targets(&self) -> u64 {
        self.0.iter().map(View::targets).sum()
    }

    /// The widest spread of hop counts at any one sensor.
    pub fn hops_spread(&self) -> u8 {
        let spreads = self
            .0
            .iter()
            .map(|view| hops_spread(view.ttl.0, view.ttl.1));
        spreads.max().unwrap_or(0)
    }

    /// How far apart the hop counts of any two sensors are, at least.
    pub fn hops_apart(&self) -> u8 {
        apart(self.0.iter().map(|view| view.ttl))
    }

    /// The sensors that saw it, as numbers.
    pub fn sensors(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().map(|view| view.sensor)
    }
}

impl View {
    fn add(&mut self, tally: &Tally, watch: &Watch) {
        self.addresses = watch.addresses;
        self.sample.merge(&tally.sample, self.sample_max);
        self.most = self.most.max(tally.targets);
        self.sum = self.sum.saturating_add(tally.targets.into());
        self.ttl = (self.ttl.0.min(tally.ttl_min), self.ttl.1.max(tally.ttl_max));
    }

    /// Distinct targets at this sensor: exact below the sample's size or within one
    /// interval, else estimated between the most of one interval and the sum of all.
    pub fn targets(&self) -> u64 {
        let estimated = self.sample.distinct(self.sample_max, self.bits);
        let most = match self.bits {
            TargetBits::Sixteen if self.addresses > 0 => self.sum.min(self.addresses),
            _ => self.sum,
        };
        let least = u64::from(self.most);
        estimated.clamp(least, most.max(least))
    }
}

/// The widest gap between the hop counts of views, by lowest and highest time-to-live of each.
fn apart(views: impl Iterator<Item = (u8, u8)>) -> u8 {
    let (mut nearest, mut farthest) = (u8::MAX, 0);
    for (low, high) in views {
        let (one, other) = (hops(low), hops(high));
        nearest = nearest.min(one.max(other));
        farthest = farthest.max(one.min(other));
    }
    farthest.saturating_sub(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_are_compared_by_hops_and_not_by_starts() {
        let apart = |views: &[(u8, u8)]| apart(views.iter().copied());
        assert_eq!(apart(&[]), 0);
        assert_eq!(apart(&[(50, 55)]), 0, "one sensor");
        assert_eq!(apart(&[(55, 55), (52, 52)]), 3);
        assert_eq!(apart(&[(55, 55), (45, 45), (50, 50)]), 10);
        assert_eq!(apart(&[(55, 55), (119, 119)]), 0, "64 and 128");
        assert_eq!(apart(&[(50, 55), (52, 60)]), 0, "they overlap");
        assert_eq!(apart(&[(55, 55), (52, 116)]), 3, "two systems, one path");
    }
}
