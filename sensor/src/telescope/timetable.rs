//! What is watched when: prefixes that are taken into use, or given back.

use ipnet::IpNet;
use noroshi_proto::time::Millis;

use super::Telescope;

/// A prefix, and when it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The prefix.
    pub prefix: IpNet,
    /// From then on.
    pub from: Millis,
    /// Not from then on.
    pub until: Millis,
}

/// Telescopes, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable(Vec<Watched>);

impl Timetable {
    /// Of prefixes in any order.
    pub fn new(watched: Vec<Watched>) -> Self {
        Self(watched)
    }

    /// What is watched at a time.
    pub fn at(&self, time: Millis) -> Telescope {
        self.of(|watched| watched.from <= time && time < watched.until)
    }

    /// Everything that is watched at any time.
    pub fn ever(&self) -> Telescope {
        self.of(|_| true)
    }

    /// When what is watched changes first, after `time`.
    pub fn next_change(&self, time: Millis) -> Option<Millis> {
        let times = self
            .0
            .iter()
            .flat_map(|watched| [watched.from, watched.until]);
        let later = times.filter(|at| *at > time && *at != Millis(u64::MAX));
        later.min()
    }

    fn of(&self, is_watched: impl Fn(&Watched) -> bool) -> Telescope {
        let watched = self.0.iter().filter(|watched| is_watched(watched));
        let prefixes: Vec<IpNet> = watched.map(|watched| watched.prefix).collect();
        Telescope::new(&prefixes)
    }
}
