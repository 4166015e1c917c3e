//! Notices: that the service is alive, and to the operator that a receiver is not.

use std::collections::BTreeMap;
use std::time::Duration;

use noroshi_proto::time::Millis;
use noroshi_store::deliveries::{Delivery, DeliveryState, Form};
use noroshi_store::observations::Observation;
use uuid::Uuid;

use super::{Profile, Queue, closed};
use crate::message::{Notice, Said};

/// How long a partner may be out of reach before the operator is told: well within the hour.
pub const UNREACHED_AFTER: Duration = Duration::from_secs(30 * 60);

impl Profile {
    /// The id of a day's heartbeat, with the day counted from 1970-01-01 in UTC.
    pub fn heartbeat_id(&self, day: u64) -> Uuid {
        let name = format!("heartbeat {} {} {day}", self.partner, self.channel);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    /// The heartbeat of the day of `now`, in the place of those that still wait.
    pub fn heartbeat(&self, queue: &Queue, examined_until: Millis, now: Millis) -> Vec<Delivery> {
        let id = self.heartbeat_id(Observation::day_of(now));
        let waiting = queue.open.iter().filter(|one| one.form == Form::Notice);
        let replaced = waiting.map(|one| Delivery {
            state: DeliveryState::Folded,
            within: id,
            ..closed(one)
        });
        let mut planned: Vec<Delivery> = replaced.collect();
        planned.push(self.notice(
            id,
            Notice::Heartbeat {
                examined_until: examined_until.0,
            },
            now,
        ));
        planned
    }

    /// One notice for each channel of the partner on which something waits for too long, of what
    /// `failing` holds. The same as long as the same message waits.
    pub fn unreached(&self, failing: &[Delivery], now: Millis) -> Vec<Delivery> {
        let mut first: BTreeMap<&str, &Delivery> = BTreeMap::new();
        for one in failing {
            let waits = now.0.saturating_sub(one.planned_at.0);
            let is_stuck = one.state.is_open() && u128::from(waits) >= UNREACHED_AFTER.as_millis();
            if !is_stuck || one.partner != self.partner || one.channel == self.channel {
                continue; // what waits for the operator cannot be told the operator
            }
            let first = first.entry(&one.channel).or_insert(one);
            if (one.planned_at, one.id) < (first.planned_at, first.id) {
                *first = one;
            }
        }
        let notices = first.into_iter().map(|(channel, one)| {
            let notice = Notice::Unreached {
                channel: channel.to_owned(),
                since: one.planned_at.0,
                error: one.error.clone(),
            };
            self.notice(Uuid::new_v5(&one.id, b"unreached"), notice, now)
        });
        notices.collect()
    }

    fn notice(&self, id: Uuid, notice: Notice, now: Millis) -> Delivery {
        let said = Said {
            notice: Some(notice),
            ..Said::default()
        };
        self.delivery(id, Form::Notice, &said, now)
    }
}

#[cfg(test)]
mod tests {
    use noroshi_store::origin::PartnerId;

    use super::*;
    use crate::message::sample::MORNING;
    use crate::plan::Pace;

    fn profile(channel: &str) -> Profile {
        Profile {
            partner: PartnerId::new("th-cert").unwrap(),
            channel: channel.to_owned(),
            kinds: Vec::new(),
            pace: Pace::Everything,
        }
    }

    fn later(minutes: u64) -> Millis {
        Millis(MORNING.0 + minutes * 60_000)
    }

    #[test]
    fn a_heartbeat_takes_the_place_of_one_that_waits() {
        let syslog = profile("syslog");
        let mut queue = Queue::default();
        queue.take(&syslog.heartbeat(&queue, MORNING, MORNING));
        assert_eq!(queue.open.len(), 1);
        let next_day = later(24 * 60);
        let planned = syslog.heartbeat(&queue, next_day, next_day);
        assert_eq!(planned[0].within, planned[1].id);
        queue.take(&planned);
        assert_eq!(queue.open.len(), 1, "a receiver that was away gets one");
        assert_eq!(
            queue.open[0].id,
            syslog.heartbeat_id(Observation::day_of(next_day))
        );
    }

    #[test]
    fn the_operator_is_told_once_of_each_channel_that_takes_nothing() {
        let operator = profile("mail to the operator");
        let mut failing = Vec::new();
        for (channel, minute) in [("syslog", 0), ("syslog", 5), ("mail", 20)] {
            let stuck = profile(channel).heartbeat(&Queue::default(), MORNING, later(minute));
            failing.extend(stuck.into_iter().map(|one| Delivery {
                state: DeliveryState::Unreached,
                error: "refused".to_owned(),
                ..one
            }));
        }
        assert!(operator.unreached(&failing, later(29)).is_empty());
        let first = operator.unreached(&failing, later(30));
        assert_eq!(first.len(), 1, "mail has waited for ten minutes");
        let both = operator.unreached(&failing, later(50));
        assert_eq!(both.len(), 2);
        assert!(both.iter().any(|one| one.id == first[0].id), "told already");
        for one in &mut failing {
            one.state = DeliveryState::Delivered;
        }
        assert!(operator.unreached(&failing, later(50)).is_empty());
    }
}
