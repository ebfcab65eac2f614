//! OAuth 2.0: `/token`, `/revoke`, `/introspect` and the metadata. Reading requests and writing errors is shared with
//! the REST API.

pub(super) mod introspect;
pub(super) mod token;
mod well_known;

pub(super) use well_known::{authorization_server, jwks, passkey_origins};
