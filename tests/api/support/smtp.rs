//! An SMTP server on a loopback port that stores its mails. It can be stopped, and can reject commands.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use hallpass::config::{Smtp, SmtpSecurity};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A received mail.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    pub data: String,
}

/// The responses by command verb; `<end>` is the end of a mail.
type Answers = Arc<Mutex<Vec<(&'static str, &'static str)>>>;

pub struct SmtpServer {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Answers,
    serving: Option<JoinHandle<()>>,
}

impl SmtpServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut server = Self { port, received: Arc::default(), answers: Arc::default(), serving: None };
        server.serve(listener);
        server
    }

    fn serve(&mut self, listener: TcpListener) {
        let (received, answers) = (Arc::clone(&self.received), Arc::clone(&self.answers));
        self.serving = Some(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that disconnects before the end has sent nothing.
                tokio::spawn(talk(stream, Arc::clone(&received), Arc::clone(&answers)));
            }
        }));
    }

    /// Stops listening.
    pub async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _ = serving.await;
        }
    }

    /// Listens again on the same port.
    pub async fn restart(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.serve(listener);
    }

    /// Sets the response to a command.
    pub fn answer(&self, command: &'static str, answer: &'static str) {
        self.answers.lock().unwrap().push((command, answer));
    }

    /// Accepts everything again.
    pub fn accept_all(&self) {
        self.answers.lock().unwrap().clear();
    }

    /// The received mails, in order.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The settings that use this server.
    pub fn settings(&self) -> Smtp {
        Smtp {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            security: SmtpSecurity::None,
            authority: None,
            credentials: None,
        }
    }
}

async fn talk(stream: TcpStream, received: Arc<Mutex<Vec<Received>>>, answers: Answers) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test\r\n").await?;
    let (mut from, mut to) = (String::new(), String::new());
    let address = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.split([' ', '\r']).next().unwrap_or_default().to_uppercase();
        let special = |command: &str| {
            answers.lock().unwrap().iter().rev().find(|(name, _)| *name == command).map(|(_, answer)| *answer)
        };
        let answer = match (command.as_str(), special(&command)) {
            (_, Some(answer)) => answer,
            ("EHLO", _) => "250-mail.test\r\n250 8BITMIME",
            ("MAIL", _) => {
                from = address(&line);
                "250 OK"
            }
            ("RCPT", _) => {
                to = address(&line);
                "250 OK"
            }
            ("DATA", _) => {
                stream.write_all(b"354 Go ahead\r\n").await?;
                let data = read_data(&mut stream).await?;
                special("<end>").unwrap_or_else(|| {
                    received.lock().unwrap().push(Received { from: from.clone(), to: to.clone(), data });
                    "250 OK"
                })
            }
            ("QUIT", _) => {
                stream.write_all(b"221 Bye\r\n").await?;
                return Ok(());
            }
            _ => "502 Command not implemented",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn read_data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

impl Received {
    /// A header of the mail, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.data, name)
    }

    /// The decoded bodies of the parts, by content type.
    pub fn parts(&self) -> Vec<(String, String)> {
        let kind = self.header("Content-Type").unwrap();
        let boundary = format!("--{}", kind.split("boundary=").nth(1).unwrap().trim_matches('"'));
        let parts = self.data.split(&boundary).skip(1).filter(|part| !part.starts_with("--"));
        parts.map(|part| (header(part.trim_start(), "Content-Type").unwrap(), decoded(part.trim_start()))).collect()
    }
}

fn header(text: &str, name: &str) -> Option<String> {
    let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn decoded(part: &str) -> String {
    let body = part.split_once("\r\n\r\n").unwrap().1;
    let bytes = match header(part, "Content-Transfer-Encoding").unwrap().as_str() {
        "7bit" => body.as_bytes().to_vec(),
        "base64" => STANDARD.decode(body.replace("\r\n", "")).unwrap(),
        "quoted-printable" => {
            let body = body.replace("=\r\n", "").into_bytes();
            let mut bytes = Vec::new();
            let mut rest = &body[..];
            while let [first, tail @ ..] = rest {
                if *first == b'=' {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(*first);
                    rest = tail;
                }
            }
            bytes
        }
        other => panic!("the encoding {other}"),
    };
    String::from_utf8(bytes).unwrap()
}
