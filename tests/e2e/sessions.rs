//! Sessions over real connections.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

use super::{FAST, Folder, Server};

const REGISTER: &str = r#"{"query":"mutation { register(input: {username: \"ada\", password: \"correct horse\", tokenDelivery: BODY}) { refreshToken } }"}"#;

fn refresh(token: &str) -> String {
    format!(
        r#"{{"query":"mutation {{ refreshToken(input: {{refreshToken: \"{token}\"}}) {{ accessToken refreshToken }} }}"}}"#
    )
}

fn refresh_token(answer: &str) -> String {
    answer
        .split(r#""refreshToken":""#)
        .nth(1)
        .unwrap_or_else(|| panic!("{answer}"))
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn app_killed_before_reading_the_response_can_still_refresh() {
    let folder = Folder::new("lost_response");
    // Without a grace period, the test does not depend on timing.
    let server = Server::start(&folder, &[FAST, ("REFRESH_GRACE_SECONDS", "0")]);
    let first = refresh_token(&server.graphql(REGISTER));

    // The app sends its token, the server rotates it, and the response is lost.
    let body = refresh(&first);
    let mut app = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let length = body.len();
    write!(
        app,
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    // The first byte proves that the server has responded.
    app.read_exact(&mut [0]).unwrap();
    app.shutdown(Shutdown::Both).unwrap();
    drop(app);

    let second = refresh_token(&server.graphql(&refresh(&first)));
    assert_ne!(second, first);
    let third = refresh_token(&server.graphql(&refresh(&second)));
    // Reuse of the first token ends the session.
    assert!(server.graphql(&refresh(&first)).contains("SESSION_REVOKED"));
    assert!(server.graphql(&refresh(&third)).contains("SESSION_REVOKED"));
}

#[test]
fn rotation_and_logout_survive_a_crash() {
    let folder = Folder::new("crash");
    let server = Server::start(&folder, &[FAST]);
    let token = refresh_token(&server.graphql(REGISTER));
    let second = refresh_token(&server.graphql(&refresh(&token)));
    let third = refresh_token(&server.graphql(&refresh(&second)));
    drop(server);
    let server = Server::start(&folder, &[FAST]);
    let fourth = refresh_token(&server.graphql(&refresh(&third)));
    let logout =
        format!(r#"{{"query":"mutation {{ logout(input: {{refreshToken: \"{fourth}\"}}) {{ revokedSessions }} }}"}}"#);
    assert!(server.graphql(&logout).contains(r#""revokedSessions":1"#));
    drop(server);
    let server = Server::start(&folder, &[FAST]);
    assert!(server.graphql(&refresh(&fourth)).contains("SESSION_REVOKED"));
}
