//! kill -9 of the deliverer, a process of its own, again and again: nothing stays undelivered, and
//! what comes twice comes with the same id and the same words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use noroshi_feeds::channel::Settings;
use noroshi_feeds::deliver;
use noroshi_store::engine::Endpoint;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};

use super::sinks;
use super::site::{Site, alert, registry, webhook_to};

/// Kills. As many cases: no more than go out as single messages within an hour.
const ROUNDS: usize = 20;
/// How a process learns that it is the deliverer: a file that says where the store is.
const TASK: &str = "NOROSHI_CRASH_DELIVERER";

#[tokio::test]
async fn killing_the_deliverer_loses_nothing_and_repeats_only_with_the_same_id() {
    let site = Site::open().await;
    let posts = sinks::webhook(sinks::ok, None).await;
    let lines = sinks::syslog(None).await;
    let north = format!(
        "{}[partner.syslog]\naddress = \"127.0.0.1:{}\"\ntls = false\n",
        webhook_to(posts.port),
        lines.port
    );
    // Both channels begin here, so that every case is theirs to tell.
    site.push(&north, "").await.end().await;
    let task = task_of(&site, &north);
    for round in 0..ROUNDS {
        site.record(alert(round as u128 + 1, "th-cert"), 1).await;
        let before = posts.inbox.all().len();
        let mut deliverer = start(&task);
        match round % 2 {
            // When it has just posted and cannot have noted it yet.
            0 => drop(posts.inbox.wait_for(before + 1).await),
            // At any moment: starting, reading, planning, sending.
            _ => tokio::time::sleep(Duration::from_millis(300 + 173 * round as u64 % 1_700)).await,
        }
        deliverer.kill().expect("it can be killed"); // SIGKILL
        deliverer.wait().expect("it can be waited for");
    }
    let mut deliverer = start(&task);
    let undelivered = "SELECT count() FROM deliveries FINAL WHERE state != 'delivered'";
    let delivered = "SELECT count() FROM deliveries FINAL WHERE state = 'delivered'";
    site.comes_to(delivered, 2 * ROUNDS as u64).await;
    deliverer.kill().expect("it can be killed");
    deliverer.wait().expect("it can be waited for");
    assert_eq!(site.number(undelivered).await, 0);

    let posted = posts.inbox.all();
    let mut words: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in &posted {
        words.entry(one.id()).or_default().insert(&one.body);
    }
    println!(
        "{} posts, {} of them again",
        posted.len(),
        posted.len() - words.len()
    );
    assert_eq!(words.len(), ROUNDS, "one id a case");
    assert!(
        words.values().all(|bodies| bodies.len() == 1),
        "one id, one body"
    );
    assert!(
        posted.len() > ROUNDS,
        "some kill must fall between the post and its note"
    );
    let distinct: BTreeSet<String> = lines.inbox.all().into_iter().collect();
    assert_eq!(
        distinct.len(),
        ROUNDS,
        "one line a case, the same at each attempt"
    );
}

/// The file that tells a process where the store is, beside the registry.
fn task_of(site: &Site, north: &str) -> PathBuf {
    let task = site.path().join("task.json");
    let endpoint = site.endpoint();
    let told = [
        &endpoint.url,
        &endpoint.user,
        &endpoint.password,
        &endpoint.database,
    ];
    std::fs::write(&task, serde_json::to_string(&told).expect("JSON")).expect("a file");
    std::fs::write(site.path().join("registry.toml"), registry(north, "")).expect("a file");
    task
}

fn start(task: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program has a path"))
        .args([
            "--exact",
            "push::crash::deliverer_process",
            "--ignored",
            "--nocapture",
        ])
        .env(TASK, task)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the deliverer starts")
}

/// The process that is killed. Not a test: `start` runs it by its name.
#[test]
#[ignore = "the deliverer of the crash test"]
#[allow(clippy::disallowed_methods, reason = "how it learns its task")]
fn deliverer_process() {
    let Ok(task) = std::env::var(TASK) else {
        return println!("this is run by the crash test");
    };
    let task = Path::new(&task);
    let told = std::fs::read_to_string(task).expect("the task");
    let [url, user, password, database] = serde_json::from_str(&told).expect("where the store is");
    let config = StoreConfig {
        endpoint: Endpoint {
            url,
            user,
            password,
            database,
        },
        cluster: None,
        retention: Retention::forever(),
    };
    let registry = Registry::load(&task.with_file_name("registry.toml")).expect("a registry");
    let settings = Settings {
        allow_private: vec!["127.0.0.0/8".parse().expect("a prefix")],
        ..Settings::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&config).await.expect("the store opens");
        let ended = deliver::run(
            &settings,
            store,
            &registry,
            &std::sync::Arc::default(),
            std::future::pending(),
        )
        .await;
        ended.expect("it is killed before it ends");
    });
}
