//! Webhooks, to receivers on this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use noroshi_feeds::push::run::{Push, Settings};
use noroshi_store::cases::ChangeCursor;
use noroshi_store::registry::Registry;
use noroshi_store::remedy::Event;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::desk::Desk;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a receiver was told, by message.
#[derive(Clone, Default)]
struct Told {
    bodies: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    /// What it answers next; 200 when nothing is left.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Told {
    fn messages(&self) -> BTreeMap<String, Vec<String>> {
        self.bodies.lock().unwrap().clone()
    }

    async fn until(&self, messages: usize) -> BTreeMap<String, Vec<String>> {
        for _ in 0..200 {
            let told = self.messages();
            if told.len() >= messages {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "{messages} messages do not come within twenty seconds: {:?}",
            self.messages()
        );
    }
}

async fn take(State(told): State<Told>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    };
    assert!(
        header("webhook-signature").starts_with("v1,"),
        "{headers:?}"
    );
    let id = header("webhook-id").to_owned();
    let body = String::from_utf8(body.to_vec()).expect("text");
    told.bodies
        .lock()
        .unwrap()
        .entry(id)
        .or_default()
        .push(body);
    let answer = told.answers.lock().unwrap().pop().unwrap_or(200);
    StatusCode::from_u16(answer).expect("a status")
}

/// A receiver, and its address.
async fn receiver() -> (Told, String) {
    let told = Told::default();
    let router = Router::new()
        .route("/hook", post(take))
        .with_state(told.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (told, url)
}

fn registry(hooks: &[(&str, &str)]) -> Registry {
    let mut text = String::new();
    for (partner, country) in [("th-cert", "TH"), ("my-cert", "MY")] {
        text +=
            &format!("[[partner]]\nid = \"{partner}\"\nname = \"x\"\ncountry = \"{country}\"\n");
        for (number, (_, url)) in hooks.iter().filter(|(of, _)| *of == partner).enumerate() {
            text += &format!(
                "[[partner.webhook]]\nname = \"soc-{number}\"\nurl = \"{url}\"\nsecret_file = \"secret\"\n"
            );
        }
    }
    Registry::parse("registry.toml", &text).expect("a registry")
}

/// Pushing, until dropped or ended.
struct Pushing {
    _base: tempfile::TempDir,
    stop: watch::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Pushing {
    fn start(desk: &Desk, registry: &Registry) -> Self {
        let base = tempfile::tempdir().expect("a directory");
        std::fs::write(base.path().join("secret"), SECRET).expect("it is written");
        let settings = Settings {
            base: base.path().to_owned(),
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        };
        let push = Push::open(&settings, &desk.store, registry, "https://feeds.example");
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(push.expect("it opens").run(stopped));
        Self {
            _base: base,
            stop,
            task,
        }
    }

    async fn end(self) {
        drop(self.stop);
        self.task.await.expect("it does not panic");
    }
}

/// From the beginning, so that tests need not wait for a first start.
async fn from_the_beginning(desk: &Desk) {
    let begin = desk.store.set_feed_cursor("push", ChangeCursor::default());
    begin.await.expect("the store answers");
}

#[tokio::test]
async fn each_partners_machine_is_told_of_its_own() {
    let desk = Desk::open().await;
    from_the_beginning(&desk).await;
    let ((north, north_url), (south, south_url)) = (receiver().await, receiver().await);
    let registry = registry(&[("th-cert", &north_url), ("my-cert", &south_url)]);
    let pushing = Pushing::start(&desk, &registry);
    desk.record(1, 1, Some("th-cert")).await;
    desk.record(2, 1, Some("my-cert")).await;
    desk.record(3, 1, None).await;
    let told = north.until(1).await;
    let bodies: Vec<&String> = told.values().flatten().collect();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].contains("alert.opened"), "{bodies:?}");
    assert!(bodies[0].contains("000000000001"), "{bodies:?}");
    assert!(!bodies[0].contains("203.0.113.7"), "thin: {bodies:?}");
    desk.record(1, 2, Some("th-cert")).await; // seen again: nothing to tell
    desk.step(1, "th-cert", Event::Withdraw).await;
    let told = north.until(2).await;
    assert!(
        told.values()
            .flatten()
            .any(|body| body.contains("alert.withdrawn")),
        "{told:?}"
    );
    let told = south.until(1).await;
    assert!(
        told.values()
            .flatten()
            .all(|body| body.contains("000000000002")),
        "{told:?}"
    );
    pushing.end().await;
    assert_eq!((north.messages().len(), south.messages().len()), (2, 1));
    desk.close().await;
}

