//! Day, week, and the noise from one ten minutes to the next.

use super::BIN_SECONDS;
use super::draw::normal;
use crate::generate::random::Random;

/// How far the day swings around its mean. A real series of three days (432 bins of ten
/// minutes) moves between 0.9 and 1.1 of its mean; hosts have a variance of 1.6 times the
/// mean at about 700 hosts a bin.
const DAY: f64 = 0.05;
/// How much less a weekend brings.
const WEEKEND: f64 = 0.02;
/// Standard deviation of one bin around that.
const NOISE: f64 = 0.022;
const DAY_SECONDS: u64 = 86_400;

/// The load at `second` (since 1970), as a multiple of its mean.
pub fn load(seed: u64, second: u64) -> f64 {
    let turn = (second % DAY_SECONDS) as f64 / DAY_SECONDS as f64 * std::f64::consts::TAU;
    // 1970-01-01 was a Thursday
    let weekday = (second / DAY_SECONDS + 3) % 7;
    let week = if weekday >= 5 {
        -WEEKEND
    } else {
        WEEKEND * 0.4
    };
    let mut random = Random::new(seed ^ (second / BIN_SECONDS).rotate_left(17));
    (1.0 + DAY * turn.sin() + week + NOISE * normal(&mut random)).max(0.1)
}
