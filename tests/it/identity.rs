//! Who sensors are, over real sockets: enrolled, renewed, revoked, and whoever only says so.

mod programs;
pub mod site;

use std::time::Duration;

use noroshi_collector::admit::allowance::Rates;
use noroshi_collector::clock;
use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::time::Millis;
use noroshi_proto::v1::ingest_client::IngestClient;
use noroshi_proto::v1::push_request::Message;
use noroshi_proto::v1::{Batch, Hello, Purpose, PushRequest, PushResponse};
use noroshi_sensor::config::collector::Collector;
use noroshi_sensor::identity::{Identity, IdentityFiles, line};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

use self::site::{Operator, Site};
use crate::delivery::sensor::{Sensor, url};

/// A stopped stream ends its sensor by this.
const REVOKED: &str = "was revoked at";

fn certificate(site: &Site, machine: &str) -> SensorCertificate {
    let files = IdentityFiles::Enrolled(site.machine(machine));
    Identity::load(&files).expect("it is enrolled").certificate
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolled_sensor_delivers_until_it_is_revoked_and_again_once_it_is_enrolled_again() {
    let site = Site::start().await;
    let collector = site.enrolled("jp-1").await;
    let mut sensor = Sensor::start_with("jp-1", collector.clone());
    sensor.watch(50);
    sensor.drained().await;
    assert_eq!(site.packets().await, 50);
    let said = site.store.hellos().await.expect("the store answers");
    assert_eq!(
        said.keys().collect::<Vec<_>>(),
        ["jp-1"],
        "what it said is kept"
    );

    site.revoke("jp-1");
    let (error, _) = sensor.refused().await; // the open stream ends by itself
    assert!(error.contains(REVOKED), "{error}");
    let mut again = Sensor::start_with("jp-1", collector);
    again.watch(7);
    let (error, left) = again.refused().await;
    assert!(error.contains(REVOKED) && left == 1, "{error}");
    assert_eq!(site.packets().await, 50);

    let collector = site.enrolled("jp-1").await;
    let mut back = Sensor::start_with("jp-1", collector);
    back.watch(5);
    back.finish().await;
    assert_eq!(site.packets().await, 55);
    site.collector.stop().await.expect("the collector ends");
}

/// Its certificates live six seconds, and its packets arrive for longer than that.
#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_renews_its_certificate_by_itself_and_goes_on_with_it() {
    let site = Site::start_with(6_000, Rates::UNLIMITED).await;
    let collector = site.enrolled("jp-1").await;
    let first = certificate(&site, "jp-1");
    let mut sensor = Sensor::start_with("jp-1", collector);
    let (mut packets, mut renewals, mut last) = (0, 0, first.clone());
    while renewals < 2 {
        sensor.watch(3);
        packets += 3;
        sensor.drained().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = certificate(&site, "jp-1");
        renewals += u32::from(now != last);
        last = now;
    }
    while clock::now() <= first.valid.end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sensor.watch(3);
    sensor.finish().await; // by a connection that the first certificate cannot have opened
    assert_eq!(site.packets().await, packets + 3);
    site.collector.stop().await.expect("the collector ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_once_in_its_time_and_for_its_sensor() {
    let site = Site::start().await;
    let refused = async |sensor: &str, token| {
        let enrolled = site.enrol(sensor, &token, "elsewhere").await;
        enrolled.expect_err("it is refused").to_string()
    };
    let token = site.token("jp-1");
    let other = refused("jp-2", token.clone()).await;
    assert!(other.contains("not for sensor jp-2"), "{other}");
    site.enrol("jp-1", &token, "jp-1").await.expect("in time");
    let twice = refused("jp-1", token).await;
    assert!(twice.contains("it was used"), "{twice}");

    let late = site.token_until("jp-1", Millis(clock::now().0 - 1));
    let late = refused("jp-1", late).await;
    assert!(late.contains("expired at"), "{late}");

    let mut guessed = site.token("jp-1");
    guessed.secret[0] ^= 1;
    let guessed = refused("jp-1", guessed).await;
    assert!(guessed.contains("not known"), "{guessed}");

    let stranger = refused("nobody", site.token("jp-1")).await;
    assert!(
        stranger.contains("not in the centre's registry"),
        "{stranger}"
    );
}

/// Whoever answers in the collector's place is told no secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_to_its_centre_alone() {
    let (site, impostor) = (Site::start().await, Site::start().await);
    let token = site.token("jp-1");
    let told = impostor.enrol("jp-1", &token, "jp-1").await;
    let told = told.expect_err("it is another centre").to_string();
    assert!(told.contains("of another authority"), "{told}");
    site.enrol("jp-1", &token, "jp-1").await.expect("unused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_speaks_for_itself_alone() {
    let site = Site::start().await;
    let collector = site.enrolled("jp-1").await;
    let mut honest = Sensor::start_with("jp-1", collector.clone());
    honest.watch(10);
    honest.drained().await;
    let mut forged = Sensor::start_with("jp-2", collector);
    forged.watch(10);
    let (error, left) = forged.refused().await;
    assert!(error.contains("it is sensor jp-1's"), "{error}");
    assert_eq!(left, 1);
    honest.watch(1);
    honest.finish().await;
    assert_eq!(site.packets().await, 11);
}

/// What a sensor hears that connects so and is not let in.
async fn trouble(collector: Collector) -> String {
    let mut sensor = Sensor::start_with("jp-1", collector);
    sensor.watch(10);
    sensor.trouble().await
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_another_authority_are_worth_nothing_on_either_side() {
    let (site, operator) = (Site::start().await, Operator::new());
    site.enrolled("jp-1").await;
    let own = site.machine("jp-1").join("authority.pem");
    let forged = trouble(site.collector_by(&operator.sensor("jp-1", &own))).await;
    assert!(
        forged.contains("does not take this sensor's certificate"),
        "{forged}"
    );
    let elsewhere = trouble(site.collector_by(&operator.sensor("jp-1", &operator.ca()))).await;
    assert!(elsewhere.contains("of another authority"), "{elsewhere}");
    assert_eq!(site.packets().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_there_is_nothing_to_say() {
    let site = Site::start().await;
    let told = trouble(site.collector("nowhere")).await;
    assert!(told.contains("this sensor is not enrolled"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_plain_text_say_what_is_wrong_with_each_other() {
    let (site, plain) = (Site::start().await, Site::start_plain().await);
    site.enrolled("jp-1").await;
    let files = IdentityFiles::Enrolled(site.machine("jp-1"));
    let to_plain = trouble(plain.collector_by(&files)).await;
    assert!(
        to_plain.contains("does not speak TLS on this port"),
        "{to_plain}"
    );
    let to_tls = trouble(url(site.address())).await;
    assert!(to_tls.contains("https://"), "{to_tls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_brings_its_own_authority_and_revokes_all_the_same() {
    let operator = Operator::new();
    let site = Site::start_brought(&operator).await;
    let files = operator.sensor("jp-1", &operator.ca());
    let collector = site.collector_by(&files);
    let mut sensor = Sensor::start_with("jp-1", collector);
    sensor.watch(10);
    sensor.drained().await;
    site.revoke("jp-1");
    let (error, _) = sensor.refused().await;
    assert!(error.contains(REVOKED), "{error}");
    assert_eq!(site.packets().await, 10);
}

/// Connections that say nothing or garbage, and a sensor that opens more streams than it may,
/// claims to be another, sends bombs, and listens to no answer: whoever is honest delivers.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_misbehaves_harms_nobody_else() {
    let site = Site::start().await;
    let mut open = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(site.address()).await.expect("a port");
        if number % 2 == 0 {
            stream.write_all(&[0xff; 512]).await.expect("it is read");
        }
        open.push(stream);
    }
    let hostile = site.enrolled("jp-2").await;
    let mut unheard = Vec::new();
    for number in 0..12 {
        unheard.push(Unheard::open(&hostile, number).await);
    }
    let mut honest = Sensor::start_with("jp-1", site.enrolled("jp-1").await);
    for _ in 0..40 {
        honest.watch(20);
    }
    honest.finish().await;
    assert_eq!(site.packets().await, 800);
    for mut stream in open.into_iter().step_by(2) {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await; // garbage is not listened to for long
    }
    drop(unheard);
}

/// A stream of a hostile sensor.
struct Unheard {
    _requests: mpsc::Sender<PushRequest>,
    _answers: Result<Response<Streaming<PushResponse>>, Status>,
}

impl Unheard {
    /// Says hello, then what nobody can store, and reads nothing of what it is told.
    async fn open(collector: &Collector, number: u64) -> Self {
        let channel = line::connect(collector).await.expect("it is enrolled");
        let (requests, receiver) = mpsc::channel(64);
        let hello = Hello {
            sensor: "jp-2".to_owned(),
            epoch: number,
            software_version: "0".to_owned(),
            interval_seconds: 10,
            telescope: vec!["198.18.1.0/24".to_owned()],
            purpose: Purpose::Live.into(),
            clock_ms: clock::now().0,
        };
        let send = |message| {
            let message = Some(message);
            requests.try_send(PushRequest { message }).expect("room");
        };
        send(Message::Hello(hello));
        for sequence in 0..63 {
            send(Message::Batch(Batch {
                sensor: ["jp-1", "jp-2"][sequence % 2].to_owned(),
                epoch: number,
                sequence: sequence as u64,
                spans: vec![0xaa; 1 << 14],
                spans_bytes: [u32::MAX, 1 << 20][sequence / 2 % 2],
                ..Batch::default()
            }));
        }
        let mut client = IngestClient::new(channel);
        let answers = client.push(ReceiverStream::new(receiver)).await;
        Self {
            _requests: requests,
            _answers: answers,
        }
    }
}

/// Nothing is refused and nothing is lost: it waits in the sensor's own spool, and nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_that_sends_more_than_its_rate_waits_alone() {
    let site = Site::start_with(3_600_000, Rates::per_second(1)).await;
    let mut busy = Sensor::start_with("jp-1", site.enrolled("jp-1").await);
    for _ in 0..11 {
        busy.watch(10_000); // so many flow tuples: together more than it may send at once
    }
    busy.drained().await;
    busy.watch(10);
    let mut quiet = Sensor::start_with("jp-2", site.enrolled("jp-2").await);
    quiet.watch(30);
    quiet.finish().await;
    assert_eq!(site.packets().await, 110_030);
    assert_eq!(busy.stop().await, 1, "what waits is kept");
}
