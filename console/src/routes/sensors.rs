//! How the sensors are: what each reported, lost, and how late it was. Never where they stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::figures::{Bins, SensorFigure};
use noroshi_store::hellos::Said;

use crate::desk::Desk;
use crate::guard::Visitor;
use crate::identity::Identity;
use crate::page::{Failed, Page, lasted, minute, number, page_or, wide};
use crate::rights::may;
use crate::text::Texts;

use super::now::map;

/// Seconds that the page looks back over.
const BACK: u64 = 86_400;
/// Milliseconds behind the newest after which a sensor is called silent: ten minutes, as the
/// detectors have it.
pub(super) const SILENT: u64 = 600_000;

/// Milliseconds before a certificate's end from which it is said: sensors renew theirs with a third of
/// thirty days left, so three days are late.
const SOON: u64 = 3 * 86_400_000;

/// Milliseconds that a sensor's clock may be off before it is said: a hello is on its way for less.
const CLOCK_OFF: u64 = 5_000;

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
    let roll = Roll::call(desk, newest, |_| true).await?;
    let body = html! {
        p.soft { (texts.say("sensors.about")) }
        @if may(&visitor.session.user.role, "GET", "/sensors/enrol") {
            p { a href="/sensors/enrol" { (texts.say("enrol.title")) } }
        }
        section.sheet {
            h2 { (texts.say("sensors.map")) }
            (map::sensors(texts, &by_country(desk, &roll.sensors, newest)))
        }
        section.sheet {
            @if roll.sensors.is_empty() { p.soft { (texts.say("sensors.none")) } }
            @else { (roll.table(texts)) }
        }
        (roll.versions(texts))
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

/// Sensors, and everything that is known of how they are.
pub(super) struct Roll {
    newest: Millis,
    pub(super) sensors: Vec<Known>,
    losses: BTreeMap<String, Vec<(String, u64)>>,
    hellos: BTreeMap<String, Said>,
    identities: BTreeMap<String, Identity>,
}

impl Roll {
    /// Of those that `wanted` takes.
    pub(super) async fn call(
        desk: &Desk,
        newest: Millis,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, Failed> {
        let mut sensors = known(desk, newest).await?;
        sensors.retain(|sensor| wanted(&sensor.id));
        let range = Bins::ending(newest.seconds() + 1, 60, BACK / 60).range;
        Ok(Self {
            newest,
            losses: desk.store.sensor_losses(&range).await?,
            hellos: desk.store.hellos().await?,
            identities: identities(desk, &sensors).await?,
            sensors,
        })
    }

    /// A row each.
    pub(super) fn table(&self, texts: &Texts) -> Markup {
        let certificates = !self.identities.is_empty();
        let nothing = Vec::new();
        html! {
            (wide(texts.word("place", "sensors"), html! { table {
                (heading(texts, certificates))
                tbody { @for sensor in &self.sensors { tr {
                    td.mono { (sensor.id) }
                    td { (sensor.partner) }
                    td { (health(texts, sensor, self.newest)) }
                    @if let Some(figure) = &sensor.figure {
                        td.t { (minute(Millis(figure.complete * 1_000))) }
                        td.n { (number(figure.addresses)) }
                        td.n { (number(figure.frames)) }
                        td.n { (number(figure.packets)) }
                        td.n { (lost(figure.lost, self.losses.get(&sensor.id).unwrap_or(&nothing))) }
                        td.n { (lasted(texts, (figure.lag.max(0.0) * 1_000.0) as u64)) }
                    } @else { td.soft colspan="6" { (texts.say("sensors.nothing")) } }
                    (said(texts, self.hellos.get(&sensor.id)))
                    @if certificates { (identity(texts, self.identities.get(&sensor.id), self.newest)) }
                } } }
            } }))
        }
    }

    /// How far a version has come: sensors that run each, and those on which it failed.
    fn versions(&self, texts: &Texts) -> Markup {
        let mut versions: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for sensor in &self.sensors {
            let said = self
                .hellos
                .get(&sensor.id)
                .map(|said| said.version.as_str());
            let runs = self
                .identities
                .get(&sensor.id)
                .and_then(|one| one.runs.as_ref());
            if let Some(version) = said.or(runs.map(|runs| runs.version.as_str())) {
                versions.entry(version).or_default().0 += 1;
            }
            if let Some(runs) = runs.filter(|runs| !runs.failed.is_empty()) {
                versions.entry(&runs.failed).or_default().1 += 1;
            }
        }
        let all = self.sensors.len();
        html! {
            @if !versions.is_empty() { section.sheet {
                h2 { (texts.say("sensors.versions")) }
                (wide(texts.say("sensors.versions"), html! { table {
                    thead { tr {
                        th scope="col" { (texts.say("sensors.one_version")) }
                        th.n scope="col" { (texts.say("sensors.run_it")) }
                        th.n scope="col" { (texts.say("sensors.failed_on")) }
                    } }
                    tbody { @for (version, (run, failed)) in versions.iter().rev() { tr {
                        td.mono { (version) }
                        td.n { (run) " / " (all) }
                        td.n { (failed) }
                    } } }
                } }))
            } }
        }
    }
}

/// The names of columns; two more where `identities` are known.
fn heading(texts: &Texts, identities: bool) -> Markup {
    html! {
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
            th scope="col" { (texts.say("sensors.version")) }
            @if identities {
                th scope="col" { (texts.say("sensors.certificate")) }
                th scope="col" { (texts.say("sensors.update")) }
            }
        } }
    }
}

