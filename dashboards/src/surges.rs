//! Surges: services that more sources ask for than usual, with what is usual.

use crate::board::{Board, Column, Panel, Row, Unit, View, data_source, scanners};
use crate::region::countries;
use crate::service::service;

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-surges",
        title: "Surges",
        description: "Services that more distinct sources ask for than usual: an attack that is \
                      coming, or malware that spreads.",
        from: "now-7d",
        variables: vec![data_source(), service(), countries(), scanners()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(10, [baseline()]),
            Row::of(8, [over_time()]),
            Row::of(12, [list()]),
        ],
    }
}

fn totals() -> [Panel; 3] {
    [
        Panel::number(
            View::Stat,
            Unit::Count,
            "Open surges",
            "Surges and new services that go on now, whatever the time shown.",
            include_str!("../queries/surges/open.sql"),
        )
        .wide(8),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Surges opened",
            "Cases opened within the time shown: one per service and place.",
            include_str!("../queries/surges/opened.sql"),
        )
        .wide(8),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Services that surged",
            "Distinct services of those cases. Many at once are one campaign, or a change of what \
             is watched: see Sensors and losses.",
            include_str!("../queries/surges/services.sql"),
        )
        .wide(8),
    ]
}

fn baseline() -> Panel {
    Panel::half(
        View::Lines,
        Unit::Count,
        "The service, what is usual, and the bound",
        "Distinct scanning sources of the chosen service in ten minutes. usual: the middle of the \
         same ten minutes of the seven days before. bound: six robust deviations above it. The \
         detector asks more than this: weeks, persistence, several networks (docs/detectors.md).",
        include_str!("../queries/surges/baseline.sql"),
    )
    .wide(24)
}

fn over_time() -> Panel {
    Panel::half(
        View::Bars,
        Unit::Count,
        "Surges opened, by rule",
        "Cases by event time and by the rule that fired.",
        include_str!("../queries/surges/over_time.sql"),
    )
    .wide(24)
}

fn list() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("opened", Unit::Time),
        Column::opening("service", "noroshi-surges", "service"),
        Column::of("lasted", Unit::Seconds),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Surges, the newest first",
        "Sources at the height of each, and what was usual. A click draws the service above.",
        include_str!("../queries/surges/list.sql"),
    )
    .wide(24)
}
