//! Addresses of a name: from the file of hosts, or from the system's servers of names (RFC 1035),
//! which are asked over UDP.
//!
//! The C library does this by way of modules that it loads (NSS), and a static program has none.
//! Whoever forges an answer gains nothing: the collector shows a certificate.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, RCODE, TYPE};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::key;

/// For one question to one server, asked a second time before the next server is: told within
/// [`CONNECT_TIMEOUT`](crate::ship::CONNECT_TIMEOUT).
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How often each server is asked.
const ATTEMPTS: usize = 2;
/// How many servers are asked; as resolv.conf(5) has it.
const SERVERS_MAX: usize = 3;
/// The largest answer without extensions (RFC 1035, 4.2.1), and room for who sends more.
const ANSWER_BYTES_MAX: usize = 1_232;
/// Where servers of names listen.
const PORT: u16 = 53;

/// Where names are looked up.
pub(super) struct Names {
    /// As hosts(5).
    hosts: String,
    servers: Vec<SocketAddr>,
}

impl Names {
    /// What `/etc/hosts` and `/etc/resolv.conf` say; a file that is not there says nothing.
    pub(super) fn of_system() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::new(read("/etc/hosts"), &read("/etc/resolv.conf"))
    }

    fn new(hosts: String, resolv_conf: &str) -> Self {
        let lines = resolv_conf.lines().map(str::split_whitespace);
        let servers = lines.filter_map(|mut words| match words.next() {
            Some("nameserver") => words.next()?.parse().ok(),
            _ => None,
        });
        let servers = servers.map(|ip: IpAddr| SocketAddr::new(ip, PORT));
        Self {
            hosts,
            servers: servers.take(SERVERS_MAX).collect(),
        }
    }

    /// The addresses of `host`, those of IPv4 first. An address is its own.
    ///
    /// # Errors
    /// There are none, or nobody who is asked answers.
    pub(super) async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let mut known = self.in_hosts(host);
        if known.is_empty() && host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
            known = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]; // RFC 6761, 6.3
        }
        if !known.is_empty() {
            return Ok(known);
        }
        let mut failed = vec![format!("no address of {host} is known")];
        for server in &self.servers {
            match self.ask(*server, host).await {
                Ok(found) if found.is_empty() => failed.push(format!("{server} knows none")),
                Ok(found) => return Ok(found),
                Err(error) => failed.push(format!("{server}: {error}")),
            }
        }
        failed.push("see /etc/hosts and /etc/resolv.conf".to_owned());
        Err(io::Error::other(failed.join("; ")))
    }

    fn in_hosts(&self, host: &str) -> Vec<IpAddr> {
        let lines = self.hosts.lines().filter_map(|line| line.split('#').next());
        let named = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            let address: IpAddr = words.next()?.parse().ok()?;
            words
                .any(|name| name.eq_ignore_ascii_case(host))
                .then_some(address)
        });
        let mut found: Vec<IpAddr> = named.collect();
        found.sort_by_key(IpAddr::is_ipv6);
        found
    }

    async fn ask(&self, server: SocketAddr, host: &str) -> io::Result<Vec<IpAddr>> {
        let (v4, v6) = tokio::join!(
            question(server, host, TYPE::A),
            question(server, host, TYPE::AAAA)
        );
        match (v4, v6) {
            (Ok(mut v4), v6) => {
                v4.extend(v6.unwrap_or_default());
                Ok(v4)
            }
            (Err(_), Ok(v6)) if !v6.is_empty() => Ok(v6),
            (Err(error), _) => Err(error),
        }
    }
}

