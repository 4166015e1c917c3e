//! The thread that captures, decodes and summarises.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use ipnet::IpNet;
use noroshi_proto::time::Millis;

use super::change::{Change, begin_at, boundary, fixed, together};
use super::stint::Stint;
use super::{Handed, RunError};
use crate::capture::interface::Interface;
use crate::capture::{CaptureError, Progress};
use crate::clock;
use crate::config::Config;
use crate::darkness;
use crate::sense::Sense;

/// What the sensor's clock may differ from the kernel's stamps, beside the ring's delay.
const SLACK: Duration = Duration::from_millis(200);
/// A clock that is set back by more ends the sensor, which its service starts anew: the open
/// interval lies ahead then, and nothing would be told until the clock has come there again. By less
/// it is waited for; NTP slews what is smaller still.
const SET_BACK_MAX: Duration = Duration::from_secs(60);

/// What the thread works with.
pub(super) struct Watch {
    interface: Interface,
    sense: Sense,
    stint: Stint,
    /// What to go over to, once its time has come.
    change: Option<Change>,
    wanted: Receiver<Stint>,
    give: SyncSender<Handed>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// Begins with `stint`; more are `wanted` later. What is finished is given away.
    ///
    /// # Errors
    /// The list of what is lit cannot be read.
    pub fn new(
        interface: Interface,
        stint: Stint,
        (wanted, give): (Receiver<Stint>, SyncSender<Handed>),
        stop: Arc<AtomicBool>,
    ) -> Result<Self, RunError> {
        Ok(Self {
            interface,
            sense: stint.sense()?,
            stint,
            change: None,
            wanted,
            give,
            stop,
        })
    }

    /// Captures until it is told to stop, or something fails.
    ///
    /// # Errors
    /// What failed; what was counted before is given away.
    pub fn run(mut self) -> Result<(), RunError> {
        let captured = self.capture().and_then(|()| self.drain());
        // Whatever ended it: what was counted is kept.
        let batches = self.sense.finish();
        let _ = self.give.send(Handed::Batches(batches)); // fails only where the spool failed before
        captured
    }

    fn capture(&mut self) -> Result<(), RunError> {
        const TICK: u64 = 100;
        const ASK_KERNEL: u64 = 10_000;
        let (mut ticked, mut asked, mut latest) = (Millis(0), Millis(0), Millis(0));
        while !self.stop.load(Ordering::Acquire) {
            let progress = self.read()?;
            let now = clock::now();
            latest = latest.max(now);
            set_back(latest, now)?;
            if now.0.abs_diff(asked.0) >= ASK_KERNEL {
                asked = now;
                self.ask_kernel()?;
            }
            if progress == Progress::Idle || now.0.abs_diff(ticked.0) >= TICK {
                ticked = now;
                self.tick(now, latest)?;
            }
            if self.give_away().is_break() || progress == Progress::End {
                break;
            }
        }
        Ok(())
    }

    /// Reads what came before the next change, and makes it once something came after.
    fn read(&mut self) -> Result<Progress, RunError> {
        let progress = match &mut self.change {
            None => self.sense.read(&mut self.interface)?,
            Some(change) => self.sense.read(&mut change.before(&mut self.interface))?,
        };
        // Before the next stint begins: it reads the list of what is lit.
        for lit in self.sense.dawns() {
            self.note(lit, clock::now())?;
        }
        if self.change.as_ref().is_some_and(Change::has_come) {
            self.go_over()?;
        }
        Ok(progress)
    }

    fn ask_kernel(&mut self) -> Result<(), CaptureError> {
        for (reason, count) in self.interface.losses()?.iter() {
            self.sense.lose(reason, count);
        }
        Ok(())
    }

    /// Time passes, whether anything comes or not.
    fn tick(&mut self, now: Millis, latest: Millis) -> Result<(), RunError> {
        let surely = Millis(now.0.saturating_sub(behind()));
        if self
            .change
            .as_ref()
            .is_some_and(|change| change.from <= surely)
        {
            self.go_over()?;
        }
        let length = self.stint.config.interval_length;
        self.sense.advance_to(surely.interval(length));
        if self.change.is_none() {
            if let Ok(wanted) = self.wanted.try_recv() {
                self.prepare(wanted, latest);
            } else if let Some(from) = self.next_telescope(latest) {
                let next = Stint::prepare(self.stint.config.clone(), from)?;
                self.begin(next, from)?;
            }
        }
        Ok(())
    }

    /// When another telescope is watched, where that is soon; or at once, where the clock has jumped.
    fn next_telescope(&self, latest: Millis) -> Option<Millis> {
        const SOON: u64 = 5_000;
        let Config {
            telescope,
            interval_length: length,
            ..
        } = &self.stint.config;
        let from = begin_at(telescope.next_change(self.stint.from)?, *length);
        (from.0 <= latest.0 + SOON).then(|| from.max(boundary(latest, *length, *length)))
    }

