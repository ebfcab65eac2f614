//! Hints: explanations of common errors for developers, sent only while the server is local.

use crate::{Error, error::UnauthenticatedReason};

/// Facts about a request that may explain its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "these are independent facts")]
pub struct HintContext {
    /// The request has an `Authorization` header whose scheme is not `Bearer`.
    pub has_other_credentials: bool,
    /// The page and the server are on this machine but have different names, so a browser treats them as different
    /// sites.
    pub is_cross_site: bool,
    /// The page's origin is not one of `ALLOWED_ORIGINS`.
    pub is_origin_refused: bool,
    /// `ROLES` does not contain the role `admin`.
    pub is_admin_role_unknown: bool,
    /// The request has the cookie that `login` sets together with MFA_REQUIRED.
    pub has_mfa_cookie: bool,
}

const SEND_A_TOKEN: &str = "The request has no `Authorization` header. `register` and `login` return an `accessToken`: \
    send it with each request as `Authorization: Bearer <accessToken>`. The explorer does so after you have run one \
    of them.";

const USE_BEARER: &str = "The `Authorization` header does not start with `Bearer`: send \
    `Authorization: Bearer <accessToken>`.";

const USE_SAME_NAME: &str = "The page and this server have different names, such as `localhost` and `127.0.0.1`. A \
    browser treats them as two sites and does not send cookies between them: use the same name for both.";

const ALLOW_ORIGIN: &str = "The page's origin is not in ALLOWED_ORIGINS, so the browser does not give it this response. \
    Host and port must be the same: `localhost` is not `127.0.0.1`, and Vite uses port 5174 if 5173 is in use.";

const SEND_THE_MFA_COOKIE: &str = "The request has no cookie of the first step. Unless the first step had \
    `tokenDelivery: BODY`, send both with `credentials: \"include\"`, so that the browser keeps and sends the cookie that \
    `login` sets.";

const BECOME_ADMIN: &str = "The user needs the role `admin`. Give it on the command line, in the folder with the server's \
    settings: `hallpass user set-roles <username> admin,user`. The list replaces all roles of the user, and its names must be \
    in ROLES. It applies to the next request.";

const ADD_ADMIN_ROLE: &str = "The user needs the role `admin`, but ROLES does not contain `admin`, so nobody is an \
    administrator. Add it, restart the server, and run `hallpass user set-roles <username> admin,user`.";

impl HintContext {
    /// Returns the hint for an error, if there is one.
    pub(super) fn hint(self, error: &Error) -> Option<String> {
        let cause = match error {
            Error::Unauthenticated(UnauthenticatedReason::TokenMissing) if self.has_other_credentials => {
                Some(USE_BEARER)
            }
            Error::Unauthenticated(UnauthenticatedReason::TokenMissing) => Some(SEND_A_TOKEN),
            Error::SessionNotFound => None,
            Error::MfaChallengeExpired if !self.has_mfa_cookie => Some(SEND_THE_MFA_COOKIE),
            Error::Forbidden if self.is_admin_role_unknown => return Some(ADD_ADMIN_ROLE.to_owned()),
            Error::Forbidden => return Some(BECOME_ADMIN.to_owned()),
            _ => return None,
        };
        let site = self.is_cross_site.then_some(USE_SAME_NAME);
        let origin = self.is_origin_refused.then_some(ALLOW_ORIGIN);
        let hints: Vec<&str> = cause.into_iter().chain(site).chain(origin).collect();
        (!hints.is_empty()).then(|| hints.join(" "))
    }
}
