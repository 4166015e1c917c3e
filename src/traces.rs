//! Traces of what the roles do, for an OpenTelemetry collector: OTLP over gRPC, where `[traces]` says so.
//!
//! | module   | takes                 | gives                                         |
//! |----------|-----------------------|-----------------------------------------------|
//! | `choice` | a span that begins    | whether it is made, and of which role it is   |
//! | `queue`  | spans that have ended | batches to the collector, and what was lost   |
//!
//! # Promises
//! - Nothing of an address, a sensor, a partner or a user, no value of a question and no path that was
//!   asked for: roles name spans and their fields in words of this program, and log lines never enter
//!   a trace.
//! - Nothing waits for the collector: what its queue cannot take is lost, counted and told.
//! - Without `[traces]` no span is made.

mod choice;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use noroshi_sensor::log;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, SpanExporter, WithExportConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::task::JoinSet;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::command::up::Role;
use crate::config::TracesSettings;
use crate::traces::choice::Choice;
use crate::traces::queue::{Losses, Queue};

/// The longest a batch of spans may take.
const EXPORT_MAX: Duration = Duration::from_secs(5);
/// What the last spans are given when the centre ends.
const LAST_SPANS_WAIT: Duration = Duration::from_secs(2);

/// Where ended spans go, role by role: each is a service of its own.
#[derive(Default)]
pub struct Traces(Vec<SdkTracerProvider>);

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

impl Traces {
    /// Begins to log at `level`, and to trace these roles where there are `settings`.
    ///
    /// # Errors
    /// When the collector's certificate could not be verified with anything.
    ///
    /// # Panics
    /// As [`log::to_stderr`]; outside of a runtime.
    pub fn start(
        settings: Option<&TracesSettings>,
        roles: &[Role],
        level: &str,
    ) -> Result<Self, ExporterBuildError> {
        let Some(settings) = settings else {
            log::to_stderr(level);
            return Ok(Self::default());
        };
        let mut traces = Self::default();
        let mut layers: Vec<Boxed> = Vec::new();
        let losses = Arc::default();
        for role in roles {
            let provider = provider(*role, settings, &losses)?;
            let layer = tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("noroshi"))
                .with_context_activation(false)
                .with_tracked_inactivity(false)
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_filter(choice::of(*role));
            layers.push(layer.boxed());
            traces.0.push(provider);
        }
        let (lines, misunderstood) = log::asked(level);
        let choice = Choice {
            share: settings.sample,
            lines: lines.clone(),
        };
        tracing_subscriber::registry()
            .with(layers)
            .with(log::lines().with_filter(lines))
            .with(choice)
            .init();
        if let Some(text) = misunderstood {
            tracing::warn!("{text}");
        }
        tracing::info!(
            endpoint = settings.endpoint,
            sample = settings.sample,
            "traces are sent"
        );
        Ok(traces)
    }

    /// Sends what is left, as far as that is quick.
    pub async fn end(self) {
        let mut ending = JoinSet::new();
        for provider in self.0 {
            ending.spawn_blocking(move || provider.shutdown_with_timeout(LAST_SPANS_WAIT));
        }
        while ending.join_next().await.is_some() {} // what was lost is told by the queue
    }
}

fn provider(
    role: Role,
    settings: &TracesSettings,
    losses: &Arc<Losses>,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&settings.endpoint)
        .with_timeout(EXPORT_MAX);
    let endpoint = &settings.endpoint;
    let exporter = match endpoint.starts_with("https://") {
        true => exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots()),
        false => exporter,
    };
    let about = [
        KeyValue::new("service.name", format!("noroshi-{}", role.name())),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    // Empty at first: neither this host's name nor what its environment says.
    let resource = Resource::builder_empty().with_attributes(about).build();
    Ok(SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOn) // the choice was made before
        .with_resource(resource)
        .with_span_processor(Queue::to(exporter.build()?, endpoint, losses))
        .build())
}
