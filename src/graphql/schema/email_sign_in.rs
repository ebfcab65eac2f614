//! `requestEmailSignIn`, `loginWithEmail`.

use async_graphql::{Context, InputObject, Object, OneofObject, SimpleObject};

use crate::{
    domain::sign_in::email::{self, Proof},
    graphql::{
        Nullable,
        context::ContextExt,
        schema::{
            sessions::{AuthPayload, TokenDelivery},
            sign_in,
        },
    },
};

#[derive(Debug, Default)]
pub(in crate::graphql) struct EmailSignInMutation;

#[Object]
impl EmailSignInMutation {
    /// Send a mail with a link and an 8-digit code, which sign in for 10 minutes. Only the client that has the verifier of
    /// `codeChallenge` can use them. Mails that were sent before stay valid. The response is the same, and as fast, for known and
    /// unknown addresses. RATE_LIMITED depends on the network and the signed-in user, never on the address; mails beyond the limit of
    /// an address are dropped.
    /// Codes: EMAIL_SIGN_IN_DISABLED, BAD_USER_INPUT (`codeChallenge`), INVALID_EMAIL, TOO_LONG, RATE_LIMITED,
    /// SERVICE_UNAVAILABLE.
    async fn request_email_sign_in(
        &self,
        ctx: &Context<'_>,
        input: RequestEmailSignInInput,
    ) -> Nullable<RequestEmailSignInPayload> {
        let RequestEmailSignInInput { email, code_challenge } = input;
        let requested = email::request(ctx.domain(), &email, &code_challenge).await;
        Some(requested.map(|lifetime| RequestEmailSignInPayload { email, expires_in: lifetime.num_seconds() }))
    }

    /// Sign in with the link or the code of a mail. Each works once; a code can be wrong 5 times. Verifies the address. If it was never
    /// verified, the password, the second factors, the passkeys and all sessions of the account are removed first, because another
    /// person may have created it. If the user has a second factor, the error is MFA_REQUIRED, as with `login`.
    /// Codes: CODE_INVALID (does not say why), EMAIL_SIGN_IN_DISABLED, BAD_USER_INPUT (`codeVerifier`), MFA_REQUIRED and
    /// ACCOUNT_DISABLED (both only with a valid link or code), RATE_LIMITED, SERVICE_UNAVAILABLE. Never UNAUTHENTICATED.
    async fn login_with_email(&self, ctx: &Context<'_>, input: LoginWithEmailInput) -> Nullable<AuthPayload> {
        let LoginWithEmailInput { proof, code_verifier, token_delivery } = input;
        let code_verifier = code_verifier.into();
        let login = email::login(ctx.domain(), proof.into(), &code_verifier, token_delivery.open(ctx));
        Some(sign_in::payload(ctx, Box::pin(login).await))
    }
}

/// The client that wants to sign in.
#[derive(InputObject)]
pub struct RequestEmailSignInInput {
    /// The address of the account.
    email: String,
    /// The SHA-256 hash of a random verifier that this client keeps, in base64url (method `S256` of RFC 7636). To send another mail,
    /// use the same one.
    code_challenge: String,
}

/// The response is the same whether or not an account has the address.
#[derive(SimpleObject)]
pub struct RequestEmailSignInPayload {
    /// The address of the request.
    email: String,
    /// Seconds until the link and the code expire.
    expires_in: i64,
}

/// A sign-in by mail.
#[derive(InputObject)]
pub struct LoginWithEmailInput {
    /// What the mail contains.
    proof: EmailProofInput,
    /// The verifier: 43 to 128 characters.
    #[graphql(secret)]
    code_verifier: String,
    /// How refresh tokens are delivered, for the lifetime of the session.
    #[graphql(default)]
    token_delivery: TokenDelivery,
}

/// A link or a code. Exactly one field must be given.
#[derive(OneofObject)]
pub enum EmailProofInput {
    /// The value after `token=` in the link.
    Token(String),
    /// The code that the user typed.
    EmailAndCode(EmailAndCodeInput),
}

impl From<EmailProofInput> for Proof {
    fn from(input: EmailProofInput) -> Self {
        match input {
            EmailProofInput::Token(token) => Self::Token(token.into()),
            EmailProofInput::EmailAndCode(EmailAndCodeInput { email, code }) => Self::Code { email, code: code.into() },
        }
    }
}

/// A code, and where it was sent.
#[derive(InputObject)]
pub struct EmailAndCodeInput {
    /// The address of the request.
    email: String,
    /// 8 digits, with or without spaces.
    #[graphql(secret)]
    code: String,
}
