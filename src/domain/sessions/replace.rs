//! A sign-in in a browser that is already signed in ends the session whose cookie it overwrites (OWASP ASVS 5.0 §7.2.4).

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

/// The tokens in the cookies of a request.
#[derive(Clone, Debug, Default)]
pub struct Cookies {
    /// The refresh token. It may have expired.
    pub refresh_token: Option<SecretString>,
    /// The token that binds challenges for a second factor to the browser.
    pub mfa_client: Option<SecretString>,
    /// The token of a remembered device.
    pub remembered_device: Option<SecretString>,
}

/// The options of a new session.
#[derive(Debug)]
pub struct NewSession {
    /// How its refresh tokens are delivered.
    pub delivery: Delivery,
    /// The cookies that the response may overwrite. Empty unless refresh tokens are delivered in a cookie.
    pub cookies: Cookies,
}

impl NewSession {
    /// A session whose refresh tokens are delivered in bodies. It overwrites no cookie.
    #[must_use]
    pub fn in_body() -> Self {
        Self::new(Delivery::Body, Cookies::default())
    }

    /// A session with this delivery, opened by a client with these cookies.
    #[must_use]
    pub fn new(delivery: Delivery, cookies: Cookies) -> Self {
        let cookies = match delivery {
            Delivery::Cookie => cookies,
            Delivery::Body => Cookies::default(),
        };
        Self { delivery, cookies }
    }

    /// Finds the session of the overwritten cookie, if any.
    ///
    /// # Errors
    /// SERVICE_UNAVAILABLE if the database is unreachable.
    pub(in crate::domain) async fn replaced(&self, context: &Context) -> Result<Option<Replaced>> {
        let app = &context.app;
        let claims =
            self.cookies.refresh_token.as_ref().and_then(|token| app.refresh_tokens.verify(token.expose_secret()));
        let Some(claims) = claims else { return Ok(None) };
        let owner = session::owners(app.database.read(), vec![claims.session_id]).await?.pop();
        Ok(owner.map(|(session_id, user_id)| Replaced { session_id, user_id }))
    }
}

/// A session that ends because its cookie is overwritten.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) struct Replaced {
    session_id: Uuid,
    /// The user of that session, who may differ from the user who signs in.
    pub(in crate::domain) user_id: Uuid,
}

impl Replaced {
    /// Ends the session. `users` are locked, and include its user unless the user was deleted.
    pub(in crate::domain) async fn end(self, work: &mut UnitOfWork<'_>, users: &[Locked]) -> Result<()> {
        if let Some(owner) = users.iter().find(|user| user.id == self.user_id)
            && session::revoke(work.db(), owner, vec![self.session_id], work.now).await? == 1
        {
            work.emit(Event::LoggedOut { user_id: owner.id });
        }
        Ok(())
    }
}
