//! What a dashboard is made of.

/// Columns of Grafana's grid.
pub const COLUMNS: u32 = 24;

/// A dashboard.
#[derive(Clone, Debug)]
pub struct Board {
    /// Its name in addresses and files, stable for ever.
    pub uid: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it answers.
    pub description: &'static str,
    /// How far it looks back, as Grafana says it: `now-6h`.
    pub from: &'static str,
    /// What the reader may choose.
    pub variables: Vec<Variable>,
    /// Panels from top to bottom.
    pub rows: Vec<Row>,
}

/// Panels side by side, equally high.
#[derive(Clone, Debug)]
pub struct Row {
    /// In grid units of about 38 pixels.
    pub height: u32,
    /// From left to right; their widths fill [`COLUMNS`].
    pub panels: Vec<Panel>,
}

/// One question and how its answer is drawn.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What it shows.
    pub title: &'static str,
    /// What the numbers are, and where they come from.
    pub description: &'static str,
    /// In grid columns.
    pub width: u32,
    /// How it is drawn.
    pub view: View,
    /// Of its numbers.
    pub unit: Unit,
    /// The question, with Grafana's macros.
    pub sql: &'static str,
}

/// How an answer is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// One number.
    Stat,
    /// One number that should be zero: green at zero, red above.
    Fault,
    /// Lines over time.
    Lines,
    /// Areas over time, one upon the other.
    Stacked,
    /// Bars over time, one upon the other.
    Bars,
    /// Rows and columns. Columns that other units apply to are named.
    Table(&'static [Column]),
}

/// A column of a table that is not drawn as the panel's unit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the question names it.
    pub name: &'static str,
    /// How its values are written.
    pub unit: Unit,
    /// Which dashboard a click leads to, with this column's value as its variable.
    pub opens: Option<Target>,
}

/// A dashboard and the variable that is set on the way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The dashboard's uid.
    pub board: &'static str,
    /// The variable's name.
    pub variable: &'static str,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count.
    Count,
    /// Packets per second.
    PacketsPerSecond,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// 0 to 100.
    Percent,
    /// A time, in UTC.
    Time,
    /// Words.
    Text,
}

/// What the reader chooses.
#[derive(Clone, Debug)]
pub struct Variable {
    /// In questions: `$name`.
    pub name: &'static str,
    /// On the screen.
    pub label: &'static str,
    /// Where the choices come from.
    pub choice: Choice,
}

/// Where a variable's choices come from.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// The ClickHouse data sources that Grafana knows.
    DataSource,
    /// Label and value of each; the first one stands at the beginning.
    Fixed(&'static [(&'static str, &'static str)]),
    /// One of what a question answers.
    One(&'static str),
    /// Any of what a question answers, or all.
    Many(&'static str),
    /// Nobody's: what a question answers that names the variables before it. It is not shown.
    Following(&'static str),
}

/// Which data source is asked; every dashboard has it.
pub fn data_source() -> Variable {
    Variable {
        name: "datasource",
        label: "Data source",
        choice: Choice::DataSource,
    }
}

/// Whether research scanners are counted: about half of what telescopes see.
pub fn scanners() -> Variable {
    let choices = &[("left out", "0"), ("counted", "1")];
    Variable {
        name: "scanners",
        label: "Known scanners",
        choice: Choice::Fixed(choices),
    }
}

impl Panel {
    /// One number, a quarter of the screen wide.
    pub fn number(
        view: View,
        unit: Unit,
        title: &'static str,
        description: &'static str,
        sql: &'static str,
    ) -> Self {
        Self::half(view, unit, title, description, sql).wide(COLUMNS / 4)
    }

    /// Half the screen wide.
    pub fn half(
        view: View,
        unit: Unit,
        title: &'static str,
        description: &'static str,
        sql: &'static str,
    ) -> Self {
        Self {
            title,
            description,
            width: COLUMNS / 2,
            view,
            unit,
            sql,
        }
    }

    /// So many columns wide.
    pub fn wide(self, width: u32) -> Self {
        Self { width, ..self }
    }
}

impl Column {
    /// Values of this unit.
    pub const fn of(name: &'static str, unit: Unit) -> Self {
        Self {
            name,
            unit,
            opens: None,
        }
    }

    /// Words that lead to a dashboard.
    pub const fn opening(name: &'static str, board: &'static str, variable: &'static str) -> Self {
        Self {
            name,
            unit: Unit::Text,
            opens: Some(Target { board, variable }),
        }
    }
}

impl Row {
    /// Panels side by side.
    pub fn of(height: u32, panels: impl Into<Vec<Panel>>) -> Self {
        Self {
            height,
            panels: panels.into(),
        }
    }
}
