//! Sessions and their refresh tokens in the database.

use hallpass::entity::{
    audit_event::{self, Action},
    session,
};
use sea_orm::EntityTrait;

use super::{Answer, TestServer};

/// The new refresh token and access token of a successful refresh.
pub fn refreshed_tokens(answer: &Answer) -> (String, String) {
    let text = |pointer| answer.data(pointer).as_str().unwrap().to_owned();
    (text("/refreshToken/refreshToken"), text("/refreshToken/accessToken"))
}

impl TestServer {
    /// The row of the only session.
    pub async fn only_session(&self) -> session::Model {
        let rows = session::Entity::find().all(self.app.database.read()).await.unwrap();
        let [row] = rows.try_into().unwrap();
        row
    }

    /// Number of audit events with this action.
    pub async fn events(&self, action: Action) -> usize {
        let events = audit_event::Entity::find().all(self.app.database.read()).await.unwrap();
        events.iter().filter(|event| event.action == action).count()
    }

    /// Waits until the current generation is confirmed, which happens outside the request.
    pub async fn confirmed(&self) {
        for _ in 0..10_000 {
            let row = self.only_session().await;
            if row.confirmed_generation == row.generation {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("not confirmed");
    }
}
