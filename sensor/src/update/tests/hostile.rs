//! A centre that does its worst, over a real socket: no sensor ever takes anything of it.

use std::net::SocketAddr;
use std::time::Duration;

use noroshi_proto::id::{Epoch, SensorId};
use noroshi_proto::limits::UPDATE_CHUNK_BYTES;
use noroshi_proto::v1::updates_server::{Updates, UpdatesServer};
use noroshi_proto::v1::{FetchRequest, FetchResponse, OfferRequest, OfferResponse};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};

use super::*;
use crate::config::Config;
use crate::config::collector::Collector;
use crate::run::ship_settings;
use crate::update::fetch::{FetchError, Patience, Source};
use crate::update::keep::{KeepError, Keeper};

/// What it sends for a file.
#[derive(Clone, Copy, Debug)]
enum Sends {
    /// These bytes over and over.
    Endless(&'static [u8]),
    /// These bytes, then nothing, with the stream open.
    Hanging(&'static [u8]),
    /// These bytes, and the end.
    Whole(&'static [u8]),
}

struct Hostile {
    offers: Vec<u8>,
    sends: Sends,
}

#[tonic::async_trait]
impl Updates for Hostile {
    type FetchStream = ReceiverStream<Result<FetchResponse, Status>>;

    async fn offer(
        &self,
        _request: Request<OfferRequest>,
    ) -> Result<Response<OfferResponse>, Status> {
        let manifest = self.offers.clone();
        Ok(Response::new(OfferResponse { manifest }))
    }

    async fn fetch(
        &self,
        _request: Request<FetchRequest>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        let (give, take) = mpsc::channel(1);
        let sends = self.sends;
        tokio::spawn(async move {
            let (Sends::Endless(piece) | Sends::Hanging(piece) | Sends::Whole(piece)) = sends;
            let response = || {
                let piece = piece.to_vec();
                Ok(FetchResponse { piece })
            };
            let mut heard = give.send(response()).await;
            while heard.is_ok() && matches!(sends, Sends::Endless(_)) {
                heard = give.send(response()).await;
            }
            if matches!(sends, Sends::Hanging(_)) {
                give.closed().await;
            }
        });
        Ok(Response::new(ReceiverStream::new(take)))
    }
}

/// Where it listens; it goes on until the test ends.
async fn centre(offers: Vec<u8>, sends: Sends) -> (Collector, JoinHandle<()>) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = listener.await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder()
        .add_service(UpdatesServer::new(Hostile { offers, sends }))
        .serve_with_incoming(TcpListenerStream::new(listener));
    let serving = tokio::spawn(async move { server.await.unwrap() });
    (Collector::parse(&url).unwrap(), serving)
}

fn keeper(author: &Author, collector: Collector) -> Keeper {
    let text = format!(
        "sensor = \"jp-1\"\ncollector = \"{collector}\"\ninterface = \"tap\"\n\
         telescope = [\"198.18.0.0/24\"]\nsalt_file = \"salt\"\nspool.path = \"spool\"\n"
    );
    let config = Config::parse(&text, author.directory()).unwrap();
    let (_, shipping) = watch::channel(ship_settings(&config, &config.telescope.ever(), Epoch(1)));
    Keeper {
        settings: Settings {
            keys: vec![author.key.public()],
            directory: author.directory().to_owned(),
            every: Duration::from_secs(60),
            trial: Duration::from_secs(60),
        },
        shipping,
        sensor: SensorId::new("jp-1").unwrap(),
        started: Started {
            config: author.directory().join("sensor.toml"),
            version: version("0.1.0"),
        },
    }
}

/// Nothing runs next but what ran before, and no file is left of it.
fn assert_unharmed(author: &Author) {
    let mut state = author.state();
    assert_eq!(state.start(version("0.1.0")), Choice::Installed);
    assert_eq!(state.failed, None, "a right file may still come");
    assert!(!author.directory().join("releases").exists());
}

#[tokio::test]
async fn what_nobody_signed_is_not_even_fetched() {
    let author = Author::new();
    let (forged, _) = Author::new().sign(b"x", "0.2.0");
    let (one, _) = author.sign(b"x", "0.2.0");
    let (other, _) = author.sign(b"y", "0.3.0");
    let (one, other) = (one.to_bytes(), other.to_bytes());
    let mixed = [&one[..139], &other[139..]].concat(); // the signature of one, and the other
    for offers in [
        forged.to_bytes(),
        one[..100].to_vec(),
        vec![b'x'; 4_000],
        mixed,
    ] {
        let (collector, _serving) = centre(offers, Sends::Whole(b"x")).await;
        let asked = keeper(&author, collector).ask().await;
        let believed = matches!(asked, Err(KeepError::Fetch(FetchError::NotBelieved(_))));
        assert!(believed, "{asked:?}");
    }
    assert_eq!(author.state(), State::default());
    assert_unharmed(&author);
}

#[tokio::test]
async fn a_message_larger_than_any_is_not_read() {
    let author = Author::new();
    let huge = vec![0; 2 * UPDATE_CHUNK_BYTES];
    let (collector, _serving) = centre(huge, Sends::Whole(b"x")).await;
    let asked = keeper(&author, collector).ask().await;
    assert!(
        matches!(asked, Err(KeepError::Fetch(FetchError::Refused(_)))),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_file_that_is_not_the_signed_one_is_given_up() {
    let author = Author::new();
    let program = b"#!/bin/sh\nexit 0\n";
    for sends in [
        Sends::Whole(b"#!/bin/sh\nexit 1\n"),
        Sends::Whole(b"#!/bin/sh\n"),
        Sends::Whole(b""),
        Sends::Endless(program),
        Sends::Endless(&[0; UPDATE_CHUNK_BYTES]),
    ] {
        let (signed, _) = author.sign(program, "0.2.0");
        let (collector, _serving) = centre(signed.to_bytes(), sends).await;
        let asked = keeper(&author, collector).ask().await;
        let release = matches!(asked, Err(KeepError::Fetch(FetchError::Release(_))));
        assert!(release, "{sends:?}: {asked:?}");
        assert_unharmed(&author);
    }
}

/// A trickle that keeps every single wait short ends by the whole one.
#[tokio::test]
async fn a_file_that_comes_too_slowly_is_given_up() {
    let author = Author::new();
    let (signed, manifest) = author.sign(b"never all of it", "0.2.0");
    let short = Duration::from_millis(200);
    let long = Duration::from_secs(600);
    for (sends, piece, whole) in [
        (Sends::Hanging(b"never"), short, long),
        (Sends::Hanging(b"never"), long, short),
        (Sends::Endless(b""), long, short),
    ] {
        let (collector, _serving) = centre(signed.to_bytes(), sends).await;
        let sensor = SensorId::new("jp-1").unwrap();
        let source = Source::connect(&collector, &sensor, &Target::here()).await;
        let mut source = source.unwrap();
        let (what, releases) = ((&signed, &manifest), author.releases());
        let fetched = source
            .fetch(what, &releases, Patience { piece, whole })
            .await;
        assert!(
            matches!(fetched, Err(FetchError::Slow(_))),
            "{sends:?}: {fetched:?}"
        );
        assert_unharmed(&author);
    }
}

/// The right file by the right key, and it does not work here: it is never asked for again.
#[tokio::test]
async fn what_fails_its_test_is_not_started_and_not_fetched_again() {
    let author = Author::new();
    let (signed, _) = author.sign(b"#!/bin/sh\nexit 1\n", "0.2.0");
    let sends = Sends::Whole(b"#!/bin/sh\nexit 1\n");
    let (collector, _serving) = centre(signed.to_bytes(), sends).await;
    let keeper = keeper(&author, collector);
    let asked = keeper.ask().await;
    assert!(
        matches!(asked, Err(KeepError::SelfTest { .. })),
        "{asked:?}"
    );
    let mut state = author.state();
    assert_eq!(state.start(version("0.1.0")), Choice::Installed);
    assert!(author.program("0.2.0").is_err());
    let again = keeper.ask().await;
    assert!(
        matches!(again, Err(KeepError::Refused(Refused::FailedHere { .. }))),
        "{again:?}"
    );
}

#[tokio::test]
async fn the_right_file_is_tried_next() {
    let author = Author::new();
    let program = b"#!/bin/sh\ntest \"$1\" = check || echo noroshi-sensor 0.2.0\n";
    let (signed, _) = author.sign(program, "0.2.0");
    let (collector, _serving) = centre(signed.to_bytes(), Sends::Whole(program)).await;
    let asked = keeper(&author, collector).ask().await;
    assert_eq!(asked.expect("it is taken"), Some(version("0.2.0")));
    let mut state = author.state();
    assert_eq!(
        state.start(version("0.1.0")),
        Choice::Trial(version("0.2.0"))
    );
}

/// Whoever holds back everything is noticed once what was signed last has expired.
#[tokio::test]
async fn nothing_is_offered_and_nothing_happens() {
    let author = Author::new();
    let (collector, _serving) = centre(Vec::new(), Sends::Whole(b"")).await;
    let asked = keeper(&author, collector).ask().await;
    assert_eq!(asked.expect("an answer"), None);
    assert_unharmed(&author);
}
