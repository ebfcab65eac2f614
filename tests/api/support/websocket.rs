//! WebSocket connections to a real listener.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hallpass::http::{self, Limits, serve};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use super::{Actor, TestServer};

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

/// A listener that serves a server until it is dropped.
pub struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl TestServer {
    /// Serves real connections.
    pub async fn listen(&self, limits: Limits) -> Listening {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = http::router(&self.app, limits);
        let stopped = async move { stopped.await.unwrap_or(()) };
        let served = tokio::spawn(serve(listener, router, limits, |_| true, stopped));
        Listening { address, stop: Some(stop), served }
    }
}

impl Listening {
    /// Asks for a WebSocket connection. Returns the head of the response.
    pub async fn ask(&self, headers: &[(&str, &str)]) -> (String, TcpStream) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "GET /graphql/ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon(stream.read_u8()).await.unwrap());
        }
        (String::from_utf8(head).unwrap(), stream)
    }

    /// Opens a connection that is not initialized.
    pub async fn connect(&self, headers: &[(&str, &str)]) -> Socket {
        let headers = [&[PROTOCOL], headers].concat();
        let (head, stream) = self.ask(&headers).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Socket::over(stream).await
    }

    /// Opens a connection of a signed-in user.
    pub async fn signed_in(&self, actor: &Actor) -> Socket {
        let mut socket = self.connect(&[]).await;
        socket.init(actor).await;
        assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
        socket
    }

    /// Stops the server, and waits until it has stopped.
    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        soon(self.served).await.unwrap();
    }
}

/// A WebSocket connection, as the client sees it.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// A connection over a stream after the handshake.
    pub async fn over(stream: TcpStream) -> Self {
        Self(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
    }

    pub fn into_stream(self) -> TcpStream {
        self.0.into_inner()
    }

    pub async fn send(&mut self, message: Value) {
        self.send_frame(Message::text(message.to_string())).await;
    }

    pub async fn send_frame(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// Sends `connection_init` with the access token.
    pub async fn init(&mut self, actor: &Actor) {
        let authorization = format!("Bearer {}", actor.bearer.as_deref().unwrap());
        self.send(json!({ "type": "connection_init", "payload": { "Authorization": authorization } })).await;
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    /// The next frame, or `None` if the connection has ended.
    pub async fn frame(&mut self) -> Option<Message> {
        soon(self.0.next()).await.and_then(Result::ok)
    }

    /// The next message.
    pub async fn next(&mut self) -> Value {
        match self.frame().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            frame => panic!("not a message: {frame:?}"),
        }
    }

    /// Expects that the server closes the connection. Returns the code and the reason.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.frame().await {
            Some(Message::Close(Some(frame))) => (frame.code.into(), frame.reason.to_string()),
            frame => panic!("not closed: {frame:?}"),
        }
    }
}

/// Fails instead of waiting for ever.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), work).await.expect("nothing happened")
}
