//! One service over time and by country.

use crate::board::{
    Board, Choice, Column, Panel, Row, Unit, Variable, View, data_source, scanners,
};
use crate::region::countries;

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-service",
        title: "One service",
        description: "Who asks for one service, such as tcp/23: over time, by country, and beside \
                      the week before.",
        from: "now-30d",
        variables: vec![data_source(), service(), grain(), countries(), scanners()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [sources_over_time(), week_before()]),
            Row::of(9, [sources_by_country(), packets_by_class()]),
            Row::of(10, [countries_list()]),
        ],
    }
}

/// Which service.
pub(crate) fn service() -> Variable {
    let sql = include_str!("../queries/variables/services.sql");
    Variable {
        name: "service",
        label: "Service",
        choice: Choice::One(sql),
    }
}

/// The tables of closed periods, named as they are in the store.
fn grain() -> Variable {
    let choices = &[
        ("hours", "hour_rollup"),
        ("ten minutes", "ten_minute_rollup"),
        ("days", "day_rollup"),
    ];
    Variable {
        name: "grain",
        label: "Grain",
        choice: Choice::Fixed(choices),
    }
}

fn totals() -> Vec<Panel> {
    let stat =
        |title, description, sql| Panel::number(View::Stat, Unit::Count, title, description, sql);
    vec![
        stat(
            "Unique sources",
            "Distinct sources that scanned for the service over the time shown, in closed periods.",
            include_str!("../queries/service/sources.sql"),
        ),
        stat(
            "Unique /24s",
            "Distinct /24 networks (for IPv6, /48) of those sources.",
            include_str!("../queries/service/networks.sql"),
        ),
        stat(
            "Packets",
            "Packets that concern the service, of every class.",
            include_str!("../queries/service/packets.sql"),
        ),
        stat(
            "Countries",
            "Distinct countries of sources, where the country is known.",
            include_str!("../queries/service/countries.sql"),
        ),
    ]
}

fn sources_over_time() -> Panel {
    Panel {
        title: "Sources",
        description: "Distinct scanning sources per period of the grain. Known scanners stand on \
                      published lists of research organisations; choose to count them above.",
        width: 12,
        view: View::Stacked,
        unit: Unit::Count,
        sql: include_str!("../queries/service/sources_over_time.sql"),
    }
}

fn week_before() -> Panel {
    Panel {
        title: "Sources beside the week before",
        description: "Distinct scanning sources per period, and those seven days earlier drawn \
                      over them.",
        width: 12,
        view: View::Lines,
        unit: Unit::Count,
        sql: include_str!("../queries/service/week_before.sql"),
    }
}

fn sources_by_country() -> Panel {
    Panel {
        title: "Sources by country",
        description: "Distinct scanning sources per period: the eight countries with most of them \
                      over the time shown, and the others together.",
        width: 12,
        view: View::Stacked,
        unit: Unit::Count,
        sql: include_str!("../queries/service/sources_by_country.sql"),
    }
}

fn packets_by_class() -> Panel {
    Panel {
        title: "Packets by class",
        description: "Packets per second, mean of each period. backscatter_*: the service itself \
                      is under attack somewhere.",
        width: 12,
        view: View::Stacked,
        unit: Unit::PacketsPerSecond,
        sql: include_str!("../queries/service/packets_by_class.sql"),
    }
}

fn countries_list() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("place", Unit::Text),
        Column::of("first", Unit::Time),
        Column::of("last", Unit::Time),
    ];
    Panel {
        title: "By country",
        description: "Per country of sources: distinct sources and /24s, packets, and the first \
                      and last period in which it was seen within the time shown.",
        width: 24,
        view: View::Table(COLUMNS),
        unit: Unit::Count,
        sql: include_str!("../queries/service/countries_list.sql"),
    }
}
