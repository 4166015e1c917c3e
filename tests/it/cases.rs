//! The life of a case from a shell, by the real program on a directory of its own.

use std::net::IpAddr;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use noroshi_analyzer::run::replay;
use noroshi_analyzer::settings::Settings;
use noroshi_proto::batch::{Batch, Span};
use noroshi_proto::flow::{Flow, FlowTuple, Marks, OptionLayout, Tally};
use noroshi_proto::id::{BatchId, Epoch, SensorId};
use noroshi_proto::loss::Counters;
use noroshi_proto::sample::{TargetBits, TargetSample};
use noroshi_proto::time::{Interval, IntervalLength, Millis};
use noroshi_proto::traffic::{Traffic, Transport};
use noroshi_store::alert::Kind;
use noroshi_store::append::Admitted;
use noroshi_store::engine::{Engine, EngineConfig};
use noroshi_store::origin::Origin;
use noroshi_store::registry::Registry;
use noroshi_store::retention::Retention;
use noroshi_store::store::{Store, StoreConfig};
use serde_json::Value;

use crate::centre::Centre;
use crate::corpus::{json_lines, noroshi};
use crate::process::run_within;

const SOON: Duration = Duration::from_secs(60);

const REGISTRY: &str = r#"
[[partner]]
id = "th-cert"
name = "ThaiCERT"
country = "TH"
programmes = ["daedalus"]
[[partner.prefix]]
prefix = "203.0.113.0/24"
claim = "verified"
consent = { by = "test", on = 2000-01-01 }

[[sensor]]
id = "s"
partner = "th-cert"
telescope = [{ prefix = "198.18.0.0/24", from = 2000-01-01 }]
"#;

/// Runs `noroshi` with the centre's configuration.
fn run(centre: &Centre, arguments: &[&str]) -> Output {
    let mut command = noroshi();
    command.args(arguments).arg("--config").arg(centre.config());
    run_within(command, SOON).expect("the command ends")
}

