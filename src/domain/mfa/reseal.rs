//! Sealing secrets again after a change of `SECRET_KEY`.

use crate::{
    Error, Result,
    domain::{Context, UnitOfWork, mfa::factor::secret_of},
    entity::totp_factor,
};

/// Secrets that are sealed in one transaction.
const BATCH: u64 = 50;

/// Seals the secrets of authenticator apps that the previous key sealed with the current key, so that the previous key can be
/// removed. Any number of instances may do so concurrently. Returns how many secrets were sealed.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable. Batches that were committed stay sealed.
pub async fn reseal(context: &Context) -> Result<u64> {
    let app = &context.app;
    let mut count = 0;
    for key_id in app.totp_sealer.previous_key_ids() {
        let mut after = None;
        loop {
            let factors = totp_factor::sealed_by(app.database.read(), key_id, after, BATCH).await?;
            let Some(last) = factors.last() else { break };
            after = Some(last.user_id);
            let work = context.begin().await?;
            for factor in &factors {
                count += u64::from(reseal_one(&work, factor).await?);
            }
            work.commit().await?;
        }
    }
    Ok(count)
}

/// Returns false if another request has changed the factor in the meantime.
async fn reseal_one(work: &UnitOfWork<'_>, factor: &totp_factor::Model) -> Result<bool> {
    let secret = match secret_of(work, factor) {
        Ok(secret) => secret,
        Err(Error::Internal(_)) => {
            tracing::error!(user_id = %factor.user_id, "the secret of an authenticator app is damaged");
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let sealed = work.app().totp_sealer.seal(factor.user_id, secret.as_bytes())?;
    Ok(totp_factor::reseal(work.db(), factor, sealed).await?)
}

/// Counts the secrets that the current key did not seal.
///
/// # Errors
/// SERVICE_UNAVAILABLE if the database is unreachable.
pub async fn count_sealed_by_other_keys(context: &Context) -> Result<u64> {
    let app = &context.app;
    Ok(totp_factor::count_sealed_by_other_keys(app.database.read(), app.totp_sealer.current_key_id()?).await?)
}
