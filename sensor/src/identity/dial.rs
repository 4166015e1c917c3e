//! From the name of a collector to an open connection.
//!
//! Names are asked for by ourselves, as `/etc/hosts` and `/etc/resolv.conf` say: the C library does
//! it by way of modules that it loads (NSS), and a static program has none.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Uri;

use crate::ship::CONNECT_TIMEOUT;

/// For one question to one server of names; with a second attempt, told within [`CONNECT_TIMEOUT`].
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How many addresses of one name are tried, each for its share of [`CONNECT_TIMEOUT`]: one that
/// swallows packets does not keep the next from its turn.
const ADDRESSES_MAX: usize = 3;

/// Connects to the host and port of `collector`: to the first of its addresses that answers, those
/// of IPv4 first.
///
/// # Errors
/// The name has no address, or none of them answers; the text says which.
pub(super) async fn dial(collector: &Uri) -> io::Result<TcpStream> {
    let port = collector.port_u16().unwrap_or_default();
    let addresses = addresses(host(collector), system).await?;
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

async fn addresses(
    host: &str,
    resolver: impl FnOnce() -> io::Result<TokioResolver>,
) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let found = resolver()?.lookup_ip(host).await;
    let found = found.map_err(|error| {
        io::Error::other(format!(
            "no address of {host} is known: {error}; see /etc/resolv.conf and /etc/hosts"
        ))
    })?;
    Ok(found.iter().take(ADDRESSES_MAX).collect())
}

/// What the system says, read for each connection: a file that changes in years is seen, and
/// nothing is remembered longer than its owner wants.
fn system() -> io::Result<TokioResolver> {
    built(TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::warn!("/etc/resolv.conf: {error}; /etc/hosts alone is asked");
        let nobody = ResolverConfig::default();
        TokioResolver::builder_with_config(nobody, TokioRuntimeProvider::default())
    }))
}

fn built(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> io::Result<TokioResolver> {
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.cache_size = 0;
    options.timeout = ANSWER_TIMEOUT;
    options.attempts = 2;
    builder.build().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    use hickory_resolver::TokioResolver;
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use tokio::net::{TcpListener, UdpSocket};

    use super::{addresses, built, dial, system};

    /// Answers every question for an address of IPv4 with the four, every other with nothing.
    async fn serve_names(socket: UdpSocket, known: [Ipv4Addr; 4]) {
        let mut asked = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut asked).await {
            let name = asked[12..length].iter().position(|byte| *byte == 0);
            let end = 12 + name.expect("a question has a name") + 5;
            let of_ipv4 = asked[end - 4..end - 2] == [0, 1];
            let answers = if of_ipv4 { &known[..] } else { &[] };
            let mut answer = asked[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, answers.len() as u8, 0, 0, 0, 0]);
            answer.extend(&asked[12..end]);
            for address in answers {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(address.octets());
            }
            socket.send_to(&answer, from).await.expect("loopback sends");
        }
    }

    fn resolver(of: SocketAddr) -> std::io::Result<TokioResolver> {
        let mut line = ConnectionConfig::udp();
        line.port = of.port();
        let server = NameServerConfig::new(of.ip(), true, vec![line]);
        let config = ResolverConfig::from_parts(None, vec![], vec![server]);
        let provider = TokioRuntimeProvider::default();
        built(TokioResolver::builder_with_config(config, provider))
    }

    #[tokio::test]
    async fn a_name_has_the_addresses_its_servers_tell_and_three_at_most() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
        let at = socket.local_addr().expect("it is bound");
        let known = [1, 2, 3, 4].map(|last| Ipv4Addr::new(192, 0, 2, last));
        tokio::spawn(serve_names(socket, known));
        let mut found = addresses("centre.example.org", || resolver(at))
            .await
            .expect("they answer");
        found.sort();
        assert_eq!(found.len(), 3);
        assert!(
            found.iter().all(|ip| known.map(IpAddr::V4).contains(ip)),
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_with_where_to_look() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
        let at = socket.local_addr().expect("it is bound");
        drop(socket);
        let error = addresses("centre.example.org", || resolver(at)).await;
        let said = error.expect_err("nobody answers").to_string();
        assert!(
            said.contains("centre.example.org") && said.contains("/etc/resolv.conf"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn addresses_and_this_machine_need_no_server() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let port = listener.local_addr().expect("it is bound").port();
        for host in ["127.0.0.1", "localhost"] {
            let collector = format!("http://{host}:{port}").parse().expect("a URL");
            dial(&collector).await.expect("it listens");
        }
        let found = addresses("2001:db8::1", system).await.expect("it is one");
        assert_eq!(
            found,
            ["2001:db8::1".parse::<IpAddr>().expect("an address")]
        );
    }
}
