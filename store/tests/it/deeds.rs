//! What one source did, by three sums that agree.

use noroshi_proto::batch::Span;
use noroshi_proto::time::{Interval, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::deeds::{Deed, Deeds, SERVICES_MAX, SeenBy};
use noroshi_store::figures::Bins;
use noroshi_store::store::Store;

use crate::support::{MORNING, batch, flow, of_spans, store};

/// The first source asks both sensors for telnet, and a minute later one of them for names; a second source asks as well.
async fn fill(store: &Store) {
    store.append(batch("north", 0, MORNING, 2)).await.unwrap();
    store.append(batch("south", 0, MORNING, 2)).await.unwrap();
    let at = MORNING + 60;
    let mut names = flow(0, at);
    names.tuple.transport = Transport::Udp { service_port: 53 };
    names.tuple.traffic = Traffic::ScanUdp;
    let (interval, flows) = (Interval(at), vec![names]);
    let later = of_spans("north", 1, vec![Span::Active { interval, flows }]);
    store.append(later).await.unwrap();
}

fn millis(seconds: u64) -> (Millis, Millis) {
    (
        Millis(seconds * 1_000 + 345),
        Millis(seconds * 1_000 + 2_345),
    )
}

#[tokio::test]
async fn what_a_source_did_is_told_by_time_by_service_and_by_sensor() {
    let store = store().await;
    fill(&store).await;
    let bins = Bins::ending(MORNING + 120, 60, 3);
    let source = flow(0, MORNING).tuple.source;
    let (begun, early) = millis(MORNING);
    let (later, ended) = millis(MORNING + 60);
    let deed = |service: &str, class: &str, packets, sensors, (first, last)| Deed {
        service: service.to_owned(),
        class: class.to_owned(),
        packets,
        sensors,
        first,
        last,
    };
    let seen = |sensor: &str, packets, last| SeenBy {
        sensor: sensor.to_owned(),
        packets,
        first: begun,
        last,
    };
    let wanted = Deeds {
        line: vec![0, 6, 3],
        services: vec![
            deed("tcp/23", "scan_syn", 6, 2, (begun, early)),
            deed("udp/53", "scan_udp", 3, 1, (later, ended)),
        ],
        sensors: vec![seen("north", 6, ended), seen("south", 3, early)],
    };
    assert_eq!(store.deeds(source, &bins).await.unwrap(), wanted);
    let nobody = "198.51.100.1".parse().unwrap();
    let nothing = Deeds {
        line: vec![0; 3],
        ..Deeds::default()
    };
    assert_eq!(store.deeds(nobody, &bins).await.unwrap(), nothing);
}

#[tokio::test]
async fn of_a_source_that_asks_for_every_port_those_with_most_packets_are_told() {
    let store = store().await;
    let ports = (1..=500u16).map(|service_port| {
        let mut flow = flow(0, MORNING);
        flow.tuple.transport = Transport::Tcp { service_port };
        flow.tally.packets = u64::from(service_port);
        flow
    });
    let (interval, flows) = (Interval(MORNING), ports.collect());
    let all = of_spans("north", 0, vec![Span::Active { interval, flows }]);
    store.append(all).await.unwrap();
    let source = flow(0, MORNING).tuple.source;
    let bins = Bins::ending(MORNING + 60, 60, 1);
    let deeds = store.deeds(source, &bins).await.unwrap();
    assert_eq!(deeds.line, [500 * 501 / 2]);
    let told: Vec<&str> = deeds
        .services
        .iter()
        .map(|one| one.service.as_str())
        .collect();
    assert_eq!(told.len(), SERVICES_MAX);
    assert_eq!(told[..2], ["tcp/500", "tcp/499"]);
}