/// Asks one thing of one server.
async fn question(server: SocketAddr, host: &str, of: TYPE) -> io::Result<Vec<IpAddr>> {
    let name = Name::new(host.trim_end_matches('.')).map_err(io::Error::other)?;
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    for _ in 0..ATTEMPTS {
        // A socket and a number of its own each time: more for a forger to guess.
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(server).await?;
        let id = u16::from_le_bytes(key::random()?);
        let mut asked = Packet::new_query(id);
        asked.set_flags(PacketFlag::RECURSION_DESIRED);
        let question = Question::new(name.clone(), QTYPE::TYPE(of), CLASS::IN.into(), false);
        asked.questions.push(question);
        socket
            .send(&asked.build_bytes_vec().map_err(io::Error::other)?)
            .await?;
        if let Ok(answer) = timeout(ANSWER_TIMEOUT, answer(&socket, id, &name)).await {
            return answer;
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Waits for the answer to this question; what is none is not heard.
async fn answer(socket: &UdpSocket, id: u16, name: &Name<'_>) -> io::Result<Vec<IpAddr>> {
    let mut buffer = [0; ANSWER_BYTES_MAX];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let Ok(packet) = Packet::parse(&buffer[..length]) else {
            continue;
        };
        let is_ours = packet
            .questions
            .first()
            .is_some_and(|question| question.qname == *name);
        if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) || !is_ours {
            continue;
        }
        return match packet.rcode() {
            RCODE::NoError | RCODE::NameError => Ok(packet
                .answers
                .iter()
                .filter_map(|record| match &record.rdata {
                    RData::A(a) => Some(Ipv4Addr::from(a.address).into()),
                    RData::AAAA(aaaa) => Some(Ipv6Addr::from(aaaa.address).into()),
                    _ => None, // the names on the way there
                })
                .collect()),
            refusal => Err(io::Error::other(format!("{refusal:?}"))),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every question for an address of IPv4 with these, every other with nothing, after
    /// an answer to another question.
    async fn serve(socket: UdpSocket, known: Vec<Ipv4Addr>) {
        let mut asked = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut asked).await {
            let end = length;
            let of_ipv4 = asked[end - 4..end - 2] == [0, 1];
            let answers = if of_ipv4 { &known[..] } else { &[] };
            let mut answer = asked[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, answers.len() as u8, 0, 0, 0, 0]);
            answer.extend(&asked[12..end]);
            for address in answers {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(address.octets());
            }
            let mut forged = answer.clone();
            forged[0] ^= 1;
            *forged.last_mut().expect("it is not empty") ^= 1;
            for reply in [forged, b"short".to_vec(), answer] {
                socket.send_to(&reply, from).await.expect("loopback sends");
            }
        }
    }

    async fn names_of(known: Vec<Ipv4Addr>) -> Names {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
        let mut names = Names::new("192.0.2.9 Alpha.example # beta.example\n".to_owned(), "");
        names.servers = vec![socket.local_addr().expect("it is bound")];
        tokio::spawn(serve(socket, known));
        names
    }

    #[tokio::test]
    async fn a_name_has_the_addresses_that_its_server_tells_and_no_forger() {
        let known = vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)];
        let names = names_of(known.clone()).await;
        let found = names
            .addresses("centre.example.org")
            .await
            .expect("it answers");
        assert_eq!(found, known.into_iter().map(IpAddr::V4).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_file_of_hosts_comes_first() {
        let names = names_of(vec![Ipv4Addr::new(192, 0, 2, 1)]).await;
        let names = &names;
        let found = |host| async move { names.addresses(host).await.expect("it is known")[0] };
        assert_eq!(found("alpha.example").await.to_string(), "192.0.2.9");
        assert_eq!(
            found("beta.example").await.to_string(),
            "192.0.2.1",
            "a comment"
        );
        assert_eq!(found("localhost").await, Ipv4Addr::LOCALHOST);
        assert_eq!(found("2001:db8::1").await.to_string(), "2001:db8::1");
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_with_where_to_look() {
        let names = names_of(Vec::new()).await;
        let error = names
            .addresses("centre.example.org")
            .await
            .expect_err("there is none");
        let said = error.to_string();
        assert!(
            said.contains("centre.example.org") && said.contains("knows none"),
            "{said}"
        );
        assert!(said.contains("/etc/resolv.conf"), "{said}");
    }

    #[test]
    fn three_servers_at_most_and_lines_that_say_another_thing_are_passed_over() {
        let text = "# ours\nsearch example.org\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\n\
                    nameserver 2001:db8::1\noptions ndots:2\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        let names = Names::new(String::new(), text);
        let told: Vec<String> = names.servers.iter().map(SocketAddr::to_string).collect();
        assert_eq!(told, ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"]);
    }
}
