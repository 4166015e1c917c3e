//! What operators read of a collector: streams, batches, and how long they wait for the store.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use noroshi_metrics::held;
use noroshi_metrics::open::{Gauge, Open};
use noroshi_metrics::text::Text;
use noroshi_metrics::times::Times;
use noroshi_proto::batch::Batch;
use noroshi_proto::refusal::Refusal;

/// Everything that is counted, from the start of the program.
#[derive(Debug, Default)]
pub struct Metrics {
    streams: Gauge,
    /// Streams refused as a whole, by reason.
    refused_streams: Mutex<BTreeMap<&'static str, u64>>,
    /// Batches read from their streams and not answered.
    waiting: Gauge,
    kept: Mutex<Kept>,
    /// Batches refused, by reason.
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

/// What is on the store's disk.
#[derive(Debug, Default)]
struct Kept {
    batches: u64,
    flow_tuples: u64,
    packets: u64,
    took: Times,
}

/// How much a batch holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) flow_tuples: usize,
    pub(crate) packets: u64,
}

impl Size {
    pub(crate) fn of(batch: &Batch) -> Self {
        Self {
            flow_tuples: batch.flows().count(),
            packets: batch.packets(),
        }
    }
}

impl Metrics {
    /// A stream that was let in.
    pub(crate) fn stream(&self) -> Open {
        self.streams.open()
    }

    /// A batch that was read.
    pub(crate) fn batch(&self) -> Open {
        self.waiting.open()
    }

    pub(crate) fn refuse_stream(&self, refusal: &Refusal) {
        *held(&self.refused_streams)
            .entry(refusal.name())
            .or_default() += 1;
    }

    pub(crate) fn refuse(&self, refusal: &Refusal) {
        *held(&self.refused).entry(refusal.name()).or_default() += 1;
    }

    /// The store has it, so long after it was read.
    pub(crate) fn keep(&self, size: Size, took: Duration) {
        let mut kept = held(&self.kept);
        kept.batches += 1;
        kept.flow_tuples += size.flow_tuples as u64;
        kept.packets += size.packets;
        kept.took.took(took);
    }

    /// All of it.
    pub fn text(&self) -> String {
        let mut text = Text::of("noroshi_collector_");
        let help = "Streams of sensors that are open.";
        text.single("streams_open", "gauge", help, &self.streams);
        let help = "Streams refused as a whole, by reason.";
        by_reason(
            &mut text,
            "streams_refused_total",
            help,
            &self.refused_streams,
        );
        let help = "Batches read from their streams and not answered yet.";
        text.single("batches_waiting", "gauge", help, &self.waiting);
        let help = "Batches refused, by reason; store_busy ones come again.";
        by_reason(&mut text, "batches_refused_total", help, &self.refused);
        let kept = held(&self.kept);
        let help = "Batches acknowledged: the store has them on disk, or had them before.";
        text.single("batches_kept_total", "counter", help, kept.batches);
        let help = "Flow tuples in acknowledged batches.";
        text.single("flow_tuples_kept_total", "counter", help, kept.flow_tuples);
        let help = "Packets in acknowledged batches.";
        text.single("packets_kept_total", "counter", help, kept.packets);
        let help = "From a batch's turn to its acknowledgement.";
        text.family("batch_seconds", "histogram", help);
        kept.took.write(&mut text, "batch_seconds", "");
        text.into_string()
    }
}

fn by_reason(text: &mut Text, name: &str, help: &str, counts: &Mutex<BTreeMap<&'static str, u64>>) {
    text.family(name, "counter", help);
    for (reason, count) in &*held(counts) {
        text.value(name, &format!("{{reason=\"{reason}\"}}"), count);
    }
}
