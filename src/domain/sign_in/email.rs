//! Sign-in by mail: a link and a code of 8 digits, which only the client that asked can use.
//!
//! The client sends the hash of a secret, its verifier, with the request, and the verifier with the link or the code (RFC 7636).
//! So no other client can use up what is in the mail: neither a scanner of mails that opens links, nor an attacker who guesses. A
//! request without the matching verifier finds nothing, and is not counted.
//!
//! A row is written for every address, and the account is looked up when the mail is sent. So the result, and the cost of a
//! request and of a wrong code, are the same for every address. Users are never created.

use chrono::TimeDelta;

use crate::{
    Error, Result,
    config::SecretString,
    domain::{
        Context, Event, UnitOfWork,
        identity::Email,
        notifications::SIGN_IN_LIFETIME,
        sessions::{NewSession, SignIn},
        sign_in::{self, Gate},
        throttle::{self, PlainAttempt},
        users::{claim, mail_request},
    },
    entity::{
        email_sign_in::{self, Model},
        session::AuthenticationMethods,
        user,
    },
    security::{link_token::TokenHash, mail_code::MailCode, pkce::CodeChallenge, random},
};

/// What the user has got from the mail.
#[derive(Debug)]
pub enum Proof {
    /// The token of the link.
    Token(SecretString),
    /// The code, and the address that it was sent to.
    Code {
        /// The address.
        email: String,
        /// The code.
        code: SecretString,
    },
}

/// # Errors
/// EMAIL_SIGN_IN_DISABLED.
fn check_enabled(context: &Context) -> Result<()> {
    if context.settings().mail.sign_in { Ok(()) } else { Err(Error::EmailSignInDisabled) }
}

/// Requests a mail with a link and a code. Earlier mails stay valid. Returns how long the mail is valid. Neither the result nor its
/// timing reveals whether the account exists.
///
/// # Errors
/// EMAIL_SIGN_IN_DISABLED, BAD_USER_INPUT (the challenge), INVALID_EMAIL, TOO_LONG, RATE_LIMITED.
pub async fn request(context: &Context, email: &str, code_challenge: &str) -> Result<TimeDelta> {
    check_enabled(context)?;
    let code_challenge = CodeChallenge::parse(code_challenge).ok_or_else(|| {
        let message = "`codeChallenge` must be the SHA-256 hash of `codeVerifier` in base64url, 43 characters.";
        Error::BadUserInput(message.to_owned())
    })?;
    let to = Email::parse(email)?;
    let request = mail_request::of_client(context).await?;
    let work = context.begin().await?;
    let booked = request.book(&work).await;
    let (mut work, round) = work.or_rollback(booked).await?;
    let row = Model {
        id: random::id(work.now)?,
        email_key: to.key.clone(),
        code_challenge,
        user_id: None,
        token_hash: None,
        code_hash: None,
        attempts: 0,
        created_at: work.now,
        expires_at: work.now + SIGN_IN_LIFETIME,
    };
    let id = row.id;
    email_sign_in::insert(work.db(), row).await?;
    work.emit(Event::EmailSignInRequested { id, to, round });
    work.commit().await?;
    Ok(SIGN_IN_LIFETIME)
}

/// Signs in with a link or a code. Each works once. If the address was never verified, it is verified, and everything with which
/// another person could sign in to the account is removed.
///
/// # Errors
/// EMAIL_SIGN_IN_DISABLED, BAD_USER_INPUT (the verifier); CODE_INVALID if the link or the code is wrong, was used, has expired, or
/// belongs to another verifier; RATE_LIMITED; only with a valid link or code: ACCOUNT_DISABLED, and MFA_REQUIRED if the user has a
/// second factor.
pub async fn login(
    context: &Context,
    proof: Proof,
    code_verifier: &SecretString,
    new_session: NewSession,
) -> Result<SignIn> {
    check_enabled(context)?;
    let challenge = CodeChallenge::of_verifier(code_verifier).ok_or_else(|| {
        let message = "`codeVerifier` must have 43 to 128 characters: letters, digits, `-`, `.`, `_` and `~`.";
        Error::BadUserInput(message.to_owned())
    })?;
    match proof {
        Proof::Token(token) => {
            let (db, hash) = (context.app.database.read(), TokenHash::of(&token));
            let found = email_sign_in::find_by_token(db, &challenge, &hash, context.now()).await?;
            let request = found.ok_or(Error::CodeInvalid)?;
            Box::pin(enter(context, &request, &new_session, None)).await
        }
        Proof::Code { email, code } => by_code(context, (&email, &code), &challenge, &new_session).await,
    }
}

