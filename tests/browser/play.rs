//! What the console has to show: the play of the demo, and more infected hosts than one page holds, from captures
//! through real sensors, and the alerts that follow.

use std::fs::File;
use std::io::BufWriter;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use noroshi_analyzer::generate::actors::{self, Span};
use noroshi_analyzer::generate::demo::{EVENTS_MILLIS, Play, QUIET_MILLIS, Stage};
use noroshi_analyzer::generate::packet::Tool;
use noroshi_analyzer::generate::pcap;
use noroshi_analyzer::generate::random::Random;
use noroshi_analyzer::run::replay;
use noroshi_analyzer::settings::Settings;
use noroshi_collector::enrich::Tables;
use noroshi_collector::enrich::reload::SharedTables;
use noroshi_collector::run::{Local, Parts};
use noroshi_collector::settings::Settings as CollectorSettings;
use noroshi_proto::id::SensorId;
use noroshi_proto::time::Millis;
use noroshi_store::registry::Registry;
use noroshi_store::store::Store;

use crate::centre::sensor_program;

/// Decides every packet.
const SEED: u64 = 7;
/// Packets per second and telescope address: a calm telescope's.
const RATE: f64 = 0.004;
/// Hosts beside those of the demo: with them a list has a second page.
const HOSTS: u32 = 60;
const MINUTE: u64 = 60_000;

/// When a play has to begin that ends about now.
#[allow(
    clippy::disallowed_methods,
    reason = "pictures are of a centre that receives"
)]
pub fn ending_now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = since.expect("after 1970").as_millis() as u64;
    let begin = now - QUIET_MILLIS - EVENTS_MILLIS;
    Millis(begin / MINUTE * MINUTE)
}

/// Plays from `from` to a collector of the store, and examines what came.
pub async fn perform(store: &Store, registry: &Arc<Registry>, from: Millis) {
    let parts = Parts {
        store: store.clone(),
        registry: Arc::clone(registry),
        tables: SharedTables::new(Tables::of_registry(Arc::clone(registry))),
        metrics: Arc::default(),
    };
    let settings = CollectorSettings::local_replay();
    let collector = Local::start(parts, &settings).await;
    let collector = collector.expect("a collector on a free port");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let address = format!("http://{}", collector.address());
    let play = play(registry, from);
    let mut sensors = Vec::new();
    for (sensor, telescope) in telescopes(registry) {
        let capture = directory.path().join(format!("{sensor}.pcap"));
        let file = File::create(&capture).expect("writable");
        let packets = play.at(telescope);
        pcap::write(packets, &mut BufWriter::new(file)).expect("writable");
        let mut command = replaying(sensor, telescope, &capture);
        let child = command.args(["--to", &address]).spawn();
        sensors.push(child.expect("the sensor starts"));
    }
    for mut sensor in sensors {
        let ended = tokio::task::spawn_blocking(move || sensor.wait());
        let status = ended.await.expect("it waits").expect("it ends");
        assert!(status.success(), "a sensor failed: {status}");
    }
    collector.stop().await.expect("the collector ends");
    let alerts = replay(store, registry, &Settings::default()).await;
    let alerts = alerts.expect("the store answers");
    assert!(alerts.len() > HOSTS as usize, "{} alerts", alerts.len());
}

fn replaying(sensor: &SensorId, telescope: Ipv4Net, capture: &Path) -> Command {
    let mut command = Command::new(sensor_program());
    command.arg("replay").arg(capture);
    command.args(["--sensor", sensor.as_str()]);
    command.args(["--telescope", &telescope.to_string()]);
    command.stdout(std::process::Stdio::null());
    command
}

fn play(registry: &Registry, from: Millis) -> Play {
    let telescopes: Vec<Ipv4Net> = telescopes(registry)
        .map(|(_, telescope)| telescope)
        .collect();
    let claims = registry.partners().iter().flat_map(|one| &one.claims);
    let constituencies: Vec<Ipv4Net> = claims.filter_map(|claim| v4(claim.prefix)).collect();
    let stage = Stage {
        seed: SEED,
        from,
        telescopes: telescopes.clone(),
        constituencies: constituencies.clone(),
        rate: RATE,
    };
    let mut play = stage.play();
    let mut random = Random::new(SEED);
    for number in 0..HOSTS {
        let prefix = constituencies[number as usize % 2]; // the two partners that sign in
        let source = Ipv4Addr::from_bits(prefix.network().to_bits() + 150 + number);
        let span = Span {
            from: Millis(from.0 + QUIET_MILLIS + u64::from(number % 20) * MINUTE),
            lasts: 30 * MINUTE,
            packets: 40 + u64::from(number),
        };
        let heard = (telescopes.as_slice(), &[23, 2_323][..]);
        let packets = actors::scanner(&mut random, span, source, Tool::Mirai, heard);
        play.packets.extend(packets);
    }
    play.packets.sort_unstable();
    play
}

fn telescopes(registry: &Registry) -> impl Iterator<Item = (&SensorId, Ipv4Net)> {
    registry.sensors().iter().flat_map(|sensor| {
        let watched = sensor.watched.iter();
        watched.filter_map(|watched| Some((&sensor.id, v4(watched.prefix)?)))
    })
}

fn v4(prefix: IpNet) -> Option<Ipv4Net> {
    match prefix {
        IpNet::V4(prefix) => Some(prefix),
        IpNet::V6(_) => None,
    }
}
