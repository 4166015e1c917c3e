//! The platform itself: ingest, the analyzer, deliveries, disk.

use crate::board::{Board, Column, Panel, Row, Unit, View, data_source};

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-platform",
        title: "The platform",
        description: "Whether what is seen becomes rows, rows become cases, and cases reach \
                      partners.",
        from: "now-24h",
        variables: vec![data_source()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [kept_over_time(), lag_over_time()]),
            Row::of(9, [deliveries_over_time(), accesses_over_time()]),
            Row::of(11, [channels(), tables()]),
        ],
    }
}

fn totals() -> [Panel; 4] {
    [
        Panel::number(
            View::Stat,
            Unit::Count,
            "Batches a minute",
            "Kept by the store, mean over the time shown. Six per sensor and minute are usual; \
             fewer where silence is told in one.",
            include_str!("../queries/platform/batches.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Flow tuples a second",
            "Kept by the store, mean over the time shown.",
            include_str!("../queries/platform/flows.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Seconds,
            "Analyzer behind",
            "From what the analyzer has examined to the newest batch of the time shown. More than \
             a minute: it does not keep up, or does not run, and no alert comes.",
            include_str!("../queries/platform/examined.sql"),
        ),
        Panel::number(
            View::Fault,
            Unit::Count,
            "Messages that do not arrive",
            "To receivers that are not there, that want no more, or that lack a key, whatever the \
             time shown. `noroshi feed failures` tells which.",
            include_str!("../queries/platform/waiting.sql"),
        ),
    ]
}

fn kept_over_time() -> Panel {
    Panel::half(
        View::Lines,
        Unit::PacketsPerSecond,
        "Kept by the store",
        "Per second, by the event time at which each batch ended.",
        include_str!("../queries/platform/kept_over_time.sql"),
    )
}

fn lag_over_time() -> Panel {
    Panel::half(
        View::Lines,
        Unit::Seconds,
        "From the end of an interval to the store",
        "Half, and 99 %, of the batches. Seconds are usual; more at all sensors at once is the \
         store, at one its link.",
        include_str!("../queries/platform/lag_over_time.sql"),
    )
}

fn deliveries_over_time() -> Panel {
    Panel::half(
        View::Bars,
        Unit::Count,
        "Messages to partners",
        "By when they were planned, and where they stand now.",
        include_str!("../queries/platform/deliveries_over_time.sql"),
    )
}

fn accesses_over_time() -> Panel {
    Panel::half(
        View::Bars,
        Unit::Count,
        "Reads and questions in the audit",
        "By who: partners' machines, and people. A partner that stops is worth a call.",
        include_str!("../queries/platform/accesses_over_time.sql"),
    )
}

fn channels() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("channel", Unit::Text),
        Column::of("last trouble", Unit::Text),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Channels, the broken ones first",
        "Messages planned within the time shown, by partner and channel.",
        include_str!("../queries/platform/channels.sql"),
    )
    .wide(16)
}

fn tables() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("table", Unit::Text),
        Column::of("bytes", Unit::Bytes),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Tables, the largest first",
        "As the store has them now, compressed.",
        include_str!("../queries/platform/tables.sql"),
    )
    .wide(8)
}
