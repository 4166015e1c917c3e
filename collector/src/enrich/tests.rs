use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::Counters;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::IntervalLength;
use noroshi_proto::traffic::{Traffic, Transport};

use super::mmdb::{asn, database, flat, nested};
use super::reload::Reloader;
use super::*;

/// A file or folder of the corpus; `None`, said aloud, where the default corpus is absent.
pub(super) fn corpus(name: &str) -> Option<PathBuf> {
    #[allow(
        clippy::disallowed_methods,
        reason = "a test is told by the environment where data is"
    )]
    let named = std::env::var("NOROSHI_CORPUS").ok().map(PathBuf::from);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if let Some(root) = &named {
        assert!(
            root.is_dir(),
            "NOROSHI_CORPUS={} is no directory",
            root.display()
        );
    }
    let path = named.unwrap_or(default).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

fn batch(sources: &[&[&str]]) -> Batch {
    let length = IntervalLength::DEFAULT;
    let mut interval = Millis(1_793_599_200_000).interval(length); // 2026-11-02T06:00:00Z
    let mut spans = vec![Span::Silent {
        first: interval,
        intervals: 1,
    }];
    for of_interval in sources {
        interval = interval.next(length);
        let flows = of_interval
            .iter()
            .map(|source| flow(source.parse().unwrap()))
            .collect();
        spans.push(Span::Active { interval, flows });
    }
    Batch {
        id: BatchId {
            sensor: SensorId::new("jp-1").unwrap(),
            epoch: Epoch(1),
            sequence: 0,
        },
        interval_length: length,
        spans,
        complete_through: interval.end(length),
        telescope_addresses: 256,
        target_bits: TargetBits::Sixteen,
        counters: Counters::default(),
    }
}

fn flow(source: IpAddr) -> Flow {
    let tuple = FlowTuple {
        source,
        traffic: Traffic::ScanSyn,
        transport: Transport::Tcp { service_port: 23 },
    };
    let tally = Tally {
        packets: 1,
        bytes: 40,
        first: Millis(1_793_599_210_000),
        last: Millis(1_793_599_210_000),
        targets: 1,
        sample: TargetSample::default(),
        source_port: 40_000,
        ttl_min: 50,
        ttl_max: 50,
        window: 1024,
        options: OptionLayout::default(),
        marks: Marks::default(),
    };
    Flow { tuple, tally }
}

const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "ThaiCERT"
country = "TH"
asns = [64500]
programmes = ["daedalus"]
country_consent = { by = "x", on = 2013-02-01 }
[[partner.prefix]]
prefix = "203.0.113.0/24"
claim = "verified"
consent = { by = "x", on = 2013-02-01 }
"#;

fn registry() -> Arc<Registry> {
    Arc::new(Registry::parse("registry.toml", REGISTRY).unwrap())
}

fn files(directory: &Path) -> Sources {
    let write = |name: &str, bytes: Vec<u8>| {
        fs::write(directory.join(name), bytes).unwrap();
        directory.join(name)
    };
    let countries = vec![("8.8.8.0/24", nested("US")), ("9.9.9.0/24", flat("TH"))];
    Sources {
        country: Some(write("country.mmdb", database(countries))),
        asn: Some(write(
            "asn.mmdb",
            database(vec![("8.8.4.0/24", asn(64500))]),
        )),
        lists: ListPaths {
            organisations: vec![write("shodan_v4.txt", b"8.8.8.128/25\n".to_vec())],
            ..ListPaths::default()
        },
    }
}

/// `country asn partner scanner bogon`, a dash where unknown.
fn shown(origin: &Origin) -> String {
    let country = origin
        .country
        .map_or("-".to_owned(), |country| country.to_string());
    let partner = origin
        .partner
        .as_ref()
        .map_or("-", |partner| partner.as_str());
    let scanner = origin.scanner.as_deref().unwrap_or("-");
    format!(
        "{country} {} {partner} {scanner} {}",
        origin.asn,
        origin.bogon.unwrap_or("-")
    )
}

