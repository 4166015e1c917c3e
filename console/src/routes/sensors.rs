//! How the sensors are: what each reported, lost, and how late it was. Never where they stand.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::html;
use noroshi_proto::time::Millis;
use noroshi_store::figures::{Bins, SensorFigure};

use crate::desk::Desk;
use crate::guard::Visitor;
use crate::page::{Failed, Page, lasted, minute, number, page_or};

/// Seconds that the page looks back over.
const BACK: u64 = 86_400;
/// Milliseconds behind the newest after which a sensor is called silent: ten minutes, as the
/// detectors have it.
pub(super) const SILENT: u64 = 600_000;

/// One sensor of the registry, and what it reported within a day, if anything.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) partner: String,
    pub(super) figure: Option<SensorFigure>,
}

impl Known {
    /// Milliseconds that it is behind the newest; `None` where it reported nothing.
    pub(super) fn behind(&self, newest: Millis) -> Option<u64> {
        let figure = self.figure.as_ref()?;
        Some(newest.0.saturating_sub(figure.complete * 1_000))
    }

    pub(super) fn is_silent(&self, newest: Millis) -> bool {
        self.behind(newest).is_none_or(|behind| behind > SILENT)
    }
}

/// Every sensor that watches at `newest`, or reported.
pub(super) async fn known(desk: &Desk, newest: Millis) -> Result<Vec<Known>, Failed> {
    let bins = Bins::ending(newest.seconds() + 1, 60, BACK / 60);
    let mut figures = desk.store.sensor_figures(&bins.range).await?;
    let mut known = Vec::new();
    for sensor in desk.registry.sensors() {
        let place = figures
            .iter()
            .position(|one| one.sensor == sensor.id.as_str());
        let figure = place.map(|place| figures.remove(place));
        if figure.is_none() && sensor.telescope_at(newest.seconds()).prefixes.is_empty() {
            continue;
        }
        known.push(Known {
            id: sensor.id.to_string(),
            partner: sensor.partner.to_string(),
            figure,
        });
    }
    let strangers = figures.into_iter().map(|figure| Known {
        id: figure.sensor.clone(),
        partner: String::new(),
        figure: Some(figure),
    });
    known.extend(strangers);
    Ok(known)
}

/// `GET /sensors`
pub(super) async fn page(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    page_or(visitor.texts, show(&desk, &visitor).await)
}

async fn show(desk: &Desk, visitor: &Visitor) -> Result<Response, Failed> {
    let texts = visitor.texts;
    let newest = desk.newest().await?;
    let sensors = known(desk, newest).await?;
    let body = html! {
        p.soft { (texts.say("sensors.about")) }
        section.sheet {
            @if sensors.is_empty() { p.soft { (texts.say("sensors.none")) } } @else { div.wide tabindex="0" role="group" aria-label=(texts.word("place", "sensors")) { table {
                thead { tr {
                    th scope="col" { (texts.say("sensors.sensor")) }
                    th scope="col" { (texts.say("sensors.host")) }
                    th scope="col" { (texts.say("sensors.health")) }
                    th scope="col" { (texts.say("sensors.complete")) }
                    th.n scope="col" { (texts.say("sensors.addresses")) }
                    th.n scope="col" { (texts.say("sensors.frames")) }
                    th.n scope="col" { (texts.say("alert.packets")) }
                    th.n scope="col" { (texts.say("sensors.lost")) }
                    th.n scope="col" { (texts.say("sensors.lag")) }
                } }
                tbody { @for sensor in &sensors { tr {
                    td.mono { (sensor.id) }
                    td { (sensor.partner) }
                    td { (health(visitor, sensor, newest)) }
                    @if let Some(figure) = &sensor.figure {
                        td.t { (minute(Millis(figure.complete * 1_000))) }
                        td.n { (number(figure.addresses)) }
                        td.n { (number(figure.frames)) }
                        td.n { (number(figure.packets)) }
                        td.n { (number(figure.lost)) }
                        td.n { (lasted(texts, (figure.lag.max(0.0) * 1_000.0) as u64)) }
                    } @else { td.soft colspan="6" { (texts.say("sensors.nothing")) } }
                } } }
            } } }
        }
        p.note { (texts.say("sensors.enrol")) }
    };
    let title = texts.word("place", "sensors");
    Ok(Page {
        place: "/sensors",
        title,
        fresh: 30,
        body,
    }
    .answer(visitor))
}

fn health(visitor: &Visitor, sensor: &Known, newest: Millis) -> maud::Markup {
    let texts = visitor.texts;
    html! {
        @if sensor.is_silent(newest) {
            span.badge.high { (texts.say("sensors.silent")) }
            @if let Some(behind) = sensor.behind(newest) { " " (lasted(texts, behind)) }
        } @else {
            span.badge.low { (texts.say("sensors.reports")) }
        }
    }
}
