//! The sensors' side of the wire: a stream each, batches as their intervals end, and what is said to them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use noroshi_analyzer::scenario::{Place, region};
use noroshi_proto::hello::{Hello, Purpose};
use noroshi_proto::id::Epoch;
use noroshi_proto::limits::IN_FLIGHT_MAX;
use noroshi_proto::time::{IntervalLength, Millis};
use noroshi_proto::v1::ingest_client::IngestClient;
use noroshi_proto::v1::push_request::Message as Request;
use noroshi_proto::v1::push_response::Message as Answer;
use noroshi_proto::v1::{PushRequest, PushResponse};
use noroshi_sensor::clock;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::book::{Asked, Book};
use crate::traffic::{Made, Sealed, Traffic, sensors};

/// How long after its end a sensor keeps an interval open: as on an interface.
const SLACK_MILLIS: u64 = 200;
/// Longest the last batches are waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Intervals that are made before they are due.
const AHEAD: usize = 2;

/// What was sent, or what of it was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub batches: u64,
    pub tuples: u64,
    pub packets: u64,
}

impl Sum {
    fn add(&mut self, tuples: u64, packets: u64) {
        self.batches += 1;
        self.tuples += tuples;
        self.packets += packets;
    }

    /// Of two times, or of two sensors.
    pub fn and(self, other: Self) -> Self {
        Self {
            batches: self.batches + other.batches,
            tuples: self.tuples + other.tuples,
            packets: self.packets + other.packets,
        }
    }
}

/// What all sensors sent, and what came back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivered {
    pub sent: Sum,
    pub acknowledged: Sum,
    /// Frames that the sensors say they saw, since the first of all batches.
    pub frames: u64,
}

/// Sends of the traffic what is wanted, each interval when it has ended; hands back the rest.
pub async fn send(
    collector: SocketAddr,
    mut traffic: Traffic,
    is_wanted: fn(&Traffic) -> bool,
    book: &Arc<Book>,
) -> (Delivered, Traffic) {
    let mut lines = Vec::new();
    for (place, sensor) in sensors().iter().enumerate() {
        lines.push(Line::open(collector, (place, sensor), traffic.from, book).await);
    }
    let (ready, mut due) = mpsc::channel::<Made>(AHEAD);
    let making = tokio::task::spawn_blocking(move || {
        while is_wanted(&traffic)
            && let Some(made) = traffic.next()
        {
            ready.blocking_send(made).expect("all of it is sent");
        }
        traffic
    });
    while let Some(made) = due.recv().await {
        let wait = (made.end * 1_000 + SLACK_MILLIS).saturating_sub(clock::now().0);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        for (line, batch) in lines.iter_mut().zip(made.batches) {
            line.push(batch).await;
        }
    }
    let mut delivered = Delivered::default();
    for line in lines {
        line.close(&mut delivered).await;
    }
    (delivered, making.await.expect("it is made"))
}

/// One sensor's stream.
struct Line {
    requests: mpsc::Sender<PushRequest>,
    hearing: JoinHandle<()>,
    desk: Arc<Mutex<Desk>>,
    sent: Sum,
    frames: u64,
}

/// What is under way, and what has arrived.
#[derive(Default)]
struct Desk {
    under_way: HashMap<u64, (Instant, u64, u64)>,
    acknowledged: Sum,
}

impl Line {
    async fn open(
        collector: SocketAddr,
        (place, sensor): (usize, &Place),
        from: u64,
        book: &Arc<Book>,
    ) -> Self {
        let hello = Hello {
            sensor: sensor.sensor.clone(),
            epoch: Epoch(from),
            software_version: "soak".to_owned(),
            interval_length: IntervalLength::DEFAULT,
            telescope: vec![region::telescope(&sensors(), place).into()],
            purpose: Purpose::Live,
            clock: clock::now(),
        };
        let mut client = IngestClient::connect(format!("http://{collector}"))
            .await
            .unwrap();
        let (requests, receiver) = mpsc::channel(IN_FLIGHT_MAX + 1);
        requests
            .send(request(Request::Hello((&hello).into())))
            .await
            .unwrap();
        let answers = client.push(ReceiverStream::new(receiver)).await.unwrap();
        let mut answers = answers.into_inner();
        let first = answers
            .message()
            .await
            .unwrap()
            .and_then(|answer| answer.message);
        assert!(matches!(first, Some(Answer::Welcome(_))), "{first:?}");
        let desk = Arc::default();
        let hearing = tokio::spawn(hear(answers, Arc::clone(&desk), Arc::clone(book)));
        Self {
            requests,
            hearing,
            desk,
            sent: Sum::default(),
            frames: 0,
        }
    }

    async fn push(&mut self, batch: Sealed) {
        self.sent.add(batch.tuples, batch.packets);
        self.frames = batch
            .wire
            .counters
            .as_ref()
            .map_or(0, |counters| counters.frames);
        let now = (Instant::now(), batch.tuples, batch.packets);
        held(&self.desk).under_way.insert(batch.wire.sequence, now);
        // where the stream is gone, who hears says so, and it stays under way
        let _ = self
            .requests
            .send(request(Request::Batch(batch.wire)))
            .await;
    }

    /// Waits for what is under way.
    async fn close(self, delivered: &mut Delivered) {
        let until = Instant::now() + PATIENCE;
        while !held(&self.desk).under_way.is_empty() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(self.requests);
        self.hearing.await.expect("it hears until the end");
        delivered.sent = delivered.sent.and(self.sent);
        delivered.acknowledged = delivered.acknowledged.and(held(&self.desk).acknowledged);
        delivered.frames += self.frames;
    }
}

/// Until the stream ends.
async fn hear(mut answers: Streaming<PushResponse>, desk: Arc<Mutex<Desk>>, book: Arc<Book>) {
    loop {
        let answer = match answers.message().await {
            Ok(Some(answer)) => answer.message,
            Ok(None) => return,
            Err(status) => return book.trouble(format!("a sensor's stream: {status}")),
        };
        let Some(Answer::Ack(ack)) = answer else {
            book.trouble(format!("the collector says {answer:?}"));
            continue;
        };
        let mut desk = held(&desk);
        let Some((sent, tuples, packets)) = desk.under_way.remove(&ack.sequence) else {
            book.trouble(format!("batch {} is acknowledged twice", ack.sequence));
            continue;
        };
        desk.acknowledged.add(tuples, packets);
        book.answered(Asked::Collector, "a batch", sent.elapsed());
    }
}

fn request(message: Request) -> PushRequest {
    PushRequest {
        message: Some(message),
    }
}

fn held(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first second of the next interval but one: until then everybody is there.
pub fn next_interval(now: Millis) -> u64 {
    let length = IntervalLength::DEFAULT;
    now.interval(length).next(length).next(length).start()
}
