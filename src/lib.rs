//! Hallpass: a GraphQL API server for user accounts.
//!
//! # Layers
//!
//! A module may import only modules of lower layers; `tests/architecture.rs` enforces it.
//!
//! | Layer | Module | What it owns |
//! |---|---|---|
//! | API | [`cli`] | the command line: arguments, exit codes, output |
//! | API | [`http`] | listener, middleware, GraphQL over HTTP, OAuth, REST, pages, explorer |
//! | API | [`graphql`] | schema and resolvers; checks and executes documents |
//! | API | [`jobs`] | background work: delivery of mails, live events, purges, reloading of keys |
//! | Domain | [`domain`] | the rules, one folder for each subject |
//! | Infrastructure | [`app`] | [`App`]: the database, keys, hasher and settings that use cases need |
//! | Infrastructure | [`live_events`] | hands new events of the audit log to open streams |
//! | Infrastructure | [`entity`] | the tables, one file for each, with their statements |
//! | Infrastructure | [`database`] | connections, transactions, migrations, failover |
//! | Infrastructure | [`mail`] | templates and SMTP |
//! | Infrastructure | [`providers`] | what is known about the providers that users can sign in with |
//! | Infrastructure | [`outgoing`] | HTTP requests to other servers |
//! | Infrastructure | [`security`] | password hashes, tokens, verification of passkeys, keys, random values |
//! | Infrastructure | [`metrics`] | what the server counts, and its text format |
//! | Infrastructure | [`traces`] | spans of requests, use cases and statements, and their export |
//! | Base | [`config`] | settings, parsed and checked |
//! | Base | [`error`] | [`Error`]: the errors of requests |
//! | Base | [`clock`], [`language`] | time; the languages of messages, pages and mails |
//!
//! A subject has the same name in every layer. For example, the code for sessions is in `entity/session.rs`,
//! `domain/sessions`, `graphql/schema/sessions.rs` and `tests/api/sessions.rs`.
//!
//! # How a login is processed
//!
//! 1. `http/graphql` checks that this is a GraphQL request; `http/bearer.rs` decodes the access token into a
//!    [`Viewer`](domain::Viewer). The [`Executor`](graphql::executor::Executor) checks the document and the variables
//!    before it executes anything.
//! 2. `graphql/schema/sign_in.rs` turns `LoginInput` into [`Credentials`](domain::sign_in::password::Credentials).
//! 3. [`domain::sign_in::password::login`] counts the attempt, finds the user, verifies the password (against a dummy
//!    hash if there is no such user), and opens the session in one transaction.
//! 4. The resolver returns the payload. `http/cookies.rs` writes a refresh token for the cookie. `graphql/errors.rs` turns an
//!    [`Error`] into `extensions`.
//!
//! # Rules
//!
//! - **Guard by type.** Use cases take a [`Principal`](domain::Principal) or an
//!   [`Administrator`](domain::users::administration::Administrator) instead of an id. Both come only from a check.
//! - **The database decides.** Unique indexes and compare-and-swap decide races; a check before an insert is a bug.
//!   [`App::write`] is the only way to begin a transaction. A transaction must not hash passwords, send mails or wait.
//! - **Time and random values** come from [`clock`] and [`security::random`]; lints forbid other sources. Tests move the
//!   clock.
//! - **State** that outlives a request is in the database, so that any number of instances can share it.
//! - **Errors** are [`Error`]s. No message contains a value from the client. Every code has a text in each [`language`].
//!   Start-up and commands add context with [`anyhow`], for the operator.
//! - **Log lines** of a request contain its id: `http/middleware/frame.rs` handles each request in its own span. Tasks that
//!   are spawned for a request run in this span too. Its trace is another thing: [`traces`] has what is exported.
//! - **Names** follow the standards, with one term for each concept.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod database;
#[cfg(doc)]
pub mod development;
pub mod domain;
pub mod entity;
pub mod error;
pub mod graphql;
pub mod http;
pub mod jobs;
pub mod language;
pub mod live_events;
pub mod mail;
pub mod metrics;
pub mod outgoing;
pub mod providers;
pub mod security;
pub mod traces;

pub use app::App;
pub use error::{Error, Result};
