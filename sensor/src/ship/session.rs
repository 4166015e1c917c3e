//! One connection to the collector, from hello to its end.

use std::collections::HashMap;
use std::time::Duration;

use noroshi_proto::answer::{Ack, Refused};
use noroshi_proto::hello::{Hello, Welcome};
use noroshi_proto::id::Epoch;
use noroshi_proto::limits::{IN_FLIGHT_MAX, MESSAGE_BYTES_MAX};
use noroshi_proto::refusal::{Refusal, Remedy};
use noroshi_proto::v1::ingest_client::IngestClient;
use noroshi_proto::v1::push_request::Message as Request;
use noroshi_proto::v1::push_response::Message as Answer;
use noroshi_proto::v1::{self, PushRequest, PushResponse};
use prost::Message;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::lanes::Lanes;
use super::queue::Queue;
use super::{CONNECT_TIMEOUT, IN_FLIGHT_BYTES_MAX, Phase, Settings, ShipError, Shipped, deadline};
use crate::clock;
use crate::identity::line::{self, verdict};

/// For the answer to a batch: longer than any insert of the store.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// How a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// Everything is answered, or time is up.
    Finished,
    /// The collector does not want this sensor.
    Stopped(Refusal),
    /// It may work later; this is what happened.
    Later(String),
}

/// One attempt.
pub struct Session<'a> {
    settings: &'a Settings,
    queue: &'a Queue,
    shipped: &'a mut Shipped,
    in_flight: HashMap<(Epoch, u64), Flying>,
    in_flight_bytes: usize,
    /// When something was sent or answered, while something is unanswered.
    waiting_since: Instant,
}

struct Flying {
    position: u64,
    bytes: usize,
}

impl<'a> Session<'a> {
    /// Not connected yet.
    pub fn new(settings: &'a Settings, queue: &'a Queue, shipped: &'a mut Shipped) -> Self {
        Self {
            settings,
            queue,
            shipped,
            in_flight: HashMap::new(),
            in_flight_bytes: 0,
            waiting_since: Instant::now(),
        }
    }

    /// Connects and ships until something ends it.
    ///
    /// # Errors
    /// The spool fails; everything else is an [`Ended`].
    pub async fn run(mut self, phase: &mut watch::Receiver<Phase>) -> Result<Ended, ShipError> {
        let (requests, receiver) = mpsc::channel(IN_FLIGHT_MAX + 1);
        let connecting = timeout(CONNECT_TIMEOUT, connect(self.settings, &requests, receiver));
        let mut asked = phase.clone();
        let connected = tokio::select! {
            connected = connecting => connected,
            () = out_of_time(&mut asked) => return Ok(Ended::Finished),
        };
        let (mut answers, welcome) = match connected {
            Ok(Ok(connected)) => connected,
            Ok(Err(ended)) => return Ok(ended),
            Err(_) => return Ok(later("no answer to the hello")),
        };
        tracing::info!(collector = %self.settings.collector, "connected");
        let mut lanes = self.queue.with_spool(|spool| {
            spool.reconcile(&welcome.held, clock::now().seconds())?;
            Ok::<_, ShipError>(Lanes::new(self.settings.order, spool))
        })?;
        loop {
            self.send(&mut lanes, &requests)?;
            let now = *phase.borrow_and_update();
            if now != Phase::Running
                && self.in_flight.is_empty()
                && self.queue.with_spool(|spool| spool.is_drained())
            {
                return Ok(Ended::Finished);
            }
            let stalled = self.waiting_since + ANSWER_TIMEOUT;
            tokio::select! {
                answer = answers.message() => {
                    if let Some(ended) = self.hear(answer)? {
                        return Ok(ended);
                    }
                }
                () = self.queue.pushed() => {}
                changed = phase.changed() => if changed.is_err() {
                    return Ok(Ended::Finished);
                },
                () = deadline(now) => return Ok(Ended::Finished),
                () = sleep_until(stalled), if !self.in_flight.is_empty() => {
                    return Ok(later("batches stay unanswered"));
                }
            }
        }
    }

    /// Sends what waits, as far as the limits allow.
    fn send(
        &mut self,
        lanes: &mut Lanes,
        requests: &mpsc::Sender<PushRequest>,
    ) -> Result<(), ShipError> {
        while self.in_flight.len() < IN_FLIGHT_MAX && self.in_flight_bytes < IN_FLIGHT_BYTES_MAX {
            let Some(record) = self.queue.with_spool(|spool| lanes.next(spool))? else {
                break;
            };
            let bytes = record.parcel.bytes.len();
            let Ok(batch) = v1::Batch::decode(record.parcel.bytes.as_slice()) else {
                // Its checksums are right, so it was written by a version that spoke otherwise.
                self.give_up(record.position)?;
                continue;
            };
            let request = PushRequest {
                message: Some(Request::Batch(batch)),
            };
            if requests.try_send(request).is_err() {
                break; // the stream is gone, and the answers will say so
            }
            if self.in_flight.is_empty() {
                self.waiting_since = Instant::now();
            }
            let key = (record.parcel.epoch, record.parcel.sequence);
            self.in_flight.insert(
                key,
                Flying {
                    position: record.position,
                    bytes,
                },
            );
            self.in_flight_bytes += bytes;
        }
        Ok(())
    }

