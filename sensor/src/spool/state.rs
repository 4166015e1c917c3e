//! What the spool remembers beside its segments, in one small file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::account::{Account, COUNT_MAX, Entry, Totals};
use super::ranges::Ranges;

/// Replaced as a whole, so it is always one state or the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Whose spool it is.
    pub sensor: String,
    /// The position the next batch gets.
    pub head: u64,
    /// Packets of all batches before it.
    pub packets: u64,
    /// Positions the centre has.
    pub acknowledged: Ranges,
    /// Positions that will never be sent: given up, damaged, refused.
    pub lost: Ranges,
    /// Batches that went while they were on their way, by position: the centre's next word
    /// decides whether they are lost. They stand in `lost` meanwhile.
    pub doubtful: BTreeMap<u64, Entry>,
    /// What the newest batch included when this was written.
    pub reported: Totals,
    /// Losses on their way to the centre.
    pub account: Account,
    /// When a segment, by its first position, had nothing left to send (seconds since 1970).
    pub done: BTreeMap<u64, u64>,
}

impl State {
    const NAME: &str = "state.json";

    /// The state kept in `directory`: `None` where there is none that can be read.
    pub fn load(directory: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read(directory.join(Self::NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(state) if state.is_sound() => Ok(Some(state)),
            _ => {
                tracing::warn!(
                    directory = %directory.display(),
                    "the spool's state is damaged: everything is offered to the centre again"
                );
                Ok(None)
            }
        }
    }

    /// False where a file holds what cannot have come about.
    fn is_sound(&self) -> bool {
        let doubtful =
            |(position, entry): (&u64, &Entry)| *position <= COUNT_MAX && entry.is_sound();
        self.head <= COUNT_MAX
            && self.packets <= COUNT_MAX
            && self.acknowledged.is_sound()
            && self.lost.is_sound()
            && self.doubtful.iter().all(doubtful)
            && self.reported.is_sound()
            && self.account.is_sound()
    }

    /// Replaces the state in `directory`.
    pub fn save(&self, directory: &Path, sync: impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
        let draft = directory.join("state.json.new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        sync(&file)?;
        fs::rename(&draft, directory.join(Self::NAME))?;
        sync(&File::open(directory)?)
    }

    /// The first position from `position` on that still has to be sent.
    pub fn first_pending(&self, mut position: u64) -> u64 {
        loop {
            let next = self
                .lost
                .first_absent(self.acknowledged.first_absent(position));
            if next == position {
                return position;
            }
            position = next;
        }
    }

    /// Whether anything in `range` still has to be sent.
    pub fn is_pending(&self, range: std::ops::Range<u64>) -> bool {
        self.first_pending(range.start) < range.end
    }
}
