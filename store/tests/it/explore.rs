//! Sums of scans say the same however much of the time is rolled up, and whatever is asked for.

use std::sync::Arc;

use noroshi_proto::batch::Span;
use noroshi_proto::time::Interval;
use noroshi_proto::traffic::{Service, Transport};
use noroshi_store::explore::{Field, Part, grain};
use noroshi_store::figures::Bins;
use noroshi_store::origin::{Country, Origin};
use noroshi_store::store::Store;

use crate::support::{MORNING, batch, flow, of_spans, origin, store};

const END: u64 = MORNING + 8_400;

/// Four sources of Thailand ask for telnet, an hour later two of Malaysia, and at the end three of Thailand for names.
async fn fill(store: &Store) {
    store.append(batch("north", 0, MORNING, 4)).await.unwrap();
    let mut later = batch("north", 1, MORNING + 4_200, 2);
    let country = Country::new("MY");
    let malaysia = Arc::new(Origin {
        country,
        ..Origin::clone(&origin())
    });
    later.origins.fill(malaysia);
    store.append(later).await.unwrap();
    let at = MORNING + 8_340;
    let names = (0..3).map(|number| {
        let mut flow = flow(number, at);
        flow.tuple.transport = Transport::Udp { service_port: 53 };
        flow
    });
    let interval = Interval(at);
    let flows = names.collect();
    let last = of_spans("north", 2, vec![Span::Active { interval, flows }]);
    store.append(last).await.unwrap();
}

fn field(seconds: u64, service: &str, country: &str) -> Field {
    let step = grain(seconds);
    Field {
        bins: Bins::ending(END, step, seconds / step),
        service: Service::from_name(service),
        country: country.to_owned(),
    }
}

fn part<T>(of: T, sources: u64) -> Part<T> {
    Part {
        of,
        sources,
        packets: 3 * sources,
    }
}

fn sources(parts: &[Part<String>]) -> Vec<(&str, u64)> {
    parts
        .iter()
        .map(|one| (one.of.as_str(), one.sources))
        .collect()
}

#[tokio::test]
async fn sums_are_the_same_whatever_is_rolled_up() {
    let store = store().await;
    fill(&store).await;
    // nothing; an hour; an hour and some ten minutes
    for closed in [MORNING, MORNING + 3_600, MORNING + 7_800] {
        let day = MORNING / 86_400 * 86_400;
        store.roll_up(day..closed).await.unwrap();
        for seconds in [10_800, 86_400] {
            let all = field(seconds, "", "");
            let line = store.explore_line(&all).await.unwrap();
            let bin = |at: u64| (at - all.bins.range.start) / all.bins.step;
            let wanted = [(MORNING, 4), (MORNING + 4_200, 2), (MORNING + 8_340, 3)];
            assert_eq!(line, wanted.map(|(at, sources)| part(bin(at), sources)));
            for (service, country, services, countries) in [
                (
                    "",
                    "",
                    &[("tcp/23", 4), ("udp/53", 3)][..],
                    &[("TH", 4), ("MY", 2)][..],
                ),
                ("tcp/23", "", &[("tcp/23", 4)], &[("TH", 4), ("MY", 2)]),
                ("", "TH", &[("tcp/23", 4), ("udp/53", 3)], &[("TH", 4)]),
                ("udp/53", "TH", &[("udp/53", 3)], &[("TH", 3)]),
                ("udp/53", "MY", &[], &[]),
            ] {
                let field = field(seconds, service, country);
                let of = format!("{service} {country} {seconds} {closed}");
                let found = store.explore_services(&field, 9).await.unwrap();
                assert_eq!(sources(&found), services, "{of}");
                let found = store.explore_countries(&field, 9).await.unwrap();
                assert_eq!(sources(&found), countries, "{of}");
            }
        }
    }
}

#[tokio::test]
async fn a_week_is_summed_by_the_hour_through_the_last_ten_minutes_that_closed() {
    let store = store().await;
    fill(&store).await;
    let day = MORNING / 86_400 * 86_400;
    store.roll_up(day..MORNING + 7_800).await.unwrap();
    for service in ["", "tcp/23"] {
        let week = field(604_800, service, "");
        let line = store.explore_line(&week).await.unwrap();
        let first = (MORNING - week.bins.range.start) / 3_600;
        assert_eq!(line, [part(first, 4), part(first + 1, 2)], "{service}");
        let services = store.explore_services(&week, 9).await.unwrap();
        assert_eq!(services.len(), 1, "{service}");
        assert_eq!((services[0].sources, services[0].packets), (4, 18));
    }
}
