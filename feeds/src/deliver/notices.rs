//! What a channel says of the service itself.

use noroshi_proto::time::Millis;
use noroshi_store::observations::Observation;
use noroshi_store::store::StoreError;

use super::worker::Worker;

/// How often a channel looks whether there is anything to say of the service.
const LOOK_MILLIS: u64 = 60_000;
/// Messages that are looked over for channels that take nothing.
const FAILING_MAX: u32 = 1_000;

/// What a channel remembers of its notices.
#[derive(Default)]
pub(super) struct Beats {
    looked: Millis,
    /// The last day with a heartbeat, counted from 1970-01-01.
    day: Option<u64>,
}

impl Worker {
    /// Plans what is to be said of the service itself.
    pub(super) async fn notices(&mut self, at: Millis) -> Result<(), StoreError> {
        if at.0 < self.beats.looked.0 + LOOK_MILLIS {
            return Ok(());
        }
        self.beats.looked = at;
        if self.channel.beats() {
            self.beat(at).await?;
        }
        if self.channel.is_operators() {
            self.unreached(at).await?;
        }
        Ok(())
    }

    /// A heartbeat once a day, from midnight in UTC on. A channel begins with the next midnight,
    /// unless one was planned yesterday, before a restart.
    async fn beat(&mut self, at: Millis) -> Result<(), StoreError> {
        let (profile, today) = (&self.channel.profile, Observation::day_of(at));
        let last = match self.beats.day {
            Some(day) => day,
            None => {
                let yesterday = profile.heartbeat_id(today - 1);
                let known = self.store.delivery(yesterday).await?;
                known.map_or(today, |_| today - 1)
            }
        };
        self.beats.day = Some(last);
        if last >= today {
            return Ok(());
        }
        let is_planned = self.store.delivery(profile.heartbeat_id(today)).await?;
        if let (None, Some(queue)) = (is_planned, &self.queue) {
            let position = self.store.position().await?;
            let through = position.map_or(Millis(0), |position| Millis(position.through * 1_000));
            let planned = profile.heartbeat(queue, through, at);
            self.plan(&planned).await?;
        }
        self.beats.day = Some(today);
        Ok(())
    }

    /// Tells the operator of channels that take nothing, once as long as the same message waits.
    async fn unreached(&mut self, at: Millis) -> Result<(), StoreError> {
        let profile = &self.channel.profile;
        let failing = self
            .store
            .failing_deliveries(Some(&profile.partner), FAILING_MAX)
            .await?;
        let mut planned = Vec::new();
        for notice in profile.unreached(&failing, at) {
            if self.store.delivery(notice.id).await?.is_none() {
                planned.push(notice);
            }
        }
        self.plan(&planned).await
    }
}
