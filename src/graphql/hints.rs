//! Hints: what surprises a developer, told while the server is local.

use crate::{Error, error::UnauthenticatedReason};

/// What a door noticed about a request that may explain its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Credentials were sent, but none that are read: another scheme than `Bearer`, or none.
    pub has_other_credentials: bool,
    /// Page and server are on this machine, but by different names, which makes them two sites to a browser.
    pub is_cross_site: bool,
    /// The page's origin is not one of `ALLOWED_ORIGINS`.
    pub is_origin_refused: bool,
}

const SEND_A_TOKEN: &str = "No `Authorization` header arrived. `register` and `login` answer with an `accessToken`: send it with \
    each request, as `Authorization: Bearer <accessToken>`. The explorer does so by itself once you have run one of them.";

const WRITE_BEARER: &str = "An `Authorization` header arrived, but it does not start with `Bearer`: send \
    `Authorization: Bearer <accessToken>`.";

const SAME_NAME: &str = "The page and this server go by different names, such as `localhost` and `127.0.0.1`. To a browser these \
    are two sites, and cookies don't go from one to the other: use one name for both.";

const NAME_ORIGIN: &str = "The page's origin is not in ALLOWED_ORIGINS, so that a browser does not show it this response. Host and \
    port must be the same: `localhost` is not `127.0.0.1`, and Vite takes port 5174 when 5173 is in use.";

impl Circumstances {
    /// What to tell about an error, if there is anything.
    pub(super) fn hint(self, error: &Error) -> Option<String> {
        let token = match error {
            Error::Unauthenticated(UnauthenticatedReason::TokenMissing) if self.has_other_credentials => {
                Some(WRITE_BEARER)
            }
            Error::Unauthenticated(UnauthenticatedReason::TokenMissing) => Some(SEND_A_TOKEN),
            Error::SessionNotFound => None,
            _ => return None,
        };
        let site = self.is_cross_site.then_some(SAME_NAME);
        let origin = self.is_origin_refused.then_some(NAME_ORIGIN);
        let hints: Vec<&str> = token.into_iter().chain(site).chain(origin).collect();
        (!hints.is_empty()).then(|| hints.join(" "))
    }
}
