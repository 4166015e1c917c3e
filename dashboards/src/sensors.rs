//! Sensors, what they watch, and every loss: whether a silence is the region's or ours.

use crate::board::{Board, Choice, Column, Panel, Row, Unit, Variable, View, data_source};

/// The dashboard.
pub fn board() -> Board {
    Board {
        uid: "noroshi-sensors",
        title: "Sensors and losses",
        description: "Whether every sensor reports, how late, and what was lost on the way and \
                      why. Every frame is a packet in the store or a loss with a reason.",
        from: "now-24h",
        variables: vec![data_source(), sensors()],
        rows: vec![
            Row::of(4, totals()),
            Row::of(9, [packets_over_time(), addresses_over_time()]),
            Row::of(9, [losses_over_time(), lag_over_time()]),
            Row::of(10, [sensors_list(), losses_list()]),
        ],
    }
}

/// Sensors to look at.
pub(crate) fn sensors() -> Variable {
    let sql = include_str!("../queries/variables/sensors.sql");
    Variable {
        name: "sensor",
        label: "Sensor",
        choice: Choice::Many(sql),
    }
}

fn totals() -> Vec<Panel> {
    let number = |title, description, view, unit, sql| {
        Panel::number(view, unit, title, description, sql).wide(4)
    };
    vec![
        number(
            "Reporting",
            "Sensors whose traffic is complete up to five minutes before the end of the time shown.",
            View::Stat,
            Unit::Count,
            include_str!("../queries/sensors/reporting.sql"),
        ),
        number(
            "Silent",
            "Sensors that reported within the time shown or the day before it, and are more than \
             five minutes behind.",
            View::Fault,
            Unit::Count,
            include_str!("../queries/sensors/silent.sql"),
        ),
        number(
            "Unaccounted frames",
            "Frames of every run, less packets, less losses. Anything but zero is a defect.",
            View::Fault,
            Unit::Count,
            include_str!("../queries/sensors/unaccounted.sql"),
        ),
        number(
            "Addresses watched",
            "Unused IPv4 addresses of all sensors together, by their latest report.",
            View::Stat,
            Unit::Count,
            include_str!("../queries/sensors/addresses.sql"),
        ),
        number(
            "Worst lag",
            "From the end of an interval until the store had it, over the last ten minutes.",
            View::Stat,
            Unit::Seconds,
            include_str!("../queries/sensors/worst_lag.sql"),
        ),
        number(
            "Restarts",
            "Further runs of sensors within the time shown. A run is one start of the program.",
            View::Fault,
            Unit::Count,
            include_str!("../queries/sensors/restarts.sql"),
        ),
    ]
}

fn packets_over_time() -> Panel {
    Panel {
        title: "Packets by sensor",
        description: "Packets per second that reached the store, by the event time at which each \
                      batch ended. A gap is a sensor that said nothing; zero is silence it watched.",
        width: 12,
        view: View::Lines,
        unit: Unit::PacketsPerSecond,
        sql: include_str!("../queries/sensors/packets_over_time.sql"),
    }
}

fn addresses_over_time() -> Panel {
    Panel {
        title: "What is watched",
        description: "Unused IPv4 addresses of the sensors that reported in each time step, and \
                      how many sensors those were.",
        width: 12,
        view: View::Lines,
        unit: Unit::Count,
        sql: include_str!("../queries/sensors/addresses_over_time.sql"),
    }
}

fn losses_over_time() -> Panel {
    Panel {
        title: "Losses by reason",
        description: "Frames per time step that were counted and not kept: undecodable, outside \
                      the telescope, dropped by the kernel, or gone from a full spool.",
        width: 12,
        view: View::Bars,
        unit: Unit::Count,
        sql: include_str!("../queries/sensors/losses_over_time.sql"),
    }
}

fn lag_over_time() -> Panel {
    Panel {
        title: "Lag by sensor",
        description: "The longest time from the end of an interval until the store had it. Hours \
                      mean that a spool is being emptied.",
        width: 12,
        view: View::Lines,
        unit: Unit::Seconds,
        sql: include_str!("../queries/sensors/lag_over_time.sql"),
    }
}

fn sensors_list() -> Panel {
    const COLUMNS: &[Column] = &[
        Column::of("complete through", Unit::Time),
        Column::of("lost %", Unit::Percent),
        Column::of("worst lag", Unit::Seconds),
    ];
    Panel {
        title: "Sensors, the furthest behind first",
        description: "Totals of the runs that reported within the time shown, since each run's \
                      start.",
        width: 16,
        view: View::Table(COLUMNS),
        unit: Unit::Count,
        sql: include_str!("../queries/sensors/list.sql"),
    }
}

fn losses_list() -> Panel {
    Panel {
        title: "Losses, the largest first",
        description: "By sensor and reason, of the same runs.",
        width: 8,
        view: View::Table(&[]),
        unit: Unit::Count,
        sql: include_str!("../queries/sensors/losses_list.sql"),
    }
}
