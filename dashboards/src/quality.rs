//! The quality of the data: what was watched, what is missing, what came late.

use crate::board::{Board, Column, Panel, Row, Unit, View, data_source};
use crate::sensors::sensors;

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-quality",
        title: "Quality of the data",
        description: "Zero against missing: whether a quiet chart means that nothing came, or that \
                      nobody watched.",
        from: "now-7d",
        variables: vec![data_source(), sensors()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [reported_over_time(), late_over_time()]),
            Row::of(11, [by_sensor(), origins()]),
        ],
    }
}

fn totals() -> [Panel; 2] {
    [
        Panel::number(
            View::Stat,
            Unit::Percent,
            "Reported",
            "Of the time from each sensor's first batch to its last within the time shown, the \
             share that its batches cover. Silence counts as reported: sensors send it.",
            include_str!("../queries/quality/coverage.sql"),
        )
        .wide(12),
        Panel::number(
            View::Fault,
            Unit::Count,
            "Gaps",
            "Stretches between two batches of a sensor that no batch covers: it was off, or its \
             spool lost them.",
            include_str!("../queries/quality/gaps_count.sql"),
        )
        .wide(12),
    ]
}

fn reported_over_time() -> Panel {
    Panel::half(
        View::Lines,
        Unit::Percent,
        "Reported, by sensor",
        "The share of each time step that batches cover. Less than 100 explains a fall in every \
         other chart.",
        include_str!("../queries/quality/reported_over_time.sql"),
    )
}

fn late_over_time() -> Panel {
    Panel::half(
        View::Lines,
        Unit::Percent,
        "Late, by sensor",
        "The share of batches that the store had more than a minute after their end. Late batches \
         count for hosts and never for surges.",
        include_str!("../queries/quality/late_over_time.sql"),
    )
}

fn by_sensor() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("from", Unit::Time),
        Column::of("until", Unit::Time),
        Column::of("missing", Unit::Seconds),
        Column::of("longest gap", Unit::Seconds),
        Column::of("reported %", Unit::Percent),
        Column::of("silent %", Unit::Percent),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Sensors, the most incomplete first",
        "silent: batches without a packet, which a small telescope has many of and a large one \
         has none of.",
        include_str!("../queries/quality/sensors.sql"),
    )
    .wide(16)
}

fn origins() -> Panel {
    const COLUMNS: &[Column] = &[Column::of("what is known", Unit::Text)];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "What is known of sources",
        "Scanning sources by whether the geo database and the registry know them. More unknown \
         than usual: the database is old.",
        include_str!("../queries/quality/origins.sql"),
    )
    .wide(8)
}
