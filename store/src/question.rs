//! One question to the engine, under its own name: what traces tell of it, and all they tell.

use std::future::Future;

use clickhouse::query::{Query, RowCursor};
use clickhouse::{Client, Row, RowOwned, RowRead};
use serde::Serialize;
use tracing::{Instrument as _, Span, field, trace_span};

use crate::store::{Store, StoreError};

/// A file of `queries/`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql {
    /// The file's, without its ending.
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// The [`Sql`] of that name.
macro_rules! sql {
    ($name:literal) => {
        $crate::question::Sql {
            name: $name,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/queries/",
                $name,
                ".sql"
            )),
        }
    };
}
pub(crate) use sql;

/// A question that is not asked yet. Its values are never in a trace.
#[derive(Clone)]
#[must_use = "it is asked by fetching or executing"]
pub(crate) struct Question {
    name: &'static str,
    query: Query,
}

impl Store {
    pub(crate) fn ask(&self, sql: Sql) -> Question {
        ask(self.client(), sql)
    }
}

/// Asks without a [`Store`].
pub(crate) fn ask(client: &Client, sql: Sql) -> Question {
    Question {
        name: sql.name,
        query: client.query(sql.text),
    }
}

impl Question {
    pub(crate) fn param(self, name: &str, value: impl Serialize) -> Self {
        Self {
            query: self.query.param(name, value),
            ..self
        }
    }

    pub(crate) fn with_setting(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            query: self.query.with_setting(name, value),
            ..self
        }
    }

    pub(crate) async fn fetch_all<T: RowOwned + RowRead>(self) -> Result<Vec<T>, StoreError> {
        let span = asked(self.name);
        answered(span, self.query.fetch_all()).await
    }

    pub(crate) async fn fetch_one<T: RowOwned + RowRead>(self) -> Result<T, StoreError> {
        let span = asked(self.name);
        answered(span, self.query.fetch_one()).await
    }

    pub(crate) async fn fetch_optional<T: RowOwned + RowRead>(
        self,
    ) -> Result<Option<T>, StoreError> {
        let span = asked(self.name);
        answered(span, self.query.fetch_optional()).await
    }

    pub(crate) async fn execute(self) -> Result<(), StoreError> {
        let span = asked(self.name);
        answered(span, self.query.execute()).await
    }

    /// Rows one by one. The question is over when the span is dropped.
    pub(crate) fn fetch<T: Row>(self) -> Result<(RowCursor<T>, Span), StoreError> {
        let span = asked(self.name);
        Ok((self.query.fetch()?, span))
    }
}

fn asked(name: &'static str) -> Span {
    trace_span!(
        "query",
        otel.kind = "client",
        otel.status_code = field::Empty,
        db.system.name = "clickhouse",
        db.query.summary = name,
    )
}

/// Rows that go into a table.
pub(crate) fn inserted(table: &'static str) -> Span {
    trace_span!(
        "insert",
        otel.kind = "client",
        otel.status_code = field::Empty,
        db.system.name = "clickhouse",
        db.collection.name = table,
    )
}

/// Waits for the engine's answer. What an error says stays out of the trace: it may name values.
pub(crate) async fn answered<T>(
    span: Span,
    asked: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, StoreError> {
    let answer = asked.instrument(span.clone()).await;
    if answer.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    Ok(answer?)
}
