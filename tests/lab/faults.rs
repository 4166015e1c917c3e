//! Lines that lose frames and collectors that die: each packet is in the store once.

use super::Test;
use super::line::Weather;
use super::scanner::Scanner;
use super::site::Site;

const TAKES: &[&str] = &["zmap", "hping3"];

pub const TESTS: &[Test] = &[
    Test {
        name: "faults::a_line_that_loses_doubles_delays_and_reorders_costs_nothing",
        takes: TAKES,
        run: weather,
    },
    Test {
        name: "faults::what_came_while_the_line_was_down_comes_when_it_is_up",
        takes: TAKES,
        run: partition,
    },
    Test {
        name: "faults::a_collector_that_is_killed_and_moved_loses_and_doubles_nothing",
        takes: TAKES,
        run: collector,
    },
];

/// Worse than any line that people pay for.
pub const STORM: Weather = Weather {
    loss: 20,
    duplication: 10,
    reordering: 25,
    delay_ms: 30,
};

fn weather() {
    let mut site = Site::start();
    let each = [
        Weather {
            loss: 20,
            ..Weather::default()
        },
        Weather {
            delay_ms: 200,
            ..Weather::default()
        },
        Weather {
            reordering: 25,
            delay_ms: 20,
            ..Weather::default()
        },
        Weather {
            duplication: 50,
            ..Weather::default()
        },
        STORM,
    ];
    let mut sent = 0;
    for weather in each {
        site.line.set(weather);
        sent += site.scan(Scanner::Flood(2_000));
        assert_eq!(site.settle().raw.packets, sent, "{weather:?}");
    }
    site.line.set(STORM);
    site.end_sensor(); // what it cannot send in time waits
    site.start_sensor();
    sent += site.scan(Scanner::Zmap);
    assert_eq!(site.settle().raw.packets, sent);
}

fn partition() {
    let mut site = Site::start();
    let before = site.scan(Scanner::Zmap);
    site.settle();
    site.uplink("down");
    let meanwhile = site.scan(Scanner::Flood(3_000)) + site.scan(Scanner::Zmap);
    let held = site.ask(async |store| store.accounting().await.expect("it counts"));
    assert_eq!(held.raw.packets, before, "nothing can have come");
    site.uplink("up");
    assert_eq!(site.settle().raw.packets, before + meanwhile);
}

fn collector() {
    let mut site = Site::start();
    let mut sent = site.scan(Scanner::Flood(3_000));
    site.kill_collector(); // whatever is under way
    sent += site.scan(Scanner::Zmap);
    site.start_collector();
    assert_eq!(site.settle().raw.packets, sent);
    for _ in 0..2 {
        sent += site.scan(Scanner::Flood(3_000));
        site.move_collector(); // there, and back
        assert_eq!(site.settle().raw.packets, sent);
    }
}
