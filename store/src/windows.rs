//! Windows, read back in ranges: thousands of intervals a query, silent ones left out.

mod rows;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use clickhouse::Client;
use noroshi_proto::id::{BatchId, SensorId};
use noroshi_proto::time::{Interval, IntervalLength};

use crate::ledger::{Arrival, between, coverage, flows_between};
use crate::question::{ask, sql};
use crate::store::{Store, StoreError};
use crate::window::{Sighting, Watch, Window};
use rows::{Origins, RawRow};

/// Time asked for first.
const SLICE_SECONDS: u64 = 3_600;
/// The most time asked for at once, when little happened.
const SLICE_SECONDS_MAX: u64 = 128 * 86_400;
/// Flows read at once, unless a single window has more.
const SLICE_FLOWS: u64 = 250_000;
/// A slice with fewer flows is followed by a longer one.
const SPARSE_FLOWS: u64 = SLICE_FLOWS / 16;

/// Reads the windows of a range in order, a bounded number at a time.
#[derive(Debug)]
pub struct WindowReader {
    client: WindowClient,
    range: Range<u64>,
    length: IntervalLength,
    slice: u64,
}

/// The client without its checks of every row's types: this is the one hot way out of the store.
#[derive(Clone)]
struct WindowClient(Client);

impl std::fmt::Debug for WindowClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Client")
    }
}

impl Store {
    /// What was seen in each interval of `length` that begins in `range` (seconds since 1970).
    ///
    /// An interval of a sensor with shorter ones falls into the window that contains it; one with
    /// longer ones into the window in which it begins.
    pub fn windows(&self, range: Range<u64>, length: IntervalLength) -> WindowReader {
        let seconds = u64::from(length.seconds());
        WindowReader {
            client: WindowClient(self.client().clone().with_validation(false)),
            range: range.start / seconds * seconds..range.end.next_multiple_of(seconds),
            length,
            slice: SLICE_SECONDS.next_multiple_of(seconds),
        }
    }

    /// The windows of `range`, in order, from these batches alone.
    ///
    /// Everything is read at once: meant for the few intervals that have just closed, or for
    /// batches that came late.
    pub async fn windows_of(
        &self,
        arrivals: &[Arrival],
        range: Range<u64>,
        length: IntervalLength,
    ) -> Result<Vec<Window>, StoreError> {
        let reader = self.windows(range, length);
        read(&reader.client.0, reader.range, length, arrivals).await
    }
}

impl WindowReader {
    /// The next windows in which packets arrived, ascending; `None` at the end of the range.
    ///
    /// Reads only batches that the ledger has when the slice is read.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<Window>>, StoreError> {
        while self.range.start < self.range.end {
            let slice = self.next_slice().await?;
            let arrivals = between(&self.client.0, slice.clone()).await?;
            let windows = read(&self.client.0, slice.clone(), self.length, &arrivals).await?;
            self.range.start = slice.end;
            if !windows.is_empty() {
                return Ok(Some(windows));
            }
        }
        Ok(None)
    }

    /// As much time as holds about [`SLICE_FLOWS`] flows.
    async fn next_slice(&mut self) -> Result<Range<u64>, StoreError> {
        let seconds = u64::from(self.length.seconds());
        loop {
            let end = self
                .range
                .end
                .min(self.range.start.saturating_add(self.slice));
            let slice = self.range.start..end;
            let flows = flows_between(&self.client.0, slice.clone()).await?;
            if flows > SLICE_FLOWS && self.slice > seconds {
                self.slice = (self.slice / 2).next_multiple_of(seconds).max(seconds);
                continue;
            }
            if flows < SPARSE_FLOWS {
                self.slice = (self.slice * 4).min(SLICE_SECONDS_MAX);
            } else if flows < SLICE_FLOWS / 4 {
                self.slice = (self.slice * 2).min(SLICE_SECONDS_MAX);
            }
            return Ok(slice);
        }
    }
}

