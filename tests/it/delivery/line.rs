//! A TCP line between sensor and collector that breaks when told to.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Whether the collector's answers reach the sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    Heard,
    Lost,
}

/// Everything that connects to it is led to the collector.
pub struct Line {
    address: SocketAddr,
    leads_to: watch::Sender<SocketAddr>,
    answers: watch::Sender<Answers>,
    cuts: watch::Sender<u64>,
}

impl Line {
    pub async fn lay(collector: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a loopback port");
        let address = listener.local_addr().expect("it has an address");
        let (leads_to, towards) = watch::channel(collector);
        let (answers, heard) = watch::channel(Answers::Heard);
        let (cuts, cut) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((sensor, _)) = listener.accept().await {
                let collector = *towards.borrow();
                tokio::spawn(join(sensor, collector, heard.clone(), cut.clone()));
            }
        });
        Self {
            address,
            leads_to,
            answers,
            cuts,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections end there.
    pub fn lead_to(&self, collector: SocketAddr) {
        self.leads_to.send_replace(collector);
    }

    /// Breaks all connections; the next ones are whole.
    pub fn cut(&self) {
        self.answers.send_replace(Answers::Heard);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub fn answers(&self, answers: Answers) {
        self.answers.send_replace(answers);
    }
}

async fn join(
    sensor: TcpStream,
    collector: SocketAddr,
    heard: watch::Receiver<Answers>,
    mut cut: watch::Receiver<u64>,
) {
    let Ok(collector) = TcpStream::connect(collector).await else {
        return;
    };
    cut.borrow_and_update();
    let (from_sensor, to_sensor) = sensor.into_split();
    let (from_collector, to_collector) = collector.into_split();
    tokio::select! {
        () = carry(from_sensor, to_collector, None) => {}
        () = carry(from_collector, to_sensor, Some(heard)) => {}
        _ = cut.changed() => {}
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    heard: Option<watch::Receiver<Answers>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if heard
            .as_ref()
            .is_some_and(|heard| *heard.borrow() == Answers::Lost)
        {
            continue;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}