/// Checks a code. The attempt is counted for the request, for the network, and for the address in the network. Attempts that cannot
/// succeed for any address, and those without the verifier of an open request, are not counted.
async fn by_code(
    context: &Context,
    (email, code): (&str, &SecretString),
    challenge: &CodeChallenge,
    new_session: &NewSession,
) -> Result<SignIn> {
    let (Ok(email), Some(code)) = (Email::parse(email), MailCode::parse(code)) else { return Err(Error::CodeInvalid) };
    if !email_sign_in::has_open(context.app.database.read(), challenge, &email.key, context.now()).await? {
        return Err(Error::CodeInvalid);
    }
    let attempt = PlainAttempt::book_mail_code(context, &email.key).await?;
    let result = match find_by_code(context, challenge, &email.key, &code).await {
        // Boxed, so that the requests that are refused stay small.
        Ok(request) => Box::pin(enter(context, &request, new_session, Some(&attempt))).await,
        Err(error) => Err(error),
    };
    if !matches!(result, Ok(_) | Err(Error::CodeInvalid | Error::MfaRequired(_))) {
        attempt.withdraw(context).await;
    }
    result
}

/// Finds the request of a code. Counts the attempt in a transaction of its own, so that it stays counted whatever follows.
///
/// # Errors
/// CODE_INVALID.
async fn find_by_code(context: &Context, challenge: &CodeChallenge, email_key: &str, code: &MailCode) -> Result<Model> {
    let mut work = context.begin().await?;
    let requests = email_sign_in::book_attempt(work.db(), challenge, email_key, work.now).await?;
    let user_id = requests.iter().find_map(|request| request.user_id);
    let codes = &context.app.mail_codes;
    let mut matching = None;
    // All are compared, so that the time does not tell which one has a code.
    for request in requests {
        if codes.matches(request.id, code, request.code_hash.as_ref()) {
            matching = Some(request);
        }
    }
    if matching.is_none() {
        work.emit(Event::LoginFailed { user_id });
    }
    work.commit().await?;
    matching.ok_or(Error::CodeInvalid)
}

/// Opens a session for the user of a request, unless a second factor is needed.
async fn enter(
    context: &Context,
    request: &Model,
    new_session: &NewSession,
    attempt: Option<&PlainAttempt>,
) -> Result<SignIn> {
    let user_id = request.user_id.ok_or(Error::CodeInvalid)?;
    let replaced = new_session.replaced(context).await?;
    let mut work = context.begin().await?;
    let ids = replaced.iter().map(|replaced| replaced.user_id).chain([user_id]).collect();
    let mut users = user::lock_all(work.db(), ids).await?;
    let gate = match users.iter_mut().find(|user| user.id == user_id) {
        Some(user) => pass(&mut work, user, request, new_session).await,
        None => Err(Error::CodeInvalid),
    };
    let (work, gate) = work.or_rollback(gate).await?;
    if let Some(attempt) = attempt {
        attempt.withdraw_in(&work).await?;
    }
    sign_in::finish(work, users, user_id, gate, (new_session, replaced)).await
}

/// Uses up the request, and passes the gate, which refuses a disabled account. The caller must roll back if it fails: the mail is not
/// used up then.
async fn pass(
    work: &mut UnitOfWork<'_>,
    user: &mut user::Locked,
    request: &Model,
    new_session: &NewSession,
) -> Result<Gate> {
    // The address may have changed since the mail was sent.
    if user.email_key.as_ref() != Some(&request.email_key) {
        return Err(Error::CodeInvalid);
    }
    // Together with the other mails that this client has asked for, which the user no longer needs.
    if !email_sign_in::take(work.db(), request, work.now).await? {
        return Err(Error::CodeInvalid);
    }
    if user.email_verified_at.is_none() {
        claim::claim(work, user).await?;
    }
    // The client reads the user's mail, so failed sign-ins from other networks must not lock it out.
    throttle::remember_network(work, user).await?;
    sign_in::admit(work, user, AuthenticationMethods::mail(), new_session).await
}
