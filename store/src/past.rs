//! What detectors must remember of the past, read back from the rollups: whole bins, not
//! windows, so that weeks are read in seconds.

mod gathered;

use std::ops::Range;

use clickhouse::Row;
use noroshi_proto::traffic::{Service, Traffic};
use serde::Deserialize;

use self::gathered::{Gathered, Part};
use crate::ledger::Coverage;
use crate::origin::{Country, PartnerId};
use crate::question::{self, Question, Sql, sql};
use crate::rollups::{Bin, service};
use crate::store::{Store, StoreError};

/// Time read at once: each question walks through all of a month, so it should be asked
/// seldom; what it gives is held at once, 20 bytes a rollup.
const SLICE_SECONDS: u64 = 14 * 86_400;

/// One closed bin, as it is remembered.
///
/// Only scans count, and only sources that no scanner list names and that can be real: as
/// the detectors count what happens now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastBin {
    /// Its first second, since 1970.
    pub start: u64,
    /// Its length.
    pub seconds: u64,
    /// Dark IPv4 addresses that were up, on average.
    pub addresses: u64,
    /// The share of the bin in which anybody watched, in per cent.
    pub watched: u8,
    /// By service, in no order.
    pub counts: Vec<PastCount>,
    /// Distinct sources by country, of all services; `None` for unknown ones.
    pub countries: Vec<(Option<Country>, u64)>,
}

/// How many asked for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastCount {
    /// What they asked for.
    pub service: Service,
    /// Whose sources.
    pub place: PastPlace,
    /// Distinct sources (exact to some thousands, then within 0.3 %).
    pub sources: u64,
    /// Distinct /24s; of IPv6, /48s.
    pub networks: u64,
}

/// Whose sources are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastPlace {
    /// All.
    Region,
    /// Those of a country, from two on.
    Country(Country),
    /// Those of a partner, from two on.
    Partner(PartnerId),
}

/// Past bins as they were read, in order; each is worked out when it is asked for.
#[derive(Debug)]
pub struct PastBins {
    bins: std::vec::IntoIter<PastBin>,
    gathered: Gathered,
}

impl Iterator for PastBins {
    type Item = PastBin;

    fn next(&mut self) -> Option<PastBin> {
        let mut bin = self.bins.next()?;
        bin.counts = self.gathered.take(bin.start);
        Some(bin)
    }
}

impl Store {
    /// What rollups of ten minutes remember of `range` (seconds since 1970), in order: every
    /// whole bin in which anybody watched.
    ///
    /// Bins must have been made ([`Store::roll_up`]). Sources by country are left out before
    /// `countries_from`: nobody needs as much of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Spoiled`].
    pub async fn past_bins(
        &self,
        range: Range<u64>,
        countries_from: u64,
    ) -> Result<PastBins, StoreError> {
        let seconds = Bin::TenMinutes.seconds();
        let mut bins = self.watched_bins(&range, seconds).await?;
        let mut gathered = Gathered::new(&range, seconds);
        if !bins.is_empty() {
            let rows = self.counted(sql!("past_counts"), &range);
            let (mut rows, _asked) = rows.fetch::<CountRow<'_>>()?;
            while let Some(row) = rows.next().await? {
                row.gather(&mut gathered)?;
            }
            let countries = range.start.max(countries_from)..range.end;
            self.count_countries(&countries, &mut bins).await?;
        }
        Ok(PastBins {
            bins: bins.into_iter(),
            gathered,
        })
    }

    /// [`Store::past_bins`], some days at a time: the next part of `range`, which shrinks.
    ///
    /// # Errors
    /// As [`Store::past_bins`].
    pub async fn next_past_bins(
        &self,
        range: &mut Range<u64>,
        countries_from: u64,
    ) -> Result<Option<PastBins>, StoreError> {
        if range.is_empty() {
            return Ok(None);
        }
        let end = range.end.min(range.start + SLICE_SECONDS);
        let bins = self.past_bins(range.start..end, countries_from).await?;
        range.start = end;
        Ok(Some(bins))
    }

