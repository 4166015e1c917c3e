//! Scans by service and by country, as analysts look through them: sums, never a single source.

use noroshi_proto::traffic::Service;

use crate::figures::Bins;
use crate::question::{Question, Sql, sql};
use crate::rollups::numbers;
use crate::store::{Store, StoreError};

/// What to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// When: bins of a multiple of [`grain`].
    pub bins: Bins,
    /// One service, or all.
    pub service: Option<Service>,
    /// ISO 3166-1 alpha-2; empty takes all.
    pub country: String,
}

/// A part, or a moment, of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// Which.
    pub of: T,
    /// Distinct sources.
    pub sources: u64,
    /// Packets.
    pub packets: u64,
}

/// The seconds of what a time of so many seconds is read in (the view `places`): shorter bins would be empty.
pub fn grain(seconds: u64) -> u64 {
    match seconds {
        0..=10_800 => 60,
        10_801..=172_800 => 600,
        _ => 3_600,
    }
}

impl Store {
    /// Scans over time: one part for each bin in which there were any, by its number.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn explore_line(&self, field: &Field) -> Result<Vec<Part<u64>>, StoreError> {
        let sql = match field.service {
            None => sql!("explore_line"),
            Some(_) => sql!("explore_line_of_service"),
        };
        let line = asked(self.ask(sql), field).param("step", field.bins.step);
        let rows = line.fetch_all::<(u64, u64, u64)>().await?;
        Ok(rows.into_iter().map(part).collect())
    }

    /// The services that most sources scanned for, at most `limit`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn explore_services(
        &self,
        field: &Field,
        limit: u32,
    ) -> Result<Vec<Part<String>>, StoreError> {
        let sql = if field.country.is_empty() {
            sql!("explore_services")
        } else {
            sql!("explore_services_of_country")
        };
        self.parts(sql, field, limit).await
    }

    /// The countries that most sources scanned from, at most `limit`; empty where unknown.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn explore_countries(
        &self,
        field: &Field,
        limit: u32,
    ) -> Result<Vec<Part<String>>, StoreError> {
        let sql = match field.service {
            None => sql!("explore_countries"),
            Some(_) => sql!("explore_countries_of_service"),
        };
        self.parts(sql, field, limit).await
    }

    async fn parts(
        &self,
        sql: Sql,
        field: &Field,
        limit: u32,
    ) -> Result<Vec<Part<String>>, StoreError> {
        let parts = asked(self.ask(sql), field).param("limit", limit);
        let rows = parts.fetch_all::<(String, u64, u64)>().await?;
        Ok(rows.into_iter().map(part).collect())
    }
}

fn asked(query: Question, field: &Field) -> Question {
    let (transport, port) = numbers(field.service);
    query
        .param("start", field.bins.range.start)
        .param("end", field.bins.range.end)
        .param("transport", transport)
        .param("port", port)
        .param("country", field.country.as_str())
}

fn part<T>((of, sources, packets): (T, u64, u64)) -> Part<T> {
    Part {
        of,
        sources,
        packets,
    }
}
