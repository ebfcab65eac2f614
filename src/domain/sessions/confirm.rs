//! Noting that a client has got its new tokens.

use tracing::Instrument;

use crate::{
    App, Result,
    database::Database,
    entity::session::{self, Model},
};

/// Notes that the tokens of the session's current generation have been seen, beside the request that showed it. When
/// there is much to note already, the next request will show it again.
pub(in crate::domain) fn confirm_later(app: &App, session: &Model) {
    let Ok(place) = std::sync::Arc::clone(&app.confirming).try_acquire_owned() else {
        return;
    };
    let (database, id, generation) = (app.database.clone(), session.id, session.generation);
    let confirming = async move {
        if let Err(error) = confirm(&database, id, generation).await {
            tracing::debug!(cause = error.cause(), "a generation could not be confirmed");
        }
        drop(place);
    };
    tokio::spawn(confirming.in_current_span());
}

async fn confirm(database: &Database, id: uuid::Uuid, generation: i32) -> Result<()> {
    let transaction = database.write().await?;
    session::confirm(&transaction, id, generation).await?;
    transaction.commit().await?;
    Ok(())
}