    async fn count_countries(
        &self,
        range: &Range<u64>,
        bins: &mut [PastBin],
    ) -> Result<(), StoreError> {
        if range.is_empty() {
            return Ok(());
        }
        let rows = self.counted(sql!("past_countries"), range);
        let (mut rows, _asked) = rows.fetch::<CountryRow<'_>>()?;
        let mut at = 0;
        while let Some(row) = rows.next().await? {
            if let Some(bin) = at_start(bins, &mut at, row.bin.into()) {
                let sources = u64::from(row.counted);
                bin.countries.push((Country::new(row.of_country), sources));
            }
        }
        Ok(())
    }

    fn counted(&self, sql: Sql, range: &Range<u64>) -> Question {
        let classes: Vec<u8> = Traffic::ALL
            .into_iter()
            .filter(|class| class.is_scan())
            .map(|class| class as u8)
            .collect();
        let client = self.client().clone().with_validation(false);
        question::ask(&client, sql)
            .param("table", Bin::TenMinutes.table())
            .param("start", range.start)
            .param("end", range.end)
            .param("classes", classes)
            // of one key all rows stand in one month
            .with_setting("do_not_merge_across_partitions_select_final", "1")
    }

    /// The whole bins of `range` in which anybody watched, still without counts.
    async fn watched_bins(
        &self,
        range: &Range<u64>,
        seconds: u64,
    ) -> Result<Vec<PastBin>, StoreError> {
        let coverage = self.coverage(range.clone()).await?;
        let first = range.start.next_multiple_of(seconds);
        let starts = (first..range.end / seconds * seconds).step_by(seconds as usize);
        let bins = starts.filter_map(|start| watched_bin(&coverage, start..start + seconds));
        Ok(bins.collect())
    }
}

/// A bin without counts; `None` where nobody watched.
fn watched_bin(coverage: &[Coverage], bin: Range<u64>) -> Option<PastBin> {
    let seconds = bin.end - bin.start;
    let within = coverage.iter().filter_map(|stretch| {
        let part = stretch.first.max(bin.start)..stretch.end.min(bin.end);
        (!part.is_empty()).then(|| (part.end - part.start, stretch.addresses))
    });
    let (mut longest, mut up) = (0, 0);
    for (watched, addresses) in within {
        longest = longest.max(watched);
        up += watched * addresses;
    }
    (longest > 0).then(|| PastBin {
        start: bin.start,
        seconds,
        addresses: up / longest,
        watched: u8::try_from(longest * 100 / seconds).unwrap_or(100),
        counts: Vec::new(),
        countries: Vec::new(),
    })
}

/// The bin that begins at `start`, looked for from `at` on: rows come in order.
fn at_start<'a>(bins: &'a mut [PastBin], at: &mut usize, start: u64) -> Option<&'a mut PastBin> {
    while bins.get(*at).is_some_and(|bin| bin.start < start) {
        *at += 1;
    }
    bins.get_mut(*at).filter(|bin| bin.start == start)
}

#[derive(Row, Deserialize)]
struct CountRow<'a> {
    bin: u32,
    protocol: u8,
    port: u16,
    of_country: &'a str,
    of_partner: &'a str,
    counted: u32,
    spread: u32,
}

#[derive(Row, Deserialize)]
struct CountryRow<'a> {
    bin: u32,
    of_country: &'a str,
    counted: u32,
}

impl CountRow<'_> {
    fn gather(&self, gathered: &mut Gathered) -> Result<(), StoreError> {
        let spoiled = |what: &str| StoreError::Spoiled(format!("a rollup of {what:?}"));
        let country = match self.of_country {
            "" => None,
            country => Some(Country::new(country).ok_or_else(|| spoiled(country))?),
        };
        let partner = match self.of_partner {
            "" => None,
            partner => Some(gathered.partner(partner).ok_or_else(|| spoiled(partner))?),
        };
        let part = Part {
            service: service(self.protocol, self.port)?,
            country,
            partner,
            sources: self.counted,
            networks: self.spread,
        };
        gathered.add(self.bin.into(), part);
        Ok(())
    }
}