/// Its JSON lines; it must end well.
fn lines(centre: &Centre, arguments: &[&str]) -> Vec<Value> {
    let output = run(centre, &[arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    json_lines(&output)
}

/// What it says when it fails.
fn refusal(centre: &Centre, arguments: &[&str]) -> String {
    let output = run(centre, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The store of a centre that no command uses at the moment.
async fn with_store<T>(centre: &Centre, work: impl AsyncFnOnce(&Store) -> T) -> T {
    let engine = Engine::start(EngineConfig::new(centre.beside("data")))
        .await
        .expect("the engine starts");
    let config = StoreConfig {
        endpoint: engine.endpoint().clone(),
        cluster: None,
        retention: Retention::default(),
    };
    let store = Store::open(&config).await.expect("the store opens");
    let result = work(&store).await;
    store.close().await;
    engine.stop().await;
    result
}

async fn now(centre: &Centre) -> Millis {
    with_store(centre, async |store| store.wall_time().await)
        .await
        .expect("the store has a clock")
}

/// A log of three lines: a partner's, nobody's, and nonsense.
async fn sinkhole_log(centre: &Centre) -> String {
    let hour_ago = Millis(now(centre).await.0 - 3_600_000);
    let log = centre.beside("contacts.csv");
    let text = format!(
        "address,time,port\n203.0.113.7,{hour_ago},40123\n8.8.8.8,{hour_ago},1\n\
         nonsense,{hour_ago},1\n"
    );
    std::fs::write(&log, text).expect("writable");
    log.to_str().expect("a temporary path is text").to_owned()
}

fn import(log: &str) -> [&str; 7] {
    [
        "import",
        "sinkhole",
        log,
        "--purpose",
        "order 17",
        "--by",
        "anan",
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_sinkholes_log_is_accounted_for() {
    let centre = Centre::new(REGISTRY, "");
    let log = sinkhole_log(&centre).await;
    let output = run(&centre, &[&import(&log)[..], &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let bad = "contacts.csv:4: `nonsense` is no address";
    assert!(stderr.contains(bad), "{stderr}");
    let summary = &json_lines(&output)[0]["summary"];
    assert_eq!(
        (&summary["lines"], &summary["noticed"]),
        (&3.into(), &1.into())
    );
    assert_eq!(summary["discarded"]["nobody"], 1, "{summary}");
    let again = lines(&centre, &import(&log));
    assert_eq!(again[0]["summary"]["known"], 1, "{again:?}");
    assert!(
        lines(&centre, &["alerts", "tally"]).is_empty(),
        "imports are no statistic"
    );
    let listed = lines(&centre, &["alerts", "list"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["reason_code"], "sinkhole");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_work_on_a_case_and_the_audit_knows() {
    let centre = Centre::new(REGISTRY, "");
    let log = sinkhole_log(&centre).await;
    lines(&centre, &import(&log));
    let listed = lines(&centre, &["alerts", "list"]);
    let id = listed[0]["id"].as_str().expect("an id");
    let ack = lines(
        &centre,
        &["alerts", "ack", id, "--by", "anan", "--note", "mine"],
    );
    assert_eq!(ack[0]["remedy"]["state"], "acknowledged");
    let refused = refusal(&centre, &["alerts", "ack", id]);
    assert!(refused.contains("the case is acknowledged"), "{refused}");
    assert!(refused.contains("possible are: notified"), "{refused}");
    let nobody = refusal(&centre, &["alerts", "note", id]);
    assert!(nobody.contains("--note TEXT"), "{nobody}");
    for (verb, state) in [
        ("notified", "notified"),
        ("cleaning", "cleaning"),
        ("resolve", "resolved"),
        ("false-positive", "false_positive"),
        ("not-ours", "not_ours"),
    ] {
        let shown = lines(&centre, &["alerts", verb, id]);
        assert_eq!(shown[0]["remedy"]["state"], state);
    }
    let shown = lines(&centre, &["alerts", "show", id]);
    let history = shown[0]["history"].as_array().expect("a list");
    assert_eq!(history.len(), 7, "an import and six steps: {history:?}");
    assert_eq!(history[0]["note"], "order 17");
    assert_eq!(history[1]["by"], "operator:anan");
    let audit = "SELECT action, purpose FROM audit ORDER BY at";
    let audit = with_store(&centre, async |store| {
        let rows = store.client().query(audit).fetch_all::<(String, String)>();
        rows.await.expect("the audit is readable")
    });
    let audit = audit.await;
    assert_eq!(audit.len(), 7, "an import and six steps: {audit:?}");
    assert_eq!(audit[0].1, "order 17");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_work_while_the_centre_is_up() {
    let local = "[collector]\nlisten = \"127.0.0.1:0\"\n[feeds]\nlisten = \"127.0.0.1:0\"\n";
    let centre = Centre::new(REGISTRY, local);
    let log = sinkhole_log(&centre).await;
    let mut up = noroshi();
    up.args(["up", "--config"])
        .arg(centre.config())
        .stdin(Stdio::null());
    let announced = centre.beside("data/engine.json");
    assert!(!announced.exists(), "no engine runs yet");
    let mut up = up.spawn().expect("the centre starts");
    while !announced.exists() {
        assert!(
            up.try_wait().expect("it can be waited for").is_none(),
            "it ended"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    lines(&centre, &import(&log));
    let listed = lines(&centre, &["alerts", "list"]);
    let id = listed[0]["id"].as_str().expect("an id");
    std::thread::scope(|scope| {
        scope.spawn(|| lines(&centre, &["alerts", "cleaning", id]));
        scope.spawn(|| lines(&centre, &["alerts", "note", id, "--note", "ticket 4711"]));
    });
    let shown = lines(&centre, &["alerts", "show", id]);
    assert_eq!(shown[0]["remedy"]["state"], "cleaning");
    let history = shown[0]["history"].as_array().expect("a list");
    assert_eq!(history.len(), 3, "an import and both steps: {history:?}");
    let ended = up.try_wait().expect("it can be waited for");
    assert!(ended.is_none(), "the centre ended: {ended:?}");
    let pid = i32::try_from(up.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it lives");
    let status = up.wait().expect("it can be waited for");
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_needs_a_choice_and_a_reason() {
    let centre = Centre::new(REGISTRY, "");
    let log = sinkhole_log(&centre).await;
    lines(&centre, &import(&log));
    let all = refusal(&centre, &["alerts", "withdraw", "--reason", "x"]);
    assert!(all.contains("name --id"), "{all}");
    let bulk = ["alerts", "withdraw", "--kind", "infected_host"];
    assert_eq!(
        run(&centre, &bulk).status.code(),
        Some(2),
        "without a reason"
    );
    let dry = lines(&centre, &[&bulk[..], &["--dry-run"]].concat());
    assert_eq!(dry[1]["summary"]["matching"], 1);
    let open = lines(&centre, &["alerts", "list"]);
    assert_eq!(open.len(), 1, "a dry run changes nothing");
    let done = lines(&centre, &[&bulk[..], &["--reason", "wrong log"]].concat());
    assert_eq!(done[1]["summary"]["withdrawn"], 1);
    assert!(lines(&centre, &["alerts", "list"]).is_empty());
    let all = lines(&centre, &["alerts", "list", "--all"]);
    assert_eq!(all[0]["state"], "withdrawn");
    assert_eq!(all[0]["remedy"]["reason"], "wrong log");
}

#[test]
fn maintenance_is_for_known_sensors_and_has_an_end() {
    let centre = Centre::new(REGISTRY, "");
    let add = |sensor: &'static str, from: &'static str, to: &'static str| {
        ["maintenance", "add", sensor, "--from", from, "--to", to]
    };
    let unknown = refusal(&centre, &add("x", "2126-11-02", "2126-11-03"));
    assert!(
        unknown.contains("not in the registry, which has: s"),
        "{unknown}"
    );
    let backwards = refusal(&centre, &add("s", "2126-11-03", "2126-11-02"));
    assert!(backwards.contains("is not before"), "{backwards}");
    let long = refusal(&centre, &add("s", "2126-11-03", "2127-11-02"));
    assert!(long.contains("more than 31 days"), "{long}");
    let output = run(&centre, &add("s", "tomorrow", "2126-11-02"));
    assert_eq!(output.status.code(), Some(2));
    let added = lines(&centre, &add("s", "2126-11-02T06:00Z", "2126-11-02T08:00Z"));
    let listed = lines(&centre, &["maintenance", "list"]);
    assert_eq!(added, listed);
    assert_eq!(listed[0]["from"], "2126-11-02T06:00:00.000Z");
    let id = listed[0]["id"].as_str().expect("an id");
    let ended = lines(&centre, &["maintenance", "end", id]);
    assert_eq!(ended[0]["to"], ended[0]["from"], "it never begins");
}

/// 2 November 2026, 06:00:00 UTC.
const MORNING: u64 = 1_793_599_200;

/// A bot that asks five targets in each of 30 intervals.
fn bot() -> Admitted {
    let source: IpAddr = "203.0.113.7".parse().expect("an address");
    let spans = (0..30).map(|number: u64| {
        let at = MORNING + number * 10;
        let targets: Vec<u32> = (0..5).map(|one| one * 40 + number as u32).collect();
        let flow = Flow {
            tuple: FlowTuple {
                source,
                traffic: Traffic::ScanSyn,
                transport: Transport::Tcp { service_port: 23 },
            },
            tally: Tally {
                packets: 5,
                bytes: 200,
                first: Millis(at * 1000),
                last: Millis(at * 1000 + 900),
                targets: 5,
                sample: TargetSample::new(targets, 16),
                source_port: 40_123,
                ttl_min: 50,
                ttl_max: 50,
                window: 14_600,
                options: OptionLayout::None,
                marks: Marks {
                    syns: 5,
                    mirai: 5,
                    ..Marks::default()
                },
            },
        };
        Span::Active {
            interval: Interval(at),
            flows: vec![flow],
        }
    });
    let spans: Vec<Span> = spans.collect();
    let origins = spans.iter().map(|_| Arc::new(Origin::default())).collect();
    let batch = Batch {
        id: BatchId {
            sensor: SensorId::new("s").expect("an id"),
            epoch: Epoch(1),
            sequence: 0,
        },
        interval_length: IntervalLength::DEFAULT,
        spans,
        complete_through: MORNING + 300,
        telescope_addresses: 256,
        target_bits: TargetBits::Sixteen,
        counters: Counters::default(),
    };
    Admitted {
        batch,
        checksum: 1,
        origins,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_compares_settings_and_writes_nothing() {
    let centre = Centre::new(REGISTRY, "[retention]\nflow_tuples = 0\nbatch_ledger = 0\n");
    let kept = with_store(&centre, async |store| store.append(bot()).await);
    kept.await.expect("it is kept");
    let period = ["backtest", "--from", "2026-11-02", "--to", "2026-11-03"];
    let tested = lines(&centre, &period);
    assert_eq!(tested[0]["kind"], "infected_host", "{tested:?}");
    let summary = &tested[tested.len() - 1]["summary"];
    assert_eq!(summary["kinds"]["infected_host"], 1, "{summary}");

    let bolder = centre.beside("bolder.toml");
    let settings = "registry = \"registry.toml\"\n[analyzer.hosts]\ntargets_min = 200\n\
                    targets_published = 200\n";
    std::fs::write(&bolder, settings).expect("writable");
    let against = [
        "--against",
        bolder.to_str().expect("a temporary path is text"),
    ];
    let compared = lines(&centre, &[&period[..], &against[..]].concat());
    let only = compared.iter().filter(|line| line["only"] == "config");
    assert!(only.count() >= 1, "{compared:?}");
    let summary = &compared[compared.len() - 1]["summary"];
    assert_eq!(summary["only_against"], 0, "{summary}");
    assert!(lines(&centre, &["alerts", "list", "--all"]).is_empty());
    let nothing = refusal(
        &centre,
        &["backtest", "--from", "2020-01-01", "--to", "2020-01-02"],
    );
    assert!(nothing.contains("nothing is stored"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_sensor_saw_is_taken_back_in_bulk() {
    let centre = Centre::new(REGISTRY, "[retention]\nflow_tuples = 0\nbatch_ledger = 0\n");
    let registry = Registry::parse("registry.toml", REGISTRY).expect("a registry");
    let found = with_store(&centre, async |store| {
        store.append(bot()).await.expect("it is kept");
        replay(store, &registry, &Settings::default()).await
    });
    let found = found.await.expect("it is replayed");
    let infected = found.iter().find(|alert| alert.kind == Kind::InfectedHost);
    let id = infected.expect("a bot").id.to_string();
    let shown = lines(&centre, &["alerts", "show", &id]);
    let days = shown[0]["observations"].as_array().expect("a list");
    assert_eq!(days.len(), 1, "{shown:?}");
    assert_eq!(
        (&days[0]["day"], &days[0]["sensors"][0]),
        (&"2026-11-02".into(), &"s".into())
    );

    let withdraw = |sensor: &'static str, day: &'static str| {
        [
            "alerts",
            "withdraw",
            "--sensor",
            sensor,
            "--from",
            day,
            "--reason",
            "broken clock",
        ]
    };
    for nothing in [withdraw("other", "2026-11-02"), withdraw("s", "2026-11-03")] {
        assert_eq!(lines(&centre, &nothing)[0]["summary"]["withdrawn"], 0);
    }
    let done = lines(&centre, &withdraw("s", "2026-11-02"));
    let summary = &done[done.len() - 1]["summary"];
    assert_eq!(summary["withdrawn"], found.len(), "{done:?}");
    let again = lines(&centre, &withdraw("s", "2026-11-02"));
    assert_eq!(again[0]["summary"]["withdrawn"], 0, "once");
    let tally = lines(&centre, &["alerts", "tally", "--from", "2026-11-02"]);
    let infected = tally.iter().find(|line| line["kind"] == "infected_host");
    assert_eq!(infected.expect("a line")["false_alerts"], 1, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_wait_is_a_line_per_network() {
    let centre = Centre::new(REGISTRY, "[retention]\nflow_tuples = 0\nbatch_ledger = 0\n");
    let registry = Registry::parse("registry.toml", REGISTRY).expect("a registry");
    let mut scanner = bot();
    for span in &mut scanner.batch.spans {
        if let Span::Active { flows, .. } = span {
            flows[0].tally.marks.mirai = 0;
        }
    }
    let found = with_store(&centre, async |store| {
        store.append(scanner).await.expect("it is kept");
        replay(store, &registry, &Settings::default()).await
    });
    found.await.expect("it is replayed");
    let of_day = |from: &'static str, to: &'static str| {
        lines(&centre, &["alerts", "digest", "--from", from, "--to", to])
    };
    let digest = of_day("2026-11-02", "2026-11-03");
    assert_eq!(digest.len(), 1, "{digest:?}");
    assert_eq!(digest[0]["network"], "203.0.113.0/24");
    assert_eq!(digest[0]["kind"], "scanning_host");
    assert_eq!(digest[0]["cases"], 1);
    assert!(of_day("2026-11-03", "2026-11-04").is_empty());
}
