//! From the name of a collector to an open connection.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Uri;

use super::names::Names;
use crate::ship::CONNECT_TIMEOUT;

/// How many addresses of one name are tried, each for its share of [`CONNECT_TIMEOUT`]: one that
/// swallows packets does not keep the next from its turn.
const ADDRESSES_MAX: usize = 3;

/// Connects to the host and port of `collector`: to the first of its addresses that answers, those
/// of IPv4 first. Where names are looked up is read each time, so what changes in years is seen.
///
/// # Errors
/// The name has no address, or none of them answers; the text says which.
pub(super) async fn dial(collector: &Uri) -> io::Result<TcpStream> {
    let port = collector.port_u16().unwrap_or_default();
    let mut addresses = Names::of_system().addresses(host(collector)).await?;
    addresses.truncate(ADDRESSES_MAX);
    let mut failed = Vec::new();
    for ip in &addresses {
        let address = SocketAddr::new(*ip, port);
        let share = CONNECT_TIMEOUT / u32::try_from(addresses.len()).unwrap_or(1);
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failed.push(format!("{address}: {error}")),
            Err(_) => failed.push(format!("{address}: no answer")),
        }
    }
    Err(io::Error::other(failed.join("; ")))
}

/// The host that `collector` names, an address of IPv6 without its brackets.
pub(super) fn host(collector: &Uri) -> &str {
    let host = collector.host().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::dial;

    #[tokio::test]
    async fn whoever_listens_is_reached_by_address_and_by_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let port = listener.local_addr().expect("it is bound").port();
        for host in ["127.0.0.1", "localhost"] {
            let collector = format!("http://{host}:{port}").parse().expect("a URL");
            dial(&collector).await.expect("it listens");
        }
        drop(listener);
        let collector = format!("http://127.0.0.1:{port}").parse().expect("a URL");
        let said = dial(&collector)
            .await
            .expect_err("nobody listens")
            .to_string();
        assert!(said.contains(&format!("127.0.0.1:{port}: ")), "{said}");
    }
}
