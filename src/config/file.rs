//! The sections of `noroshi.toml`, each value with its line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use noroshi_analyzer::settings::Settings as AnalyzerSettings;
use noroshi_collector::enrich::Sources;
use noroshi_collector::enrich::scanners::ListPaths;
use noroshi_proto::limits::CLOCK_BEHIND_MAX;
use noroshi_store::document::{Document, Section, Written};
use noroshi_store::registry::Registry;
use noroshi_store::retention::{IMPORTED_DAYS_MAX, Keep, Retention};
use noroshi_web::tls::TlsFiles;

use super::collector;
use super::console;
use super::place::{self, Place};
use super::push;
use super::traces;
use super::{
    CollectorSettings, Config, ConsoleSettings, FEEDS_KEY, FEEDS_PORT, FeedsSettings, IDENTITY,
    MetricsSettings, StoreSettings, TracesSettings, loopback,
};

/// The file, before the files it names are read. What is faulty is `None`, and noted.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) registry: Option<PathBuf>,
    pub(super) sources: Sources,
    pub(super) feeds: FeedsSettings,
    pub(super) console: ConsoleSettings,
    /// Lines of `[collector.tls]`, `[geo]` country, `[geo]` asn, `[lists]`, `[feeds]` tokens, `[feeds.tls]` and `[feeds]`.
    pub(super) lines: Lines,
    store: Option<StoreSettings>,
    pub(super) collector: CollectorSettings,
    analyzer: Option<AnalyzerSettings>,
    metrics: MetricsSettings,
    traces: Option<TracesSettings>,
}

/// Where the files are named that only [`super::check()`] reads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    pub(super) country: usize,
    pub(super) asn: usize,
    pub(super) lists: usize,
    pub(super) tokens: usize,
    pub(super) tls: usize,
    pub(super) identity: usize,
    pub(super) push: usize,
    pub(super) console_tls: usize,
    pub(super) authorities: usize,
    pub(super) provider: usize,
}

impl Read {
    /// `None` where something was faulty.
    pub(super) fn into_config(self, registry: Arc<Registry>) -> Option<Config> {
        Some(Config {
            registry,
            store: self.store?,
            sources: self.sources,
            collector: self.collector,
            analyzer: self.analyzer?,
            feeds: self.feeds,
            console: self.console,
            metrics: self.metrics,
            traces: self.traces,
        })
    }
}

/// Reads every section; paths become relative to `base`.
pub(super) fn read(document: &Document<'_>, base: &Path) -> Read {
    let mut root = document.root();
    let mut lines = Lines::default();
    let registry = root
        .required::<PathBuf>("registry")
        .map(|path| base.join(path.value));
    let place = place::read(root.section("store"), base);
    let retention = retention(root.section("retention"));
    let store = place.map(|(place, cluster)| StoreSettings {
        place,
        cluster,
        retention,
    });
    let sources = sources(&mut root, base, &mut lines);
    let identity = match &store {
        Some(StoreSettings {
            place: Place::Embedded(path),
            ..
        }) => path.join(IDENTITY),
        _ => base.join(IDENTITY),
    };
    let collector = collector::read(
        root.section("collector"),
        base,
        &identity,
        &mut lines.identity,
    );
    let analyzer = root.settings("analyzer");
    let feeds = feeds(root.section("feeds"), base, &mut lines);
    let console = console::read(root.section("console"), base, &mut lines);
    let metrics = metrics(root.section("metrics"));
    let traces = traces::read(root.section("traces"));
    root.close();
    Read {
        registry,
        sources,
        feeds,
        console,
        lines,
        store,
        collector,
        analyzer,
        metrics,
        traces,
    }
}

fn sources(root: &mut Section<'_>, base: &Path, lines: &mut Lines) -> Sources {
    let mut geo = root.section("geo");
    let country = geo.optional::<PathBuf>("country");
    let asn = geo.optional::<PathBuf>("asn");
    geo.close();
    let mut lists = root.section("lists");
    let paths = |written: Vec<Written<PathBuf>>| {
        written
            .into_iter()
            .map(|path| base.join(path.value))
            .collect()
    };
    lines.lists = lists.line();
    let lists = {
        let found = ListPaths {
            organisations: paths(lists.list("organisations")),
            misp: paths(lists.list("misp")),
            maltrail: paths(lists.list("maltrail")),
        };
        lists.close();
        found
    };
    lines.country = country.as_ref().map_or(0, |path| path.line);
    lines.asn = asn.as_ref().map_or(0, |path| path.line);
    let database = |path: Option<Written<PathBuf>>| path.map(|path| base.join(path.value));
    Sources {
        country: database(country),
        asn: database(asn),
        lists,
    }
}

