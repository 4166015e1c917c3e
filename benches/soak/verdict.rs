//! What the hour came to: a table per quarter, and whether anything grew.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::book::{Answer, Asked, Pages, Sample};

/// Parts into which the time is cut.
const QUARTERS: usize = 4;
/// The share of it that is for warming up. In two hours that is one: so long the analyzer keeps who asked for quiet services,
/// which it does not know from before its start.
const WARM_UP: f64 = 0.5;
/// Memory is flat where its trend over the time after warming up is below this share of it.
const GROWTH_MAX: f64 = 0.05;
/// The analyzer does not fall behind where its median lag grows by less than this from the third quarter to the last.
const LAG_GROWTH_SECONDS_MAX: f64 = 1.0;

/// What is looked at of a sample.
type Figure = fn(&Sample) -> f64;
/// A series over time: seconds and values.
type Series = Vec<(f64, f64)>;

/// Prints all figures of a run of `seconds`.
pub fn tell(pages: &Pages, seconds: f64) {
    let numbers = (1..=QUARTERS).map(|quarter| quarter.to_string());
    println!("{:<26} {}", "quarter", row(numbers));
    let figures: [(&str, Figure); 5] = [
        ("centre, resident MiB", |one| one.centre),
        ("  of that its own", |one| one.centre_own),
        ("engine, resident MiB", |one| one.engine),
        ("  of that its own", |one| one.engine_own),
        ("analyzer's lag, s", |one| one.lag),
    ];
    for (name, value) in figures {
        let series = pages.samples.iter().map(|one| (one.at, value(one)));
        tell_quarters(name, series, seconds, ("≤", 1.0));
    }
    for (name, of) in [
        ("batch acknowledged, ms", Asked::Collector),
        ("console answers, ms", Asked::Console),
        ("feeds answer, ms", Asked::Feeds),
    ] {
        let answers = pages.answers.iter().filter(|answer| answer.of == of);
        let series = answers.map(|answer| (answer.at, millis(answer.took)));
        tell_quarters(name, series, seconds, (",", 0.99));
    }
    let ends: [(&str, Figure); 3] = [
        ("flow tuples kept, million", |one| one.rows as f64 / 1e6),
        ("store on disk, MiB", |one| (one.disk >> 20) as f64),
        ("parts", |one| one.parts as f64),
    ];
    for (name, value) in ends {
        let last = last(pages, seconds, value).map(|value| format!("{value:.1}"));
        println!("{name:<26} {}", row(last.into_iter()));
    }
    let names = pages.samples.last().map(|one| one.tables.keys());
    for name in names.into_iter().flatten() {
        let entries = |one: &Sample| one.tables.get(name).copied().unwrap_or(f64::NAN);
        let last = last(pages, seconds, entries).map(|value| format!("{value:.0}"));
        println!("{name:<26} {}", row(last.into_iter()));
    }
    println!("(memory and lag: median ≤ most; times: median, 99th of a hundred)");
    by_question(&pages.answers);
}

/// What each quarter ended with.
fn last(pages: &Pages, seconds: f64, value: impl Fn(&Sample) -> f64) -> [f64; QUARTERS] {
    let mut last = [f64::NAN; QUARTERS];
    for sample in &pages.samples {
        last[quarter(sample.at, seconds)] = value(sample);
    }
    last
}

/// In each quarter the median, and the value at another share.
fn tell_quarters(
    name: &str,
    series: impl Iterator<Item = (f64, f64)>,
    seconds: f64,
    (between, share): (&str, f64),
) {
    let mut parts: Vec<Vec<f64>> = vec![Vec::new(); QUARTERS];
    for (at, value) in series {
        parts[quarter(at, seconds)].push(value);
    }
    let cells = parts.iter_mut().map(|part| {
        let (median, high) = (quantile(part, 0.5), quantile(part, share));
        format!("{median:.0} {between} {high:.0}")
    });
    println!("{name:<26} {}", row(cells));
}

/// In which quarter of a run of `seconds` this is.
fn quarter(at: f64, seconds: f64) -> usize {
    ((at / seconds * QUARTERS as f64) as usize).min(QUARTERS - 1)
}

/// Each page and list by itself, the slowest first.
fn by_question(answers: &[Answer]) {
    let mut by_what: BTreeMap<(Asked, &str), Vec<f64>> = BTreeMap::new();
    for answer in answers {
        let times = by_what.entry((answer.of, &answer.what)).or_default();
        times.push(millis(answer.took));
    }
    let mut rows: Vec<_> = by_what
        .into_iter()
        .map(|((_, what), mut times)| {
            (
                quantile(&mut times, 0.5),
                quantile(&mut times, 0.99),
                times.len(),
                what,
            )
        })
        .collect();
    rows.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (median, high, count, what) in rows {
        println!("{what:<44} {count:>6} times, median {median:>7.1} ms, p99 {high:>7.1} ms");
    }
}

/// What grew that should not; and how much what did not.
pub fn growth(pages: &Pages, seconds: f64) -> Vec<String> {
    let warm: Vec<&Sample> = pages
        .samples
        .iter()
        .filter(|sample| sample.at >= seconds * WARM_UP)
        .collect();
    let mut grown = Vec::new();
    let memory: [(&str, Figure); 2] = [("centre", |one| one.centre), ("engine", |one| one.engine)];
    for (name, value) in memory {
        let series: Series = warm
            .iter()
            .map(|sample| (sample.at, value(sample)))
            .collect();
        let mean = series.iter().map(|(_, value)| value).sum::<f64>() / series.len() as f64;
        let slope = slope(&series);
        let share = slope * seconds * (1.0 - WARM_UP) / mean;
        println!(
            "{name}: {:+.1} MiB an hour after warming up, {:+.1} % over that time",
            slope * 3_600.0,
            share * 100.0
        );
        if share.is_nan() || share > GROWTH_MAX {
            grown.push(format!("the memory of the {name} grows"));
        }
    }
    let median = |from: f64, until: f64| {
        let in_time = warm
            .iter()
            .filter(|sample| (from..until).contains(&(sample.at / seconds)));
        quantile(
            &mut in_time.map(|sample| sample.lag).collect::<Vec<_>>(),
            0.5,
        )
    };
    let lag = median(0.75, f64::INFINITY) - median(WARM_UP, 0.75);
    println!("analyzer's lag: {lag:+.1} s from the third quarter to the last");
    if lag.is_nan() || lag > LAG_GROWTH_SECONDS_MAX {
        grown.push("the analyzer falls behind".to_owned());
    }
    grown
}

/// The median of the slopes between any two values (Theil and Sen), a second: what is rolled up once an hour is a peak, not a
/// trend, and least squares would tell one from it by where in the hour it falls.
fn slope(series: &Series) -> f64 {
    let mut slopes = Vec::new();
    for (place, (at, value)) in series.iter().enumerate() {
        let later = series.iter().skip(place + 1);
        slopes.extend(later.map(|(later, grown)| (grown - value) / (later - at)));
    }
    quantile(&mut slopes, 0.5)
}

/// The value at a share of the way from the smallest to the largest.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn row(cells: impl Iterator<Item = String>) -> String {
    cells.map(|cell| format!("{cell:>16}")).collect()
}
