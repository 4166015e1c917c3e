//! The region now: what arrives, from where, for which services, and what it set off.

use crate::board::{
    Board, Choice, Column, Panel, Row, Unit, Variable, View, data_source, scanners,
};

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-region",
        title: "The region now",
        description: "What reaches unused address space of all sensors, and the alerts it set off. \
                      Nothing legitimate is ever sent there.",
        from: "now-3h",
        variables: vec![data_source(), countries(), service_lists(), scanners()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, over_time()),
            Row::of(10, rankings()),
            Row::of(8, findings()),
            Row::of(10, [open_alerts()]),
        ],
    }
}

/// Source countries to look at.
pub(crate) fn countries() -> Variable {
    let sql = include_str!("../queries/variables/countries.sql");
    Variable {
        name: "country",
        label: "Country of sources",
        choice: Choice::Many(sql),
    }
}

/// The view that lists of services are read from: of all countries together, or of each. A question that names
/// both plans half of its tables for nothing.
pub(crate) fn service_lists() -> Variable {
    let sql = include_str!("../queries/variables/service_lists.sql");
    Variable {
        name: "service_lists",
        label: "Lists of services",
        choice: Choice::Following(sql),
    }
}

fn totals() -> Vec<Panel> {
    let stat = |title, description, unit, sql| {
        Panel::number(View::Stat, unit, title, description, sql).wide(4)
    };
    vec![
        stat(
            "Packets per second",
            "Mean over the time shown, of all sensors together.",
            Unit::PacketsPerSecond,
            include_str!("../queries/region/packets_per_second.sql"),
        ),
        stat(
            "Unique sources",
            "Distinct source addresses over the time shown; about 0.3 % of error above some \
             thousands. Forged sources count as well.",
            Unit::Count,
            include_str!("../queries/region/sources.sql"),
        ),
        stat(
            "Unique /24s",
            "Distinct /24 networks (for IPv6, /48) of sources over the time shown.",
            Unit::Count,
            include_str!("../queries/region/networks.sql"),
        ),
        stat(
            "Countries",
            "Distinct countries of sources, where the country is known.",
            Unit::Count,
            include_str!("../queries/region/countries.sql"),
        ),
        stat(
            "Open alerts",
            "Cases that are new or continuing now, whatever the time shown; exercises left out.",
            Unit::Count,
            include_str!("../queries/region/open_alerts.sql"),
        ),
        stat(
            "Sensors reporting",
            "Sensors whose traffic is complete up to five minutes before the end of the time \
             shown. A fall here explains a fall everywhere else.",
            Unit::Count,
            include_str!("../queries/region/sensors_reporting.sql"),
        ),
    ]
}

fn over_time() -> Vec<Panel> {
    vec![
        Panel {
            title: "Packets by class",
            description: "Packets per second by traffic class, decided packet by packet at the \
                          sensor. scan_*: opens a conversation; backscatter_*: answers one that \
                          somebody forged with our addresses.",
            width: 12,
            view: View::Stacked,
            unit: Unit::PacketsPerSecond,
            sql: include_str!("../queries/region/packets_by_class.sql"),
        },
        Panel {
            title: "Sources over time",
            description: "Distinct sources per time step: a minute at least, beyond three \
                          hours ten, beyond two days an hour. scanning: sent scans; answering: \
                          sent backscatter, so they are likely under attack. Surges are decided \
                          on sources, never on packets.",
            width: 12,
            view: View::Lines,
            unit: Unit::Count,
            sql: include_str!("../queries/region/sources_over_time.sql"),
        },
    ]
}

fn rankings() -> Vec<Panel> {
    const SERVICES: &[Column] = &[Column::opening("service", "noroshi-service", "service")];
    const PLACES: &[Column] = &[Column::of("place", Unit::Text)];
    vec![
        Panel {
            title: "Services asked for",
            description: "The twenty services that most distinct sources scanned over the time \
                          shown. A click opens the service, with its networks and countries.",
            width: 12,
            view: View::Table(SERVICES),
            unit: Unit::Count,
            sql: include_str!("../queries/region/top_services.sql"),
        },
        Panel {
            title: "Countries of sources",
            description: "The twenty countries with most distinct scanning sources, by the geo \
                          database and the registry.",
            width: 12,
            view: View::Table(PLACES),
            unit: Unit::Count,
            sql: include_str!("../queries/region/top_countries.sql"),
        },
    ]
}

fn findings() -> Vec<Panel> {
    vec![
        Panel {
            title: "Alerts opened",
            description: "Cases by the event time at which they were opened, by kind; withdrawn \
                          ones and exercises left out.",
            width: 12,
            view: View::Bars,
            unit: Unit::Count,
            sql: include_str!("../queries/region/alerts_opened.sql"),
        },
        Panel {
            title: "Sources with a fingerprint",
            description: "Distinct sources per closed hour, at least 3 of whose SYNs, and 90 % of \
                          them, bear the mark of a program. No mark proves nothing.",
            width: 12,
            view: View::Lines,
            unit: Unit::Count,
            sql: include_str!("../queries/region/fingerprints.sql"),
        },
    ]
}

fn open_alerts() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("opened", Unit::Time),
        Column::of("last seen", Unit::Time),
    ];
    Panel {
        title: "Open alerts, by urgency",
        description: "Cases that are new or continuing, whatever the time shown, at most 200. \
                      Hosts are not named here: partners read them in their feeds.",
        width: 24,
        view: View::Table(COLUMNS),
        unit: Unit::Count,
        sql: include_str!("../queries/region/open_alerts_list.sql"),
    }
}
