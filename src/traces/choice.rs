//! Which spans are made, and of which role they are.
//!
//! A trace begins with one of [`ROOTS`]; whether it is made is decided there by chance, for everybody. What
//! is a part of something that is not traced costs a look at the thread's own state and makes nothing.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{DynFilterFn, Targets};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use crate::command::up::Role;

/// Spans with which a trace begins: one batch, one round of the analyzer, what it rolls up beside, one
/// answer, one attempt to deliver.
const ROOTS: [&str; 5] = ["batch", "round", "roll_up", "answer", "delivery"];

/// Lets a share of traces be made, each whole, and log lines as they are asked for.
pub(super) struct Choice {
    /// Of 1.
    pub(super) share: f64,
    /// Log lines, and spans that are not ours.
    pub(super) lines: Targets,
}

impl Choice {
    fn takes_line(&self, metadata: &Metadata<'_>) -> bool {
        self.lines.would_enable(metadata.target(), metadata.level())
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Choice {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match (is_ours(metadata), self.takes_line(metadata)) {
            (true, _) => Interest::sometimes(),
            (false, true) => Interest::always(),
            (false, false) => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        if !is_ours(metadata) {
            return self.takes_line(metadata);
        }
        if ROOTS.contains(&metadata.name()) {
            return rand::random::<f64>() < self.share;
        }
        let around = context.lookup_current();
        around.is_some_and(|span| span.scope().any(|span| is_ours(span.metadata())))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }
}

/// Takes a role's roots, and what is a part of those.
pub(super) fn of<S>(role: Role) -> impl Filter<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let crate_of_role = format!("noroshi_{}", role.name());
    let takes = move |metadata: &Metadata<'_>, context: &Context<'_, S>| {
        if !is_ours(metadata) {
            return false;
        }
        if ROOTS.contains(&metadata.name()) {
            return metadata.target().starts_with(&crate_of_role);
        }
        context.lookup_current().is_some() // in this role's eyes: others' spans are none
    };
    DynFilterFn::new(takes)
        .with_callsite_filter(|metadata| match is_ours(metadata) {
            true => Interest::sometimes(),
            false => Interest::never(),
        })
        .with_max_level_hint(LevelFilter::TRACE)
}

/// Log lines and others' spans are no part of a trace: they may say anything.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("noroshi_")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span::{Attributes, Id};
    use tracing::{Level, enabled, trace_span};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Counts spans that it is shown.
    struct Seen(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Seen {
        fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Does something where a share of the collector's and of the feeds' traces is made; how many spans
    /// either was shown.
    fn shown(share: f64, traced: impl FnOnce()) -> (usize, usize) {
        let (collector, feeds) = (Arc::default(), Arc::default());
        let lines = Targets::new().with_default(Level::WARN);
        let subscriber = tracing_subscriber::registry()
            .with(Seen(Arc::clone(&collector)).with_filter(of(Role::Collector)))
            .with(Seen(Arc::clone(&feeds)).with_filter(of(Role::Feeds)))
            .with(Choice { share, lines });
        tracing::subscriber::with_default(subscriber, traced);
        let read = |seen: &Arc<AtomicUsize>| seen.load(Ordering::Relaxed);
        (read(&collector), read(&feeds))
    }

    fn batches() {
        for _ in 0..1_000 {
            let batch = trace_span!(target: "noroshi_collector::ingest", "batch");
            let part = batch.in_scope(|| trace_span!(target: "noroshi_store", "query"));
            assert_eq!(batch.is_disabled(), part.is_disabled(), "all or nothing");
        }
    }

    #[test]
    fn a_share_of_traces_is_made_and_each_is_whole() {
        assert_eq!(shown(1.0, batches), (2_000, 0));
        assert_eq!(shown(0.0, batches), (0, 0));
        let (spans, _) = shown(0.5, batches);
        assert!((600..1_400).contains(&spans), "{spans}"); // twelve standard deviations
    }

    #[test]
    fn what_is_another_roles_or_a_part_of_nothing_is_not_shown() {
        let shown = shown(1.0, || {
            assert!(trace_span!(target: "noroshi_store", "query").is_disabled());
            assert!(trace_span!(target: "h2::client", "answer").is_disabled());
            let answer = trace_span!(target: "noroshi_feeds::routes", "answer");
            answer.in_scope(|| {
                assert!(!trace_span!(target: "noroshi_store", "query").is_disabled());
                assert!(enabled!(target: "noroshi_feeds", Level::WARN));
                assert!(!enabled!(target: "noroshi_feeds", Level::INFO));
            });
        });
        assert_eq!(shown, (0, 2));
    }
}
