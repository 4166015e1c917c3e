//! Scans by service and by country, as analysts look through them: sums, never a single source.

use crate::figures::Bins;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// What to look at; empty words take everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// When.
    pub bins: Bins,
    /// Such as `tcp/23`.
    pub service: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// By what to tell parts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Services.
    Service,
    /// Countries; empty where unknown.
    Country,
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

impl Store {
    /// Scans over time: one part for each bin in which there were any, by its number.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn explore_line(&self, field: &Field) -> Result<Vec<Part<u64>>, StoreError> {
        let rows = self
            .ask(sql!("explore_line"))
            .param("start", field.bins.range.start)
            .param("end", field.bins.range.end)
            .param("step", field.bins.step)
            .param("service", field.service.as_str())
            .param("country", field.country.as_str())
            .fetch_all::<(u64, u64, u64)>()
            .await?;
        Ok(rows.into_iter().map(part).collect())
    }

    /// Scans by service or country, at most `limit` parts.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn explore_parts(
        &self,
        field: &Field,
        by: By,
        limit: u32,
    ) -> Result<Vec<Part<String>>, StoreError> {
        let rows = self
            .ask(sql!("explore_parts"))
            .param("start", field.bins.range.start)
            .param("end", field.bins.range.end)
            .param("by_country", u8::from(by == By::Country))
            .param("service", field.service.as_str())
            .param("country", field.country.as_str())
            .param("limit", limit)
            .fetch_all::<(String, u64, u64)>()
            .await?;
        Ok(rows.into_iter().map(part).collect())
    }
}

fn part<T>((of, sources, packets): (T, u64, u64)) -> Part<T> {
    Part {
        of,
        sources,
        packets,
    }
}
