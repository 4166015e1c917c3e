//! A dashboard as Grafana reads it. Pure.
//!
//! Written for Grafana 11 and later, and its ClickHouse plugin 4 and later.

use serde_json::{Value, json};

use crate::board::{Board, Choice, Column, Panel, Target, Unit, Variable, View};

/// Grafana's name of the plugin.
pub const PLUGIN: &str = "grafana-clickhouse-datasource";
/// All of our dashboards carry it; links between them follow it.
pub const TAG: &str = "noroshi";
/// Version of Grafana's dashboard format.
const SCHEMA_VERSION: u32 = 39;

/// The dashboard's JSON, with a line break at its end.
pub fn json(board: &Board) -> String {
    let mut text = serde_json::to_string_pretty(&dashboard(board))
        .expect("a value of strings and numbers has a JSON");
    text.push('\n');
    text
}

fn dashboard(board: &Board) -> Value {
    json!({
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": [TAG],
        "timezone": "utc",
        "editable": false,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "refresh": "1m",
        "time": { "from": board.from, "to": "now" },
        "links": [{
            "type": "dashboards", "title": "Noroshi", "tags": [TAG], "asDropdown": false,
            "icon": "external link", "includeVars": false, "keepTime": true, "targetBlank": false,
            "tooltip": "", "url": "",
        }],
        "annotations": { "list": [] },
        "templating": { "list": board.variables.iter().map(variable).collect::<Vec<_>>() },
        "panels": panels(board),
    })
}

/// Every panel with its place, row by row from the top.
fn panels(board: &Board) -> Vec<Value> {
    let mut placed = Vec::new();
    let mut top = 0;
    for row in &board.rows {
        let mut left = 0;
        for drawn in &row.panels {
            let place = json!({ "x": left, "y": top, "w": drawn.width, "h": row.height });
            placed.push(panel(placed.len() + 1, drawn, place));
            left += drawn.width;
        }
        top += row.height;
    }
    placed
}

fn source() -> Value {
    json!({ "type": PLUGIN, "uid": "${datasource}" })
}

fn panel(id: usize, panel: &Panel, place: Value) -> Value {
    let over_time = panel.view.is_over_time();
    json!({
        "id": id,
        "type": panel.view.plugin(),
        "title": panel.title,
        "description": panel.description,
        "gridPos": place,
        "datasource": source(),
        "interval": "1m",
        "targets": [{
            "refId": "A",
            "datasource": source(),
            "editorType": "sql",
            "queryType": if over_time { "timeseries" } else { "table" },
            "format": if over_time { 0 } else { 1 },
            "rawSql": panel.sql.trim_end(),
        }],
        "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel.view) },
        "options": options(panel.view),
    })
}

impl View {
    /// Grafana's name of the panel's plugin.
    pub fn plugin(self) -> &'static str {
        match self {
            Self::Stat | Self::Fault => "stat",
            Self::Lines | Self::Stacked | Self::Bars => "timeseries",
            Self::Table(_) => "table",
        }
    }

    /// Whether the answer needs a column of times.
    pub fn is_over_time(self) -> bool {
        self.plugin() == "timeseries"
    }
}

impl Unit {
    /// Grafana's id of the unit.
    pub fn id(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::PacketsPerSecond => "pps",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::Percent => "percent",
            Self::Time => "dateTimeAsIso",
            Self::Text => "string",
        }
    }
}

fn defaults(panel: &Panel) -> Value {
    let steps = match panel.view {
        View::Fault => json!([
            { "color": "green", "value": null },
            { "color": "red", "value": 1 },
        ]),
        _ => json!([{ "color": "blue", "value": null }]),
    };
    let mut defaults = json!({
        "unit": panel.unit.id(),
        // Nothing was answered: not zero, and not to be taken for it.
        "noValue": "no data",
        "thresholds": { "mode": "absolute", "steps": steps },
    });
    if panel.view.is_over_time() {
        defaults["min"] = json!(0);
        defaults["custom"] = curve(panel.view);
    }
    defaults
}

fn curve(view: View) -> Value {
    let stacked = matches!(view, View::Stacked | View::Bars);
    json!({
        "drawStyle": if view == View::Bars { "bars" } else { "line" },
        "lineWidth": 1,
        "fillOpacity": if stacked { 60 } else { 0 },
        "showPoints": "auto",
        // A gap is a gap: nobody watched, or nobody stored.
        "spanNulls": false,
        "stacking": { "mode": if stacked { "normal" } else { "none" }, "group": "A" },
    })
}

fn options(view: View) -> Value {
    match view {
        View::Stat | View::Fault => json!({
            "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
            "orientation": "auto",
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
        }),
        View::Lines | View::Stacked | View::Bars => json!({
            "legend": { "displayMode": "table", "placement": "right", "showLegend": true,
                        "calcs": ["max", "lastNotNull"] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        View::Table(_) => json!({ "showHeader": true, "cellHeight": "sm" }),
    }
}

fn overrides(view: View) -> Vec<Value> {
    let View::Table(columns) = view else {
        return Vec::new();
    };
    columns.iter().map(column).collect()
}

fn column(column: &Column) -> Value {
    let mut properties = vec![json!({ "id": "unit", "value": column.unit.id() })];
    if let Some(Target { board, variable }) = column.opens {
        let url = format!("/d/{board}?var-{variable}=${{__value.raw}}&${{__url_time_range}}");
        let link = json!([{ "title": "open", "url": url, "targetBlank": false }]);
        properties.push(json!({ "id": "links", "value": link }));
    }
    json!({ "matcher": { "id": "byName", "options": column.name }, "properties": properties })
}

fn variable(variable: &Variable) -> Value {
    let mut value = json!({ "name": variable.name, "label": variable.label, "hide": 0 });
    let more = match variable.choice {
        Choice::DataSource => json!({ "type": "datasource", "query": PLUGIN, "refresh": 1 }),
        Choice::Fixed(choices) => fixed(choices),
        Choice::One(sql) => asked(sql, false),
        Choice::Many(sql) => asked(sql, true),
        Choice::Following(sql) => hidden(asked(sql, false)),
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

fn fixed(choices: &[(&str, &str)]) -> Value {
    let option = |(place, (text, value)): (usize, &(&str, &str))| json!({ "text": text, "value": value, "selected": place == 0 });
    let query: Vec<String> = choices
        .iter()
        .map(|(text, value)| format!("{text} : {value}"))
        .collect();
    json!({
        "type": "custom",
        "query": query.join(", "),
        "options": choices.iter().enumerate().map(option).collect::<Vec<_>>(),
        "current": choices.iter().enumerate().map(option).next(),
        "multi": false,
        "includeAll": false,
    })
}

fn hidden(mut variable: Value) -> Value {
    const NEITHER_LABEL_NOR_VALUE: u8 = 2;
    variable["hide"] = json!(NEITHER_LABEL_NOR_VALUE);
    // an address that somebody edits would name what another choice needs
    variable["skipUrlSync"] = json!(true);
    variable
}

fn asked(sql: &str, many: bool) -> Value {
    let mut value = json!({
        "type": "query",
        "datasource": source(),
        "query": sql.trim_end(),
        "refresh": 2,
        "sort": 0,
        "multi": many,
        "includeAll": many,
    });
    if many {
        value["current"] = json!({ "text": ["All"], "value": ["$__all"], "selected": true });
    }
    value
}
