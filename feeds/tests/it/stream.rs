//! Alerts as server-sent events.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use noroshi_feeds::seats::STREAMS_PER_PARTNER_MAX;
use noroshi_store::alert::Alert;
use uuid::Uuid;

use super::desk::{Desk, NORTH, SOUTH};

/// A stream that is being read.
struct Stream {
    socket: TcpStream,
    text: String,
}

impl Stream {
    fn open(address: SocketAddr, token: &str, headers: &str) -> Self {
        let mut socket = TcpStream::connect(address).expect("the port is open");
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a limit");
        let request = format!(
            "GET /v1/alerts/stream HTTP/1.1\r\nhost: feeds\r\nauthorization: Bearer {token}\r\n{headers}\r\n"
        );
        socket
            .write_all(request.as_bytes())
            .expect("it takes the request");
        let mut stream = Self {
            socket,
            text: String::new(),
        };
        stream.read_until(|text| text.contains("\r\n\r\n"));
        stream
    }

    /// Reads on until the text is as wanted, or the stream ends.
    fn read_until(&mut self, wanted: impl Fn(&str) -> bool) {
        let mut bytes = [0; 4096];
        while !wanted(&self.text) {
            match self.socket.read(&mut bytes) {
                Ok(0) => return,
                Ok(read) => self.text.push_str(&String::from_utf8_lossy(&bytes[..read])),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}: {}", self.text),
            }
        }
    }

    fn fields<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        self.text
            .lines()
            .filter_map(move |line| line.strip_prefix(name))
    }

    fn ids(&self) -> Vec<u128> {
        let alerts = self.fields("data: ").map(|data| {
            let alert: Alert = serde_json::from_str(data).expect("an alert");
            alert.id.as_u128()
        });
        alerts.collect()
    }
}

/// Waits on a thread of its own, as a client does.
async fn reading<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(read).await.expect("no panic")
}

#[tokio::test]
async fn a_client_hears_what_is_its_own_and_resumes_where_it_was() {
    let desk = Desk::open().await;
    let address = desk.address;
    for number in [1, 3] {
        desk.record(number, 1, Some("th-cert")).await;
        desk.record(number + 1, 1, Some("my-cert")).await;
    }
    desk.record(7, 1, None).await;
    desk.shows(5).await;
    let first = reading(move || {
        let mut stream = Stream::open(address, NORTH, "");
        stream.read_until(|text| text.matches("data: ").count() == 2 && text.ends_with("\n\n\r\n"));
        stream
    })
    .await;
    assert!(first.text.contains("content-type: text/event-stream"));
    assert_eq!(first.ids(), [1, 3]);
    let last = first.fields("id: ").next().expect("a cursor").to_owned();
    drop(first);

    let resumed = reading(move || {
        let header = format!("last-event-id: {last}\r\n");
        let mut stream = Stream::open(address, NORTH, &header);
        stream.read_until(|text| text.contains("data: ") && text.ends_with("\n\n\r\n"));
        stream
    });
    assert_eq!(resumed.await.ids(), [3]);
    desk.close().await;
}

#[tokio::test]
async fn a_stream_goes_on_and_ends_in_good_order() {
    let desk = Desk::open().await;
    let mut stream = reading({
        let address = desk.address;
        move || Stream::open(address, SOUTH, "")
    })
    .await;
    desk.record(2, 1, Some("my-cert")).await;
    let mut stream = reading(move || {
        stream.read_until(|text| text.contains(&Uuid::from_u128(2).to_string()));
        stream
    })
    .await;
    desk.close().await;
    let stream = reading(move || {
        stream.read_until(|_| false);
        stream
    })
    .await;
    assert_eq!(stream.ids(), [2]);
    assert!(stream.text.ends_with("0\r\n\r\n"), "{}", stream.text);
}

#[tokio::test]
async fn a_partner_holds_a_few_streams_and_a_wrong_cursor_none() {
    let desk = Desk::open().await;
    let address = desk.address;
    let wrong = desk.get("/v1/alerts/stream?since=garbage", NORTH).await;
    assert_eq!(wrong.status, 400);
    let held = reading(move || {
        let open = |_| Stream::open(address, NORTH, "");
        let held: Vec<Stream> = (0..STREAMS_PER_PARTNER_MAX).map(open).collect();
        held
    })
    .await;
    assert!(held.iter().all(|one| one.text.starts_with("HTTP/1.1 200")));
    let refused = desk.get("/v1/alerts/stream", NORTH).await;
    assert_eq!(refused.status, 429);
    assert_ne!(refused.header("retry-after"), "");
    let other = reading(move || Stream::open(address, SOUTH, "")).await;
    assert!(other.text.starts_with("HTTP/1.1 200"));
    desk.close().await;
}
