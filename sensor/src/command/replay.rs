//! `noroshi-sensor replay`: the sensor's path, from capture files.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ipnet::IpNet;
use noroshi_proto::batch::Batch;
use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::time::IntervalLength;
use noroshi_proto::v1;
use noroshi_proto::wire::batch::count_flows;
use prost::Message;
use serde::Serialize;

use super::Failure;
use super::flow_line::FlowLine;
use super::summary::{Made, Summary};
use crate::capture::file::CaptureFile;
use crate::capture::{CaptureError, Progress};
use crate::config::collector::{Collector, written};
use crate::config::{self, Config};
use crate::decode::Decoder;
use crate::decode::tunnel::Delivery;
use crate::mask::{Mask, MaskKey};
use crate::run;
use crate::sense::Sense;
use crate::summarise::{Cut, Memory, Settings, Summariser};
use crate::telescope::Telescope;

/// `noroshi-sensor replay`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  noroshi-sensor replay day.pcap --telescope 198.18.0.0/20
  noroshi-sensor replay a.pcap b.pcapng --telescope 10.0.0.0/8 --telescope 2001:db8::/32 --json
  noroshi-sensor replay day.pcap --config sensor.toml --to http://127.0.0.1:7614
  zcat day.pcap.gz | noroshi-sensor replay - --config sensor.toml --json")]
pub struct Replay {
    /// Capture files (pcap or pcapng), read one after another as one stream; - is standard input.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// Take sensor, telescope, delivery and interval from here.
    #[arg(long, value_name = "FILE", required_unless_present = "telescope")]
    config: Option<PathBuf>,
    /// What is watched; repeat it for more, or separate by commas.
    #[arg(long, value_name = "PREFIX", value_delimiter = ',', value_parser = config::prefix)]
    telescope: Vec<IpNet>,
    /// The sensor's id [default: the configuration's, or replay].
    #[arg(long, value_name = "ID", value_parser = sensor_id)]
    sensor: Option<SensorId>,
    /// How long an interval lasts [default: the configuration's, or 10].
    #[arg(long, value_name = "N", value_parser = interval)]
    interval_seconds: Option<IntervalLength>,
    /// What the telescope's packets are wrapped in [default: the configuration's, or direct].
    #[arg(long, value_enum)]
    delivery: Option<Delivery>,
    /// Print JSON lines: one per flow tuple, then one summary.
    #[arg(long, conflicts_with = "to")]
    json: bool,
    /// Send to a collector that admits replays, and end when it has everything.
    #[arg(long, value_name = "URL", value_parser = written)]
    to: Option<String>,
}

/// Whose captures they are and how they are read: arguments and configuration together.
struct Plan {
    sensor: SensorId,
    telescope: Telescope,
    delivery: Delivery,
    interval_length: IntervalLength,
    memory: Memory,
    /// Where it is sent to; printed where there is none.
    to: Option<Collector>,
}

/// Reads the captures and prints what they hold, or sends it.
///
/// # Errors
/// The configuration's; or what is wrong with captures or collector, after everything that
/// could be read was printed.
pub fn run(arguments: &Replay) -> Result<(), Failure> {
    let plan = plan(arguments)?;
    let broken = match plan.to.clone() {
        Some(collector) => send(plan, arguments, collector)?,
        None => print(plan, arguments)?,
    };
    match broken {
        0 => Ok(()),
        _ => Err(anyhow!(
            "{broken} of {} captures are broken",
            arguments.captures.len()
        )
        .into()),
    }
}

/// How many captures were broken.
fn send(plan: Plan, arguments: &Replay, collector: Collector) -> Result<usize, Failure> {
    let delivered = run::replay_to(run::Replay {
        sensor: plan.sensor,
        telescope: plan.telescope,
        delivery: plan.delivery,
        interval_length: plan.interval_length,
        captures: arguments.captures.clone(),
        collector,
    })?;
    for defect in &delivered.defects {
        eprintln!("{defect}");
    }
    let made = Made {
        flow_tuples: delivered.flow_tuples,
        batches: delivered.batches,
        batch_bytes: delivered.batch_bytes,
    };
    println!("{}", Summary::new(&delivered.counters, &made));
    Ok(delivered.defects.len())
}

/// How many captures were broken.
fn print(plan: Plan, arguments: &Replay) -> Result<usize, Failure> {
    let mut out = Out {
        sensor: &plan.sensor,
        stdout: BufWriter::new(io::stdout().lock()),
        made: Made::default(),
        form: if arguments.json {
            Form::Json
        } else {
            Form::Text
        },
    };
    let settings = Settings {
        sensor: plan.sensor.clone(),
        epoch: Epoch(0),
        interval_length: plan.interval_length,
        cut: Cut::WhenFull,
        memory: plan.memory,
    };
    let mask = Mask::new(
        &MaskKey::from_sensor_id(&plan.sensor),
        plan.telescope.clone(),
    );
    let decoder = Decoder::new(plan.telescope, plan.delivery);
    let mut sense = Sense::new(decoder, Summariser::new(settings, mask));
    let progress = progress_bar(&arguments.captures);
    let mut broken = 0;
    for path in &arguments.captures {
        if let Err(defect) = read(path, &mut sense, &mut out, &progress)? {
            broken += 1;
            progress.suspend(|| eprintln!("{defect}"));
        }
    }
    progress.finish_and_clear();
    let counters = sense.counters();
    out.batches(sense.finish())?;
    out.summary(&Summary::new(&counters, &out.made))?;
    Ok(broken)
}

