//! Victims of attacks, by the echo that reaches the telescopes.

use crate::board::{Board, Column, Panel, Row, Unit, View, data_source};
use crate::region::{countries, service_lists};

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-victims",
        title: "Victims of attacks",
        description: "Who answers packets that were forged with our addresses, so who is under \
                      attack. Attacks that forge nothing are not seen here.",
        from: "now-7d",
        variables: vec![data_source(), countries(), service_lists()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [over_time(), backscatter_over_time()]),
            Row::of(11, [services(), attacks()]),
        ],
    }
}

fn totals() -> [Panel; 3] {
    [
        Panel::number(
            View::Stat,
            Unit::Count,
            "Attacks going on",
            "Cases that are new or continuing now, whatever the time shown.",
            include_str!("../queries/victims/open.sql"),
        )
        .wide(8),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Attacks opened",
            "Cases opened within the time shown: one per address, or per prefix that is bombed as \
             a whole.",
            include_str!("../queries/victims/opened.sql"),
        )
        .wide(8),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Addresses that answer",
            "Distinct sources of backscatter. Most answer to too little to be called an attack.",
            include_str!("../queries/victims/answering.sql"),
        )
        .wide(8),
    ]
}

fn over_time() -> Panel {
    Panel::half(
        View::Bars,
        Unit::Count,
        "Attacks opened, by country",
        "By event time and the victim's country.",
        include_str!("../queries/victims/over_time.sql"),
    )
}

fn backscatter_over_time() -> Panel {
    Panel::half(
        View::Stacked,
        Unit::PacketsPerSecond,
        "Backscatter by class",
        "Packets per second, mean of ten minutes, beyond two days of an hour. One tall peak is one loud victim, or a storm \
         that forges answers.",
        include_str!("../queries/victims/backscatter_over_time.sql"),
    )
}

fn services() -> Panel {
    const COLUMNS: &[Column] = &[Column::opening("service", "noroshi-service", "service")];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Services under attack",
        "By the port that the echo comes from.",
        include_str!("../queries/victims/services.sql"),
    )
    .wide(8)
}

fn attacks() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("opened", Unit::Time),
        Column::of("lasted", Unit::Seconds),
        Column::of("estimated packets/s", Unit::PacketsPerSecond),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Attacks, the newest first",
        "Victims are not named here. The estimate is for all of IPv4, of attacks that draw their \
         forged addresses evenly.",
        include_str!("../queries/victims/attacks.sql"),
    )
    .wide(16)
}
