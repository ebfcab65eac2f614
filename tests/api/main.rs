//! API tests: one file per feature, against the real router and a separate database for each test. `TEST_DATABASE_URL`
//! selects the database server; the default is SQLite. With `TEST_SECOND_FACTOR=1`, all users have a second factor;
//! `docs/development/testing.md` lists the modules that run then.
#![expect(
    clippy::expect_used,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod administration;
mod administrators;
mod audit;
mod audit_retention;
mod bounds;
mod brand;
mod configuration;
mod connections;
mod copy;
mod custom_claims;
mod deletion;
mod deployment;
mod documents;
mod email;
mod email_sign_in;
mod errors;
mod familiar_networks;
mod federation;
mod forbidden;
mod foreign_hash_vectors;
mod foreign_hashes;
mod forgery;
mod forward_auth;
mod graphql_over_http;
mod growth;
mod health;
mod hints;
mod identifiers;
mod identities;
mod identity;
mod import;
mod indexes;
mod invitation_page;
mod invitations;
mod keys;
mod languages;
mod limits;
mod links;
mod live_events;
mod live_streams;
mod login;
mod mail_limits;
mod mail_servers;
mod mail_templates;
mod mails;
mod metrics;
mod mfa_policy;
mod migrations;
mod nodes;
mod oauth;
mod outages;
mod own_data;
mod pages;
mod passkey_accounts;
mod passkeys;
mod password;
mod passwordless;
mod passwords;
mod path_prefix;
mod pending_email;
mod playground;
mod profile;
mod properties;
mod provider_attacks;
mod provider_races;
mod providers;
mod reading;
mod reauthentication;
mod refresh_reuse;
mod register;
mod renames;
mod replaced_file;
mod request_log;
mod reset;
mod rest;
mod rest_second_factor;
mod rest_users;
mod roles;
mod second_factor;
mod second_factor_attacks;
mod second_factor_graphql;
mod second_factor_rows;
mod secrets;
mod server_info;
mod serving;
mod session_limits;
mod sessions;
mod settings;
mod sign_in_page;
mod starting;
mod step_up;
mod support;
mod throttle;
mod throttle_limits;
mod trusted_documents;
mod unverified;
mod user_list;
mod user_roles;
mod username_characters;
mod usernames;
mod users;
mod variables;
mod websocket;
mod writing;
