//! The collector's clock, read in its shells alone.

use std::time::{SystemTime, UNIX_EPOCH};

use noroshi_proto::time::Millis;

/// Now, in UTC.
#[allow(
    clippy::disallowed_methods,
    reason = "this is where the collector reads the clock"
)]
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
