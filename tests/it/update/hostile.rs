//! Sensors that ask the centre for more than is theirs.

use noroshi_collector::clock;
use noroshi_collector::update::rollout::Rollout;
use noroshi_collector::update::shelf::Shelf;
use noroshi_proto::time::Millis;
use noroshi_proto::update::key::SigningKey;
use noroshi_proto::update::target::Target;
use noroshi_proto::update::{Digest, Manifest, Signed};
use noroshi_proto::v1::updates_client::UpdatesClient;
use noroshi_proto::v1::{FetchRequest, FetchResponse, OfferRequest};
use noroshi_sensor::identity::line;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use crate::identity::site::Site;

/// More than the windows of a connection hold: who does not listen keeps it under way.
const PROGRAM_BYTES: usize = 16 * 1024 * 1024;

struct Centre {
    site: Site,
    key: SigningKey,
    shelf: Shelf,
}

impl Centre {
    async fn start() -> Self {
        let key = SigningKey::draw().expect("random numbers");
        let key = SigningKey::read(&key).expect("a key");
        let site = Site::start_with_updates(key.public()).await;
        let shelf = Shelf::new(&site.updates(), &[key.public()]);
        Self { site, key, shelf }
    }

    /// Gives a program of so many bytes to `to`, and its digest to us.
    fn publish(&self, bytes: usize, to: &str) -> Vec<u8> {
        use sha2::Digest as _;

        let program = vec![7; bytes];
        let now = clock::now().seconds() * 1_000;
        let manifest = Manifest {
            version: "0.2.0".parse().expect("a version"),
            target: Target::here(),
            bytes: bytes as u64,
            sha256: Digest(sha2::Sha256::digest(&program).into()),
            issued: Millis(now),
            expires: Millis(now + 3_600_000),
        };
        let path = self.site.machine("program");
        std::fs::write(&path, program).expect("writable");
        let signed = Signed::new(&manifest, &self.key);
        let to: Rollout = to.parse().expect("a rollout");
        let published = self.shelf.publish(&signed, &path, &to, clock::now());
        published.expect("it is right").sha256.0.to_vec()
    }

    /// The service, as the sensor that was enrolled on `machine`.
    async fn client(&self, machine: &str) -> UpdatesClient<Channel> {
        let collector = self.site.collector(machine);
        UpdatesClient::new(line::connect(&collector).await.expect("it is enrolled"))
    }
}

fn question(sensor: &str) -> OfferRequest {
    OfferRequest {
        sensor: sensor.to_owned(),
        target: Target::here().to_string(),
        version: "0.1.0".to_owned(),
        ..OfferRequest::default()
    }
}

fn wish(sensor: &str, sha256: &[u8]) -> FetchRequest {
    FetchRequest {
        sensor: sensor.to_owned(),
        target: Target::here().to_string(),
        sha256: sha256.to_vec(),
    }
}

async fn all_of(mut pieces: Streaming<FetchResponse>) -> Result<usize, Status> {
    let mut bytes = 0;
    while let Some(piece) = pieces.message().await? {
        bytes += piece.piece.len();
    }
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_is_given_what_is_its_own_and_one_file_at_a_time() {
    let centre = Centre::start().await;
    for sensor in ["jp-1", "jp-2"] {
        centre.site.enrolled(sensor).await;
    }
    let sha256 = centre.publish(PROGRAM_BYTES, "jp-1");
    let (mut first, mut second) = (centre.client("jp-1").await, centre.client("jp-2").await);
    let offered = first.offer(question("jp-1")).await.expect("it may");
    assert!(!offered.into_inner().manifest.is_empty());
    let other = second.offer(question("jp-2")).await.expect("it may");
    assert!(
        other.into_inner().manifest.is_empty(),
        "it goes to another first"
    );

    let code = |status: Result<_, Status>| status.map(|_| ()).expect_err("refused").code();
    let forged = second.offer(question("jp-1")).await;
    assert_eq!(code(forged.map(drop)), Code::PermissionDenied);
    let forged = second.fetch(wish("jp-1", &sha256)).await;
    assert_eq!(code(forged.map(drop)), Code::PermissionDenied);
    let early = second.fetch(wish("jp-2", &sha256)).await;
    assert_eq!(code(early.map(drop)), Code::NotFound);
    for wrong in [&[0; 32][..], b"../../identity/authority.pem", b""] {
        let fetched = first.fetch(wish("jp-1", wrong)).await;
        assert_eq!(code(fetched.map(drop)), Code::NotFound);
    }
    for spoil in [
        |asked: &mut OfferRequest| asked.target = "../identity".to_owned(),
        |asked: &mut OfferRequest| asked.version = "newest".to_owned(),
        |asked: &mut OfferRequest| asked.failed_reason = "x".repeat(2_000),
        |asked: &mut OfferRequest| asked.sensor = "../jp-1".to_owned(),
    ] {
        let mut asked = question("jp-1");
        spoil(&mut asked);
        let answered = first.offer(asked).await;
        assert_eq!(code(answered.map(drop)), Code::InvalidArgument);
    }

    let unheard = first.fetch(wish("jp-1", &sha256)).await.expect("it may");
    let twice = centre
        .client("jp-1")
        .await
        .fetch(wish("jp-1", &sha256))
        .await;
    assert_eq!(code(twice.map(drop)), Code::ResourceExhausted);
    let whole = all_of(unheard.into_inner()).await;
    assert_eq!(whole.expect("it comes"), PROGRAM_BYTES);

    centre.site.revoke("jp-1");
    let mut answered = first.offer(question("jp-1")).await;
    while answered.is_ok() {
        answered = first.offer(question("jp-1")).await; // it is looked at four times a second
    }
    assert_eq!(code(answered.map(drop)), Code::PermissionDenied);
    centre
        .site
        .collector
        .stop()
        .await
        .expect("the collector ends");
}
