//! wip
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
pub mod security;
pub use app::App;
pub use error::{Error, Result};
