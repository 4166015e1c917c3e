//! Clients that want nothing, take for ever, or make no sense.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, ChildStdout, Command};

use crate::partners;

/// Clients that read, and as many that write, a byte a second.
const SLOW: usize = 8;
/// Clients that send garbage, one piece after the other.
const SENSELESS: usize = 8;
/// Between two pieces of one of them.
const PAUSE: Duration = Duration::from_millis(20);
/// Connections opened in a second: below what the listener's queue holds.
const OPENED_PER_SECOND: usize = 1_000;

static OPEN: AtomicUsize = AtomicUsize::new(0);
static REOPENED: AtomicUsize = AtomicUsize::new(0);
static GARBAGE: AtomicUsize = AtomicUsize::new(0);

/// A crowd in a process of its own.
pub struct Crowd {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Crowd {
    /// Waits until all of it is there.
    pub async fn gather(address: SocketAddr, idle: usize) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["crowd", &address.to_string(), &idle.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).await.unwrap();
        assert_eq!(line, "all there\n", "the crowd has what it needs");
        Self { process, said }
    }

    /// Ends it; what it did.
    pub async fn leave(mut self) -> String {
        drop(self.process.stdin.take());
        let mut line = String::new();
        self.said.read_line(&mut line).await.unwrap();
        assert!(self.process.wait().await.unwrap().success());
        line.trim_end().to_owned()
    }
}

/// The process of the crowd: there until its input ends.
pub async fn run(address: SocketAddr, idle: usize) {
    for number in 0..SLOW {
        tokio::spawn(read_slowly(address, number));
        tokio::spawn(write_slowly(address));
    }
    for number in 0..SENSELESS {
        tokio::spawn(make_no_sense(address, number));
    }
    for number in 0..idle {
        tokio::spawn(idle_on(address));
        if number % 100 == 99 {
            tokio::time::sleep(Duration::from_secs(100) / OPENED_PER_SECOND as u32).await;
        }
    }
    while OPEN.load(Ordering::Relaxed) < idle {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("all there");
    let ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    ended.await.unwrap().unwrap();
    let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
    println!(
        "{} idle connections, opened again {} times; {SLOW} slow readers, {SLOW} slow writers; \
         {} pieces of garbage",
        count(&OPEN),
        count(&REOPENED),
        count(&GARBAGE)
    );
}

/// Holds a connection, and takes the next one when it is closed for saying nothing.
async fn idle_on(address: SocketAddr) {
    loop {
        let mut stream = TcpStream::connect(address)
            .await
            .expect("a connection; are there enough open files (`ulimit -n`)?");
        OPEN.fetch_add(1, Ordering::Relaxed);
        let _ = stream.read(&mut [0; 1]).await; // closed or reset: both end it
        drop(stream);
        OPEN.fetch_sub(1, Ordering::Relaxed);
        REOPENED.fetch_add(1, Ordering::Relaxed);
    }
}

/// A partner that reads a byte of a large answer a second.
async fn read_slowly(address: SocketAddr, number: usize) {
    let token = partners::token(number % 2);
    let request = format!(
        "GET /v1/alerts.jsonl?limit=1000 HTTP/1.1\r\nhost: feeds\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2_048).unwrap();
        let Ok(mut stream) = socket.connect(address).await else {
            continue;
        };
        if stream.write_all(request.as_bytes()).await.is_ok() {
            while stream.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// A stranger whose request takes for ever to arrive.
async fn write_slowly(address: SocketAddr) {
    let request = b"GET /v1/alerts.jsonl HTTP/1.1\r\nhost: feeds\r\nx-patience: ";
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            continue;
        };
        for byte in request.iter().chain([b'x'].iter().cycle()) {
            if stream.write_u8(*byte).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

async fn make_no_sense(address: SocketAddr, number: usize) {
    for turn in number.. {
        let piece = garbage(turn);
        if let Ok(mut stream) = TcpStream::connect(address).await
            && stream.write_all(&piece).await.is_ok()
        {
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await; // whatever it is
            GARBAGE.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn garbage(turn: usize) -> Vec<u8> {
    let bearer = "authorization: Bearer not-a-token-not-a-token-not-a-token\r\n";
    match turn % 7 {
        0 => (0..4_096).map(|byte| (byte * 7 + turn) as u8).collect(),
        1 => vec![b'A'; 64 * 1024], // a request line without an end
        2 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), // TLS where there is none
        3 => b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        4 => b"GET /v1/alerts.jsonl HT".to_vec(),
        5 => format!("GET /{turn} HTTP/1.1\r\nhost: feeds\r\n{bearer}\r\n").into_bytes(),
        _ => {
            b"POST /v1/alerts/x/remedy HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
                .to_vec()
        }
    }
}
