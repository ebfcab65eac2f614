//! Hallpass: a GraphQL API server for user accounts.
//!
//! # The house
//!
//! Four floors; arrows only go down.
//!
//! | Floor | Room | What it owns |
//! |---|---|---|
//! | 4 | [`cli`] | the command line: arguments, exit codes, what is printed |
//! | 4 | [`http`] | the HTTP door: routes, the `/graphql` handler, OAuth and REST, the explorer, headers, the accept loop |
//! | 4 | [`graphql`] | the GraphQL door: schema, documents, how errors look; one file for each capability |
//! | 3 | [`accounts`] | what Hallpass does: one file for each capability, free functions over [`App`] |
//! | 2 | [`app`] | [`App`]: what a use case may touch |
//! | 2 | [`database`] | connections, the one way to a transaction, migrations under a lock |
//! | 2 | [`mail`] | the texts of mails, the connection to the mail server |
//! | 2 | [`entity`] | the tables, one file for each, with the finders that belong to them |
//! | 2 | [`security`] | password hashes, tokens, keys, chance |
//! | 1 | [`config`] | settings, checked |
//! | 1 | [`error`] | what can go wrong, as one closed type |
//! | 1 | [`clock`] | time |
//! | 1 | [`language`] | the languages of messages, pages and mails |
//!
//! **The rule.** `cli, http, graphql → accounts → app, database, entity, mail, security → config, error, clock, language`. Nothing below
//! floor 4 knows axum or async-graphql; `graphql` and `http` never name SeaORM: they may read the fields of an entity's
//! model, and never query; `accounts` never names a header, a cookie or a status. `tests/api/house.rs` holds the code
//! against it.
//!
//! **One capability, one name.** What belongs to sessions is in `migration/…_session.rs`, `entity/session.rs`,
//! `accounts/sessions.rs`, `graphql/sessions.rs` and `tests/api/sessions.rs`: one search finds the whole of it.
//!
//! # The way of a login
//!
//! 1. `http/graphql` checks that this is a GraphQL request, and `http/bearer.rs` decodes the bearer into a
//!    [`Viewer`](accounts::Viewer). Both go to the [`Engine`](graphql::engine::Engine), which checks the document and
//!    the variables before it executes anything.
//! 2. `graphql/login.rs` turns `LoginInput` into [`Credentials`](accounts::login::Credentials), and calls
//! 3. [`accounts::login::login`]: book the attempt with the throttle, find the user, one hash (real or dummy; one more,
//!    to store, where the stored one is of another scheme or cost), one transaction that writes session,
//!    `last_login_at` and audit event, then the tokens.
//! 4. The resolver answers with a payload, and leaves word if the refresh token goes into a cookie: `http/cookies.rs` alone
//!    reads and writes it. A failure travels up as [`Error`], and `graphql/errors.rs` alone turns it into
//!    `extensions`.
//!
//! # Habits
//!
//! - **Guard by type.** A [`Principal`](accounts::Principal) comes only from [`accounts::principal`], or from a sign-in that
//!   was made a moment ago; use cases take one instead of an id, so that none can forget to check who is asking. What is done
//!   to the accounts of others takes an [`Administrator`](accounts::administration::Administrator).
//! - **Concurrency is decided by the database.** Unique indexes decide who registers; checking first and inserting then
//!   is a bug. [`App::write`] is the only way to a transaction; no hashing and no sending inside one.
//! - **Time and chance** come from [`clock`] and [`security::random`]; lints ban the other ways. Tests turn the clock.
//! - **State** that must outlive a request is in the database, so that any number of instances can share one.
//! - **Errors** are [`Error`]s; `async_graphql::Error` and `async_graphql::Result` would send any text out. No message
//!   holds a value that a client sent. Each code has its words in every [`language`].
//! - Names are the standards' names, and one word means one thing.

pub mod accounts;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod database;
pub mod entity;
pub mod error;
pub mod graphql;
pub mod http;
pub mod language;
pub mod mail;
pub mod security;

pub use app::App;
pub use error::{Error, Result};
