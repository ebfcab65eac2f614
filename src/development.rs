//! The pages of `docs/development`, included so that rustdoc checks their links.
//!
//! The pages use reference links, whose targets are defined at the end of the page and are files of the repository. The same
//! references are defined here, before the page, as items. The first definition of a reference counts in Markdown, so the
//! links lead to files in the repository, and to items in these docs.

/// [SECURITY.md]: security
/// [Architecture]: architecture
/// [Adding a feature]: adding_a_feature
/// [Testing]: testing
#[doc = include_str!("../CONTRIBUTING.md")]
pub mod contributing {}

/// [`src/entity/`]: crate::entity
#[doc = include_str!("../docs/development/architecture.md")]
pub mod architecture {}

/// [older instances]: crate::database::Compatibility
/// [Errors]: crate::error::ErrorCode
/// [Configuration]: crate::config
/// [Contributing]: contributing
/// [`src/entity/tables.rs`]: crate::entity::tables
/// [`src/entity/user.rs`]: crate::entity::user
/// [`src/domain/users/registration.rs`]: crate::domain::users::registration
/// [`src/domain/identity/`]: crate::domain::identity
/// [`src/error/field.rs`]: crate::error::Field
/// [`src/error/codes.rs`]: crate::error::ErrorCode
/// [`src/domain/`]: crate::domain
/// [`src/entity/audit_event.rs`]: crate::entity::audit_event
/// [`src/error/mod.rs`]: crate::error
/// [`src/config/`]: crate::config
#[doc = include_str!("../docs/development/adding-a-feature.md")]
pub mod adding_a_feature {}

#[doc = include_str!("../docs/development/testing.md")]
pub mod testing {}

/// [documented status]: crate::http
#[doc = include_str!("../docs/development/fuzzing.md")]
pub mod fuzzing {}

#[doc = include_str!("../docs/development/releases.md")]
pub mod releases {}

/// [`benches/README.md`]: benchmark_results
#[doc = include_str!("../docs/development/benchmarks.md")]
pub mod benchmarks {}

#[doc = include_str!("../benches/README.md")]
pub mod benchmark_results {}

/// [settings]: crate::config::ThrottleSettings
/// [Abuse protection]: crate::domain::throttle
/// [`benches/README.md`]: benchmark_results
#[doc = include_str!("../SECURITY.md")]
pub mod security {}
