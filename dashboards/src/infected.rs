//! Infected hosts of partners, and how their cleaning goes.

use crate::board::{Board, Choice, Column, Panel, Row, Unit, Variable, View, data_source};

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-infected",
        title: "Infected hosts and their cleaning",
        description: "Cases about hosts that bear malware's marks: who was told, who answered, and \
                      which fell silent since.",
        from: "now-30d",
        variables: vec![data_source(), partners()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [over_time(), steps_over_time()]),
            Row::of(11, [by_partner(), families()]),
        ],
    }
}

fn partners() -> Variable {
    let sql = include_str!("../queries/variables/partners.sql");
    Variable {
        name: "partner",
        label: "Partner",
        choice: Choice::Many(sql),
    }
}

fn totals() -> [Panel; 4] {
    [
        Panel::number(
            View::Stat,
            Unit::Count,
            "Open cases",
            "Infected hosts that were seen lately, whatever the time shown. Hosts, not infections: \
             an address that changes hands counts twice.",
            include_str!("../queries/infected/open.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Count,
            "Cases opened",
            "Hosts seen for the first time within the time shown.",
            include_str!("../queries/infected/opened.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Percent,
            "Answered",
            "Of those, the share that its partner acknowledged, passed on, cleaned or disowned. \
             What nobody answers is not read, or not reached: see The platform.",
            include_str!("../queries/infected/answered.sql"),
        ),
        Panel::number(
            View::Stat,
            Unit::Seconds,
            "Half are confirmed clean within",
            "From a case's opening until telescopes confirmed the silence, of those confirmed \
             within the time shown.",
            include_str!("../queries/infected/median_to_confirm.sql"),
        ),
    ]
}

fn over_time() -> Panel {
    Panel::half(
        View::Bars,
        Unit::Count,
        "Cases opened, by partner",
        "By event time. A jump at one partner is an outbreak in its networks; at all, a new \
         campaign.",
        include_str!("../queries/infected/over_time.sql"),
    )
}

fn steps_over_time() -> Panel {
    Panel::half(
        View::Bars,
        Unit::Count,
        "What was done with them",
        "Cases by the step that was taken: by partners (acknowledge, notify, clean, resolve, \
         disown, refute) and by telescopes (confirm, stay_quiet, reappear).",
        include_str!("../queries/infected/steps_over_time.sql"),
    )
}

fn by_partner() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("whose", Unit::Text),
        Column::of("seen for, on average", Unit::Seconds),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "By partner",
        "Cases opened within the time shown, and how far each partner has come with them.",
        include_str!("../queries/infected/partners.sql"),
    )
    .wide(14)
}

fn families() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("family", Unit::Text),
        Column::of("rule", Unit::Text),
    ];
    Panel::half(
        View::Table(COLUMNS),
        Unit::Count,
        "By family and rule",
        "By the mark in their packets, and the rule that named them.",
        include_str!("../queries/infected/families.sql"),
    )
    .wide(10)
}