/// The windows of `range` from these batches, ascending.
async fn read(
    client: &Client,
    range: Range<u64>,
    length: IntervalLength,
    arrivals: &[Arrival],
) -> Result<Vec<Window>, StoreError> {
    let watching = Watching::new(arrivals);
    let wanted: HashSet<&BatchId> = arrivals
        .iter()
        .filter(|arrival| arrival.flows > 0)
        .map(|arrival| &arrival.id)
        .collect();
    let sensors: HashSet<&str> = wanted.iter().map(|id| id.sensor.as_str()).collect();
    if sensors.is_empty() {
        return Ok(Vec::new());
    }
    let (mut cursor, _asked) = ask(client, sql!("flows_of_sensors"))
        .param("start", range.start)
        .param("end", range.end)
        .param("sensors", sensors.iter().collect::<Vec<_>>())
        .fetch::<RawRow<'_>>()?;
    let seconds = u64::from(length.seconds());
    let mut origins = Origins::default();
    let mut batch = CurrentBatch::default();
    let mut windows: Vec<Window> = Vec::new();
    while let Some(row) = cursor.next().await? {
        if !batch.is(&row) {
            batch = CurrentBatch::find(&row, &watching, &wanted)?;
        }
        if !batch.wanted {
            continue;
        }
        let interval = Interval(u64::from(row.interval) / seconds * seconds);
        if windows
            .last()
            .is_none_or(|window| window.interval != interval)
        {
            windows.push(watching.window(interval, length));
            batch.watch = None;
        }
        let window = windows.len() - 1;
        let watch = match batch.watch {
            Some(watch) => watch,
            None => batch.place(&windows[window])?,
        };
        windows[window].flows.push(Sighting {
            watch,
            flow: row.flow()?,
            origin: origins.of(&row)?,
            late: false,
        });
    }
    for window in &mut windows {
        // Nearly sorted: each batch is.
        window
            .flows
            .sort_by(|a, b| (&a.flow.tuple, a.watch).cmp(&(&b.flow.tuple, b.watch)));
    }
    Ok(windows)
}

/// The batch whose rows are being read: they stand together.
#[derive(Default)]
struct CurrentBatch {
    id: Option<BatchId>,
    wanted: bool,
    /// Its sensor's place in the current window.
    watch: Option<usize>,
}

impl CurrentBatch {
    fn is(&self, row: &RawRow<'_>) -> bool {
        self.id.as_ref().is_some_and(|id| {
            id.sequence == row.sequence
                && id.epoch.0 == row.epoch
                && id.sensor.as_str() == row.sensor
        })
    }

    fn find(
        row: &RawRow<'_>,
        watching: &Watching,
        wanted: &HashSet<&BatchId>,
    ) -> Result<Self, StoreError> {
        let id = row.batch(watching.sensors.get(row.sensor))?;
        Ok(Self {
            wanted: wanted.contains(&id),
            id: Some(id),
            watch: None,
        })
    }

    fn place(&mut self, window: &Window) -> Result<usize, StoreError> {
        let Some(id) = &self.id else {
            return Err(StoreError::Spoiled("a row without a batch".to_owned()));
        };
        let place = window
            .watches
            .binary_search_by(|watch| watch.sensor.cmp(&id.sensor));
        let place = place.map_err(|_| {
            StoreError::Spoiled(format!(
                "batch {id} has rows in an interval it did not watch"
            ))
        })?;
        self.watch = Some(place);
        Ok(place)
    }
}

/// Who watched when.
struct Watching {
    sensors: HashMap<String, SensorId>,
    /// Stretches of each sensor, by sensor, then time.
    stretches: Vec<crate::ledger::Coverage>,
}

impl Watching {
    fn new(arrivals: &[Arrival]) -> Self {
        let stretches = coverage(arrivals);
        let sensors = stretches
            .iter()
            .map(|s| (s.sensor.to_string(), s.sensor.clone()))
            .collect();
        Self { sensors, stretches }
    }

    /// An empty window with everybody who watched any of it, by id.
    fn window(&self, interval: Interval, length: IntervalLength) -> Window {
        let mut window = Window::empty(interval, length);
        let end = interval.end(length);
        for stretch in &self.stretches {
            if stretch.first >= end || stretch.end <= interval.start() {
                continue;
            }
            let watch = Watch {
                sensor: stretch.sensor.clone(),
                addresses: stretch.addresses,
                target_bits: stretch.target_bits,
            };
            match window.watches.last_mut() {
                // A telescope that changed within the window: what it was last.
                Some(last) if last.sensor == watch.sensor => *last = watch,
                _ => window.watches.push(watch),
            }
        }
        window
    }
}
