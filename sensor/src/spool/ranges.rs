//! Sets of positions that are mostly consecutive.

use std::ops::Range;

/// Numbers, kept as ascending ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds `range`; an empty one changes nothing.
    pub fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.0.partition_point(|(_, end)| *end < range.start);
        let to = self.0.partition_point(|(start, _)| *start <= range.end);
        let mut merged = (range.start, range.end);
        if let (Some(first), Some(last)) = (self.0[from..to].first(), self.0[from..to].last()) {
            merged = (merged.0.min(first.0), merged.1.max(last.1));
        }
        self.0.splice(from..to, [merged]);
    }

    /// Takes `range` out.
    pub fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let from = self.0.partition_point(|(_, end)| *end <= range.start);
        let to = self.0.partition_point(|(start, _)| *start < range.end);
        let mut left = Vec::new();
        if let (Some(first), Some(last)) = (self.0[from..to].first(), self.0[from..to].last()) {
            left.extend((first.0 < range.start).then_some((first.0, range.start)));
            left.extend((range.end < last.1).then_some((range.end, last.1)));
        }
        self.0.splice(from..to, left);
    }

    /// Takes everything out that is in `other`.
    pub fn subtract(&mut self, other: &Self) {
        for range in other.iter() {
            self.remove(range);
        }
    }

    /// The highest number in the set that is in `range`.
    pub fn highest_in(&self, range: Range<u64>) -> Option<u64> {
        let after = self.0.partition_point(|(start, _)| *start < range.end);
        let (start, end) = self.0[after.checked_sub(1)?];
        let highest = end.min(range.end).checked_sub(1)?;
        (highest >= start.max(range.start)).then_some(highest)
    }

    /// The lowest number from `number` on that is not in the set.
    pub fn first_absent(&self, number: u64) -> u64 {
        let at = self.0.partition_point(|(_, end)| *end <= number);
        match self.0.get(at) {
            Some((start, end)) if *start <= number => *end,
            _ => number,
        }
    }

    /// Keeps only what lies within `range`.
    pub fn clip(&mut self, range: Range<u64>) {
        self.0.retain_mut(|(start, end)| {
            *start = (*start).max(range.start);
            *end = (*end).min(range.end);
            start < end
        });
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.0.iter().map(|(start, end)| *start..*end)
    }

    /// False where a file holds what [`Ranges::insert`] never makes.
    pub fn is_sound(&self) -> bool {
        let ascending = self.0.windows(2).all(|pair| pair[0].1 < pair[1].0);
        ascending && self.0.iter().all(|(start, end)| start < end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_a_set_of_numbers(
            inserted in prop::collection::vec((0u64..60, 0u64..8), 0..20),
            removed in prop::collection::vec((0u64..60, 0u64..12), 0..6),
            clip in (0u64..60, 0u64..60),
        ) {
            let (mut ranges, mut numbers) = (Ranges::default(), BTreeSet::new());
            for (start, count) in inserted {
                ranges.insert(start..start + count);
                numbers.extend(start..start + count);
            }
            for (start, count) in removed {
                ranges.remove(start..start + count);
                numbers.retain(|number| !(start..start + count).contains(number));
            }
            prop_assert!(ranges.is_sound());
            let within = numbers.iter().filter(|number| (clip.0..clip.1).contains(number));
            prop_assert_eq!(ranges.highest_in(clip.0..clip.1), within.max().copied());
            for number in 0..70 {
                prop_assert_eq!(ranges.first_absent(number) != number, numbers.contains(&number));
                let absent = (number..).find(|n| !numbers.contains(n));
                prop_assert_eq!(Some(ranges.first_absent(number)), absent);
            }
            ranges.clip(clip.0..clip.1);
            numbers.retain(|number| (clip.0..clip.1).contains(number));
            prop_assert!(ranges.is_sound());
            prop_assert!(ranges.iter().flatten().eq(numbers.iter().copied()));
        }
    }
}
