//! What a mail says: subject, body and attachment, before anything is signed or sealed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, MultiPart, SinglePart};
use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Subject, Tlp};
use noroshi_store::deliveries::Form;
use noroshi_store::explanation::told;
use noroshi_store::observations::{Observation, Sighting};

use super::{Audience, Mails, is_secret};
use crate::key::Key;
use crate::links::{self, Link};
use crate::message::{Event, Item, Message, Notice};
use crate::shadowserver::{File, Report};
use crate::text::Of;

/// A mail before its envelope.
pub(super) struct Letter<'m> {
    mails: &'m Mails,
    message: &'m Message,
}

impl<'m> Letter<'m> {
    pub(super) fn new(mails: &'m Mails, message: &'m Message) -> Self {
        Self { mails, message }
    }

    /// The strictest label of what it says.
    pub(super) fn tlp(&self) -> Tlp {
        let labels = self.message.said.items.iter().map(|item| item.alert.tlp);
        labels.max().unwrap_or_default()
    }

    /// Whether it must not leave in the clear. What the operator is told names nobody.
    pub(super) fn must_be_secret(&self) -> bool {
        is_secret(self.tlp()) && self.mails.audience == Audience::Partner
    }

    /// `[TLP:AMBER] [Noroshi 1a2b3c4d] …`
    pub(super) fn subject(&self) -> String {
        let texts = self.mails.texts;
        let count = self.message.said.count().to_string();
        let (id, rest) = match (self.single(), &self.message.said.notice) {
            (Some(item), _) => (item.alert.id, self.subject_of(item)),
            (None, Some(Notice::Unreached { channel, .. })) => {
                let partner = self.mails.partner.as_str();
                let words = [("partner", partner), ("channel", channel)];
                (self.message.id, texts.say(Of::Subject, "unreached", &words))
            }
            (None, _) => {
                let name = self.message.form.name();
                (
                    self.message.id,
                    texts.say(Of::Subject, name, &[("count", &count)]),
                )
            }
        };
        let short = &id.simple().to_string()[..8];
        let drill = match self.message.is_exercise() {
            true => format!("[{}] ", texts.say(Of::Label, "exercise", &[])),
            false => String::new(),
        };
        let subject = format!(
            "[TLP:{}] [Noroshi {short}] {drill}{rest}",
            label(self.tlp())
        );
        subject.trim_end().to_owned()
    }

    fn subject_of(&self, item: &Item) -> String {
        let texts = self.mails.texts;
        let kind = texts.say(Of::Kind, item.alert.kind.name(), &[]);
        let event = texts.say(Of::Event, item.event.name(), &[]);
        let named = !is_secret(item.alert.tlp) && self.mails.audience == Audience::Partner;
        let subject = if named {
            about(&item.alert)
        } else {
            String::new()
        };
        let name = match item.event {
            Event::Unanswered => "unanswered",
            _ => "single",
        };
        let words = [("event", &*event), ("kind", &*kind), ("subject", &*subject)];
        texts.say(Of::Subject, name, &words)
    }

