//! Spans as they arrive.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Everything that may be told of a span, beside its name, its times and its place.
const KEYS: [&str; 15] = [
    "attempt",
    "batches",
    "cases",
    "channel",
    "db.collection.name",
    "db.query.summary",
    "db.system.name",
    "detector",
    "http.response.status_code",
    "http.route",
    "observations",
    "outcome",
    "packets",
    "tuples",
    "windows",
];
/// And of a service.
const SERVICE_KEYS: [&str; 2] = ["service.name", "service.version"];
/// Names of spans.
const NAMES: [&str; 15] = [
    "answer", "append", "batch", "delivery", "detector", "enrich", "examine", "insert", "keep",
    "query", "read", "roll_up", "round", "turn", "write",
];

/// One span.
#[derive(Clone, Debug)]
pub struct Span {
    pub service: String,
    pub name: String,
    id: (String, String),
    parent: String,
    links: Vec<(String, String)>,
    attributes: BTreeMap<String, String>,
    /// Keys of everything that came with it.
    parts: Vec<String>,
}

/// What was told.
#[derive(Debug, Default)]
pub struct Spans {
    pub all: Vec<Span>,
    service_keys: Vec<String>,
}

impl Span {
    /// A number or a word, as text.
    pub fn attribute(&self, key: &str) -> Option<String> {
        self.attributes.get(key).cloned()
    }

    /// Whether it points at `other`, in another trace.
    pub fn points_at(&self, other: &Self) -> bool {
        self.links.contains(&other.id)
    }

    fn is_part_of(&self, of: &Self) -> bool {
        self.id.0 == of.id.0 && self.parent == of.id.1
    }
}

impl Spans {
    /// Of requests of OTLP, as JSON.
    pub fn read(requests: impl Iterator<Item = Value>) -> Self {
        let mut spans = Self::default();
        for request in requests {
            for resource in list(&request, "resourceSpans") {
                let about = attributes(&resource["resource"]);
                let service = about["service.name"].clone();
                spans.service_keys.extend(about.into_keys());
                for scope in list(resource, "scopeSpans") {
                    let told = list(scope, "spans").iter();
                    spans.all.extend(told.map(|span| read(span, &service)));
                }
            }
        }
        spans
    }

    /// The first trace with this name: its beginning.
    pub fn root(&self, name: &str) -> Option<&Span> {
        let mut roots = self.all.iter().filter(|span| span.parent.is_empty());
        roots.find(|span| span.name == name)
    }

    /// The first answer of this route.
    pub fn answer(&self, route: &str) -> Option<&Span> {
        let mut roots = self.all.iter().filter(|span| span.parent.is_empty());
        roots.find(|span| {
            span.name == "answer" && span.attribute("http.route").as_deref() == Some(route)
        })
    }

    /// What happened in `of`, directly.
    pub fn parts<'s>(&'s self, of: &'s Span) -> impl Iterator<Item = &'s Span> {
        self.all.iter().filter(|span| span.is_part_of(of))
    }

    /// The part of this name.
    pub fn part(&self, of: &Span, name: &str) -> Option<&Span> {
        let mut all = self.all.iter();
        all.find(|span| span.is_part_of(of) && span.name == name)
    }

    /// What the parts of `of` say under `key`, in order of the alphabet.
    pub fn values_of_parts(&self, of: &Span, key: &str) -> Vec<String> {
        let mut values: Vec<String> = self
            .parts(of)
            .filter_map(|part| part.attribute(key))
            .collect();
        values.sort();
        values
    }

    /// Whatever was told is a number, or a word that stands in this repository.
    pub fn assert_only_known_words(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for key in &self.service_keys {
            assert!(SERVICE_KEYS.contains(&key.as_str()), "{key}");
        }
        for span in &self.all {
            assert!(
                !span.parts.iter().any(|part| part == "events"),
                "{span:?} tells of events"
            );
            assert!(NAMES.contains(&span.name.as_str()), "{span:?}");
            for (key, value) in &span.attributes {
                assert!(KEYS.contains(&key.as_str()), "{key} in {span:?}");
                let is_known = match key.as_str() {
                    "db.query.summary" => root.join(format!("store/queries/{value}.sql")).is_file(),
                    "http.route" => value == "none" || value.starts_with('/'),
                    _ => value
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                };
                let is_number = value.parse::<u64>().is_ok();
                assert!(is_known || is_number, "{key} is {value}");
            }
        }
    }
}

fn read(span: &Value, service: &str) -> Span {
    let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let id = |of: &Value| {
        let part = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
        (part("traceId"), part("spanId"))
    };
    let parts = span.as_object().into_iter().flatten();
    Span {
        service: service.to_owned(),
        name: text("name"),
        id: id(span),
        links: list(span, "links").iter().map(id).collect(),
        parent: text("parentSpanId"),
        attributes: attributes(span),
        parts: parts.map(|(key, _)| key.clone()).collect(),
    }
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// OTLP's attributes: each with a value of one kind; numbers are text in its JSON.
fn attributes(of: &Value) -> BTreeMap<String, String> {
    let read = |attribute: &Value| {
        let key = attribute["key"].as_str().expect("a key").to_owned();
        let value = attribute["value"].as_object().expect("a value");
        let value = value.values().next().expect("of one kind");
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        (key, text)
    };
    list(of, "attributes").iter().map(read).collect()
}
