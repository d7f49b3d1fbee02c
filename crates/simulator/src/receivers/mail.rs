//! A mail server that takes everything, over plain SMTP.
//!
//! Source: RFC 5321.
//!
//! Invariant: a mail is remembered before it is acknowledged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::SimulatorError;

/// A mail that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Who sent it, of the envelope.
    pub from: String,
    /// Who gets it, of the envelope.
    pub to: Vec<String>,
    /// Headers, an empty line and the text, as they came.
    pub text: String,
}

impl ReceivedMail {
    /// The value of a header, put together where it is folded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    }

    /// The names of all headers, in order.
    #[must_use]
    pub fn header_names(&self) -> Vec<String> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let own = head.lines().filter(|line| !line.starts_with([' ', '\t']));
        own.filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_owned()).collect()
    }
}

#[derive(Debug, Default)]
struct Held {
    /// A code that mails are refused with.
    refusal: Option<u16>,
    mails: Vec<ReceivedMail>,
}

/// A mail server that is listening; it ends with this value.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    held: Arc<Mutex<Held>>,
    server: JoinHandle<std::io::Result<()>>,
}

fn locked(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MailServer {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Listen`] when no port can be bound.
    pub async fn local() -> Result<Self, SimulatorError> {
        let (tcp, address) = crate::simulator::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let held = Arc::new(Mutex::new(Held::default()));
        let server = crate::simulator::background(serve(tcp, Arc::clone(&held)));
        Ok(Self { address, held, server })
    }

    /// The port that it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Refuses mails with this code from now on, such as 451; none takes them.
    pub fn refuse(&self, code: Option<u16>) {
        locked(&self.held).refusal = code;
    }

    /// Every mail that came, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<ReceivedMail> {
        locked(&self.held).mails.clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(tcp: TcpListener, held: Arc<Mutex<Held>>) -> std::io::Result<()> {
    let mut talks = JoinSet::new();
    loop {
        let (stream, _) = tcp.accept().await?;
        talks.spawn(talk(stream, Arc::clone(&held)));
        while talks.try_join_next().is_some() {}
    }
}

/// One connection; one that breaks is the client's affair.
async fn talk(stream: TcpStream, held: Arc<Mutex<Held>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    write.write_all(b"220 mail.simulated ESMTP\r\n").await?;
    let mut mail = ReceivedMail::default();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let word = line.trim_end().to_ascii_uppercase();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = if word.starts_with("EHLO") || word.starts_with("HELO") {
            "250-mail.simulated\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN\r\n".to_owned()
        } else if word.starts_with("AUTH") {
            "235 welcome\r\n".to_owned()
        } else if word.starts_with("MAIL FROM") {
            mail = ReceivedMail { from: address(), ..ReceivedMail::default() };
            "250 ok\r\n".to_owned()
        } else if word.starts_with("RCPT TO") {
            mail.to.push(address());
            "250 ok\r\n".to_owned()
        } else if word == "DATA" {
            write.write_all(b"354 go on\r\n").await?;
            mail.text = text(&mut lines).await?;
            let mut held = locked(&held);
            if let Some(code) = held.refusal {
                format!("{code} told to refuse\r\n")
            } else {
                held.mails.push(std::mem::take(&mut mail));
                "250 taken\r\n".to_owned()
            }
        } else if word == "QUIT" {
            write.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 ok\r\n".to_owned()
        };
        write.write_all(answer.as_bytes()).await?;
    }
}

/// What stands before the line with a single dot.
async fn text(lines: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 || line.trim_end() == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