    /// The one case it is about, where it is about one.
    fn single(&self) -> Option<&'m Item> {
        let first = self.message.said.items.first();
        first.filter(|_| self.message.form == Form::Single)
    }

    /// Body and attachment as one MIME entity, without a line end of its own.
    pub(super) fn part(&self) -> Vec<u8> {
        let text = self.text();
        let encoding = match text.is_ascii() {
            true => ContentTransferEncoding::QuotedPrintable,
            false => ContentTransferEncoding::Base64,
        };
        let text = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .body(encoded(text, encoding));
        let tables = self.tables();
        let mut part = match tables.is_empty() {
            true => text.formatted(),
            false => {
                let boundary = format!("part-{}", self.message.id.simple());
                let parts = MultiPart::mixed().boundary(boundary).singlepart(text);
                tables
                    .into_iter()
                    .fold(parts, MultiPart::singlepart)
                    .formatted()
            }
        };
        if part.ends_with(b"\r\n") {
            part.truncate(part.len() - 2); // it belongs to the boundary that follows (RFC 2046 §5.1.1)
        }
        part
    }

    /// What it says of hosts and victims, in the shape of the daily reports.
    fn tables(&self) -> Vec<SinglePart> {
        if self.mails.audience == Audience::Operator {
            return Vec::new();
        }
        let day = Observation::day_of(self.message.at);
        let items = &self.message.said.items;
        let sightings: Vec<Sighting> = items.iter().map(|item| as_told(&item.alert, day)).collect();
        let files = Report::ALL.into_iter().map(|report| File { day, report });
        files
            .filter_map(|file| {
                let table = file.rows(&self.mails.partner, &sightings)?;
                let part = SinglePart::builder()
                    .header(ContentType::parse("text/csv; charset=utf-8").ok()?)
                    .header(Attachment(file.name(self.mails.country)))
                    .body(encoded(table, ContentTransferEncoding::QuotedPrintable));
                Some(part)
            })
            .collect()
    }

    fn text(&self) -> String {
        let texts = self.mails.texts;
        let mut text = format!("TLP:{}\n\n", label(self.tlp()));
        if self.message.is_exercise() {
            let _ = writeln!(text, "{}\n", texts.say(Of::Body, "exercise", &[]));
        }
        match (self.mails.audience, self.single()) {
            (Audience::Operator, _) => self.for_operator(&mut text),
            (Audience::Partner, Some(item)) => self.one(&mut text, item),
            (Audience::Partner, None) => self.many(&mut text),
        }
        if let Some(base) = &self.mails.public_url {
            let url = match self.single() {
                Some(item) => format!("{base}/v1/alerts/{}", item.alert.id),
                None => format!("{base}/v1/alerts.jsonl"),
            };
            let _ = writeln!(text, "\n{}", texts.say(Of::Body, "read", &[("url", &url)]));
        }
        let _ = writeln!(text, "\n-- \n{}", texts.say(Of::Body, "foot", &[]));
        text
    }

    fn one(&self, text: &mut String, item: &Item) {
        let texts = self.mails.texts;
        let alert = &item.alert;
        let kind = texts.say(Of::Kind, alert.kind.name(), &[]);
        let event = texts.say(Of::Event, item.event.name(), &[]);
        let name = match item.event {
            Event::Unanswered => "unanswered",
            _ => "single",
        };
        let words = [("event", &*event), ("kind", &*kind)];
        let _ = writeln!(text, "{}", texts.say(Of::Body, name, &words));
        if !item.reason.is_empty() {
            let words = [("reason", item.reason.as_str())];
            let _ = writeln!(text, "{}", texts.say(Of::Body, "reason", &words));
        }
        let _ = writeln!(text, "\n{}\n", told(alert, &texts.language).explanation);
        let evidence = &alert.evidence;
        let severity = texts.say(Of::Severity, name_of(&alert.severity).as_str(), &[]);
        let confidence = texts.say(Of::Confidence, name_of(&alert.confidence).as_str(), &[]);
        for (label, value) in [
            ("case", alert.id.to_string()),
            ("subject", about(alert)),
            ("severity", severity),
            ("confidence", confidence),
            ("first", alert.first_seen.to_string()),
            ("last", alert.last_seen.to_string()),
            ("services", evidence.services.join(", ")),
            ("packets", evidence.packets.to_string()),
            ("targets", evidence.targets.to_string()),
        ] {
            let _ = writeln!(text, "{}: {value}", texts.say(Of::Label, label, &[]));
        }
        if let (Some(key), Some(base)) = (&self.mails.key, &self.mails.public_url) {
            self.links(text, item, (key, base));
        }
    }

    /// Links by which the case is answered, where there is anything to answer.
    fn links(&self, text: &mut String, item: &Item, (key, base): (&Key, &str)) {
        let steps = links::offered(item.event);
        if steps.is_empty() {
            return;
        }
        let texts = self.mails.texts;
        let until = links::lapse_of(self.message.at);
        let words = [("until", &until.to_string()[..10])];
        let _ = writeln!(text, "\n{}", texts.say(Of::Body, "answer", &words));
        for step in steps {
            let state = texts.say(Of::State, step.aim(), &[]);
            let link = Link {
                case: item.alert.id,
                event: *step,
                until,
            };
            let _ = writeln!(text, "{state}: {base}{}", link.path(key));
        }
    }

    fn many(&self, text: &mut String) {
        let texts = self.mails.texts;
        let said = &self.message.said;
        let count = said.count().to_string();
        let name = self.message.form.name();
        let words = [("count", count.as_str())];
        let _ = writeln!(text, "{}\n", texts.say(Of::Body, name, &words));
        for item in &said.items {
            let alert = &item.alert;
            let drill = match alert.exercise {
                true => texts.say(Of::Label, "exercise", &[]) + " ",
                false => String::new(),
            };
            let _ = writeln!(
                text,
                "{}  {drill}{}: {}  {}  {}  {}",
                alert.last_seen,
                texts.say(Of::Event, item.event.name(), &[]),
                texts.say(Of::Kind, alert.kind.name(), &[]),
                about(alert),
                texts.say(Of::Severity, name_of(&alert.severity).as_str(), &[]),
                alert.id,
            );
        }
        if said.more > 0 && self.message.form != Form::Summary {
            let more = said.more.to_string();
            let words = [("count", more.as_str())];
            let _ = writeln!(text, "{}", texts.say(Of::Body, "more", &words));
        }
    }

    /// Which case, and no more: the operator finds the rest at the centre.
    fn for_operator(&self, text: &mut String) {
        let texts = self.mails.texts;
        if let Some(Notice::Unreached {
            channel,
            since,
            error,
        }) = &self.message.said.notice
        {
            let words = [
                ("partner", self.mails.partner.as_str()),
                ("channel", channel),
                ("since", &Millis(*since).to_string()),
                ("error", error),
            ];
            let _ = writeln!(text, "{}", texts.say(Of::Body, "unreached", &words));
            return;
        }
        let partner = [("partner", self.mails.partner.as_str())];
        let _ = writeln!(text, "{}\n", texts.say(Of::Body, "operator", &partner));
        for item in &self.message.said.items {
            let kind = texts.say(Of::Kind, item.alert.kind.name(), &[]);
            let _ = writeln!(text, "{}  {kind}  {}", item.alert.id, item.alert.opened_at);
        }
    }
}

