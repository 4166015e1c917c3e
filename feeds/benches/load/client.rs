//! As little of an HTTP client as a partner's script needs.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One partner's client: one connection, opened again where the feeds closed it.
pub struct Client {
    address: SocketAddr,
    token: String,
    connection: Option<BufReader<TcpStream>>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    /// `noroshi-next`
    pub next: String,
    /// `noroshi-more`
    pub more: bool,
    pub body: Vec<u8>,
}

impl Client {
    pub fn new(address: SocketAddr, token: String) -> Self {
        Self {
            address,
            token,
            connection: None,
        }
    }

    /// Asks, once more where the connection that was kept is no longer there.
    pub async fn get(&mut self, path: &str) -> io::Result<Answer> {
        if let Some(kept) = self.connection.take()
            && let Ok(answer) = self.exchange(kept, path).await
        {
            return Ok(answer);
        }
        let fresh = BufReader::new(TcpStream::connect(self.address).await?);
        fresh.get_ref().set_nodelay(true)?;
        self.exchange(fresh, path).await
    }

    async fn exchange(
        &mut self,
        mut connection: BufReader<TcpStream>,
        path: &str,
    ) -> io::Result<Answer> {
        let token = &self.token;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: feeds\r\nauthorization: Bearer {token}\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let answer = read(&mut connection).await?;
        self.connection = Some(connection);
        Ok(answer)
    }
}

async fn read(connection: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut answer = Answer {
        status: 0,
        next: String::new(),
        more: false,
        body: Vec::new(),
    };
    let mut line = String::new();
    loop {
        line.clear();
        if connection.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        match text.split_once(": ") {
            None => answer.status = text[9..12].parse().map_err(io::Error::other)?,
            Some(("content-length", bytes)) => {
                answer.body = vec![0; bytes.parse().map_err(io::Error::other)?];
            }
            Some(("noroshi-next", next)) => answer.next = next.to_owned(),
            Some(("noroshi-more", more)) => answer.more = more == "true",
            Some(_) => {}
        }
    }
    connection.read_exact(&mut answer.body).await?;
    Ok(answer)
}
