//! `noroshi scenario list|generate`: traffic made to measure, with the truth about it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};

use anyhow::Context;
use noroshi_analyzer::generate::pcap;
use noroshi_analyzer::scenario::truth::{Truth, Verdict};
use noroshi_analyzer::scenario::{Scenario, capture, catalogue, region};
use noroshi_proto::time::Millis;

use crate::arguments;
use crate::failure::Failure;

/// Packets that nobody wants in files by mistake: about 5 GB.
const PACKETS_MAX: f64 = 100e6;

pub fn run(verb: arguments::Scenario) -> Result<(), Failure> {
    match verb {
        arguments::Scenario::List { json } => Ok(list(json).context("standard output")?),
        arguments::Scenario::Generate(arguments) => generate(&arguments),
    }
}

/// The scenarios of that name, or of all names.
pub(super) fn named(name: &str) -> Result<Scenario, Failure> {
    catalogue::named(name).ok_or_else(|| {
        let known: Vec<&str> = catalogue::all().iter().map(|one| one.name).collect();
        Failure::Failed(anyhow::anyhow!(
            "there is no scenario `{name}`; there are: {}",
            known.join(", ")
        ))
    })
}

fn list(json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for scenario in catalogue::all() {
        let truths = scenario.play(1).truths();
        if json {
            for truth in &truths {
                let line = serde_json::json!({ "scenario": scenario.name, "truth": truth });
                serde_json::to_writer(&mut out, &line)?;
                writeln!(out)?;
            }
            continue;
        }
        writeln!(
            out,
            "{:<10} {}\n           from {} until {}, {} addresses, {:.0} packets/s",
            scenario.name,
            scenario.summary,
            Millis(scenario.from * 1_000),
            Millis(scenario.until * 1_000),
            scenario.addresses(),
            scenario.rate * scenario.addresses() as f64,
        )?;
        for truth in &truths {
            write_truth(&mut out, truth)?;
        }
    }
    out.flush()
}

fn write_truth(out: &mut impl Write, truth: &Truth) -> io::Result<()> {
    let expected = match truth.verdict {
        Verdict::Expected(kinds) => {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            names.join(" or ")
        }
        Verdict::Silent => "silence".to_owned(),
    };
    writeln!(
        out,
        "    {}  {:>5} h  {:<34} {expected}",
        Millis(truth.start * 1_000),
        (truth.end - truth.start) / 3_600,
        truth.campaign,
    )
}

fn generate(arguments: &arguments::Generate) -> Result<(), Failure> {
    let mut scenario = named(&arguments.name)?;
    let from = scenario.from + arguments.skip_hours * 3_600;
    let until = arguments
        .hours
        .map_or(scenario.until, |hours| from + hours * 3_600);
    if from >= scenario.until {
        return Err(Failure::Failed(anyhow::anyhow!(
            "--skip-hours {} is beyond the end: {} lasts {} hours",
            arguments.skip_hours,
            scenario.name,
            (scenario.until - scenario.from) / 3_600
        )));
    }
    (scenario.from, scenario.until) = (from, until.min(scenario.until));
    let seconds = scenario.watched_seconds() as f64;
    let expected = scenario.rate * scenario.addresses() as f64 * seconds;
    if expected > PACKETS_MAX {
        return Err(Failure::Failed(anyhow::anyhow!(
            "that would be {:.0} million packets: say --hours N for a part of it, and \
             --skip-hours N for where it begins",
            expected / 1e6
        )));
    }
    fs::create_dir_all(&arguments.out).context("--out")?;
    let folder = |name: &str| arguments.out.join(name);
    write_captures(&scenario, arguments)?;
    fs::write(folder("registry.toml"), region::registry(&scenario.sensors))?;
    let mut truth = BufWriter::new(File::create(folder("truth.jsonl"))?);
    for one in scenario.play(arguments.seed).truths() {
        serde_json::to_writer(&mut truth, &one)?;
        writeln!(truth)?;
    }
    truth.flush()?;
    Ok(())
}

fn write_captures(scenario: &Scenario, arguments: &arguments::Generate) -> anyhow::Result<()> {
    let mut files = HashMap::new();
    for (index, place) in scenario.sensors.iter().enumerate() {
        let path = arguments.out.join(format!("{}.pcap", place.sensor));
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let mut file = BufWriter::new(file);
        pcap::write_header(&mut file)?;
        files.insert(index, file);
    }
    for window in scenario.play(arguments.seed) {
        for (index, file) in &mut files {
            let packets = capture::packets(&window, &scenario.sensors, *index, arguments.seed);
            for packet in &packets {
                pcap::write_packet(packet, file)?;
            }
        }
    }
    for (_, mut file) in files {
        file.flush()?;
    }
    Ok(())
}
