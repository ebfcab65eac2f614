//! Objects whose nested fields are read together, so that a nested list costs one statement for all objects of a page instead
//! of one for each.
//!
//! The objects of a list share a group with the ids of all of them. The first one whose field is resolved reads it for the
//! whole group; the others take their part. What is read that way is a group again, so that any depth of nesting costs one
//! statement for each field (and each hundred users, for lists).

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::Context;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    Error, Result,
    domain::{
        audit,
        identities::{self, MAX_IDENTITIES},
        mfa,
        page::{Page, Range},
        passkeys::{self, MAX_PASSKEYS},
        sessions::{self, MAX_SESSIONS},
        users::administration,
    },
    entity::{audit_event, identity, passkey, session, user},
    error::MfaMethod,
    graphql::{context::ContextExt, schema::users::User},
};

/// What is read once, by the first object that needs it.
type Once<T> = Arc<OnceCell<Result<T>>>;

/// The users of a list, as administrators see them.
#[derive(Debug)]
pub struct UserGroup {
    ids: Vec<Uuid>,
    sessions: OnceCell<Result<HashMap<Uuid, Vec<session::Model>>>>,
    mfa_methods: OnceCell<Result<HashMap<Uuid, Vec<MfaMethod>>>>,
    passkeys: OnceCell<Result<HashMap<Uuid, Vec<passkey::Model>>>>,
    identities: OnceCell<Result<HashMap<Uuid, Vec<identity::Model>>>>,
    /// By the size of the page, and whether it is counted from the end.
    events: Mutex<HashMap<(u64, bool), Once<EventPages>>>,
}

#[derive(Debug)]
struct EventPages {
    pages: HashMap<Uuid, Page<audit_event::Model>>,
    group: Arc<EventGroup>,
}

impl UserGroup {
    /// Makes a group of users.
    pub(super) fn of(users: &[user::Model]) -> Arc<Self> {
        let ids = users.iter().map(|user| user.id).collect();
        Arc::new(Self {
            ids,
            sessions: OnceCell::new(),
            mfa_methods: OnceCell::new(),
            passkeys: OnceCell::new(),
            identities: OnceCell::new(),
            events: Mutex::default(),
        })
    }

    /// The users besides the one whose rows have been counted.
    fn others(&self) -> u64 {
        u64::try_from(self.ids.len()).unwrap_or(u64::MAX).saturating_sub(1)
    }

    /// The sessions of a user of the group.
    pub(super) async fn sessions(&self, ctx: &Context<'_>, user_id: Uuid) -> Result<Vec<session::Model>> {
        let administrator = ctx.administrator().await?;
        let read = async || {
            ctx.request().check_rows(self.others().saturating_mul(MAX_SESSIONS))?;
            sessions::list_many(ctx.domain(), &administrator, &self.ids).await
        };
        let lists = self.sessions.get_or_init(read).await.as_ref().map_err(Clone::clone)?;
        Ok(lists.get(&user_id).cloned().unwrap_or_default())
    }

    /// The second factors of a user of the group.
    pub(super) async fn mfa_methods(&self, ctx: &Context<'_>, user_id: Uuid) -> Result<Vec<MfaMethod>> {
        let administrator = ctx.administrator().await?;
        let read = || mfa::list_methods_of_many(ctx.domain(), &administrator, &self.ids);
        let lists = self.mfa_methods.get_or_init(read).await.as_ref().map_err(Clone::clone)?;
        Ok(lists.get(&user_id).cloned().unwrap_or_default())
    }

    /// The passkeys of a user of the group.
    pub(super) async fn passkeys(&self, ctx: &Context<'_>, user_id: Uuid) -> Result<Vec<passkey::Model>> {
        let administrator = ctx.administrator().await?;
        let read = async || {
            ctx.request().check_rows(self.others().saturating_mul(MAX_PASSKEYS))?;
            passkeys::list_many(ctx.domain(), &administrator, &self.ids).await
        };
        let lists = self.passkeys.get_or_init(read).await.as_ref().map_err(Clone::clone)?;
        Ok(lists.get(&user_id).cloned().unwrap_or_default())
    }

    /// The identities of a user of the group.
    pub(super) async fn identities(&self, ctx: &Context<'_>, user_id: Uuid) -> Result<Vec<identity::Model>> {
        let administrator = ctx.administrator().await?;
        let read = async || {
            ctx.request().check_rows(self.others().saturating_mul(MAX_IDENTITIES))?;
            identities::list_many(ctx.domain(), &administrator, &self.ids).await
        };
        let lists = self.identities.get_or_init(read).await.as_ref().map_err(Clone::clone)?;
        Ok(lists.get(&user_id).cloned().unwrap_or_default())
    }

    /// The first or last events of a user of the group. `range` has no cursors.
    pub(super) async fn events(
        &self,
        ctx: &Context<'_>,
        user_id: Uuid,
        range: &Range,
    ) -> Result<(Page<audit_event::Model>, Arc<EventGroup>)> {
        let administrator = ctx.administrator().await?;
        let pages = {
            let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(events.entry((range.limit, range.from_end)).or_default())
        };
        let read = async || {
            ctx.request().check_rows(self.others().saturating_mul(range.limit.max(1)))?;
            let pages = audit::pages_of_users(ctx.domain(), &administrator, &self.ids, range).await?;
            let group = EventGroup::of(pages.values().flat_map(|page| &page.rows));
            Ok(EventPages { pages, group })
        };
        let EventPages { pages, group } = pages.get_or_init(read).await.as_ref().map_err(Clone::clone)?;
        let page = pages.get(&user_id).cloned().unwrap_or_else(Page::empty);
        Ok((page, Arc::clone(group)))
    }
}

/// Events that were read together.
#[derive(Debug)]
pub struct EventGroup {
    /// The users that the events name.
    user_ids: Vec<Uuid>,
    users: OnceCell<Result<HashMap<Uuid, User>>>,
}

impl EventGroup {
    /// Makes a group of events.
    pub(super) fn of<'a>(events: impl IntoIterator<Item = &'a audit_event::Model>) -> Arc<Self> {
        let ids: BTreeSet<Uuid> =
            events.into_iter().flat_map(|event| [event.actor_id, event.user_id]).flatten().collect();
        Arc::new(Self { user_ids: ids.into_iter().collect(), users: OnceCell::new() })
    }

    /// The user with this id, if the account still exists. Users who are not administrators see only themselves.
    pub(super) async fn user(&self, ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<User>> {
        let Some(id) = id else { return Ok(None) };
        // A session that has ended reads nothing.
        if let Some(live) = ctx.request().live_event().filter(|live| live.ends_session) {
            return Ok((live.user.id == id).then(|| live.user.clone().into()));
        }
        let administrator = match ctx.administrator().await {
            Ok(administrator) => administrator,
            Err(Error::Forbidden) => {
                let own = &ctx.principal().await?.user;
                return Ok((own.id == id).then(|| own.clone().into()));
            }
            Err(error) => return Err(error),
        };
        let read = async || {
            let users = administration::find_by_ids(ctx.domain(), &administrator, &self.user_ids).await?;
            Ok(User::in_group(users).into_iter().map(|user| (user.uuid(), user)).collect())
        };
        let users = self.users.get_or_init(read).await.as_ref().map_err(Clone::clone)?;
        Ok(users.get(&id).cloned())
    }
}