/// How each sensor of the registry stands with its certificate and version, where the directory of
/// identities is beside the console.
async fn identities(desk: &Desk, sensors: &[Known]) -> Result<BTreeMap<String, Identity>, Failed> {
    let Some(directory) = desk.identities.clone() else {
        return Ok(BTreeMap::new());
    };
    let ids: Vec<SensorId> = sensors
        .iter()
        .filter_map(|one| SensorId::new(&one.id))
        .collect();
    let asked = ids.clone();
    let asking = tokio::task::spawn_blocking(move || (directory.of)(&asked));
    let known = asking.await.unwrap_or_else(|error| Err(error.to_string()));
    let known = known.map_err(Failed::Directory)?;
    let ids = ids.into_iter().map(|id| id.to_string());
    Ok(ids.zip(known).collect())
}

/// Sensors of each country, by who hosts them: all, and those that report.
fn by_country(desk: &Desk, sensors: &[Known], newest: Millis) -> BTreeMap<String, (u64, u64)> {
    let mut countries: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for sensor in sensors {
        let mut partners = desk.registry.partners().iter();
        let host = partners.find(|partner| partner.id.as_str() == sensor.partner);
        if let Some(host) = host {
            let counts = countries.entry(host.country.to_string()).or_default();
            counts.0 += 1;
            counts.1 += u64::from(!sensor.is_silent(newest));
        }
    }
    countries
}

/// What was lost; by reason beneath.
fn lost(all: u64, by_reason: &[(String, u64)]) -> Markup {
    html! {
        @if by_reason.is_empty() { (number(all)) } @else {
            details {
                summary { (number(all)) }
                @for (reason, count) in by_reason { span.mono { (reason) } " " (number(*count)) br; }
            }
        }
    }
}

/// The version it said when it came last, when that was, and how far its clock was off, if far.
fn said(texts: &Texts, said: Option<&Said>) -> Markup {
    html! {
        td { @if let Some(said) = said {
            span.mono { (said.version) } br;
            span.soft.t { (minute(said.at)) }
            @if said.clock_ahead.unsigned_abs() > CLOCK_OFF {
                " " span.badge.medium { (texts.say("sensors.clock")) } " " (said.clock_ahead / 1_000) " s"
            }
        } @else { "–" } }
    }
}

fn identity(texts: &Texts, known: Option<&Identity>, newest: Millis) -> Markup {
    html! {
        td { @if let Some(known) = known {
            @let is_good = known.state == "enrolled";
            span class=(if is_good { "badge low" } else { "badge medium" }) { (texts.word("enrolment", known.state)) }
            @if let Some(until) = known.certificate_until {
                " " (texts.say("sensors.until")) " " span.t { (minute(until)) }
                @if is_good && until.0 < newest.0 + SOON { " " span.badge.medium { (texts.say("sensors.soon")) } }
            }
        } }
        td { @if let Some(runs) = known.and_then(|known| known.runs.as_ref()) {
            span.mono { (runs.version) } br;
            span.soft { span.t { (minute(runs.at)) } }
            @if !runs.failed.is_empty() {
                br; span.badge.high { (texts.say("sensors.failed")) } " " (runs.failed) " " span.soft { (runs.why) }
            }
        } @else { "–" } }
    }
}

fn health(texts: &Texts, sensor: &Known, newest: Millis) -> Markup {
    html! {
        @if sensor.is_silent(newest) {
            span.badge.high { (texts.say("sensors.silent")) }
            @if let Some(behind) = sensor.behind(newest) { " " (lasted(texts, behind)) }
        } @else {
            span.badge.low { (texts.say("sensors.reports")) }
        }
    }
}
