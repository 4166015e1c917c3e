//! The engine's HTTP face: what the official `clickhouse` client speaks, and no more.
//!
//! # Promises
//! - Nothing is run before a request has arrived as a whole: a body that ends without its last
//!   chunk or short of its `Content-Length` changes nothing.
//! - Everything is bounded: connections, requests at work, bytes of one body and of all bodies.
//!   What goes beyond is refused by name, so that the client tries again.
//! - Only a client that knows the password is answered, `/ping` apart.

mod answer;
pub(super) mod frames;
mod multipart;
mod request;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use self::answer::{Answer, Answered};
use self::request::Work;
use super::execute::{Database, Next, Session, Written};
use super::statement::Failure;

/// Connections at a time; more wait in the listener's queue.
const CONNECTIONS_MAX: usize = 512;
/// Requests at work in the engine at a time; more wait, as many as there are connections.
const REQUESTS_MAX: usize = 32;
/// Bytes of one body, as sent.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of all bodies being received or at work.
const BODIES_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// What bodies are counted in; semaphores count in `u32`.
const BODY_UNIT_BYTES: usize = 4096;
/// Units of room that a body takes at a time.
const ROOM_STEP: u32 = 16;
/// Bytes set aside for a body before any of it has come.
const FIRST_BYTES_MAX: usize = 1024 * 1024;
/// Pieces of an answer that wait for a slow reader.
const PIECES_MAX: usize = 4;
/// Time for a request's header to arrive. Between requests a connection may rest.
const HEADER_TIME_MAX: Duration = Duration::from_secs(30);
/// Time for requests at work when the engine is told to end.
const GRACE: Duration = Duration::from_secs(20);

/// The credentials a client must show.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

struct Door {
    database: Arc<Database>,
    credentials: Credentials,
    /// `Basic …`, as HTTP says user and password.
    basic: String,
    requests: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Every request has its answer.
    Quietly,
    /// Requests are still at work.
    AtWork,
}

/// Serves until `stop` becomes true, then lets the requests at work end.
pub(super) async fn serve(
    listener: TcpListener,
    database: Arc<Database>,
    credentials: Credentials,
    mut stop: watch::Receiver<bool>,
) -> Ended {
    let pair = format!("{}:{}", credentials.user, credentials.password);
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    let door = Arc::new(Door {
        database,
        credentials,
        basic: format!("Basic {pair}"),
        requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
        bodies: Arc::new(Semaphore::new(BODIES_BYTES_MAX / BODY_UNIT_BYTES)),
    });
    let mut connections = JoinSet::new();
    while !*stop.borrow() {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection(stream, Arc::clone(&door), stop.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the engine was not accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
    }
    drop(listener);
    let ended = tokio::time::timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
        // A request whose client went away may still be at work.
        let _ = door.requests.acquire_many(REQUESTS_MAX as u32).await;
    });
    match ended.await {
        Ok(()) => Ended::Quietly,
        Err(_) => Ended::AtWork,
    }
}

async fn connection(stream: TcpStream, door: Arc<Door>, mut stop: watch::Receiver<bool>) {
    // Small answers leave at once; where that cannot be set they leave a little later.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(Arc::clone(&door), request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = async { drop(stop.wait_for(|stop| *stop).await) } => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the engine broke off");
    }
}

async fn answer(door: Arc<Door>, request: Request<Incoming>) -> Answered {
    if request.uri().path() == "/ping" {
        return Ok(answer::alive());
    }
    if !door.admits(request.headers()) {
        return Ok(answer::refused(
            StatusCode::UNAUTHORIZED,
            516,
            "AUTHENTICATION_FAILED",
            "Authentication failed: engine.json holds the user and the password",
        ));
    }
    if request.uri().path() != "/" {
        return Ok(answer::refused(
            StatusCode::NOT_FOUND,
            48,
            "NOT_IMPLEMENTED",
            "There is nothing at this path: statements go to /",
        ));
    }
    let (head, body) = request.into_parts();
    let (body, room) = match receive(&door.bodies, &head.headers, body).await {
        Ok(received) => received,
        Err(refusal) => return Ok(*refusal),
    };
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let url_query = head.uri.query().unwrap_or_default();
    match request::read(&head.method, url_query, content_type, body) {
        Ok(work) => Ok(door.work(work, room).await),
        Err(failure) => Ok(answer::failed(&failure)),
    }
}

/// Room that a body takes, given back when its request has ended.
type Room = Option<OwnedSemaphorePermit>;