fn feeds(mut section: Section<'_>, base: &Path, lines: &mut Lines) -> FeedsSettings {
    let listen = listen(&mut section, FEEDS_PORT);
    let tokens = section.optional::<PathBuf>("tokens");
    lines.tokens = tokens.as_ref().map_or(0, |path| path.line);
    let key_file = section.optional::<PathBuf>("key_file");
    let key_file = base.join(key_file.map_or_else(|| PathBuf::from(FEEDS_KEY), |path| path.value));
    let public_url = public_url(&mut section, "partners reach the feeds");
    let tls = tls(section.section("tls"), base, &mut lines.tls);
    let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
    if tls.is_none() && !listen.value.ip().is_loopback() {
        let text = "tokens would cross the network in the clear: set certificate and key under \
                    [feeds.tls], or listen on 127.0.0.1 behind a proxy that speaks TLS";
        section.fault(listen.line, text.to_owned());
    }
    lines.push = section.line();
    let push = push::read(&mut section, base, public_url.as_deref(), key_file.clone());
    section.close();
    FeedsSettings {
        listen: listen.value,
        tokens: tokens.map(|path| base.join(path.value)),
        key_file,
        tls,
        public_url,
        push,
    }
}

/// Certificate and key of a section of TLS, if it is written; `line` becomes where it stands.
pub(super) fn tls(
    mut section: Section<'_>,
    base: &Path,
    line: &mut usize,
) -> Option<(PathBuf, PathBuf)> {
    if !section.is_written() {
        section.close();
        return None;
    }
    *line = section.line();
    let certificate = section.required::<PathBuf>("certificate");
    let key = section.required::<PathBuf>("key");
    section.close();
    Some((base.join(certificate?.value), base.join(key?.value)))
}

/// Without a slash at the end; `what` is said where it is none.
pub(super) fn public_url(section: &mut Section<'_>, what: &str) -> Option<String> {
    let written = section.optional::<String>("public_url")?;
    let url = written.value.trim_end_matches('/');
    if url.starts_with("https://") || url.starts_with("http://") {
        return Some(url.to_owned());
    }
    let text = format!("public_url is where {what}, such as https://noroshi.example.org");
    section.fault(written.line, text);
    None
}

fn metrics(mut section: Section<'_>) -> MetricsSettings {
    let mut of = |role| {
        let written = section.optional::<SocketAddr>(role)?;
        if written.value.ip().is_loopback() {
            return Some(written.value);
        }
        let text = "metrics are the centre's own: listen on loopback, such as 127.0.0.1:7616";
        section.fault(written.line, text.to_owned());
        None
    };
    let settings = MetricsSettings {
        collector: of("collector"),
        analyzer: of("analyzer"),
        feeds: of("feeds"),
        console: of("console"),
    };
    section.close();
    settings
}

pub(super) fn listen(section: &mut Section<'_>, port: u16) -> Written<SocketAddr> {
    let line = section.line();
    let written = section.optional("listen");
    written.unwrap_or(Written {
        value: loopback(port),
        line,
    })
}

/// Days per table; 0 keeps for good.
fn retention(mut section: Section<'_>) -> Retention {
    let mut retention = Retention::default();
    let recognised = CLOCK_BEHIND_MAX + Duration::from_secs(86_400);
    for (key, keep) in [
        ("flow_tuples", &mut retention.flow_tuples),
        ("minute_rollup", &mut retention.minute_rollup),
        ("ten_minute_rollup", &mut retention.ten_minute_rollup),
        ("hour_rollup", &mut retention.hour_rollup),
        ("day_rollup", &mut retention.day_rollup),
        ("hourly_sources", &mut retention.hourly_sources),
        ("batch_ledger", &mut retention.batch_ledger),
        ("alerts", &mut retention.alerts),
        ("imported", &mut retention.imported),
        ("audit", &mut retention.audit),
    ] {
        let Some(written) = section.optional::<u32>(key) else {
            continue;
        };
        let days_min = match key {
            "flow_tuples" | "batch_ledger" => recognised.as_secs() / 86_400,
            _ => 0,
        };
        match u16::try_from(written.value) {
            Ok(days) if key == "imported" && !(1..=IMPORTED_DAYS_MAX).contains(&days) => {
                let text = format!("`{key}` goes after {IMPORTED_DAYS_MAX} days or sooner");
                section.fault(written.line, text + &format!(": 1 to {IMPORTED_DAYS_MAX}"));
            }
            Ok(days) if days == 0 || u64::from(days) >= days_min => *keep = Keep::days(days),
            Ok(_) => {
                let text = format!("`{key}` must outlive what sensors may still send");
                section.fault(written.line, text + &format!(": {days_min} days or more"));
            }
            Err(_) => {
                let text = format!("`{key}` keeps at most 65535 days: write 0 to keep for good");
                section.fault(written.line, text);
            }
        }
    }
    section.close();
    retention
}
