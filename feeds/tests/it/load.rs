//! Clients that want nothing, take for ever or make no sense keep nobody else waiting.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use uuid::Uuid;

use super::desk::{Desk, NORTH, SOUTH, alert};

/// More than one address on a network may hold: what comes from this machine is a proxy's.
const IDLE: usize = 200;
/// Answers that one client asks for and does not read: more than its connection holds.
const UNREAD: usize = 20;

/// Asks for much, and reads a byte of it.
async fn reads_slowly(address: SocketAddr) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small one");
    let mut stream = socket.connect(address).await.expect("the port is open");
    let request = format!(
        "GET /v1/alerts.jsonl?limit=1000 HTTP/1.1\r\nhost: feeds\r\nauthorization: Bearer {NORTH}\r\n\r\n"
    );
    let requests = request.repeat(UNREAD);
    let sent = stream.write_all(requests.as_bytes()).await;
    sent.expect("it takes the requests");
    stream.read_u8().await.expect("it answers");
    stream
}

/// Sends each of these on a connection of its own; what is not answered is closed.
fn make_no_sense(address: SocketAddr) {
    let endless = [b'A'; 64 * 1024];
    let pieces: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\xff\0\xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/alerts.jsonl HT",
        b"POST /v1/alerts/x/remedy HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        &endless,
    ];
    for piece in pieces {
        let mut stream = TcpStream::connect(address).expect("the port is open");
        let _ = stream.write_all(piece); // it may be closed before all of it is sent
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_is_answered_among_slow_and_senseless_clients() {
    let desk = Desk::open().await;
    let norths = (1..=1_000).map(|number| (alert(number, 1, Some("th-cert")), 1));
    desk.record_all(norths.collect()).await;
    let souths = [2_001, 2_002, 2_003];
    for number in souths {
        desk.record(number, 1, Some("my-cert")).await;
    }
    desk.shows_to("my-cert", souths.len()).await;
    let address = desk.address;
    let slow = reads_slowly(address).await;
    let senseless = tokio::task::spawn_blocking(move || make_no_sense(address));
    let idle: Vec<TcpStream> = (0..IDLE)
        .map(|_| TcpStream::connect(address).expect("the port is open"))
        .collect();
    let (mut since, mut read) = (String::new(), Vec::new());
    for _ in &souths {
        let page = desk.page(SOUTH, &format!("?limit=1&since={since}")).await;
        read.extend(page.alerts().iter().map(|alert| alert.id));
        since = page.header("noroshi-next").to_owned();
    }
    assert_eq!(read, souths.map(Uuid::from_u128));
    senseless
        .await
        .expect("no piece of garbage is answered well");
    let again = desk.page(SOUTH, "?limit=2").await;
    assert_eq!(again.alerts().len(), 2, "after the garbage as well");
    drop((slow, idle));
    desk.close().await;
}
