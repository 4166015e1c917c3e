//! Notes from shift to shift, each with the digest of itself and of the note before: none can be
//! changed, left out or put between others without the ones after it saying so. Pure.
//!
//! # Format
//! ```text
//! action   "console hand-over" SP time SP digest
//! digest   SHA-256, hexadecimal, of "noroshi hand-over 1" LF before LF time LF who LF note
//! before   the digest of the note before; 64 zeros where that has none, or there is none
//! ```

use noroshi_proto::time::Millis;
use noroshi_store::figures::Look;
use sha2::{Digest as _, Sha256};

/// What every note's action begins with.
const ACTION: &str = "console hand-over";
/// What stands for the note before the first.
const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What the digest of a note says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The note is as it was written, after the note before it.
    Holds,
    /// It was changed, or the note before it was changed, left out or added.
    Broken,
    /// It is the oldest that was read: its digest rests on one that was not.
    Unread,
    /// It was written before notes had digests.
    Bare,
}

/// The digest that a note bears; `None` where it was written without one.
pub(crate) fn digest(note: &Look) -> Option<&str> {
    Some(mark(note)?.1)
}

/// The time and the digest of a note.
fn mark(note: &Look) -> Option<(&str, &str)> {
    let rest = note.action.strip_prefix(ACTION)?.strip_prefix(' ')?;
    rest.split_once(' ')
}

/// The action of a note that is written now, after `before`.
pub(crate) fn action(before: Option<&Look>, at: Millis, who: &str, note: &str) -> String {
    let before = before.and_then(digest).unwrap_or(FIRST);
    let at = at.to_string();
    let digest = sum(before, &at, (who, note));
    format!("{ACTION} {at} {digest}")
}

fn sum(before: &str, at: &str, (who, note): (&str, &str)) -> String {
    let text = format!("noroshi hand-over 1\n{before}\n{at}\n{who}\n{note}");
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the digests of these notes say, the newest first; `are_all` where no older one exists.
pub(crate) fn verdicts(notes: &[Look], are_all: bool) -> Vec<Verdict> {
    let verdict = |(place, note): (usize, &Look)| {
        let Some((at, digest_of_note)) = mark(note) else {
            return Verdict::Bare;
        };
        let before = match notes.get(place + 1) {
            Some(before) => digest(before).unwrap_or(FIRST),
            None if are_all => FIRST,
            None => return Verdict::Unread,
        };
        if sum(before, at, (&note.who, &note.purpose)) == digest_of_note {
            Verdict::Holds
        } else {
            Verdict::Broken
        }
    };
    notes.iter().enumerate().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(texts: &[&str]) -> Vec<Look> {
        let mut notes: Vec<Look> = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let at = Millis(1_793_577_600_000 + number as u64);
            let action = action(notes.first(), at, "operator:aiko", text);
            let note = Look {
                at,
                who: "operator:aiko".to_owned(),
                action,
                purpose: (*text).to_owned(),
            };
            notes.insert(0, note);
        }
        notes
    }

    #[test]
    fn a_note_is_what_anybody_with_sha256sum_says_it_is() {
        // printf 'noroshi hand-over 1\n%064d\n2026-11-02T00:00:00.000Z\noperator:aiko\nall quiet' 0 | sha256sum
        let action = action(
            None,
            Millis(1_793_577_600_000),
            "operator:aiko",
            "all quiet",
        );
        assert_eq!(
            action,
            format!("console hand-over 2026-11-02T00:00:00.000Z {EXPECTED}")
        );
    }

    const EXPECTED: &str = "3b06a4dffcf62ecc910da73acf12d492d480426c4e1e67c36e41b0497ef60d24";

    #[test]
    fn what_was_changed_left_out_or_added_is_noticed() {
        let all = notes(&["one", "two", "three", "four"]);
        assert_eq!(verdicts(&all, true), [Verdict::Holds; 4]);
        let last = [Verdict::Holds, Verdict::Holds, Verdict::Unread];
        assert_eq!(verdicts(&all[..3], false), last);
        let mut changed = all.clone();
        changed[1].purpose = "3".to_owned();
        assert_eq!(verdicts(&changed, true)[1], Verdict::Broken);
        let mut another = all.clone();
        another[0].who = "operator:eve".to_owned();
        assert_eq!(verdicts(&another, true)[0], Verdict::Broken);
        let mut less = all.clone();
        less.remove(2);
        assert_eq!(
            verdicts(&less, true)[1],
            Verdict::Broken,
            "the one after it says so"
        );
        let mut first = all.clone();
        first.pop();
        assert_eq!(verdicts(&first, true)[2], Verdict::Broken);
        let mut more = all.clone();
        let forged = notes(&["one", "forged"]).remove(0);
        more.insert(2, forged);
        assert!(verdicts(&more, true).contains(&Verdict::Broken));
        let mut stripped = all;
        stripped[2].action = ACTION.to_owned();
        assert_eq!(
            verdicts(&stripped, true)[1..3],
            [Verdict::Broken, Verdict::Bare]
        );
    }
}