    /// Hands on what is finished; breaks off where the spool failed, and its thread says how.
    fn give_away(&mut self) -> ControlFlow<()> {
        let batches = self.sense.take();
        if !batches.is_empty() && self.give.send(Handed::Batches(batches)).is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Begins a change of the configuration. Where that cannot be, the log says why, and all goes on
    /// as it was.
    fn prepare(&mut self, wanted: Stint, latest: Millis) {
        let (runs, next) = (&self.stint.config, &wanted.config);
        let keys = fixed(runs, next);
        if !keys.is_empty() {
            let keys = keys.join(", ");
            tracing::error!(
                "the configuration is not changed, and all goes on as it was: {keys} cannot change \
                 while the sensor runs. Start it again, which leaves a gap"
            );
            return;
        }
        let from = boundary(latest, runs.interval_length, next.interval_length);
        let begun = wanted.at(from).and_then(|next| self.begin(next, from));
        if let Err(error) = begun {
            tracing::error!(%error, "the configuration is not changed, and all goes on as it was");
        }
    }

    /// From now on the kernel passes what either stint watches.
    fn begin(&mut self, next: Stint, from: Millis) -> Result<(), RunError> {
        let (telescope, delivery) = together(&self.stint, &next);
        let capture = &self.stint.config.capture;
        self.interface.pass(capture, &telescope, delivery)?;
        tracing::info!(%from, "what is watched, or how, changes");
        self.change = Some(Change::new(next, from));
        Ok(())
    }

    /// The stint ends where the next begins; frames that are of the next already are read by it.
    fn go_over(&mut self) -> Result<(), RunError> {
        let Some(change) = self.change.take() else {
            return Ok(());
        };
        self.ask_kernel()?;
        let (stint, from, mut frames) = change.take();
        let config = &stint.config;
        let mut next = stint.sense()?;
        next.advance_to(from.interval(config.interval_length));
        next.read(&mut frames)?;
        self.interface
            .pass(&config.capture, &stint.passed(), config.delivery)?;
        let last = std::mem::replace(&mut self.sense, next);
        let length = self.stint.config.interval_length;
        let batches = last.finish_before(from.interval(length));
        let addresses = stint.telescope.addresses();
        tracing::warn!(%from, addresses, "what is watched, or how, has changed");
        self.stint = stint.clone();
        // Where the spool failed its thread says how, and the next batch finds that out.
        let _ = self.give.send(Handed::Batches(batches));
        let _ = self.give.send(Handed::Begun(Box::new(stint)));
        Ok(())
    }

    /// Reads what arrived before the sensor was told to end, and waits in the kernel's ring.
    fn drain(&mut self) -> Result<(), RunError> {
        let until = clock::now().0 + behind();
        while self.read()? == Progress::More && clock::now().0 < until {
            if self.give_away().is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Tells whoever looks after this machine, and remembers it.
    fn note(&self, lit: IpNet, now: Millis) -> Result<(), RunError> {
        let spool = &self.stint.config.spool.path;
        let list = darkness::kept::path(spool);
        tracing::error!(
            %lit, list = %list.display(),
            "this part of the telescope is in use: nothing of it is recorded any more. Take it out \
             of the telescope, here and in the centre's registry; if it is unused, take its line \
             out of the list and start the sensor anew"
        );
        Ok(darkness::kept::add(spool, lit, now)?)
    }
}

/// How long ago the youngest frame may have been captured that was not read yet, in milliseconds.
fn behind() -> u64 {
    (Interface::delay() + SLACK).as_millis() as u64
}

/// Whether the clock, which showed `latest` before, can be gone on with.
fn set_back(latest: Millis, now: Millis) -> Result<(), RunError> {
    let back = Duration::from_millis(latest.0.saturating_sub(now.0));
    if back > SET_BACK_MAX {
        return Err(RunError::ClockSetBack(back.as_secs()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use noroshi_proto::time::Millis;

    use super::{RunError, SET_BACK_MAX, set_back};

    #[test]
    fn a_clock_is_waited_for_a_minute() {
        let latest = Millis(1_762_000_000_000);
        let by = |millis: u64| set_back(latest, Millis(latest.0 - millis));
        let most = SET_BACK_MAX.as_millis() as u64;
        assert!(by(0).is_ok() && by(most).is_ok());
        assert!(matches!(by(most + 1), Err(RunError::ClockSetBack(60))));
        assert!(set_back(latest, Millis(latest.0 + 86_400_000)).is_ok());
    }
}
