//! Lines and bars as SVG, without a style or a script in them.

use maud::{Markup, html};
use noroshi_proto::time::Millis;
use noroshi_store::figures::Bins;

use crate::page::number;

/// A small line beside a number; says nothing that the number does not.
pub(crate) fn spark(line: &[u64]) -> Markup {
    const WIDTH: f64 = 144.0;
    const HEIGHT: f64 = 24.0;
    let most = line.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = WIDTH / (line.len().max(2) - 1) as f64;
    let points: Vec<String> = line
        .iter()
        .enumerate()
        .map(|(place, value)| {
            let height = HEIGHT - 2.0 - (HEIGHT - 4.0) * *value as f64 / most;
            format!("{:.1},{height:.1}", place as f64 * step)
        })
        .collect();
    html! {
        svg.spark viewBox="0 0 144 24" preserveAspectRatio="none" aria-hidden="true" {
            polyline points=(points.join(" "));
        }
    }
}

/// What a plot shows.
pub(crate) struct Plot<'a> {
    /// What is counted, in words, for who cannot see it.
    pub(crate) title: &'a str,
    /// The bins.
    pub(crate) bins: &'a Bins,
    /// One value for each.
    pub(crate) line: &'a [u64],
    /// The usual level and its name, where it is of the same kind as the values.
    pub(crate) usual: Option<(f64, &'a str)>,
    /// The moment it fired, and its name.
    pub(crate) fired: Option<(Millis, &'a str)>,
}

const LEFT: f64 = 52.0;
const RIGHT: f64 = 890.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 196.0;
/// Ticks of an axis, at most.
const TICKS_MAX: u64 = 8;
/// Where words still end before the edge.
const LAST_TICK: f64 = 864.0;

impl Plot<'_> {
    /// Bars over time, with the usual level and the moment it fired.
    pub(crate) fn draw(&self) -> Markup {
        let most = self.line.iter().copied().max().unwrap_or(0);
        let usual = self.usual.map_or(0.0, |(usual, _)| usual);
        let top = (most as f64).max(usual).max(1.0);
        let height = |value: f64| (BOTTOM - TOP) * (value / top).clamp(0.0, 1.0);
        let width = (RIGHT - LEFT) / self.line.len().max(1) as f64;
        let told = format!("{}: {}–{}", self.title, 0, number(most));
        html! {
            svg.plot viewBox="0 0 900 222" role="img" aria-label=(told) {
                line.axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
                text x="46" y="26" text-anchor="end" { (number(top.ceil() as u64)) }
                text x="46" y="199" text-anchor="end" { "0" }
                @for (place, value) in self.line.iter().enumerate() {
                    @if *value > 0 {
                        rect.bar x=(fixed(LEFT + place as f64 * width))
                            y=(fixed(BOTTOM - height(*value as f64)))
                            width=(fixed((width - 1.0).max(0.8)))
                            height=(fixed(height(*value as f64).max(1.0))) {}
                    }
                }
                @for (x, at) in self.ticks() {
                    text x=(fixed(x)) y="214" text-anchor="middle" { (at) }
                }
                @if let Some((usual, name)) = self.usual {
                    @let y = BOTTOM - height(usual);
                    line.usual x1=(LEFT) x2=(RIGHT) y1=(fixed(y)) y2=(fixed(y)) {}
                    text x=(RIGHT) y=(fixed(y - 4.0)) text-anchor="end" { (name) }
                }
                @if let Some((x, name)) = self.fired() {
                    line.fired x1=(fixed(x)) x2=(fixed(x)) y1="14" y2=(BOTTOM) {}
                    text.fired x=(fixed(x)) y="11" text-anchor="middle" { (name) }
                }
            }
        }
    }

    fn fired(&self) -> Option<(f64, &str)> {
        let (at, name) = self.fired?;
        let second = at.seconds();
        let range = &self.bins.range;
        (range.start <= second && second <= range.end).then(|| (self.place(second), name))
    }

    fn place(&self, second: u64) -> f64 {
        let range = &self.bins.range;
        let share = (second - range.start) as f64 / (range.end - range.start).max(1) as f64;
        LEFT + (RIGHT - LEFT) * share
    }

    /// Round moments along the axis, whose words fit beside one another.
    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let range = &self.bins.range;
        let step = tick(range.end - range.start);
        let moments = (range.start.next_multiple_of(step)..=range.end).step_by(step as usize);
        let placed = moments.map(|second| (self.place(second), second));
        placed.filter(|(x, _)| *x <= LAST_TICK).map(|(x, second)| {
            let text = Millis(second * 1_000).to_string();
            (x, text.get(5..16).unwrap_or("").replace('T', " "))
        })
    }
}

/// Seconds between ticks of an axis of so many.
fn tick(seconds: u64) -> u64 {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const ROUND: [u64; 10] = [
        MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        24 * HOUR,
    ];
    let fits = |step: &&u64| seconds / **step <= TICKS_MAX;
    let days = seconds.div_ceil(24 * HOUR * TICKS_MAX).max(1);
    *ROUND.iter().find(fits).unwrap_or(&(days * 24 * HOUR))
}

fn fixed(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (seconds, step) in [
            (480, 60),
            (3 * 3_600, 1_800),
            (7 * 3_600, 3_600),
            (86_400, 10_800),
            (3 * 86_400, 43_200),
            (35 * 86_400, 5 * 86_400),
        ] {
            assert_eq!(tick(seconds), step, "{seconds}");
        }
        let bins = Bins::ending(1_793_606_700, 60, 432);
        let plot = Plot {
            title: "",
            bins: &bins,
            line: &[],
            usual: None,
            fired: None,
        };
        let told: Vec<String> = plot.ticks().map(|(_, text)| text).collect();
        assert!((4..=8).contains(&told.len()), "{told:?}");
        assert!(told.iter().all(|text| text.ends_with(":00")), "{told:?}");
    }
}