/// Receives a body as a whole.
async fn receive(
    bodies: &Arc<Semaphore>,
    headers: &HeaderMap,
    mut body: Incoming,
) -> Result<(Vec<u8>, Room), Box<Response<Answer>>> {
    let declared: Option<usize> = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|declared| declared > BODY_BYTES_MAX) {
        return Err(Box::new(too_large()));
    }
    let mut whole = Vec::with_capacity(declared.unwrap_or(0).min(FIRST_BYTES_MAX));
    let mut room = Room::None;
    let mut held = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Box::new(broke_off(&error)))?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers
        };
        if whole.len() + data.len() > BODY_BYTES_MAX {
            return Err(Box::new(too_large()));
        }
        while held < whole.len() + data.len() {
            let Ok(more) = Arc::clone(bodies).try_acquire_many_owned(ROOM_STEP) else {
                return Err(Box::new(answer::refused(
                    StatusCode::SERVICE_UNAVAILABLE,
                    202,
                    "TOO_MANY_SIMULTANEOUS_QUERIES",
                    "Bodies of 1 GiB are at work already: send it again later",
                )));
            };
            held += ROOM_STEP as usize * BODY_UNIT_BYTES;
            match room.as_mut() {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole, room))
}

fn too_large() -> Response<Answer> {
    answer::refused(
        StatusCode::PAYLOAD_TOO_LARGE,
        241,
        "MEMORY_LIMIT_EXCEEDED",
        "The body is larger than 256 MiB: send it in parts",
    )
}

fn broke_off(error: &hyper::Error) -> Response<Answer> {
    answer::refused(
        StatusCode::BAD_REQUEST,
        210,
        "NETWORK_ERROR",
        &format!("The request broke off, nothing was changed: {error}"),
    )
}

impl Door {
    fn admits(&self, headers: &HeaderMap) -> bool {
        let shown = |name: &str| headers.get(name).map(hyper::header::HeaderValue::as_bytes);
        if let Some(basic) = headers.get(AUTHORIZATION) {
            return same(basic.as_bytes(), self.basic.as_bytes());
        }
        let user = shown("x-clickhouse-user").unwrap_or_default();
        let password = shown("x-clickhouse-key").unwrap_or_default();
        same(user, self.credentials.user.as_bytes())
            && same(password, self.credentials.password.as_bytes())
    }

    async fn work(&self, work: Work, room: Room) -> Response<Answer> {
        let Ok(permit) = Arc::clone(&self.requests).acquire_owned().await else {
            return answer::failed(&Failure::new("the engine is ending"));
        };
        let database = Arc::clone(&self.database);
        match work {
            Work::Insert {
                session,
                statement,
                format,
                rows,
            } => {
                let inserting = tokio::task::spawn_blocking(move || {
                    let _held = (permit, room);
                    database.insert(&session, &statement, &format, &rows)
                });
                match inserting.await {
                    Ok(Ok(rows)) => answer::written(rows),
                    Ok(Err(failure)) => answer::failed(&failure),
                    Err(error) => answer::failed(&Failure::new(error.to_string())),
                }
            }
            Work::Run {
                session,
                sql,
                format,
            } => {
                let (start, started) = oneshot::channel();
                let kind = format.clone();
                // Not joined here: it outlives this answer's head, holds its permit, and
                // `serve` waits for the permits.
                tokio::task::spawn_blocking(move || {
                    let _held = (permit, room);
                    run(&database, &session, (&sql, &format), start);
                });
                match started.await {
                    Ok(Ok(Started::Pieces(pieces))) => answer::pieces(&kind, pieces),
                    Ok(Ok(Started::Ended(rows))) => answer::written(rows),
                    Ok(Err(failure)) => answer::failed(&failure),
                    Err(_) => answer::failed(&Failure::new("the engine gave no answer")),
                }
            }
        }
    }
}

/// How a statement's answer begins.
enum Started {
    Pieces(mpsc::Receiver<Result<Bytes, Failure>>),
    /// Without an answer.
    Ended(Written),
}

/// Runs a statement; its answer's first piece decides between an answer and an error.
fn run(
    database: &Database,
    session: &Session,
    (sql, format): (&[u8], &str),
    start: oneshot::Sender<Result<Started, Failure>>,
) {
    let mut start = Some(start);
    let mut pieces: Option<mpsc::Sender<Result<Bytes, Failure>>> = None;
    let outcome = database.run(session, sql, format, &mut |piece| {
        if piece.is_empty() {
            return Next::More;
        }
        if let Some(start) = start.take() {
            let (sender, receiver) = mpsc::channel(PIECES_MAX);
            pieces = Some(sender);
            if start.send(Ok(Started::Pieces(receiver))).is_err() {
                return Next::Stop;
            }
        }
        match pieces
            .as_ref()
            .map(|pieces| pieces.blocking_send(Ok(piece)))
        {
            Some(Ok(())) => Next::More,
            _ => Next::Stop,
        }
    });
    match (outcome, start, pieces) {
        // The client may have gone away; then nobody is told.
        (Ok(written), Some(start), _) => drop(start.send(Ok(Started::Ended(written)))),
        (Err(failure), Some(start), _) => drop(start.send(Err(failure))),
        (Err(failure), None, Some(pieces)) => drop(pieces.blocking_send(Err(failure))),
        (_, None, _) => {}
    }
}

/// Compares without telling by time where they differ.
fn same(shown: &[u8], expected: &[u8]) -> bool {
    let differences = shown
        .iter()
        .zip(expected)
        .fold(0, |differences, (a, b)| differences | (a ^ b));
    shown.len() == expected.len() && differences == 0
}