/// The outer error ends the replay, the inner one this capture.
fn read(
    path: &Path,
    sense: &mut Sense,
    out: &mut Out<'_>,
    progress: &ProgressBar,
) -> anyhow::Result<Result<(), CaptureError>> {
    let mut capture = match CaptureFile::open(path) {
        Ok(capture) => capture,
        Err(error) => return Ok(Err(error)),
    };
    let before = progress.position();
    loop {
        let read = sense.read(&mut capture);
        out.batches(sense.take())?;
        progress.set_position(before + capture.bytes_read());
        match read {
            Ok(Progress::End) => return Ok(Ok(())),
            Ok(Progress::More | Progress::Idle) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn plan(arguments: &Replay) -> Result<Plan, Failure> {
    let config = arguments.config.as_deref().map(Config::load).transpose()?;
    let to = |parse: &dyn Fn(&str) -> Result<Collector, String>| {
        let parsed = arguments.to.as_deref().map(parse).transpose();
        parsed.map_err(|text| anyhow!(text))
    };
    let mut plan = match config {
        Some(config) => Plan {
            sensor: config.sensor,
            telescope: config.telescope.ever(),
            delivery: config.delivery,
            interval_length: config.interval_length,
            memory: config.memory,
            to: to(&|url| Collector::with_identity(url, &config.identity))?,
        },
        None => Plan {
            sensor: sensor_id("replay").map_err(|text| anyhow!(text))?,
            telescope: Telescope::default(),
            delivery: Delivery::Direct,
            interval_length: IntervalLength::DEFAULT,
            memory: Memory::DEFAULT,
            to: to(&Collector::parse)?,
        },
    };
    if !arguments.telescope.is_empty() {
        plan.telescope = Telescope::new(&arguments.telescope);
    }
    if let Some(sensor) = &arguments.sensor {
        plan.sensor = sensor.clone();
    }
    plan.delivery = arguments.delivery.unwrap_or(plan.delivery);
    plan.interval_length = arguments.interval_seconds.unwrap_or(plan.interval_length);
    Ok(plan)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

/// Standard output, and what was counted on the way to it.
struct Out<'a> {
    sensor: &'a SensorId,
    stdout: BufWriter<StdoutLock<'a>>,
    made: Made,
    form: Form,
}

impl Out<'_> {
    fn batches(&mut self, batches: Vec<v1::Batch>) -> anyhow::Result<()> {
        for batch in batches {
            self.made.batches += 1;
            self.made.batch_bytes += batch.encoded_len() as u64;
            self.made.flow_tuples += count_flows(&batch)? as u64;
            if self.form == Form::Json {
                self.flows(&Batch::try_from(&batch)?)?;
            }
        }
        Ok(())
    }

    fn flows(&mut self, batch: &Batch) -> io::Result<()> {
        for (interval, flow) in batch.flows() {
            let line = FlowLine::new(self.sensor, interval, flow);
            serde_json::to_writer(&mut self.stdout, &line)?;
            self.stdout.write_all(b"\n")?;
        }
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        match self.form {
            Form::Text => writeln!(self.stdout, "{summary}")?,
            Form::Json => {
                serde_json::to_writer(&mut self.stdout, &SummaryLine { summary })?;
                self.stdout.write_all(b"\n")?;
            }
        }
        self.stdout.flush()
    }
}

/// The last line.
#[derive(Serialize)]
struct SummaryLine<'a> {
    summary: &'a Summary,
}

/// On a terminal only. Standard input counts as nothing.
fn progress_bar(captures: &[PathBuf]) -> ProgressBar {
    let bytes = captures.iter().filter_map(|path| path.metadata().ok());
    let bar = ProgressBar::new(bytes.map(|file| file.len()).sum());
    let style = ProgressStyle::with_template("{bar:40} {binary_bytes}/{binary_total_bytes} {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn sensor_id(text: &str) -> Result<SensorId, String> {
    SensorId::new(text).ok_or_else(|| {
        format!("`{text}` is no sensor id: lower-case letters, digits and hyphens, at most 64")
    })
}

fn interval(text: &str) -> Result<IntervalLength, String> {
    let seconds = text.parse().ok().and_then(IntervalLength::new);
    seconds.ok_or_else(|| format!("`{text}` does not divide a minute: write 1 to 60, as in 10"))
}
