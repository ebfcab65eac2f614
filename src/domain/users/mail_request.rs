//! Requests for mails by clients, which may be signed in.

use crate::{
    Result,
    domain::{Context, Event, Viewer, enrolling_principal, identity::Email, notifications, throttle::MailRequest},
    entity::mail::Purpose,
};

/// Requests a mail to an address. Runs the same statements for every address. The request is counted for the client and for
/// the signed-in user. It never fails because of the address.
pub(in crate::domain) async fn to_address(context: &Context, purpose: Purpose, email: &str) -> Result<()> {
    notifications::require(&context.app)?;
    let to = Email::parse(email)?;
    let request = of_client(context).await?;
    let mut work = context.begin().await?;
    let round = request.book(&work).await?;
    work.emit(Event::MailRequested { purpose, to, round });
    work.commit().await
}

/// A request for a mail by a client that may be signed in.
///
/// # Errors
/// RATE_LIMITED.
pub(in crate::domain) async fn of_client(context: &Context) -> Result<MailRequest> {
    let account_id = match context.viewer {
        // If the session has ended, the request is not counted for the account, but does not fail.
        Viewer::Authenticated(_) => enrolling_principal(context).await.ok().map(|principal| principal.user.id),
        _ => None,
    };
    MailRequest::checked(context, account_id).await
}
