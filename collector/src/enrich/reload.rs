//! The tables in use, replaced when their files change while batches pass.
//!
//! Whoever enriches a batch takes the tables once ([`SharedTables::current`]) and keeps
//! them to its end, so a reload neither waits for batches nor loses one. A file that
//! cannot be used changes nothing: what was read before stays in use, and the log says why.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use noroshi_store::registry::Registry;

use super::scanners::{self, ListReport, ScannerLists};
use super::{SourceError, Sources, Tables, geo};

/// How often files are looked at.
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The tables in use; clones share them.
#[derive(Clone, Debug)]
pub struct SharedTables(Arc<ArcSwap<Tables>>);

impl SharedTables {
    /// Begins with `tables`.
    pub fn new(tables: Tables) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(tables)))
    }

    /// The tables in use now.
    pub fn current(&self) -> Arc<Tables> {
        self.0.load_full()
    }
}

/// Keeps tables as their files are.
#[derive(Debug)]
pub struct Reloader {
    sources: Sources,
    tables: SharedTables,
    country: Stamps,
    asn: Stamps,
    lists: Stamps,
}

/// What tells a file from its successor: path, inode, bytes, and when it was changed
/// (seconds and nanoseconds).
type Stamps = Vec<(PathBuf, u64, u64, i64, i64)>;

/// What one look at the files changed.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// What is now in use.
    pub renewed: Vec<&'static str>,
    /// What could not be used, and why.
    pub kept: Vec<SourceError>,
}

impl Reloader {
    /// Reads every file for the first time.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn start(
        sources: Sources,
        registry: Arc<Registry>,
    ) -> Result<(Self, Vec<ListReport>), SourceError> {
        // Stamps first: what changes while files are read is then read again.
        let country = stamps(sources.country.as_deref());
        let asn = stamps(sources.asn.as_deref());
        let lists = list_stamps(&sources);
        let (tables, reports) = Tables::load(&sources, registry)?;
        let tables = SharedTables::new(tables);
        Ok((
            Self {
                sources,
                tables,
                country,
                asn,
                lists,
            },
            reports,
        ))
    }

    /// The tables it keeps.
    pub fn tables(&self) -> SharedTables {
        self.tables.clone()
    }

    /// Looks at the files once and reads again what changed.
    pub fn look(&mut self) -> Reloaded {
        let mut reloaded = Reloaded::default();
        let mut tables = Tables::clone(&self.tables.current());
        if let Some(path) = &self.sources.country
            && renew(&mut self.country, stamps([path.as_path()]))
        {
            let read = geo::countries(path).map(|map| tables.country = Arc::new(map));
            reloaded.note("country database", read.map_err(SourceError::from));
        }
        if let Some(path) = &self.sources.asn
            && renew(&mut self.asn, stamps([path.as_path()]))
        {
            let read = geo::as_numbers(path).map(|map| tables.asn = Arc::new(map));
            reloaded.note("AS database", read.map_err(SourceError::from));
        }
        if renew(&mut self.lists, list_stamps(&self.sources)) {
            let read = ScannerLists::load(&self.sources.lists);
            let read = read.map(|(lists, _)| tables.scanners = Arc::new(lists));
            reloaded.note("scanner lists", read.map_err(SourceError::from));
        }
        if !reloaded.renewed.is_empty() {
            self.tables.0.store(Arc::new(tables));
        }
        reloaded
    }

    /// Looks at the files every [`POLL_INTERVAL`] until `shutdown`.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
            let looked = tokio::task::spawn_blocking(move || {
                let reloaded = self.look();
                (self, reloaded)
            });
            let Ok((reloader, reloaded)) = looked.await else {
                return;
            };
            self = reloader;
            for what in reloaded.renewed {
                tracing::info!(what, "read again, because its file changed");
            }
            for error in reloaded.kept {
                tracing::warn!(%error, "a changed file cannot be used, the one before stays in use");
            }
        }
    }
}

impl Reloaded {
    fn note(&mut self, what: &'static str, read: Result<(), SourceError>) {
        match read {
            Ok(()) => self.renewed.push(what),
            Err(error) => self.kept.push(error),
        }
    }
}

/// Whether the stamps differ; remembers the newer ones.
fn renew(known: &mut Stamps, now: Stamps) -> bool {
    let differ = *known != now;
    *known = now;
    differ
}

/// A file that is missing has no stamp, so that its return is a change.
fn stamps<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Stamps {
    let stamp = |path: &Path| {
        let facts = std::fs::metadata(path).ok()?;
        Some((
            path.to_owned(),
            facts.ino(),
            facts.size(),
            facts.mtime(),
            facts.mtime_nsec(),
        ))
    };
    paths.into_iter().filter_map(stamp).collect()
}

fn list_stamps(sources: &Sources) -> Stamps {
    let files = scanners::files(&sources.lists).unwrap_or_default();
    stamps(files.iter().map(|(_, path)| path.as_path()))
}
