//! The accept loop, over real connections.

use std::{
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use futures_util::{StreamExt, stream::FuturesUnordered};
use hallpass::{
    entity::{session, throttle},
    http::{self, Limits, serve},
};
use sea_orm::{EntityTrait, PaginatorTrait};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use crate::support::{Actor, LOGIN, TestServer, json};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

async fn run(router: Router, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async move { stopped.await.unwrap_or(()) };
    // All clients of a test share one IP address, except 127.0.0.2.
    let is_exempt = |address: std::net::IpAddr| address.to_string() == "127.0.0.1";
    let served = tokio::spawn(serve(listener, router, limits, is_exempt, stopped));
    Running { address, stop, served }
}

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Reads until the server closes the connection, which it must do soon.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut text));
    read.await.expect("the connection is still open").unwrap();
    text
}

/// A login request for ada.
fn login_request(password: &str) -> String {
    let body =
        json!({ "query": LOGIN, "variables": { "input": { "username": "ada", "password": password } } }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const LIVE: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn unfinished_head_closes_the_connection() {
    let server = TestServer::start().await;
    let limits = Limits { head_timeout: Duration::from_millis(50), ..Limits::default() };
    let running = run(server.router.clone(), limits).await;
    let endless = send(running.address, "POST /graphql HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await;
    let text = read_to_end(endless).await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let server = TestServer::start().await;
    let limits = Limits { connections: 1, ..Limits::default() };
    let running = run(server.router.clone(), limits).await;
    let idle = send(running.address, "GET /health/live HTTP/1.1\r\nhost: localhost\r\n").await;
    let waiting = tokio::spawn(read_to_end(send(running.address, LIVE).await));
    // The first client keeps its slot while it is connected.
    let mut idle = idle;
    idle.write_all(b"\r\n").await.unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    assert!(!waiting.is_finished());
    drop(idle);
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn idle_connection_is_closed() {
    let server = TestServer::start().await;
    let limits = Limits { head_timeout: Duration::from_millis(50), ..Limits::default() };
    let running = run(server.router.clone(), limits).await;
    assert_eq!(read_to_end(TcpStream::connect(running.address).await.unwrap()).await, "");
}

#[tokio::test]
async fn client_that_does_not_read_is_disconnected() {
    let endless = || async {
        let chunk = || Ok::<_, std::io::Error>(vec![0_u8; 64 * 1024]);
        Body::from_stream(futures_util::stream::repeat_with(chunk))
    };
    let router = Router::new().route("/endless", get(endless)).route("/", get(async || "served"));
    let limits = Limits { connections: 1, write_timeout: Duration::from_millis(50), ..Limits::default() };
    let running = run(router, limits).await;
    let unread = send(running.address, "GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    // This request waits for the slot of the first client, which is still connected.
    let next = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(read_to_end(send(running.address, next).await).await.ends_with("served"));
    drop(unread);
}

/// Sends a body of 2 MiB to this path, half of it after the response has arrived. Returns the status line.
async fn status_after_a_large_body(address: SocketAddr, path: &str) -> String {
    let half = " ".repeat(1024 * 1024);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        2 * half.len()
    );
    let mut stream = send(address, &(head + &half)).await;
    let mut start = [0; 12];
    stream.peek(&mut start).await.unwrap();
    stream.write_all(half.as_bytes()).await.unwrap();
    let response = read_to_end(stream).await;
    response.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn oversized_body_gets_the_response() {
    let server = TestServer::start().await;
    let running = run(server.router.clone(), Limits::default()).await;
    for path in ["/graphql", "/login"] {
        let status = status_after_a_large_body(running.address, path).await;
        assert_eq!(status, "HTTP/1.1 413 Payload Too Large", "{path}");
    }
}

#[tokio::test]
async fn body_for_an_unknown_path_gets_the_response() {
    let server = TestServer::start().await;
    let running = run(server.router.clone(), Limits::default()).await;
    assert_eq!(status_after_a_large_body(running.address, "/unknown").await, "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn client_that_does_not_close_is_disconnected() {
    let server = TestServer::start().await;
    let limits = Limits { connections: 1, discard_timeout: Duration::from_millis(50), ..Limits::default() };
    let running = run(server.router.clone(), limits).await;
    let idle = send(running.address, LIVE).await;
    assert!(read_to_end(send(running.address, LIVE).await).await.starts_with("HTTP/1.1 200"));
    drop(idle);
}

#[tokio::test]
async fn client_that_never_stops_sending_is_disconnected() {
    let server = TestServer::start().await;
    let limits = Limits { discard_timeout: Duration::from_mins(1), ..Limits::default() };
    let running = run(server.router.clone(), limits).await;
    let head = "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000000\r\n\r\n";
    let mut endless = send(running.address, head).await;
    let chunk = vec![b' '; 1024 * 1024];
    let mut written = 0;
    while endless.write_all(&chunk).await.is_ok() {
        written += 1;
        assert!(written < 100, "{written} MiB were read");
    }
}

#[tokio::test]
async fn one_network_cannot_use_all_connections() {
    let server = TestServer::start().await;
    let limits = Limits { connections: 4, connections_per_network: 2, ..Limits::default() };
    let running = run(server.router.clone(), limits).await;
    let from_elsewhere = || async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(running.address).await.unwrap()
    };
    let taken = [from_elsewhere().await, from_elsewhere().await];
    assert_eq!(read_to_end(from_elsewhere().await).await, "");
    assert!(read_to_end(send(running.address, LIVE).await).await.starts_with("HTTP/1.1 200"));
    drop(taken);
}

#[tokio::test]
async fn shutdown_completes_running_requests_and_accepts_no_more() {
    let started = Arc::new(Notify::new());
    let finish = Arc::new(Notify::new());
    let (is_started, may_finish) = (started.clone(), finish.clone());
    let router = Router::new().route(
        "/slow",
        get(|| async move {
            is_started.notify_one();
            may_finish.notified().await;
            "done"
        }),
    );
    let running = run(router, Limits::default()).await;
    let slow = send(running.address, "GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let idle = TcpStream::connect(running.address).await.unwrap();
    started.notified().await;
    running.stop.send(()).unwrap();
    assert_eq!(read_to_end(idle).await, "");
    assert!(TcpStream::connect(running.address).await.is_err());
    finish.notify_one();
    assert!(read_to_end(slow).await.ends_with("done"));
    running.served.await.unwrap();
}

#[tokio::test]
async fn shutdown_responds_to_open_connections() {
    let server = TestServer::start().await;
    let limits = Limits { drain: Duration::from_mins(1), linger: Duration::from_mins(1), ..Limits::default() };
    let running = run(server.router.clone(), limits).await;
    let request = LIVE.replace("connection: close\r\n", "");
    // One connection is idle between two requests, like most connections of a proxy. Another one has sent no request yet.
    let mut idle = send(running.address, &request).await;
    idle.read_exact(&mut [0; 12]).await.unwrap();
    let fresh = TcpStream::connect(running.address).await.unwrap();
    // These wait in the accept queue: no other task runs before the next `await`.
    let queued: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(running.address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            TcpStream::from_std(stream).unwrap()
        })
        .collect();
    running.stop.send(()).unwrap();
    for stream in queued {
        let answer = read_to_end(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    }
    assert!(TcpStream::connect(running.address).await.is_err());
    for mut stream in [idle, fresh] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_to_end(stream).await;
        assert!(answer.contains("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    }
    // Without connections there is nothing to wait for.
    let stopped = tokio::time::timeout(Duration::from_secs(5), running.served);
    stopped.await.expect("the server waits although no client is connected").unwrap();
}

#[tokio::test]
async fn shutdown_aborts_unfinished_requests() {
    let router = Router::new().route("/never", get(std::future::pending::<()>));
    let limits = Limits { drain: Duration::from_millis(50), ..Limits::default() };
    let running = run(router, limits).await;
    let never = send(running.address, "GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    running.stop.send(()).unwrap();
    running.served.await.unwrap();
    drop(never);
}

#[tokio::test]
async fn slow_body_and_slow_handler_time_out() {
    // 2 s per hash.
    let server = TestServer::with(|settings| settings.passwords.bcrypt_cost = 15).await;
    let short = Duration::from_millis(20);
    let actor = Actor::new(http::router(&server.app, Limits { body_timeout: short, ..Limits::default() }));
    let endless = futures_util::stream::pending::<Result<&str, std::io::Error>>();
    let answer = actor.post(Body::from_stream(endless)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (408, "BAD_REQUEST"));

    let actor = Actor::new(http::router(&server.app, Limits { handler_timeout: short, ..Limits::default() }));
    let answer = actor.speaking("ru").login("nobody", "whatever it is").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"));
    assert!(answer.text.contains("Повторите попытку через 5 секунд."), "{answer:?}");
    assert_eq!(answer.header("retry-after"), Some("5"));
}

#[tokio::test]
async fn slow_bodies_do_not_block_other_requests() {
    let server = TestServer::start().await;
    let running = run(server.router.clone(), Limits::default()).await;
    let head =
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let mut slow = Vec::new();
    for _ in 0..300 {
        slow.push(send(running.address, head).await);
    }
    let answer =
        tokio::time::timeout(Duration::from_secs(1), async { read_to_end(send(running.address, LIVE).await).await });
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));
    drop(slow);
}

#[tokio::test]
async fn disconnect_frees_a_connection_slot() {
    // One hasher at 2 s per hash: at most three wait, for the duration of this test.
    let server = TestServer::with(|settings| {
        settings.passwords.bcrypt_cost = 15;
        settings.passwords.hash_concurrency = 1;
        settings.passwords.hash_lanes = 1;
    })
    .await;
    let running = run(server.router.clone(), Limits::default()).await;
    let login = login_request("correct horse");
    let mut logins = FuturesUnordered::new();
    for _ in 0..10 {
        logins.push(read_to_end(send(running.address, &login).await));
    }
    assert!(logins.next().await.unwrap().contains("SERVICE_UNAVAILABLE"));
    drop(logins);
    let actor = server.anonymous();
    let is_queued = async {
        // While the queue is full, requests fail immediately. A request that does not fail is waiting.
        while tokio::time::timeout(Duration::from_millis(20), actor.login("ada", "correct horse")).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(10), is_queued).await.expect("disconnected clients still wait");
}

#[tokio::test]
async fn request_with_two_lengths_is_rejected() {
    let server = TestServer::start().await;
    let running = run(server.router.clone(), Limits::default()).await;
    for lengths in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5\r\ntransfer-encoding: chunked\r\ncontent-length: 7",
    ] {
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{lengths}\r\nconnection: close\r\n\r\n0\r\n\r\n"
        );
        let answer = read_to_end(send(running.address, &request).await).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{lengths}: {answer}");
    }
}

#[tokio::test]
async fn panicking_handler_fails_only_its_own_request() {
    // The GraphQL engine cannot be made to panic, but a body can.
    let server = TestServer::start().await;
    let body = Body::from_stream(futures_util::stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<&str, std::io::Error>>> { panic!("on purpose") },
    ));
    let answer = server.anonymous().post(body).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.code(), "INTERNAL_SERVER_ERROR");
    assert!(answer.json().get("data").is_none());
    assert!(!answer.text.contains("on purpose"));
    assert_eq!(server.anonymous().get("/health/live").await.status, 200);
}

/// Otherwise the throttle would count a correct password as a failed attempt, and a transaction would be interrupted.
#[tokio::test]
async fn writing_request_completes_after_a_disconnect() {
    // Long enough to disconnect during the write.
    let server = TestServer::with(|settings| settings.passwords.bcrypt_cost = 10).await;
    server.user("ada").await;
    let running = run(server.router.clone(), Limits::default()).await;
    let db = server.app.database.read();
    let before = throttle::Entity::find().count(db).await.unwrap();
    let stream = send(running.address, &login_request("the password of ada")).await;
    while throttle::Entity::find().count(db).await.unwrap() == before {
        tokio::task::yield_now().await;
    }
    drop(stream);
    let signed_in = async { while session::Entity::find().count(db).await.unwrap() < 2 {} };
    tokio::time::timeout(Duration::from_secs(5), signed_in).await.expect("the login was cancelled");
}

#[tokio::test]
async fn shutdown_waits_for_writes_of_disconnected_clients() {
    let server = TestServer::start().await;
    let (app, started) = (Arc::clone(&server.app), Arc::new(Notify::new()));
    let finished = Arc::new(AtomicBool::new(false));
    let (is_started, is_finished) = (started.clone(), finished.clone());
    let write = || async move {
        let transaction = app.write().await.unwrap();
        is_started.notify_one();
        tokio::time::sleep(Duration::from_millis(300)).await;
        transaction.commit().await.unwrap();
        is_finished.store(true, Ordering::SeqCst);
    };
    let running = run(Router::new().route("/write", get(write)), Limits::default()).await;
    let stream = send(running.address, "GET /write HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    started.notified().await;
    drop(stream);
    running.stop.send(()).unwrap();
    running.served.await.unwrap();
    assert!(finished.load(Ordering::SeqCst));
}

/// Such a request would delay other requests, although no client waits for its response.
#[tokio::test]
async fn disconnect_cancels_a_request_before_its_first_write() {
    struct Ended(Arc<Notify>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (started, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (is_started, is_ended) = (started.clone(), ended.clone());
    let wait = || async move {
        let _ended = Ended(is_ended);
        is_started.notify_one();
        std::future::pending::<()>().await;
    };
    let running = run(Router::new().route("/wait", get(wait)), Limits::default()).await;
    let stream = send(running.address, "GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    started.notified().await;
    drop(stream);
    tokio::time::timeout(Duration::from_secs(5), ended.notified())
        .await
        .expect("the request continues after the disconnect");
}
