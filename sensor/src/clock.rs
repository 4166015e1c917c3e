//! The wall clock, for the shells that may read it.

use std::time::{SystemTime, UNIX_EPOCH};

use noroshi_proto::time::Millis;

/// What time it is; 1970 where the clock stands before that.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the sensor reads the clock"
)]
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
