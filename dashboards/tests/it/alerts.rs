//! Alerts of the day: an infected host, a victim, a surge; and what people did with the first.

use noroshi_proto::time::Millis;
use noroshi_store::alert::{Alert, Confidence, Evidence, Kind, Severity, State, Subject, Tlp};
use noroshi_store::cases::{Case, Transition};
use noroshi_store::deliveries::{Delivery, DeliveryState, Form};
use noroshi_store::origin::PartnerId;
use noroshi_store::positions::Access;
use noroshi_store::remedy::Event;
use noroshi_store::steps::Step;
use uuid::Uuid;

use super::day::START;

/// One transition each, as the analyzer records them.
pub(crate) fn transitions() -> Vec<Transition> {
    let host = Subject::Source {
        source: "203.0.0.2".parse().expect("an address"),
        asn: None,
    };
    let victim = Subject::Victim {
        victim: "198.51.100.0/24".to_owned(),
        asn: None,
    };
    let service = Subject::Service {
        service: "tcp/23".to_owned(),
        scope: "region".to_owned(),
    };
    [
        (Kind::InfectedHost, Some("th-cert"), "TH", host),
        (Kind::DdosVictim, Some("id-cert"), "ID", victim),
        (Kind::ScanSurge, None, "MY", service),
    ]
    .into_iter()
    .zip(1..)
    .map(|((kind, partner, country, subject), number)| {
        let at = Millis((START + 3_600 * number) * 1_000);
        let alert = alert(kind, subject, at);
        let alert = Alert {
            id: Uuid::from_u128(number.into()),
            partner: partner.map(str::to_owned),
            country: Some(country.to_owned()),
            ..alert
        };
        let case = Case { alert, version: 1 };
        Transition {
            case,
            by: "analyzer".to_owned(),
            at,
            note: String::new(),
        }
    })
    .collect()
}

/// So many hours into the day.
fn hour(number: u64) -> Millis {
    Millis((START + 3_600 * number) * 1_000)
}

/// The host's case was answered, and confirmed by silence.
pub(crate) fn steps() -> Vec<Step> {
    [
        (Event::Acknowledge, 2),
        (Event::Resolve, 4),
        (Event::Confirm, 20),
    ]
    .into_iter()
    .map(|(event, at)| Step {
        case: Uuid::from_u128(1),
        id: Uuid::from_u128(at.into()),
        event,
        at: hour(at),
        by: "partner:th-cert".to_owned(),
        note: String::new(),
        probability: None,
        partner: "th-cert".to_owned(),
    })
    .collect()
}

/// The partner was told of it by mail.
pub(crate) fn delivery() -> Delivery {
    Delivery {
        id: Uuid::from_u128(1),
        partner: PartnerId::new("th-cert").expect("an id"),
        channel: "mail".to_owned(),
        revision: 1,
        form: Form::Single,
        state: DeliveryState::Delivered,
        case: Uuid::from_u128(1),
        event: "opened".to_owned(),
        severity: Severity::Medium,
        recorded: 1,
        attempt: 1,
        planned_at: hour(1),
        released_at: hour(1),
        next_at: hour(1),
        within: Uuid::nil(),
        error: String::new(),
        body: "{}".to_owned(),
    }
}

/// And read it by itself.
pub(crate) fn access() -> Access {
    Access {
        at: hour(2),
        who: "partner:th-cert".to_owned(),
        action: "GET /v1/alerts 200".to_owned(),
    }
}

pub(crate) fn alert(kind: Kind, subject: Subject, at: Millis) -> Alert {
    Alert {
        id: Uuid::nil(),
        kind,
        state: State::New,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        tlp: Tlp::Amber,
        partner: None,
        country: None,
        attribution: None,
        opened_at: at,
        first_seen: at,
        last_seen: at,
        detected_at: at,
        subject,
        evidence: Evidence {
            packets: 31,
            ..Evidence::default()
        },
        reason_code: "mirai_syn".to_owned(),
        explanation: "An explanation.".to_owned(),
        exercise: false,
    }
}
