//! The trend of a port, as DShield published it: the share of a port in the last day,
//! against its share in the last 30 days, as a logarithm with the error of counting
//! (J. Ullrich on the DShield list, 15 June 2004).
//!
//! With the port's count C_pd and that of all ports C_d in the last day, and C_p and C in the
//! last 30 days: T = ln((C_pd / C_d) / (C_p / C)), with a standard error of
//! sqrt(1 / C_pd + 1 / C_p). What is counted here is sources in ten minutes, added up.

/// Bins of a day.
const DAY: usize = 144;
/// Bins of 30 days.
const MONTH: usize = 30 * DAY;
/// Standard errors from which a trend is taken to be one.
const ERRORS: f64 = 3.0;
/// A trend that matters: a fifth more.
const TREND_MIN: f64 = 0.2;

/// The bins that give alarm.
pub fn alarms(values: &[f64], totals: &[f64]) -> Vec<usize> {
    let (port, all) = (sums(values), sums(totals));
    let mut alarms = Vec::new();
    for bin in 2 * DAY..values.len() {
        let within =
            |sums: &[f64], width: usize| sums[bin + 1] - sums[(bin + 1).saturating_sub(width)];
        let (day, month) = (within(&port, DAY), within(&port, MONTH));
        let (day_all, month_all) = (within(&all, DAY), within(&all, MONTH));
        if day == 0.0 || day_all == 0.0 {
            continue;
        }
        let trend = ((day / day_all) / (month / month_all)).ln();
        let error = (1.0 / day + 1.0 / month).sqrt();
        if trend > TREND_MIN && trend > ERRORS * error {
            alarms.push(bin);
        }
    }
    alarms
}

/// The sum of all values before each, and of all.
fn sums(values: &[f64]) -> Vec<f64> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut sum = 0.0;
    sums.push(sum);
    for value in values {
        sum += value;
        sums.push(sum);
    }
    sums
}
