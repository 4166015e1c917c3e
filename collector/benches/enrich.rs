//! Sources looked up per second, by distinct source and by flow.
//!
//! `NOROSHI_GEO_COUNTRY` names a country database to look them up in as well.

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use noroshi_collector::enrich::scanners::ListPaths;
use noroshi_collector::enrich::{Sources, Tables};
use noroshi_proto::time::Millis;
use noroshi_store::registry::Registry;

/// Partners, each with a prefix.
const PARTNERS: u32 = 5_000;
/// Entries of the scanner list.
const SCANNERS: u32 = 20_000;
/// Sources looked up in one round.
const SOURCES: u32 = 10_000;

fn address(number: u32) -> IpAddr {
    IpAddr::V4(number.wrapping_mul(2_654_435_761).into()) // Knuth's multiplicative hash spreads them
}

fn registry() -> Arc<Registry> {
    let partner = |number: u32| {
        let [a, b, ..] = number.to_be_bytes().map(u32::from);
        let prefix = format!(
            "{}.{}.{}.0/24",
            20 + a + (number >> 12),
            b + (number >> 4 & 255),
            number & 15
        );
        format!(
            "[[partner]]\nid = \"p-{number}\"\nname = \"p\"\ncountry = \"TH\"\n\
             [[partner.prefix]]\nprefix = \"{prefix}\"\nclaim = \"verified\"\n"
        )
    };
    let text: String = (0..PARTNERS).map(partner).collect();
    Arc::new(Registry::parse("registry.toml", &text).expect("a registry without faults"))
}

fn tables() -> Tables {
    let directory = tempfile::tempdir().expect("a directory");
    let list = directory.path().join("scanners_v4.txt");
    let entries: String = (0..SCANNERS)
        .map(|number| format!("{}\n", address(number * 7)))
        .collect();
    std::fs::write(&list, entries).expect("a list");
    #[allow(
        clippy::disallowed_methods,
        reason = "a bench is told by the environment where data is"
    )]
    let country = std::env::var("NOROSHI_GEO_COUNTRY").ok().map(Into::into);
    let lists = ListPaths {
        organisations: vec![list],
        ..ListPaths::default()
    };
    let sources = Sources {
        country,
        asn: None,
        lists,
    };
    Tables::load(&sources, registry())
        .expect("files that can be used")
        .0
}

fn origins(criterion: &mut Criterion) {
    let tables = tables();
    let mut group = criterion.benchmark_group("enrich");
    group.throughput(Throughput::Elements(SOURCES.into()));
    group.bench_function("distinct sources", |bencher| {
        bencher.iter(|| {
            for number in 0..SOURCES {
                black_box(tables.origin(address(number), Millis(0)));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, origins);
criterion_main!(benches);