#[tokio::test]
async fn what_is_not_taken_comes_again_under_its_id_and_keeps_nobody_else_waiting() {
    let desk = Desk::open().await;
    from_the_beginning(&desk).await;
    let ((slow, slow_url), (quick, quick_url)) = (receiver().await, receiver().await);
    let hanging = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hanging_url = format!("http://{}/", hanging.local_addr().expect("an address"));
    let registry = registry(&[
        ("th-cert", &slow_url),
        ("th-cert", &hanging_url),
        ("my-cert", &quick_url),
    ]);
    slow.answers.lock().unwrap().push(503);
    let pushing = Pushing::start(&desk, &registry);
    desk.record(1, 1, Some("th-cert")).await;
    desk.record(2, 1, Some("my-cert")).await;
    quick.until(1).await;
    slow.until(1).await;
    for _ in 0..200 {
        if slow.messages().values().all(|bodies| bodies.len() == 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = slow.messages();
    let bodies = told.values().next().expect("one message");
    assert_eq!((told.len(), bodies.len()), (1, 2), "{told:?}");
    assert_eq!(bodies[0], bodies[1]);
    pushing.end().await;
    desk.close().await;
}

#[tokio::test]
async fn who_is_gone_is_not_called_again_and_the_operator_can_ask() {
    let desk = Desk::open().await;
    from_the_beginning(&desk).await;
    let (gone, url) = receiver().await;
    gone.answers.lock().unwrap().push(410);
    let pushing = Pushing::start(&desk, &registry(&[("th-cert", &url)]));
    desk.record(1, 1, Some("th-cert")).await;
    gone.until(1).await;
    let mut troubled = Vec::new();
    for _ in 0..100 {
        let since = noroshi_proto::time::Millis(0);
        troubled = desk
            .store
            .troubled_feeds(3, since)
            .await
            .expect("an answer");
        if !troubled.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((troubled.len(), troubled[0].failed), (1, 1));
    assert!(troubled[0].error.starts_with("410"), "{troubled:?}");
    pushing.end().await;
    desk.close().await;
}

/// Twenty times broken off anywhere: in planning, between sending and keeping, while looking.
#[tokio::test]
async fn broken_off_again_and_again_everything_arrives_and_repeats_have_one_id() {
    const ROUNDS: u128 = 20;
    let desk = Desk::open().await;
    from_the_beginning(&desk).await;
    let (told, url) = receiver().await;
    let registry = registry(&[("th-cert", &url)]);
    // Below what becomes a digest, which would come within the hour only.
    for number in 1..=ROUNDS {
        let pushing = Pushing::start(&desk, &registry);
        desk.record(number, 1, Some("th-cert")).await;
        let long = Duration::from_millis(50 + 137 * (number as u64 % 11));
        tokio::time::sleep(long).await;
        pushing.task.abort();
    }
    let pushing = Pushing::start(&desk, &registry);
    let messages = told.until(ROUNDS as usize).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    pushing.end().await;
    assert_eq!(
        told.messages().len(),
        ROUNDS as usize,
        "one id for each case"
    );
    for bodies in messages.values() {
        assert!(bodies.windows(2).all(|two| two[0] == two[1]), "{bodies:?}");
    }
    desk.close().await;
}

#[tokio::test]
async fn the_centres_own_network_is_not_called() {
    let desk = Desk::open().await;
    from_the_beginning(&desk).await;
    let (told, url) = receiver().await;
    let base = tempfile::tempdir().expect("a directory");
    std::fs::write(base.path().join("secret"), SECRET).expect("it is written");
    let settings = Settings {
        base: base.path().to_owned(),
        allowed: Vec::new(),
    };
    let registry = registry(&[("th-cert", &url)]);
    let push = Push::open(&settings, &desk.store, &registry, "https://feeds.example");
    let (stop, stopped) = watch::channel(());
    let task = tokio::spawn(push.expect("it opens").run(stopped));
    desk.record(1, 1, Some("th-cert")).await;
    let partner = noroshi_store::origin::PartnerId::new("th-cert").expect("a name");
    let mut why = String::new();
    for _ in 0..200 {
        let all = (
            noroshi_proto::time::Millis(0),
            noroshi_proto::time::Millis(1 << 42),
        );
        let own = (&partner, "webhook:soc-0");
        let waiting = noroshi_store::deliveries::Progress::Waiting;
        let found = desk
            .store
            .deliveries(own, waiting, all, 10)
            .await
            .expect("an answer");
        if let Some(tried) = found.iter().find(|one| one.attempt > 0) {
            why.clone_from(&tried.error);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(why.contains("which is not public"), "{why}");
    assert!(told.messages().is_empty());
    drop(stop);
    task.await.expect("it does not panic");
    desk.close().await;
}
