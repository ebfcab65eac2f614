//! Servers on this machine, a resolver whose answers the test chooses, and the client.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use hallpass::{
    clock::{Clock, ManualClock},
    config::{OutgoingSettings, Settings},
    outgoing::{Failure, Outgoing, Request, Resolver, Response},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// A short response.
pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
/// The setting for servers of these tests.
pub const LOOPBACK: (&str, &str) = ("OUTGOING_ALLOW", "127.0.0.0/8");
/// The time of the clock.
pub const NOW: &str = "2027-01-01T00:00:00Z";

/// A server on a port of its own.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    connections: Arc<Mutex<usize>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Handles each connection with `handle`.
    pub async fn start<F, W>(handle: F) -> Self
    where
        F: Fn(TcpStream, Self) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, connections: Arc::default(), requests: Arc::default() };
        let running = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                *running.connections.lock().unwrap() += 1;
                tokio::spawn(handle(stream, running.clone()));
            }
        });
        server
    }

    /// Reads one request of each connection, sends `response`, and closes the connection.
    pub async fn answering(response: impl Into<Vec<u8>>) -> Self {
        let response: Arc<[u8]> = response.into().into();
        Self::start(move |stream, server| {
            let response = Arc::clone(&response);
            async move { server.answer(stream, &response).await }
        })
        .await
    }

    /// Reads one request, and sends a response.
    pub async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, response: &[u8]) {
        let request = read_request(&mut stream).await;
        self.requests.lock().unwrap().push(request);
        // Clients may close the connection early.
        let _ = stream.write_all(response).await;
        let _ = stream.shutdown().await;
    }

    pub fn url(&self, path: &str) -> Url {
        self.url_of("127.0.0.1", path)
    }

    /// A URL of this server with another host.
    pub fn url_of(&self, host: &str, path: &str) -> Url {
        Url::parse(&format!("http://{host}:{}{path}", self.address.port())).unwrap()
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// The requests so far, as text.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads headers and body of a request. Returns what there is if the connection ends before.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
}

/// A resolver that returns the next of its answers for a name, and the last one again and again.
#[derive(Clone, Debug, Default)]
pub struct Names {
    answers: Arc<Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>>,
    lookups: Arc<Mutex<Vec<String>>>,
}

impl Names {
    pub fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        self.answers.lock().unwrap().insert(name.to_owned(), answers.iter().map(parse).collect());
        self
    }

    /// The names that were looked up.
    pub fn lookups(&self) -> Vec<String> {
        self.lookups.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answers = answers.get_mut(host).ok_or(io::Error::other("no such name"))?;
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Ok(next.unwrap_or_default())
    }
}

pub fn settings(variables: &[(&str, &str)]) -> OutgoingSettings {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_vars(variables).unwrap().outgoing
}

pub fn client_at(now: &str, variables: &[(&str, &str)], resolver: impl Resolver + 'static) -> Outgoing {
    let clock = Clock::Manual(ManualClock::at(now.parse().unwrap()));
    Outgoing::new(&settings(variables), clock).unwrap().with_resolver(resolver)
}

/// A client with these settings.
pub fn client(variables: &[(&str, &str)], resolver: impl Resolver + 'static) -> Outgoing {
    client_at(NOW, variables, resolver)
}

/// Sends GET to a server of these tests.
pub async fn get(server: &Server) -> Result<Response, Failure> {
    let url = server.url("/");
    client(&[LOOPBACK], Names::default()).send(Request::get(&url)).await.map_err(|error| error.failure)
}

/// The failure of GET.
pub async fn failure(client: &Outgoing, url: &str) -> Failure {
    let url = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    client.send(Request::get(&url)).await.unwrap_err().failure
}
