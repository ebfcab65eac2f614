//! A stream of live events.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Method, StatusCode, header},
    response::Response,
};
use hallpass::{App, jobs::live_events};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Actor, TestServer};

/// Reads the events of a server until it is dropped, as the job of a running server does.
pub struct Reading(Arc<App>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.live_events.close();
    }
}

impl TestServer {
    /// Starts the job that reads events.
    pub fn read_events(&self) -> Reading {
        tokio::spawn(live_events::read_events(Arc::clone(&self.app)));
        Reading(Arc::clone(&self.app))
    }
}

/// The response to a subscription.
pub struct Events {
    pub response: Response<()>,
    body: Body,
    text: String,
}

/// A message of a stream of server-sent events.
#[derive(Debug, PartialEq)]
pub enum Message {
    Next(Value),
    Complete,
}

impl Message {
    /// The value at a JSON pointer in the data of an event without errors.
    pub fn data(&self, pointer: &str) -> Value {
        let Self::Next(next) = self else { panic!("the stream has ended") };
        assert!(next.get("errors").is_none(), "{next:#}");
        next["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer}: {next:#}")).clone()
    }

    /// The extensions of the only error of a message without data.
    pub fn error(&self) -> Value {
        let Self::Next(next) = self else { panic!("the stream has ended") };
        assert!(next["data"].is_null(), "{next:#}");
        assert_eq!(next["errors"].as_array().map(Vec::len), Some(1), "{next:#}");
        next["errors"][0]["extensions"].clone()
    }
}

impl Actor {
    /// Subscribes, and receives server-sent events.
    pub async fn subscribe(&self, query: &str, variables: Value) -> Events {
        let events = self.stream("text/event-stream", json!({ "query": query, "variables": variables })).await;
        assert_eq!(events.header("content-type"), Some("text/event-stream; charset=utf-8"));
        events
    }

    /// Sends a GraphQL request whose response may be a stream.
    pub async fn stream(&self, accept: &str, body: Value) -> Events {
        let request = self.request(Method::POST, "/graphql").header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::ACCEPT, accept).body(Body::from(body.to_string())).unwrap();
        let (head, body) = self.router().oneshot(request).await.unwrap().into_parts();
        Events { response: Response::from_parts(head, ()), body, text: String::new() }
    }
}

impl Events {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next bytes. Fails instead of waiting for ever. `None` at the end of the body.
    async fn frame(&mut self) -> Option<Bytes> {
        let frame = tokio::time::timeout(Duration::from_secs(10), self.body.frame()).await;
        frame.expect("nothing was sent").map(|frame| frame.unwrap().into_data().unwrap())
    }

    /// The remaining body.
    pub async fn rest(&mut self) -> String {
        while let Some(frame) = self.frame().await {
            self.text.push_str(std::str::from_utf8(&frame).unwrap());
        }
        std::mem::take(&mut self.text)
    }

    /// The body until it contains `text`.
    pub async fn read_until(&mut self, text: &str) -> String {
        while !self.text.contains(text) {
            let frame = self.frame().await.unwrap_or_else(|| panic!("the stream has ended: {}", self.text));
            self.text.push_str(std::str::from_utf8(&frame).unwrap());
        }
        std::mem::take(&mut self.text)
    }

    /// The next message of a stream of server-sent events.
    pub async fn next(&mut self) -> Message {
        loop {
            let Some((message, rest)) = self.text.split_once("\n\n") else {
                let frame = self.frame().await.unwrap_or_else(|| panic!("the stream has ended: {}", self.text));
                self.text.push_str(std::str::from_utf8(&frame).unwrap());
                continue;
            };
            let (message, rest) = (message.to_owned(), rest.to_owned());
            self.text = rest;
            match message.split_once("\ndata:") {
                None if message.starts_with(':') => {}
                Some(("event: next", data)) => return Message::Next(serde_json::from_str(data).unwrap()),
                Some(("event: complete", "")) => return Message::Complete,
                _ => panic!("not a message: {message}"),
            }
        }
    }

    /// Expects that the stream ends. Returns the extensions of the error in its last message.
    pub async fn end(&mut self) -> Value {
        let error = self.next().await.error();
        assert_eq!(self.next().await, Message::Complete);
        assert_eq!(self.frame().await, None);
        error
    }
}
