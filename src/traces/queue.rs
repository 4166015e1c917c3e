//! Ended spans on their way to the collector.
//!
//! # Promises
//! - At most [`SPANS_MAX`] wait, and none is waited for.
//! - What is lost, because the collector does not answer or the queue is full, is counted and told
//!   once a minute at most.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

/// Spans that may wait: half a kilobyte each.
const SPANS_MAX: usize = 4_096;
/// Spans sent at once.
const BATCH_SPANS: usize = 512;
/// How long spans wait for company.
const PACE: Duration = Duration::from_secs(2);
/// How often it is told that spans are lost.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Takes spans that have ended.
#[derive(Debug)]
pub(super) struct Queue {
    processor: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    losses: Arc<Losses>,
}

/// What was lost, of all queues.
#[derive(Debug, Default)]
pub(super) struct Losses {
    spans: AtomicUsize,
    told: Mutex<Option<Instant>>,
}

impl Queue {
    /// With a thread of its own, which sends.
    pub(super) fn to(otlp: Otlp, endpoint: &str, losses: &Arc<Losses>) -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let losses = Arc::clone(losses);
        let exporter = Exporter {
            otlp,
            endpoint: endpoint.to_owned(),
            waiting: Arc::clone(&waiting),
            losses: Arc::clone(&losses),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(SPANS_MAX)
            .with_max_export_batch_size(BATCH_SPANS)
            .with_scheduled_delay(PACE)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build();
        Self {
            processor,
            waiting,
            losses,
        }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < SPANS_MAX {
            self.processor.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.losses.add(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

/// Sends, and tells what it could not send.
#[derive(Debug)]
struct Exporter {
    otlp: Otlp,
    endpoint: String,
    waiting: Arc<AtomicUsize>,
    losses: Arc<Losses>,
}

impl SpanExporter for Exporter {
    #[allow(
        clippy::disallowed_methods,
        reason = "a shell: warnings come at intervals"
    )]
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let sent = self.otlp.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        let error = sent.as_ref().err().map(ToString::to_string);
        if error.is_some() {
            self.losses.add(count);
        }
        if let Some(lost) = self.losses.to_tell(Instant::now()) {
            let endpoint = &self.endpoint;
            tracing::warn!(
                endpoint,
                lost,
                error,
                "traces are lost: their collector is too slow, or away"
            );
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

impl Losses {
    fn add(&self, spans: usize) {
        self.spans.fetch_add(spans, Ordering::Relaxed);
    }

    /// How many spans were lost since that was last told, where it is time to tell.
    fn to_tell(&self, now: Instant) -> Option<usize> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = told.is_none_or(|last| now.duration_since(last) >= TELL_EVERY);
        if !is_time || self.spans.load(Ordering::Relaxed) == 0 {
            return None;
        }
        *told = Some(now);
        Some(self.spans.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a place to count from")]
    fn losses_are_told_once_a_minute_and_none_is_left_out() {
        let losses = Losses::default();
        let start = Instant::now();
        assert_eq!(losses.to_tell(start), None);
        losses.add(3);
        assert_eq!(losses.to_tell(start), Some(3));
        losses.add(4);
        losses.add(5);
        assert_eq!(losses.to_tell(start + Duration::from_secs(59)), None);
        assert_eq!(losses.to_tell(start + TELL_EVERY), Some(9));
        assert_eq!(losses.to_tell(start + 2 * TELL_EVERY), None);
    }
}
