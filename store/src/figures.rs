//! Figures that people look at: rates, services, countries and sensors.

use std::collections::BTreeMap;
use std::ops::Range;

use noroshi_proto::time::Millis;
use noroshi_proto::traffic::Service;

use crate::ledger::millis;
use crate::question::sql;
use crate::store::{Store, StoreError};

/// A range of seconds since 1970, cut into bins of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins {
    /// From its first second to the one after its last.
    pub range: Range<u64>,
    /// Seconds of one bin; never 0.
    pub step: u64,
}

impl Bins {
    /// So many bins of `step` seconds that end at or just after `end`, aligned to whole steps.
    pub fn ending(end: u64, step: u64, count: u64) -> Self {
        let step = step.max(1);
        let end = end.div_ceil(step) * step;
        Self {
            range: end.saturating_sub(step * count)..end,
            step,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        usize::try_from((self.range.end - self.range.start).div_ceil(self.step)).unwrap_or(0)
    }

    pub(crate) fn line(&self, points: impl IntoIterator<Item = (u64, u64)>) -> Vec<u64> {
        let mut line = vec![0; self.count()];
        for (bin, value) in points {
            if let Some(place) = usize::try_from(bin).ok().and_then(|bin| line.get_mut(bin)) {
                *place = value;
            }
        }
        line
    }
}

/// One service that is scanned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFigure {
    /// Such as `tcp/23`.
    pub service: String,
    /// Distinct sources.
    pub sources: u64,
    /// Packets.
    pub packets: u64,
}

/// One country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryFigure {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Distinct sources that scan.
    pub leaving: u64,
    /// Distinct victims whose answers reach us.
    pub hit: u64,
}

/// How one sensor is.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorFigure {
    /// Its id.
    pub sensor: String,
    /// Until when its reports are complete: seconds since 1970.
    pub complete: u64,
    /// Frames it saw.
    pub frames: u64,
    /// Packets it counted.
    pub packets: u64,
    /// What it knows it did not see or keep.
    pub lost: u64,
    /// Addresses it watches.
    pub addresses: u64,
    /// The longest from an interval's end to its being kept, in seconds.
    pub lag: f64,
}

/// Somebody looked at single sources of a partner, or handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Millis,
    /// Who.
    pub who: String,
    /// At what.
    pub action: String,
    /// What for.
    pub purpose: String,
}

impl Store {
    /// The last second for which some sensor's reports are complete; `None` before the first.
    ///
    /// # Errors
    /// When the store does not answer, here as everywhere below.
    pub async fn newest(&self) -> Result<Option<u64>, StoreError> {
        let question = self.ask(sql!("figures_newest"));
        let newest = question.fetch_one::<u64>().await?;
        Ok(Some(newest).filter(|second| *second > 0))
    }

    /// The services that most distinct sources scanned for, at most `limit`.
    pub async fn services(
        &self,
        range: &Range<u64>,
        limit: u32,
    ) -> Result<Vec<ServiceFigure>, StoreError> {
        let rows = self
            .ask(sql!("figures_services"))
            .param("start", range.start)
            .param("end", range.end)
            .param("limit", limit)
            .fetch_all::<(String, u64, u64)>()
            .await?;
        let figure = |(service, sources, packets)| ServiceFigure {
            service,
            sources,
            packets,
        };
        Ok(rows.into_iter().map(figure).collect())
    }

    /// Distinct sources that scanned for each of these services, bin by bin; of one `country`
    /// where it is named.
    pub async fn service_lines(
        &self,
        services: &[String],
        country: Option<&str>,
        bins: &Bins,
    ) -> Result<BTreeMap<String, Vec<u64>>, StoreError> {
        let named = services.iter().filter_map(|name| Service::from_name(name));
        let ports: Vec<u16> = named.map(|service| service.port).collect();
        let rows = self
            .ask(sql!("figures_service_series"))
            .param("start", bins.range.start)
            .param("end", bins.range.end)
            .param("step", bins.step)
            .param("country", country.unwrap_or(""))
            .param("services", services)
            .param("ports", ports)
            .fetch_all::<(String, u64, u64)>()
            .await?;
        Ok(lines(bins, rows))
    }

