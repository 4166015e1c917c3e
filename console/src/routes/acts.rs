//! What people do with a case: the same steps as `noroshi alerts …` writes.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use noroshi_store::changes::Shown;
use noroshi_store::remedy::{Event, Remedy};
use noroshi_store::steps::Step;
use uuid::Uuid;

use super::alert::{known, needs_purpose};
use crate::desk::Desk;
use crate::fields::Fields;
use crate::guard::Visitor;
use crate::hand_over;
use crate::page::{Failed, on_to, page_or};

/// Longest note, in bytes.
pub(super) const NOTE_MAX: usize = 4_096;
/// Shortest purpose, in characters: `abuse` is none.
pub(super) const PURPOSE_MIN: usize = 10;
/// Longest purpose, in characters.
pub(super) const PURPOSE_MAX: usize = 500;
/// Cases acknowledged at once.
pub(super) const TOGETHER_MAX: usize = 200;
/// What people may say of a case, beside a note. The rest is the telescopes' to say, and taking
/// back is done in bulk, from a shell.
pub(super) const PEOPLES: [Event; 6] = [
    Event::Acknowledge,
    Event::Notify,
    Event::Clean,
    Event::Resolve,
    Event::Disown,
    Event::Refute,
];

/// `POST /alerts/{id}/step`
pub(super) async fn step(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let wanted = fields.get("event").unwrap_or("");
    let event = PEOPLES.into_iter().find(|event| event.name() == wanted);
    page_or(
        visitor.texts,
        one(&desk, &visitor, &id, (event, &fields)).await,
    )
}

/// `POST /alerts/{id}/note`
pub(super) async fn note(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let event = fields.get("note").map(|_| Event::Note);
    page_or(
        visitor.texts,
        one(&desk, &visitor, &id, (event, &fields)).await,
    )
}

async fn one(
    desk: &Desk,
    visitor: &Visitor,
    id: &str,
    (event, fields): (Option<Event>, &Fields),
) -> Result<Response, Failed> {
    let shown = known(desk, visitor, id).await?;
    let event = event.ok_or(Failed::Wrong)?;
    let note = fields.get("note").unwrap_or("");
    let step: Uuid = fields.whole("step").parse().map_err(|_| Failed::Wrong)?;
    if note.len() > NOTE_MAX {
        return Err(Failed::Wrong);
    }
    let before = desk.store.steps(&[shown.alert.id]).await?;
    if !before.iter().any(|known| known.id == step) {
        take(desk, visitor, &shown, (event, step, note)).await?;
    }
    Ok(on_to(&format!("/alerts/{}", shown.alert.id)))
}

/// Takes one step, and writes it into the audit.
async fn take(
    desk: &Desk,
    visitor: &Visitor,
    shown: &Shown,
    (event, id, note): (Event, Uuid, &str),
) -> Result<(), Failed> {
    let state = shown
        .remedy
        .as_ref()
        .map_or(Remedy::Delivered, |one| one.state);
    state.after(event).map_err(|_| Failed::Moved)?;
    let by = visitor.session.user.author();
    let step = Step {
        case: shown.alert.id,
        id,
        event,
        at: desk.store.wall_time().await?,
        by: by.clone(),
        note: note.to_owned(),
        probability: None,
        partner: shown.alert.partner.clone().unwrap_or_default(),
    };
    desk.store.record_steps(&[step]).await?;
    let action = format!("console {} {}", event.name(), shown.alert.id);
    desk.store.audit(&by, &action, note).await?;
    Ok(())
}

/// `POST /alerts/{id}/purpose`
pub(super) async fn purpose(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response {
    page_or(visitor.texts, allow(&desk, &visitor, &id, &fields).await)
}

async fn allow(
    desk: &Desk,
    visitor: &Visitor,
    id: &str,
    fields: &Fields,
) -> Result<Response, Failed> {
    let shown = known(desk, visitor, id).await?;
    let purpose = fields.get("purpose").unwrap_or("");
    let length = purpose.chars().count();
    if !needs_purpose(visitor, &shown.alert) || !(PURPOSE_MIN..=PURPOSE_MAX).contains(&length) {
        return Err(Failed::Wrong);
    }
    desk.sessions()
        .allow(&visitor.id, shown.alert.id, purpose.to_owned());
    Ok(on_to(&format!("/alerts/{}", shown.alert.id)))
}

/// `POST /shift/acknowledge`
pub(super) async fn acknowledge(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    page_or(visitor.texts, all(&desk, &visitor, &fields).await)
}

/// Those that stand elsewhere by now are left as they are.
async fn all(desk: &Desk, visitor: &Visitor, fields: &Fields) -> Result<Response, Failed> {
    for id in fields.all("case").take(TOGETHER_MAX) {
        let shown = known(desk, visitor, id).await?;
        match take(
            desk,
            visitor,
            &shown,
            (Event::Acknowledge, Uuid::new_v4(), ""),
        )
        .await
        {
            Err(Failed::Moved) | Ok(()) => {}
            Err(failed) => return Err(failed),
        }
    }
    Ok(on_to("/shift"))
}

/// `POST /shift/hand-over`: a note for who comes next, with the name of who leaves.
pub(super) async fn hand_over(
    State(desk): State<Arc<Desk>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let note = fields.get("note").unwrap_or("");
    if note.is_empty() || note.len() > NOTE_MAX {
        return Failed::Wrong.answer(visitor.texts);
    }
    page_or(visitor.texts, leave_note(&desk, &visitor, note).await)
}

/// Writes a note with its digest, and logs that: a log that is kept elsewhere can tell of notes that
/// were all written again.
async fn leave_note(desk: &Desk, visitor: &Visitor, note: &str) -> Result<Response, Failed> {
    let _alone = desk.handing.lock().await;
    let by = visitor.session.user.author();
    let before = desk.store.hand_overs(1).await?;
    let at = desk.store.wall_time().await?;
    let action = hand_over::action(before.first(), at, &by, note);
    desk.store.audit(&by, &action, note).await?;
    tracing::info!(by, action, "a shift was handed over");
    Ok(on_to("/shift"))
}