/// A case as it is told, in the shape of what was seen on the day of telling.
fn as_told(alert: &Alert, day: u64) -> Sighting {
    Sighting {
        observation: Observation {
            case: alert.id,
            day,
            partner: alert.partner.clone().unwrap_or_default(),
            packets: alert.evidence.packets,
            targets: alert.evidence.targets,
            first: alert.first_seen,
            last: alert.last_seen,
            sensors: BTreeSet::new(),
        },
        changed: alert.last_seen,
        alert: alert.clone(),
    }
}

/// An attachment by its file's name, which is plain: lettre would cut it (RFC 2231 §3), and not
/// every program puts it together again.
#[derive(Clone)]
struct Attachment(String);

impl Header for Attachment {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let name = text.split('"').nth(1).ok_or("no name in quotes")?;
        Ok(Self(name.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let value = format!("attachment; filename=\"{}\"", self.0);
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}

/// Text or table, encoded so that no mail server on the way changes it.
fn encoded(text: String, encoding: ContentTransferEncoding) -> Body {
    Body::new_with_encoding(text.clone(), encoding).unwrap_or_else(|_| Body::new(text))
}

/// The label, without `TLP:`.
pub(super) fn label(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "CLEAR",
        Tlp::Green => "GREEN",
        Tlp::Amber => "AMBER",
        Tlp::AmberStrict => "AMBER+STRICT",
        Tlp::Red => "RED",
    }
}

/// Whom or what, in a few words.
fn about(alert: &Alert) -> String {
    let with_asn = |who: &str, asn: Option<u32>| match asn {
        Some(asn) => format!("{who} (AS{asn})"),
        None => who.to_owned(),
    };
    match &alert.subject {
        Subject::Source { source, asn } => with_asn(&source.to_string(), *asn),
        Subject::Victim { victim, asn } => with_asn(victim, *asn),
        Subject::Service { service, scope } => format!("{service}, {scope}"),
        Subject::Country { country } => country.clone(),
        Subject::Network { network } => network.clone(),
        Subject::Sensor { sensor } => sensor.clone(),
    }
}

/// The name in JSON.
fn name_of(value: &impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}
