//! One country: what leaves it, what strikes it, and what that set off.

use crate::board::{
    Board, Choice, Column, Panel, Row, Unit, Variable, View, data_source, scanners,
};

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-country",
        title: "One country",
        description: "What one country's networks send to unused address space, beside the week \
                      before, and the alerts about them.",
        from: "now-7d",
        variables: vec![data_source(), place(), scanners()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [sources_over_time(), week_before()]),
            Row::of(10, [services(), systems()]),
            Row::of(8, [alerts_opened()]),
        ],
    }
}

fn place() -> Variable {
    let sql = include_str!("../queries/variables/places.sql");
    Variable {
        name: "place",
        label: "Country",
        choice: Choice::One(sql),
    }
}

fn totals() -> [Panel; 4] {
    [
        Panel::number(
            View::Stat,
            Unit::Count,
            "Unique sources",
            "Distinct scanning sources of the country over the time shown, in closed hours.",
            include_str!("../queries/country/sources.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Unique /24s",
            "Distinct /24 networks (for IPv6, /48) of those sources.",
            include_str!("../queries/country/networks.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Percent,
            "Share of all sources",
            "Of all distinct scanning sources that the sensors see. A rise that the country does \
             not share with others is its own.",
            include_str!("../queries/country/share.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Open alerts",
            "Cases about the country that are new or continuing now, whatever the time shown.",
            include_str!("../queries/country/open_alerts.sql"),
        ),
    ]
}

fn sources_over_time() -> Panel {
    Panel::half(
        View::Lines,
        Unit::Count,
        "Sources in ten minutes",
        "Beyond a day: in an hour. scanning: sent scans. answering: sent backscatter, so they are likely under attack. A \
         fall to nothing while other countries stay is an outage, or a new geo database.",
        include_str!("../queries/country/sources_over_time.sql"),
    )
}

fn week_before() -> Panel {
    Panel::half(
        View::Lines,
        Unit::Count,
        "Sources beside the week before",
        "Distinct scanning sources per closed hour, and those seven days earlier drawn over them.",
        include_str!("../queries/country/week_before.sql"),
    )
}

fn services() -> Panel {
    const COLUMNS: &[Column] = &[Column::opening("service", "noroshi-service", "service")];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Services that it asks for",
        "The thirty services that most of the country's sources scanned. A click opens the \
         service.",
        include_str!("../queries/country/services.sql"),
    )
}

fn systems() -> Panel {
    const COLUMNS: &[Column] = &[Column::of("system", Unit::Text)];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "Networks of sources",
        "The thirty autonomous systems with most distinct scanning sources; those with Mirai's \
         mark in at least 3 SYNs, and in 90 % of them, are infected.",
        include_str!("../queries/country/systems.sql"),
    )
}

fn alerts_opened() -> Panel {
    Panel::half(
        View::Bars,
        Unit::Count,
        "Alerts opened",
        "Cases about the country by the event time at which they were opened; withdrawn ones and \
         exercises left out.",
        include_str!("../queries/country/alerts_opened.sql"),
    )
    .wide(24)
}
