//! One request to another server, and its answer.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::http::response::Parts;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;

use crate::outbound::{Outbound, OutboundError, Stream};

/// What requests say that they come from.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("noroshi/", env!("CARGO_PKG_VERSION")));

/// How much of an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From the first step to the end of the answer.
    pub wait: Duration,
    /// Bytes of its body; what comes after them is not read.
    pub bytes: usize,
}

/// An answer, or its beginning.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its head.
    pub head: Parts,
    /// The beginning of its body.
    pub body: Bytes,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The address.
    #[error("{0} names no server: it begins with https:// and a host")]
    Address(Uri),
    /// The way there.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The conversation.
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// Its size.
    #[error("the answer is larger than {0} bytes")]
    Large(usize),
    /// Its time.
    #[error("no answer within {0:?}")]
    Late(Duration),
}

/// Sends a request, whose address is whole, over a connection of its own, and reads the answer. A
/// redirection is an answer.
///
/// # Errors
/// Why there is none.
pub async fn ask(
    outbound: &Outbound,
    request: Request<Full<Bytes>>,
    patience: Patience,
) -> Result<Answer, AskError> {
    let answered = tokio::time::timeout(patience.wait, converse(outbound, request, patience.bytes));
    answered.await.map_err(|_| AskError::Late(patience.wait))?
}

async fn converse(
    outbound: &Outbound,
    request: Request<Full<Bytes>>,
    bytes: usize,
) -> Result<Answer, AskError> {
    let stream = connect(outbound, request.uri()).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let answer = async move {
        let (head, body) = sender.send_request(of_server(request)).await?.into_parts();
        let (body, is_whole) = beginning(body, bytes).await?;
        let answer = Answer {
            head,
            body,
            is_whole,
        };
        Ok(answer)
    };
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answered = &mut answer => answered,
        ended = connection => {
            ended?;
            answer.await // it may have come with the end of the connection
        }
    }
}

async fn connect(outbound: &Outbound, uri: &Uri) -> Result<Box<dyn Stream>, AskError> {
    let host = uri.host().filter(|host| !host.is_empty());
    match (uri.scheme_str(), host) {
        (Some("http"), Some(host)) => {
            Ok(outbound.plain(host, uri.port_u16().unwrap_or(80)).await?)
        }
        (Some("https"), Some(host)) => {
            Ok(outbound.secure(host, uri.port_u16().unwrap_or(443)).await?)
        }
        _ => Err(AskError::Address(uri.clone())),
    }
}

/// The request as the server itself is told it: its path alone, and its name in `host`.
fn of_server(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let uri = request.uri().clone();
    let name = uri.authority().map_or("", |authority| authority.as_str());
    let name = name.rsplit('@').next().unwrap_or_default();
    if let Ok(name) = HeaderValue::from_str(name) {
        request.headers_mut().insert(HOST, name);
    }
    request.headers_mut().insert(USER_AGENT, AGENT);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().unwrap_or_default();
    request
}

/// So many bytes of a body, and whether those are all.
async fn beginning(mut body: Incoming, bytes: usize) -> Result<(Bytes, bool), AskError> {
    let mut read = Vec::new();
    while read.len() < bytes {
        let Some(frame) = body.frame().await else {
            return Ok((read.into(), true));
        };
        let Ok(data) = frame?.into_data() else {
            continue; // trailers
        };
        let taken = data.len().min(bytes - read.len());
        read.extend_from_slice(&data[..taken]);
        if taken < data.len() {
            return Ok((read.into(), false));
        }
    }
    let is_whole = body.is_end_stream();
    Ok((read.into(), is_whole))
}
