//! Which responses are accepted.

use std::time::Duration;

use hallpass::outgoing::{Failure, Request};

use crate::support::{LOOPBACK, Names, Server, client, get};

#[tokio::test]
async fn response_has_status_media_type_lifetime_and_body() {
    let response = "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nCache-Control: public, max-age=3600\r\n\
                    Age: 600\r\nContent-Length: 8\r\n\r\n{\"a\": 1}";
    let response = get(&Server::answering(response).await).await.unwrap();
    assert!(response.is_success());
    assert_eq!((response.status, response.media_type.as_deref()), (200, Some("application/json")));
    assert_eq!(response.max_age, Some(Duration::from_mins(50)));
    assert_eq!(response.body, "{\"a\": 1}");
}

#[tokio::test]
async fn error_responses_are_returned_with_their_body() {
    for status in [400, 401, 404, 429, 500, 503] {
        let response = format!("HTTP/1.1 {status} Error\r\ncontent-length: 5\r\n\r\nerror");
        let response = get(&Server::answering(response).await).await.unwrap();
        assert_eq!((response.status, &response.body[..], response.is_success()), (status, &b"error"[..], false));
    }
}

#[tokio::test]
async fn chunked_responses_and_interim_responses_are_read() {
    let response = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n\
                    HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n1\r\n \r\n0\r\n\r\n";
    assert_eq!(get(&Server::answering(response).await).await.unwrap().body, "{} ");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Server::answering(crate::support::OK).await;
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let location = target.url("/");
        let response = format!("HTTP/1.1 {status} Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let server = Server::answering(response).await;
        assert_eq!(get(&server).await.unwrap_err(), Failure::Redirect(status));
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn malformed_responses_are_refused() {
    for response in [
        "",
        "SSH-2.0-OpenSSH_9.2p1\r\n",
        "220 mail.example.org ESMTP\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
    ] {
        let failure = get(&Server::answering(response).await).await.unwrap_err();
        assert!(matches!(failure, Failure::Protocol(_)), "{response:?}: {failure:?}");
    }
}

#[tokio::test]
async fn incomplete_bodies_are_refused() {
    for response in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ] {
        let failure = get(&Server::answering(response).await).await.unwrap_err();
        assert!(matches!(failure, Failure::Protocol(_)), "{response:?}: {failure:?}");
    }
}

#[tokio::test]
async fn compressed_responses_are_refused() {
    let encoded =
        |encoding: &str| format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: 2\r\n\r\n{{}}");
    for encoding in ["gzip", "br", "identity, gzip"] {
        let failure = get(&Server::answering(encoded(encoding)).await).await.unwrap_err();
        assert!(matches!(failure, Failure::Protocol(_)), "{encoding}: {failure:?}");
    }
    assert!(get(&Server::answering(encoded("identity")).await).await.unwrap().is_success());
}

#[tokio::test]
async fn several_requests_have_connections_of_their_own() {
    let server = Server::answering(crate::support::OK).await;
    let client = client(&[LOOPBACK], Names::default());
    let url = server.url("/");
    for _ in 0..3 {
        client.send(Request::get(&url)).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}
