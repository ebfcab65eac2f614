//! A sign-in in a browser that is signed in already: the session of the cookie that it overwrites ends (OWASP ASVS 5.0
//! §7.2.4).

use uuid::Uuid;

use crate::{
    Result,
    config::{ExposeSecret, SecretString},
    domain::{Context, Event, UnitOfWork},
    entity::{
        session::{self, Delivery},
        user::Locked,
    },
};

/// How the session of a sign-in is to be opened.
#[derive(Debug)]
pub struct NewSession {
    /// How its refresh tokens are delivered.
    pub delivery: Delivery,
    /// The refresh token in the cookie that the response overwrites, whatever its age.
    pub replaced_cookie: Option<SecretString>,
}

impl NewSession {
    /// A session whose refresh tokens are delivered in bodies: it overwrites no cookie.
    #[must_use]
    pub const fn in_body() -> Self {
        Self { delivery: Delivery::Body, replaced_cookie: None }
    }

    /// The session that this one replaces, if the cookie names one.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is out of reach.
    pub(in crate::domain) async fn replaced(&self, context: &Context) -> Result<Option<Replaced>> {
        let app = &context.app;
        let claims = self.replaced_cookie.as_ref().and_then(|token| app.refresh_tokens.verify(token.expose_secret()));
        let Some(claims) = claims else { return Ok(None) };
        let owner = session::owners(app.database.read(), vec![claims.session_id]).await?.pop();
        Ok(owner.map(|(session_id, user_id)| Replaced { session_id, user_id }))
    }
}

/// A session that ends because another one takes its cookie.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) struct Replaced {
    session_id: Uuid,
    /// Its user, who may be another one than the one who signs in.
    pub(in crate::domain) user_id: Uuid,
}

impl Replaced {
    /// Ends the session. `users` are locked; its user is among them unless it is deleted.
    pub(in crate::domain) async fn end(self, work: &mut UnitOfWork<'_>, users: &[Locked]) -> Result<()> {
        if let Some(owner) = users.iter().find(|user| user.id == self.user_id)
            && session::revoke(work.db(), owner, vec![self.session_id], work.now).await? == 1
        {
            work.emit(Event::LoggedOut { user_id: owner.id });
        }
        Ok(())
    }
}
