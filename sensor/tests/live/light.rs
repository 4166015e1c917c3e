//! Space that somebody puts into use: a real client and a real server, of which the sensor sees
//! what reaches the server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use ipnet::IpNet;
use noroshi_proto::loss::Loss;
use noroshi_sensor::config::{KernelFilter, Method};
use noroshi_sensor::darkness::Darkness;
use noroshi_sensor::telescope::Telescope;

use super::wire;
use super::{Sensor, settings, wire as joined};

const SERVER: &str = "127.0.3.17:8080";
const REQUESTS: usize = 6;

/// Answers requests of growing length, each with one byte.
fn serve(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().expect("a client comes");
    for number in 1..=REQUESTS {
        let mut request = vec![0; number * 100];
        stream.read_exact(&mut request).expect("a request");
        stream.write_all(b"!").expect("it is taken");
    }
}

#[test]
fn a_real_conversation_is_recorded_no_further_than_it_takes_to_see_it() {
    let Some(()) = joined() else { return };
    wire::ip(&["link", "set", "lo", "up"]).expect("the namespace's own");
    let telescope: IpNet = "127.0.3.0/24".parse().expect("a prefix");
    let capture = noroshi_sensor::config::Capture {
        interface: "lo".into(),
        ..settings(Method::Ring, KernelFilter::On)
    };
    let mut sensor = Sensor::watching(&capture, &Telescope::new(&[telescope]));
    sensor.sense = sensor.sense.doubting(Darkness::new(Vec::new()));

    let listener = TcpListener::bind(SERVER).expect("the namespace's own");
    thread::scope(|scope| {
        scope.spawn(|| serve(&listener));
        let mut client = TcpStream::connect(SERVER).expect("it listens");
        for number in 1..=REQUESTS {
            client
                .write_all(&vec![0; number * 100])
                .expect("it is taken");
            client.read_exact(&mut [0]).expect("an answer");
        }
    });

    let counters = sensor.counters();
    let lit: IpNet = "127.0.3.16/28".parse().expect("a prefix");
    assert_eq!(sensor.sense.dawns(), [lit]);
    assert_eq!(counters.packets, 0, "nothing of it is kept");
    assert!(counters.losses.of(Loss::Lit) >= 8, "{counters:?}");
    assert_eq!(counters.frames, counters.losses.of(Loss::Lit));
}
