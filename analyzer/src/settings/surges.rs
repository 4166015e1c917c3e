//! When a service is asked for by more than usual, and when a country falls silent.

use serde::{Deserialize, Serialize};

/// When more sources than usual ask for a service.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScanSurge {
    /// Seconds of one bin (ten minutes, as nicter's engines use).
    pub bin_seconds: u64,
    /// Bins of history without which nothing is said: one day.
    pub history_min: usize,
    /// Bins back that count: four weeks.
    pub history_max: u64,
    /// Sources in a bin, at least.
    pub sources_min: u64,
    /// /24 networks (IPv6: /48) they come from, at least.
    pub networks_min: usize,
    /// Telescope addresses they hit, at least (or all there are).
    pub targets_min: u64,
    /// Robust deviations above the median.
    pub deviations: f64,
    /// Robust deviations above the median while it still goes on.
    pub deviations_continuing: f64,
    /// False discoveries among the surges of one bin (Benjamini and Hochberg, 1995).
    pub false_discoveries: f64,
    /// Of the last three bins so many must deviate.
    pub persistence: u32,
    /// Quiet bins after which a surge is over.
    pub quiet_bins: u32,
    /// A pause up to this many seconds was silence; a longer one was not observed.
    pub pause_seconds_max: u64,
    /// Services counted in one bin: all ports of TCP and UDP and what ICMP has; what comes
    /// beyond waits for the next bin.
    pub services_max: usize,
    /// Deviations per bin that growth must exceed: half the shift to be found, in deviations
    /// (the optimal reference value of a cumulative sum: Page, 1954).
    pub growth_slack: f64,
    /// Deviations beyond the slack that have come together when growth is told: with 0.5 and
    /// normal counts once in 140,000 bins by chance (Brook and Evans, 1972); beside it
    /// stands the false-discovery rate over all series.
    pub growth_limit: f64,
    /// Growth above the usual level, at least: what is less matters to nobody.
    pub growth_min: f64,
    /// Of what exceeds the usual, the share of one country that makes it that country's
    /// surge.
    pub country_share: f64,
    /// For so many seconds after a surge (a day, as DAEDALUS renews its alerts) the next one
    /// of the same series is told only if it is larger.
    pub renewed_seconds: u64,
    /// The same for slow growth: by then the usual level of days has followed it.
    pub growth_renewed_seconds: u64,
    /// How much larger: half as large again as the last one at its peak.
    pub renewed_ratio: f64,
    /// Sources that cannot be real, per one that can, from which on a flood of forged ones is
    /// suspected: of random addresses 14 % are private, multicast or reserved (RFC 6890).
    pub forged_bogons: f64,
    /// The same for sources that are the first or last address of a /24: of random ones
    /// 0.8 % (2 of 256).
    pub forged_edges: f64,
    /// When a service is new.
    pub new_service: NewService,
}

impl Default for ScanSurge {
    fn default() -> Self {
        Self {
            bin_seconds: 600,
            history_min: 144,
            history_max: 4 * 7 * 144,
            sources_min: 5,
            networks_min: 5,
            targets_min: 3,
            deviations: 4.0,
            deviations_continuing: 2.0,
            false_discoveries: 0.01,
            persistence: 2,
            quiet_bins: 3,
            pause_seconds_max: 6 * 3_600,
            services_max: 140_000,
            growth_slack: 0.5,
            growth_limit: 10.0,
            growth_min: 0.25,
            country_share: 0.8,
            renewed_seconds: 86_400,
            growth_renewed_seconds: 7 * 86_400,
            renewed_ratio: 1.5,
            forged_bogons: 0.05,
            forged_edges: 0.004,
            new_service: NewService::default(),
        }
    }
}

/// When a service is asked for that nobody asked for before.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewService {
    /// Sources a day, at most, in the four weeks before: a few stray scans.
    pub sources_per_day: f64,
    /// /24 networks (IPv6: /48) that ask for it within an hour, at least.
    pub networks_min: usize,
    /// Days that must have been watched: in a week, whatever is asked for at all was.
    pub days_min: f64,
}

impl Default for NewService {
    fn default() -> Self {
        Self {
            sources_per_day: 5.0,
            networks_min: 10,
            days_min: 7.0,
        }
    }
}

/// When a country has fallen silent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountrySilence {
    /// Seconds of one bin.
    pub bin_seconds: u64,
    /// Bins of history that tell what is usual: a week (as IODA's telescope signal).
    pub history_max: usize,
    /// Bins of history without which nothing is said: two days.
    pub history_min: usize,
    /// Sources in a bin that a country usually has, at least: of fewer, silence says nothing.
    pub usual_min: f64,
    /// A country is silent below this share of the usual (IODA calls its telescope signal
    /// critical at a quarter of the median of a week).
    pub share: f64,
    /// And by chance less likely than this.
    pub chance: f64,
    /// The sources of all other countries must be at least this share of the usual.
    pub others_share: f64,
    /// Bins in a row that must be silent.
    pub persistence: u32,
    /// Sources of the country whose label changed, as a share of the usual, above which it
    /// was the labels and not the country.
    pub moved_share: f64,
}

impl Default for CountrySilence {
    fn default() -> Self {
        Self {
            bin_seconds: 600,
            history_max: 7 * 144,
            history_min: 2 * 144,
            usual_min: 20.0,
            share: 0.25,
            chance: 1e-6,
            others_share: 0.75,
            persistence: 2,
            moved_share: 0.1,
        }
    }
}