#[test]
fn every_flow_gets_its_origin_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let (tables, _) = Tables::load(&files(directory.path()), registry()).unwrap();
    let batch = batch(&[
        &[
            "8.8.8.8",
            "8.8.8.8",
            "8.8.8.200",
            "203.0.113.7",
            "2001:db8::1",
        ],
        &[
            "8.8.4.4",
            "8.8.8.8",
            "9.9.9.9",
            "10.0.0.1",
            "198.51.100.1",
            "1.1.1.1",
        ],
    ]);
    let origins = enrich(&batch, &tables);
    let told: Vec<String> = origins.iter().map(|origin| shown(origin)).collect();
    expect_test::expect![[r#"
        US 0 - - -
        US 0 - - -
        US 0 - shodan -
        TH 0 th-cert - -
        - 0 - - documentation
        - 64500 th-cert - -
        US 0 - - -
        TH 0 th-cert - -
        - 0 - - private
        - 0 - - documentation
        - 0 - - -"#]]
    .assert_eq(&told.join("\n"));
    assert_eq!(origins.len(), batch.flows().count());
    assert!(
        Arc::ptr_eq(&origins[0], &origins[6]),
        "one source is looked up once"
    );
}

#[test]
fn without_files_registered_prefixes_are_known() {
    let tables = Tables::of_registry(registry());
    let origins = enrich(&batch(&[&["203.0.113.7", "9.9.9.9"]]), &tables);
    assert_eq!(shown(&origins[0]), "TH 0 th-cert - -");
    assert_eq!(shown(&origins[1]), "- 0 - - -");
    assert!(enrich(&batch(&[]), &tables).is_empty());
}

#[test]
fn changed_files_are_read_again_and_broken_ones_are_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let sources = files(directory.path());
    let country = sources.country.clone().unwrap();
    let (mut reloader, reports) = Reloader::start(sources, registry()).unwrap();
    assert_eq!(reports.len(), 1);
    let tables = reloader.tables();
    let known = || {
        let tables = tables.current();
        shown(&tables.origin("8.8.8.200".parse().unwrap(), Millis(0)))
    };
    assert_eq!(known(), "US 0 - shodan -");
    let unchanged = reloader.look();
    assert!(unchanged.renewed.is_empty() && unchanged.kept.is_empty());

    let renamed = directory.path().join("next");
    fs::write(&renamed, database(vec![("8.8.8.0/24", nested("SG"))])).unwrap();
    fs::rename(&renamed, &country).unwrap();
    assert_eq!(reloader.look().renewed, ["country database"]);
    assert_eq!(known(), "SG 0 - shodan -");

    let whole = database(vec![("8.8.8.0/24", nested("MY"))]);
    fs::write(&country, &whole[..whole.len() / 2]).unwrap();
    let broken = reloader.look();
    assert!(broken.renewed.is_empty());
    let told = broken
        .kept
        .iter()
        .map(ToString::to_string)
        .collect::<String>();
    assert!(
        told.contains("country.mmdb: broken or no MaxMind database"),
        "{told}"
    );
    assert_eq!(
        known(),
        "SG 0 - shodan -",
        "what was read before stays in use"
    );
    assert!(
        reloader.look().kept.is_empty(),
        "a broken file is told of once"
    );

    fs::write(&country, &whole).unwrap();
    fs::write(directory.path().join("shodan_v4.txt"), "8.8.8.0/25\n").unwrap();
    fs::remove_file(directory.path().join("asn.mmdb")).unwrap();
    let reloaded = reloader.look();
    assert_eq!(reloaded.renewed, ["country database", "scanner lists"]);
    assert_eq!(
        reloaded.kept.len(),
        1,
        "the AS database is gone, and stays in use"
    );
    assert_eq!(known(), "MY 0 - - -");
    assert_eq!(
        tables
            .current()
            .origin("8.8.4.4".parse().unwrap(), Millis(0))
            .asn,
        64500
    );
}

#[test]
fn a_file_that_cannot_be_used_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let sources = files(directory.path());
    fs::write(sources.asn.as_ref().unwrap(), "nothing").unwrap();
    let error = Reloader::start(sources, registry())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("asn.mmdb: broken or no MaxMind database"),
        "{error}"
    );
}

/// Batches pass while files change, whole and broken: every flow gets an origin, and all
/// origins of one batch come from one state of the files.
#[test]
fn reloading_loses_no_flow() {
    let directory = tempfile::tempdir().unwrap();
    let sources = files(directory.path());
    let country = sources.country.clone().unwrap();
    let (mut reloader, _) = Reloader::start(sources, registry()).unwrap();
    let (tables, done) = (reloader.tables(), AtomicBool::new(false));
    let (flows_in, origins_out) = (AtomicU64::new(0), AtomicU64::new(0));
    let batch = batch(&[&["8.8.8.1", "8.8.8.2", "8.8.8.3"], &["8.8.8.1", "8.8.8.4"]]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let origins = enrich(&batch, &tables.current());
                    flows_in.fetch_add(batch.flows().count() as u64, Ordering::Relaxed);
                    origins_out.fetch_add(origins.len() as u64, Ordering::Relaxed);
                    let country = origins[0].country.expect("a state with this country in it");
                    assert!(origins.iter().all(|origin| origin.country == Some(country)));
                }
            });
        }
        for round in 0..60 {
            let whole = database(vec![("8.8.8.0/24", nested(["TH", "MY", "ID"][round % 3]))]);
            let part = if round % 5 == 4 {
                whole.len() / 3
            } else {
                whole.len()
            };
            fs::write(&country, &whole[..part]).unwrap();
            let reloaded = reloader.look();
            assert_eq!(
                reloaded.kept.len(),
                usize::from(round % 5 == 4),
                "round {round}"
            );
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(flows_in.load(Ordering::Relaxed) > 0);
    assert_eq!(flows_in.into_inner(), origins_out.into_inner());
}