    /// Of every known country: who scans from it, and who in it is attacked.
    pub async fn countries(&self, range: &Range<u64>) -> Result<Vec<CountryFigure>, StoreError> {
        let rows = self
            .ask(sql!("figures_countries"))
            .param("start", range.start)
            .param("end", range.end)
            .fetch_all::<(String, u64, u64)>()
            .await?;
        let figure = |(country, leaving, hit)| CountryFigure {
            country,
            leaving,
            hit,
        };
        Ok(rows.into_iter().map(figure).collect())
    }

    /// Packets of each sensor that reported, bin by bin.
    pub async fn sensor_lines(
        &self,
        bins: &Bins,
    ) -> Result<BTreeMap<String, Vec<u64>>, StoreError> {
        let rows = self
            .ask(sql!("figures_sensors"))
            .param("start", bins.range.start)
            .param("end", bins.range.end)
            .param("step", bins.step)
            .fetch_all::<(String, u64, u64)>()
            .await?;
        Ok(lines(bins, rows))
    }

    /// How each sensor that reported in `range` is, by name.
    pub async fn sensor_figures(
        &self,
        range: &Range<u64>,
    ) -> Result<Vec<SensorFigure>, StoreError> {
        let rows = self
            .ask(sql!("figures_health"))
            .param("start", range.start)
            .param("end", range.end)
            .fetch_all::<(String, u64, u64, u64, u64, u64, f64)>()
            .await?;
        let figure = |(sensor, complete, frames, packets, lost, addresses, lag)| SensorFigure {
            sensor,
            complete,
            frames,
            packets,
            lost,
            addresses,
            lag,
        };
        Ok(rows.into_iter().map(figure).collect())
    }

    /// What each sensor that reported in `range` lost, by reason, the most first.
    pub async fn sensor_losses(
        &self,
        range: &Range<u64>,
    ) -> Result<BTreeMap<String, Vec<(String, u64)>>, StoreError> {
        let rows = self
            .ask(sql!("figures_losses"))
            .param("start", range.start)
            .param("end", range.end)
            .fetch_all::<(String, String, u64)>()
            .await?;
        let mut losses: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
        for (sensor, reason, lost) in rows {
            losses.entry(sensor).or_default().push((reason, lost));
        }
        Ok(losses)
    }

    /// Who looked at single sources of `partner` in the console, the newest first.
    pub async fn looks(&self, partner: &str, limit: u32) -> Result<Vec<Look>, StoreError> {
        let rows = self
            .ask(sql!("figures_told"))
            .param("partner", partner)
            .param("limit", limit)
            .fetch_all::<(i64, String, String, String)>()
            .await?;
        Ok(rows.into_iter().map(look).collect())
    }

    /// What was handed over from shift to shift, the newest first; the words are in `purpose`.
    pub async fn hand_overs(&self, limit: u32) -> Result<Vec<Look>, StoreError> {
        let rows = self
            .ask(sql!("figures_hand_overs"))
            .param("limit", limit)
            .fetch_all::<(i64, String, String, String)>()
            .await?;
        Ok(rows.into_iter().map(look).collect())
    }
}

fn look((at, who, action, purpose): (i64, String, String, String)) -> Look {
    Look {
        at: millis(at),
        who,
        action,
        purpose,
    }
}

fn lines(bins: &Bins, rows: Vec<(String, u64, u64)>) -> BTreeMap<String, Vec<u64>> {
    let mut points: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for (name, bin, value) in rows {
        points.entry(name).or_default().push((bin, value));
    }
    let line = |(name, points)| (name, bins.line(points));
    points.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_aligned_and_what_lies_outside_is_left_out() {
        let bins = Bins::ending(1_001, 60, 3);
        assert_eq!(bins.range, 840..1_020);
        assert_eq!(bins.count(), 3);
        assert_eq!(bins.line([(0, 5), (2, 7), (3, 9)]), [5, 0, 7]);
    }
}
