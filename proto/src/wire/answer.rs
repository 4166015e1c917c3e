//! What the centre says to a batch: [`Ack`] and [`Refused`].

use crate::answer::{Ack, Refused};
use crate::id::Epoch;
use crate::limits::TEXT_BYTES_MAX;
use crate::refusal::Refusal;
use crate::v1;
use crate::v1::RefusalReason as Reason;
use crate::wire::Malformed;

impl From<Ack> for v1::Ack {
    fn from(ack: Ack) -> Self {
        Self {
            epoch: ack.epoch.0,
            sequence: ack.sequence,
        }
    }
}

impl From<v1::Ack> for Ack {
    fn from(wire: v1::Ack) -> Self {
        Self {
            epoch: Epoch(wire.epoch),
            sequence: wire.sequence,
        }
    }
}

impl From<&Refused> for v1::Refusal {
    fn from(refused: &Refused) -> Self {
        let (epoch, sequence) = refused.batch.unwrap_or((Epoch(0), 0));
        let (reason, detail) = to_wire(&refused.refusal);
        Self {
            epoch: epoch.0,
            sequence,
            reason: reason.into(),
            detail: shortened(detail).to_owned(),
        }
    }
}

impl TryFrom<v1::Refusal> for Refused {
    type Error = Malformed;

    fn try_from(wire: v1::Refusal) -> Result<Self, Malformed> {
        let batch = (Epoch(wire.epoch), wire.sequence);
        let reason = Reason::try_from(wire.reason)
            .map_err(|_| Malformed::unknown("reason", wire.reason.unsigned_abs()))?;
        let detail = shortened(&wire.detail).to_owned();
        Ok(Self {
            batch: (batch != (Epoch(0), 0)).then_some(batch),
            refusal: from_wire(reason, detail)
                .ok_or(Malformed::invalid("reason", "none is given"))?,
        })
    }
}

fn to_wire(refusal: &Refusal) -> (Reason, &str) {
    match refusal {
        Refusal::UnknownSensor(detail) => (Reason::UnknownSensor, detail),
        Refusal::TelescopeMismatch(detail) => (Reason::TelescopeMismatch, detail),
        Refusal::ReplayNotAdmitted => (Reason::ReplayNotAdmitted, ""),
        Refusal::Fenced => (Reason::Fenced, ""),
        Refusal::UnsupportedVersion(detail) => (Reason::UnsupportedVersion, detail),
        Refusal::Unidentified(detail) => (Reason::Unidentified, detail),
        Refusal::Malformed(detail) => (Reason::Malformed, detail),
        Refusal::OverLimit(detail) => (Reason::OverLimit, detail),
        Refusal::TooOld(detail) => (Reason::TooOld, detail),
        Refusal::Conflict(detail) => (Reason::Conflict, detail),
        Refusal::StoreBusy(detail) => (Reason::StoreBusy, detail),
        Refusal::ClockAhead(detail) => (Reason::ClockAhead, detail),
        Refusal::ClockBehind(detail) => (Reason::ClockBehind, detail),
        Refusal::TooManyStreams => (Reason::TooManyStreams, ""),
        Refusal::Overtaken => (Reason::Overtaken, ""),
    }
}

fn from_wire(reason: Reason, detail: String) -> Option<Refusal> {
    Some(match reason {
        Reason::Unspecified => return None,
        Reason::UnknownSensor => Refusal::UnknownSensor(detail),
        Reason::TelescopeMismatch => Refusal::TelescopeMismatch(detail),
        Reason::ReplayNotAdmitted => Refusal::ReplayNotAdmitted,
        Reason::Fenced => Refusal::Fenced,
        Reason::UnsupportedVersion => Refusal::UnsupportedVersion(detail),
        Reason::Unidentified => Refusal::Unidentified(detail),
        Reason::Malformed => Refusal::Malformed(detail),
        Reason::OverLimit => Refusal::OverLimit(detail),
        Reason::TooOld => Refusal::TooOld(detail),
        Reason::Conflict => Refusal::Conflict(detail),
        Reason::StoreBusy => Refusal::StoreBusy(detail),
        Reason::ClockAhead => Refusal::ClockAhead(detail),
        Reason::ClockBehind => Refusal::ClockBehind(detail),
        Reason::TooManyStreams => Refusal::TooManyStreams,
        Reason::Overtaken => Refusal::Overtaken,
    })
}

/// At most [`TEXT_BYTES_MAX`] bytes of it, whole characters.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}
