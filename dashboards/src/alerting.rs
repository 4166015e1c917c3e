//! When Grafana wakes somebody about the platform itself. Pure.
//!
//! Cases are told to partners by their feeds; these rules are about the platform not seeing, not
//! counting or not telling. Questions use the clock of the store and no macro, because Grafana
//! replaces what begins with a dollar sign when it reads such a file.

use serde_json::{Value, json};

use crate::grafana::PLUGIN;

/// The data source's name in the provisioning files.
const SOURCE: &str = "noroshi";

/// One rule: what is asked, from which number on, for how long.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable for ever.
    pub uid: &'static str,
    /// What a message about it is headed with.
    pub title: &'static str,
    /// What it means and what to do.
    pub description: &'static str,
    /// `critical`: nothing is seen or told; `warning`: somebody should look today.
    pub severity: &'static str,
    /// It fires above this.
    pub above: f64,
    /// Only when it has been above for so long, as Grafana says it.
    pub lasting: &'static str,
    /// The question; it answers one number.
    pub sql: &'static str,
}

/// Every rule.
pub const RULES: &[Rule] = &[
    Rule {
        uid: "noroshi-nothing-kept",
        title: "Nothing reaches the store",
        description: "No batch was kept for five minutes, of any sensor. Look at the collector's log \
                      and at the store: sensors keep what they have and deliver it later.",
        severity: "critical",
        above: 300.0,
        lasting: "1m",
        sql: include_str!("../queries/alerting/nothing_kept.sql"),
    },
    Rule {
        uid: "noroshi-analyzer-behind",
        title: "The analyzer does not keep up",
        description: "What sensors report is examined more than two minutes late, or not at all: no \
                      alert comes. Look at the analyzer's log, its processor and its memory.",
        severity: "critical",
        above: 120.0,
        lasting: "2m",
        sql: include_str!("../queries/alerting/analyzer_behind.sql"),
    },
    Rule {
        uid: "noroshi-unaccounted",
        title: "Frames are not accounted for",
        description: "Frames, less packets, less losses are not zero. That is a defect of the \
                      software: keep the sensor's spool and report it.",
        severity: "critical",
        above: 0.0,
        lasting: "1m",
        sql: include_str!("../queries/alerting/unaccounted.sql"),
    },
    Rule {
        uid: "noroshi-undelivered",
        title: "Urgent alerts wait for their receiver",
        description: "An urgent message has waited for an hour. `noroshi feed failures` tells for \
                      whom and why: call the partner.",
        severity: "critical",
        above: 0.0,
        lasting: "1m",
        sql: include_str!("../queries/alerting/undelivered.sql"),
    },
    Rule {
        uid: "noroshi-silent-sensors",
        title: "A sensor is silent",
        description: "A sensor that reported within the week has said nothing for ten minutes, and \
                      nobody announced work on it (`noroshi maintenance add`). Sensors and losses \
                      tells which; its host runs `noroshi-sensor doctor`.",
        severity: "warning",
        above: 0.0,
        lasting: "5m",
        sql: include_str!("../queries/alerting/silent_sensors.sql"),
    },
    Rule {
        uid: "noroshi-lost-packets",
        title: "Packets are lost",
        description: "More than one packet of a thousand was lost by a kernel, an interface or a \
                      full spool within the hour. Sensors and losses tells by whom and why: a \
                      larger capture.ring, a faster machine, a larger spool.",
        severity: "warning",
        above: 1_000.0,
        lasting: "10m",
        sql: include_str!("../queries/alerting/lost_packets.sql"),
    },
];

/// What Grafana reads from `provisioning/alerting`, with a line break at its end.
pub fn json() -> String {
    let rules: Vec<Value> = RULES.iter().map(rule).collect();
    let file = json!({
        "apiVersion": 1,
        "groups": [{
            "orgId": 1,
            "name": "Noroshi",
            "folder": "Noroshi",
            "interval": "1m",
            "rules": rules,
        }],
    });
    let mut text =
        serde_json::to_string_pretty(&file).expect("a value of strings and numbers has a JSON");
    text.push('\n');
    text
}

fn rule(rule: &Rule) -> Value {
    let asked = json!({
        "refId": "A",
        "relativeTimeRange": { "from": 600, "to": 0 },
        "datasourceUid": SOURCE,
        "model": {
            "refId": "A",
            "datasource": { "type": PLUGIN, "uid": SOURCE },
            "editorType": "sql",
            "queryType": "table",
            "format": 1,
            "rawSql": rule.sql.trim_end(),
        },
    });
    let compared = json!({
        "refId": "B",
        "relativeTimeRange": { "from": 0, "to": 0 },
        "datasourceUid": "__expr__",
        "model": {
            "refId": "B",
            "type": "threshold",
            "expression": "A",
            "datasource": { "type": "__expr__", "uid": "__expr__" },
            "conditions": [{ "evaluator": { "type": "gt", "params": [rule.above] } }],
        },
    });
    json!({
        "uid": rule.uid,
        "title": rule.title,
        "condition": "B",
        "data": [asked, compared],
        // The store does not answer: that is what somebody has to know first.
        "noDataState": "Alerting",
        "execErrState": "Alerting",
        "for": rule.lasting,
        "labels": { "severity": rule.severity, "service": "noroshi" },
        "annotations": { "summary": rule.title, "description": rule.description },
        "isPaused": false,
    })
}
