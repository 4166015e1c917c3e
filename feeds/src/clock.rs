//! The feeds' clock, read in their shells alone.

use jiff::Timestamp;
use noroshi_proto::time::Millis;

/// Now, in UTC.
pub fn now() -> Millis {
    Millis(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default())
}
