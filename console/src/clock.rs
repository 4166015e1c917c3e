//! The console's clock, read in its shells alone.

use jiff::Timestamp;
use noroshi_proto::time::Millis;

/// Now, in UTC.
pub(crate) fn now() -> Millis {
    Millis(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default())
}
