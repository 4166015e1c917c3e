//! An evaluation as text, in columns.

use std::fmt::{self, Write};

use super::Evaluation;
use super::score::{Course, Method, SIZES};
use crate::scenario::truth::Verdict;

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, seed {}: {:.1} days, {} sensors, {} addresses; {} packets in {} flow tuples",
            self.scenario,
            self.seed,
            self.days,
            self.sensors,
            self.addresses,
            self.packets,
            self.flow_tuples
        )?;
        if self.seconds > 0.0 {
            writeln!(
                f,
                "{:.0} s, {:.0} s of processors, at most {} MiB",
                self.seconds,
                self.cpu_seconds,
                self.memory_bytes >> 20
            )?;
        }
        writeln!(
            f,
            "\nmethods, on what they should find; delays from half a campaign's height"
        )?;
        methods(f, &self.methods)?;
        writeln!(
            f,
            "\nscans found, by height in multiples of the usual sources"
        )?;
        sizes(f, &self.methods)?;
        writeln!(f, "\ndetectors, on the kinds they find")?;
        methods(f, &self.detectors)?;
        writeln!(f, "\nwhat happened")?;
        courses(f, &self.courses)?;
        if self.shifts.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\ncases each partner was told of, by shift of eight hours"
        )?;
        writeln!(
            f,
            "{:<12} {:>8} {:>10} {:>8}",
            "partner", "cases", "a shift", "at most"
        )?;
        for one in &self.shifts {
            let (partner, pushes) = (&one.partner, one.pushes);
            writeln!(
                f,
                "{partner:<12} {pushes:>8} {:>10.1} {:>8}",
                one.per_shift, one.most
            )?;
        }
        Ok(())
    }
}

fn methods(out: &mut impl Write, methods: &[Method]) -> fmt::Result {
    writeln!(
        out,
        "{:<14} {:>8} {:>8} {:>9} {:>8} {:>7} {:>8} {:>8} {:>9} {:>11} {:>10} {:>8}",
        "",
        "alerts",
        "right",
        "precision",
        "found",
        "recall",
        "delay",
        "p90",
        "false/day",
        "high/p/week",
        "/sensor/day",
        "CPU s"
    )?;
    for one in methods {
        writeln!(
            out,
            "{:<14} {:>8} {:>8} {:>9} {:>8} {:>7} {:>8} {:>8} {:>9.2} {:>11.2} {:>10.2} {:>8}",
            one.name,
            one.alerts,
            one.right,
            share(one.precision),
            format!("{}/{}", one.found, one.expected),
            share(one.recall()),
            delay(one.delay_median),
            delay(one.delay_p90),
            one.false_per_day,
            one.false_high_per_partner_week,
            one.alerts_per_sensor_day,
            one.cpu_seconds
                .map_or_else(|| "-".to_owned(), |spent| format!("{spent:.1}"))
        )?;
    }
    Ok(())
}

fn sizes(out: &mut impl Write, methods: &[Method]) -> fmt::Result {
    write!(out, "{:<14}", "")?;
    for (index, least) in SIZES.iter().enumerate() {
        let title = match SIZES.get(index + 1) {
            Some(next) => format!("{least}-{next}"),
            None => format!("{least}+"),
        };
        write!(out, " {title:>8}")?;
    }
    writeln!(out)?;
    for one in methods {
        write!(out, "{:<14}", one.name)?;
        for (found, expected) in &one.by_size {
            write!(out, " {:>8}", format!("{found}/{expected}"))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn courses(out: &mut impl Write, courses: &[Course]) -> fmt::Result {
    for one in courses {
        let truth = &one.truth;
        let verdict = match (&truth.verdict, one.alerts) {
            (Verdict::Expected(_), 0) => "MISSED",
            (Verdict::Expected(_), _) => "found",
            (Verdict::Silent, 0) => "silent",
            (Verdict::Silent, _) => "NOISY",
        };
        let size = match (truth.size, truth.usual) {
            (Some(size), Some(usual)) => format!("{size} x {usual:.1}"),
            _ => String::new(),
        };
        writeln!(
            out,
            "{:<36} {:<20} {size:>12}  {verdict:<7} {:>6} alerts  {:>8}",
            truth.campaign,
            truth.act,
            one.alerts,
            delay(one.delay)
        )?;
    }
    Ok(())
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

/// Hours and minutes, with a sign.
fn delay(seconds: Option<i64>) -> String {
    let Some(seconds) = seconds else {
        return "-".to_owned();
    };
    let sign = if seconds < 0 { "-" } else { "" };
    let minutes = seconds.abs() / 60;
    format!("{sign}{}:{:02}", minutes / 60, minutes % 60)
}
