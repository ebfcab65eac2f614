//! Authentication of OAuth clients by secret.

use aws_lc_rs::{constant_time, digest};

use crate::config::{ExposeSecret, OauthClient};

/// Whether one of `clients` has this id and this secret. The duration does not depend on the input: digests of equal
/// length are compared, and all clients are checked.
#[must_use]
pub fn is_known(clients: &[OauthClient], id: &str, secret: &str) -> bool {
    let digest_of = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    let (id, secret) = (digest_of(id), digest_of(secret));
    // Not `any`, which would stop at the first match.
    let found = clients.iter().filter(|client| {
        let (known_id, known_secret) = (digest_of(&client.id), digest_of(client.secret.expose_secret()));
        let is_id = constant_time::verify_slices_are_equal(id.as_ref(), known_id.as_ref()).is_ok();
        let is_secret = constant_time::verify_slices_are_equal(secret.as_ref(), known_secret.as_ref()).is_ok();
        is_id && is_secret
    });
    found.count() > 0
}
