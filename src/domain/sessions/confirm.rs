//! Confirmation that a client has received its new tokens.

use tracing::Instrument;

use crate::{
    App, Result,
    database::Database,
    entity::session::{self, Model},
    traces,
};

/// Confirms the session's current generation of tokens in the background, so that the request does not wait. Skips it
/// if too many confirmations are running; the next request with these tokens tries again.
pub(in crate::domain) fn confirm_later(app: &App, session: &Model) {
    let Ok(permit) = std::sync::Arc::clone(&app.confirming).try_acquire_owned() else {
        return;
    };
    let (database, id, generation) = (app.database.clone(), session.id, session.generation);
    let confirming = async move {
        if let Err(error) = confirm(&database, id, generation).await {
            tracing::debug!(cause = error.cause(), "failed to confirm a session generation");
        }
        drop(permit);
    };
    tokio::spawn(traces::continued(confirming.in_current_span()));
}

async fn confirm(database: &Database, id: uuid::Uuid, generation: i32) -> Result<()> {
    let transaction = database.write().await?;
    session::confirm(&transaction, id, generation).await?;
    transaction.commit().await?;
    Ok(())
}
