//! Known scanners: who measures the Internet, and how much of the noise that is.

use crate::board::{Board, Column, Panel, Row, Unit, View, data_source};

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-scanners",
        title: "Known scanners",
        description: "Organisations that scan and say so. They are counted apart everywhere; a \
                      known scanner may still be infected.",
        from: "now-7d",
        variables: vec![data_source()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [share_over_time()]),
            Row::of(12, [organisations(), services()]),
        ],
    }
}

fn totals() -> [Panel; 3] {
    [
        Panel::number(
            View::Stat,
            Unit::Count,
            "Organisations",
            "Of the lists of known scanners, those that were seen, in closed hours.",
            include_str!("../queries/scanners/organisations_seen.sql"),
        )
        .wide(8),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Their addresses",
            "Distinct sources that stand on the lists.",
            include_str!("../queries/scanners/sources.sql"),
        )
        .wide(8),
        Panel::number(
            View::Stat,
            Unit::Percent,
            "Their share of scan packets",
            "About half is usual. Far less means that the lists are old, and that surges will be \
             made of researchers.",
            include_str!("../queries/scanners/share.sql"),
        )
        .wide(8),
    ]
}

fn share_over_time() -> Panel {
    Panel::half(
        View::Stacked,
        Unit::PacketsPerSecond,
        "Scan packets",
        "Packets per second of scans, mean of ten minutes, beyond two days of an hour, by who sends \
         them.",
        include_str!("../queries/scanners/share_over_time.sql"),
    )
    .wide(24)
}

fn organisations() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("organisation", Unit::Text),
        Column::of("first", Unit::Time),
        Column::of("last", Unit::Time),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Organisations, the loudest first",
        "Services are counted up to twenty per address and hour.",
        include_str!("../queries/scanners/organisations.sql"),
    )
}

fn services() -> Panel {
    const COLUMNS: &[Column] = &[Column::opening("service", "noroshi-service", "service")];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "What they ask for",
        "Distinct sources of known scanners and of everybody else, by service.",
        include_str!("../queries/scanners/services.sql"),
    )
}
