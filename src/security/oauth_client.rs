//! Who a client of OAuth's is, by its secret.

use aws_lc_rs::{constant_time, digest};

use crate::config::{ExposeSecret, OauthClient};

/// Whether one of `clients` has this id and this secret. It takes as long for all ids and all secrets: digests of one length
/// are compared, and all clients are looked at.
#[must_use]
pub fn is_known(clients: &[OauthClient], id: &str, secret: &str) -> bool {
    let digest_of = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    let (id, secret) = (digest_of(id), digest_of(secret));
    // Not `any`, which would stop at the first.
    let found = clients.iter().filter(|client| {
        let (known_id, known_secret) = (digest_of(&client.id), digest_of(client.secret.expose_secret()));
        let is_id = constant_time::verify_slices_are_equal(id.as_ref(), known_id.as_ref()).is_ok();
        let is_secret = constant_time::verify_slices_are_equal(secret.as_ref(), known_secret.as_ref()).is_ok();
        is_id && is_secret
    });
    found.count() > 0
}