    /// Acts on what the collector said; gives the end, if it is one.
    fn hear(
        &mut self,
        answer: Result<Option<PushResponse>, tonic::Status>,
    ) -> Result<Option<Ended>, ShipError> {
        let answer = match answer {
            Ok(Some(answer)) => answer.message,
            Ok(None) => return Ok(Some(later("the collector closed the stream"))),
            Err(status) => return Ok(Some(later(&verdict(&status)))),
        };
        self.waiting_since = Instant::now();
        match answer {
            Some(Answer::Ack(ack)) => {
                let ack = Ack::from(ack);
                let Some(flying) = self.landed((ack.epoch, ack.sequence)) else {
                    return Ok(Some(later(
                        "an acknowledgement of a batch that was not sent",
                    )));
                };
                self.shipped.acknowledged += 1;
                self.queue.acknowledge(flying.position, clock::now())?;
                Ok(None)
            }
            Some(Answer::Refusal(refusal)) => self.refused(refusal),
            Some(Answer::Welcome(_)) | None => Ok(Some(later("an answer to no question"))),
        }
    }

    fn refused(&mut self, refusal: v1::Refusal) -> Result<Option<Ended>, ShipError> {
        let Refused {
            batch: Some(key),
            refusal,
        } = (match Refused::try_from(refusal.clone()) {
            Ok(refused) => refused,
            Err(error) => return Ok(Some(later(&format!("a refusal that is {error}")))),
        })
        else {
            return Ok(Some(refused_stream(refusal)));
        };
        let Some(flying) = self.landed(key) else {
            return Ok(Some(later("a refusal of a batch that was not sent")));
        };
        match refusal.remedy() {
            Remedy::Stop => Ok(Some(Ended::Stopped(refusal))),
            Remedy::RetryLater => Ok(Some(Ended::Later(refusal.to_string()))),
            Remedy::DropAndCount => {
                tracing::error!(epoch = %key.0, sequence = key.1, %refusal, "batch refused for good");
                self.give_up(flying.position)?;
                Ok(None)
            }
        }
    }

    fn give_up(&mut self, position: u64) -> Result<(), ShipError> {
        self.shipped.refused += 1;
        let now = clock::now().seconds();
        Ok(self
            .queue
            .with_spool(|spool| spool.give_up(position, now))?)
    }

    fn landed(&mut self, key: (Epoch, u64)) -> Option<Flying> {
        let flying = self.in_flight.remove(&key)?;
        self.in_flight_bytes -= flying.bytes;
        Some(flying)
    }
}

/// A stream on which the hello was said and the welcome heard.
pub async fn connect(
    settings: &Settings,
    requests: &mpsc::Sender<PushRequest>,
    receiver: mpsc::Receiver<PushRequest>,
) -> Result<(Streaming<PushResponse>, Welcome), Ended> {
    let channel = line::connect(&settings.collector).await;
    let channel = channel.map_err(|error| later(&error.to_string()))?;
    let hello = Hello {
        clock: clock::now(),
        ..settings.hello.clone()
    };
    let hello = PushRequest {
        message: Some(Request::Hello((&hello).into())),
    };
    requests
        .try_send(hello)
        .map_err(|_| later("the hello found no room"))?;
    let mut client = IngestClient::new(channel)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let silent = |status| later(&(verdict(&status) + line::hint(&settings.collector)));
    let answers = client.push(ReceiverStream::new(receiver)).await;
    let mut answers = answers.map_err(silent)?.into_inner();
    let first = answers.message().await.map_err(silent)?;
    match first.and_then(|first| first.message) {
        Some(Answer::Welcome(welcome)) => Welcome::try_from(welcome)
            .map(|welcome| (answers, welcome))
            .map_err(|error| later(&format!("the welcome is {error}"))),
        Some(Answer::Refusal(refusal)) => Err(refused_stream(refusal)),
        Some(Answer::Ack(_)) => Err(later("an acknowledgement before the welcome")),
        None => Err(later("the collector closed the stream")),
    }
}

fn later(reason: &str) -> Ended {
    Ended::Later(reason.to_owned())
}

/// The stream itself was refused: nothing would be different with the next hello, unless the
/// collector says that it might.
fn refused_stream(refusal: v1::Refusal) -> Ended {
    match Refused::try_from(refusal) {
        Ok(Refused { refusal, .. }) if refusal.remedy() == Remedy::RetryLater => {
            Ended::Later(refusal.to_string())
        }
        Ok(Refused { refusal, .. }) => Ended::Stopped(refusal),
        Err(error) => later(&format!("a refusal that is {error}")),
    }
}

/// Resolves when a finishing phase has no time left.
async fn out_of_time(phase: &mut watch::Receiver<Phase>) {
    loop {
        let now = *phase.borrow_and_update();
        tokio::select! {
            () = deadline(now) => return,
            changed = phase.changed() => if changed.is_err() { return },
        }
    }
}
