//! How a sensor comes in, step by step; the token is drawn here and shown once.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::id::SensorId;

use crate::desk::Desk;
use crate::fields::Fields;
use crate::guard::Visitor;
use crate::identity::Invitation;
use crate::page::{Failed, Page, minute, page_or, token, wide};

/// What the registry is told of a sensor.
const ENTRY: &str = "[[sensor]]\nid = \"th-1\"\npartner = \"th-cert\"\ntelescope = [{ prefix = \"198.18.0.0/24\", from = 2026-11-01 }]";
/// What makes sure of it and takes it up.
const CHECK: &str = "noroshi check --config noroshi.toml\nsystemctl restart noroshi";
/// What the sensor is told.
const SENSOR: &str = "sensor = \"th-1\"\ncollector = \"https://centre.example.org:7614\"";
/// What is done on its machine.
const THERE: &str = "noroshi-sensor enrol --config sensor.toml\nnoroshi-sensor doctor --config sensor.toml\nnoroshi-sensor run --config sensor.toml";

/// `GET /sensors/enrol`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    steps(&desk, &visitor, None)
}

/// `POST /sensors/enrol`
pub(super) async fn invite(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    page_or(visitor.texts, draw(&desk, &visitor, &fields).await)
}

/// Draws a token. That it will be is in the audit before; the token is on this one page.
async fn draw(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    let sensor = fields.get("sensor").and_then(SensorId::new);
    let sensor = sensor.filter(|sensor| desk.registry.sensor(sensor).is_some());
    let sensor = sensor.ok_or(Failed::Wrong)?;
    let identities = desk.identities.clone();
    let identities = identities.filter(|known| known.invite.is_some());
    let identities = identities.ok_or(Failed::Wrong)?;
    let by = visitor.session.user.author();
    let action = format!("console invite sensor {sensor}");
    desk.store.audit(&by, &action, "").await?;
    let (asked, whom) = (Arc::clone(&identities), sensor.clone());
    let drawing = tokio::task::spawn_blocking(move || match &asked.invite {
        Some(invite) => invite(&whom, &by),
        None => Err("nobody is enrolled here".to_owned()),
    });
    let drawn = drawing.await.unwrap_or_else(|error| Err(error.to_string()));
    let invitation = drawn.map_err(Failed::Directory)?;
    Ok(steps(desk, visitor, Some((&sensor, &invitation))))
}

fn steps(desk: &Desk, visitor: &Visitor, given: Option<(&SensorId, &Invitation)>) -> Response {
    let texts = visitor.texts;
    let body = html! {
        p { a href="/sensors" { (texts.word("place", "sensors")) } }
        @if let Some((sensor, invitation)) = given {
            section.sheet {
                h2 { (texts.fill("enrol.token_of", &[("sensor", sensor.as_str())])) }
                p.mono { strong { (invitation.token) } }
                p { (texts.say("enrol.once")) " " span.t { (minute(invitation.until)) } " UTC." }
            }
        }
        (step(texts.say("enrol.one"), texts.say("enrol.one_about"), ENTRY))
        (step(texts.say("enrol.two"), texts.say("enrol.two_about"), CHECK))
        section.sheet {
            h2 { (texts.say("enrol.three")) }
            p { (texts.say("enrol.three_about")) }
            (wide(texts.say("enrol.three"), html! { pre { "noroshi sensor enrol th-1 --config noroshi.toml" } }))
            (draws(desk, visitor))
        }
        (step(texts.say("enrol.four"), texts.say("enrol.four_about"), SENSOR))
        (step(texts.say("enrol.five"), texts.say("enrol.five_about"), THERE))
        section.sheet {
            h2 { (texts.say("enrol.six")) }
            p { (texts.say("enrol.six_about")) }
        }
    };
    let title = texts.say("enrol.title");
    Page {
        place: "/sensors",
        title,
        fresh: 0,
        body,
    }
    .answer(visitor)
}

fn step(title: &str, about: &str, lines: &str) -> Markup {
    html! { section.sheet { h2 { (title) } p { (about) } (wide(title, html! { pre { (lines) } })) } }
}

/// The form that draws a token, where this console can.
fn draws(desk: &Desk, visitor: &Visitor) -> Markup {
    let texts = visitor.texts;
    let can = desk
        .identities
        .as_ref()
        .is_some_and(|known| known.invite.is_some());
    html! {
        @if can {
            p { (texts.say("enrol.here")) }
            form.filters method="post" action="/sensors/enrol" {
                (token(visitor))
                label { (texts.say("sensors.sensor"))
                    select name="sensor" required {
                        @for sensor in desk.registry.sensors() { option { (sensor.id) } }
                    }
                }
                button { (texts.say("enrol.draw")) }
            }
        } @else { p.soft { (texts.say("enrol.not_here")) } }
    }
}
