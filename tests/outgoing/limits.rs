//! Limits of size, time and concurrency.

use std::{
    future::pending,
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::future::join_all;
use hallpass::outgoing::{Failure, MAX_CONCURRENT_REQUESTS, Request, Resolver, Step};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::sleep,
};
use url::Url;

use crate::support::{LOOPBACK, Names, OK, Server, client, get, read_request};

/// The limit of headers and of the body.
const LIMIT: usize = 64 * 1024;
/// A deadline that passes during the test.
const SHORT: Duration = Duration::from_millis(300);
/// A deadline that does not.
const LONG: Duration = Duration::from_mins(1);

/// Sends `start`, and then `part` again and again, until the client closes the connection.
async fn endless(start: &'static str, part: &'static str, pause: Duration) -> Server {
    Server::start(move |mut stream, _| async move {
        read_request(&mut stream).await;
        let mut result = stream.write_all(start.as_bytes()).await;
        while result.is_ok() {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            result = stream.write_all(part.as_bytes()).await;
        }
    })
    .await
}

/// Accepts connections, and sends nothing.
async fn silent() -> Server {
    Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        pending::<()>().await;
    })
    .await
}

#[tokio::test]
async fn bodies_up_to_the_limit_are_accepted() {
    for (size, is_accepted) in [(LIMIT, true), (LIMIT + 1, false)] {
        let body = "x".repeat(size);
        for response in [
            format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{body}"),
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
            format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {size}\r\n\r\n{body}"),
        ] {
            let result = get(&Server::answering(response).await).await.map(|response| response.body.len());
            assert_eq!(result, if is_accepted { Ok(LIMIT) } else { Err(Failure::TooLarge) });
        }
    }
}

#[tokio::test]
async fn headers_have_a_limit() {
    for (size, is_accepted) in [(LIMIT - 100, true), (LIMIT, false)] {
        let response = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(size));
        let result = get(&Server::answering(response).await).await.map(|response| response.status);
        assert_eq!(result, if is_accepted { Ok(200) } else { Err(Failure::TooLarge) });
    }
}

#[tokio::test]
async fn endless_responses_are_refused() {
    const NOW: Duration = Duration::ZERO;
    for (start, part) in [
        ("HTTP/1.1 200 OK\r\n", "name: value\r\n"),
        ("HTTP/1.1 200 OK\r\nname: ", "value"),
        ("HTTP/1.1 200 ", "OK"),
        ("HTTP/1.1 200 OK\r\n\r\n", "value"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n", "value"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "5\r\nvalue\r\n"),
    ] {
        assert_eq!(get(&endless(start, part, NOW).await).await.unwrap_err(), Failure::TooLarge, "{start:?}");
    }
}

/// These are not part of the headers or the body.
#[tokio::test]
async fn endless_frames_are_refused() {
    for (start, part) in [
        ("", "HTTP/1.1 103 Early Hints\r\nname: value\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "extension"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "name: value\r\n"),
    ] {
        let started = Instant::now();
        let failure = get(&endless(start, part, Duration::ZERO).await).await.unwrap_err();
        assert!(matches!(failure, Failure::Protocol(_) | Failure::TooLarge), "{start:?}: {failure:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{start:?}: {failure:?}");
    }
}

#[tokio::test]
async fn slow_servers_reach_the_deadline() {
    const PAUSE: Duration = Duration::from_millis(10);
    for server in [
        silent().await,
        endless("HTTP/1.1 200 OK\r\n", "a: b\r\n", PAUSE).await,
        endless("HTTP/1.1 200 OK\r\n\r\n", "x", PAUSE).await,
        endless("", "HTTP/1.1 100 Continue\r\n\r\n", PAUSE).await,
    ] {
        let url = server.url("/");
        let started = Instant::now();
        let sending = client(&[LOOPBACK], Names::default()).send(Request::get(&url).timeout(SHORT)).await;
        assert_eq!(sending.unwrap_err().failure, Failure::TimedOut(Step::Response));
        assert!((SHORT..SHORT * 10).contains(&started.elapsed()));
    }
}

#[tokio::test]
async fn handshake_has_the_same_deadline() {
    let url = format!("https://{}/", silent().await.address).parse().unwrap();
    let sending = client(&[LOOPBACK], Names::default()).send(Request::get(&url).timeout(SHORT)).await;
    assert_eq!(sending.unwrap_err().failure, Failure::TimedOut(Step::Handshake));
}

/// A resolver that never answers.
#[derive(Debug)]
struct Stuck;

#[async_trait]
impl Resolver for Stuck {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        pending().await
    }
}

#[tokio::test]
async fn lookup_has_the_same_deadline() {
    let url = Url::parse("https://example.org/").unwrap();
    let sending = client(&[], Stuck).send(Request::get(&url).timeout(SHORT)).await;
    assert_eq!(sending.unwrap_err().failure, Failure::TimedOut(Step::Resolving));
}

/// A resolver that takes most of the time.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl Resolver for Slow {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        sleep(SHORT * 2 / 3).await;
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

/// Each step takes less than the time limit.
#[tokio::test]
async fn steps_share_one_deadline() {
    let server = Server::start(|stream, server| async move {
        sleep(SHORT * 2 / 3).await;
        server.answer(stream, OK.as_bytes()).await;
    })
    .await;
    let url = server.url_of("slow.example.org", "/");
    let sending = client(&[LOOPBACK], Slow).send(Request::get(&url).timeout(SHORT)).await;
    assert!(matches!(sending.unwrap_err().failure, Failure::TimedOut(_)));
}

#[tokio::test]
async fn dropped_requests_close_their_connection() {
    let (connected, mut connections) = mpsc::unbounded_channel();
    let (closed, mut closures) = mpsc::unbounded_channel();
    let server = Server::start(move |mut stream, _| {
        let (connected, closed) = (connected.clone(), closed.clone());
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc").await.unwrap();
            connected.send(()).unwrap();
            closed.send(stream.read(&mut [0; 16]).await.unwrap_or(0)).unwrap();
        }
    })
    .await;
    let url = server.url("/");
    let client = client(&[LOOPBACK], Names::default());
    tokio::select! {
        result = client.send(Request::get(&url).timeout(LONG)) => panic!("{result:?}"),
        received = connections.recv() => received.unwrap(),
    }
    // Well before the deadline of the request.
    let read = tokio::time::timeout(Duration::from_secs(5), closures.recv()).await.unwrap();
    assert_eq!(read, Some(0));
}

#[tokio::test]
async fn further_requests_wait_for_concurrent_ones() {
    let hanging = silent().await;
    let server = Server::answering(OK).await;
    let client = client(&[LOOPBACK], Names::default());
    let (hanging_url, url) = (hanging.url("/"), server.url("/"));
    let hang = || client.send(Request::get(&hanging_url).timeout(LONG));
    let mut all = Box::pin(join_all((0..MAX_CONCURRENT_REQUESTS + 3).map(|_| hang())));
    let sending = async {
        while hanging.connections() < MAX_CONCURRENT_REQUESTS {
            sleep(Duration::from_millis(5)).await;
        }
        client.send(Request::get(&url).timeout(SHORT)).await
    };
    tokio::select! {
        _ = &mut all => panic!("a silent server answered"),
        result = sending => assert_eq!(result.unwrap_err().failure, Failure::TimedOut(Step::Waiting)),
    }
    assert_eq!((hanging.connections(), server.connections()), (MAX_CONCURRENT_REQUESTS, 0));
    // Dropped requests return their permits.
    drop(all);
    assert_eq!(client.send(Request::get(&url)).await.unwrap().status, 200);
}
