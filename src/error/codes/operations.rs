//! The second half of the table of error codes: operations on objects, second factors, administration, requests and faults.

/// Passes the rows of its argument, followed by these rows, to a macro.
macro_rules! operation_codes {
    ($callback:ident { $($rows:tt)* }) => {
        $callback! {
            $($rows)*
            /// The object does not exist, or belongs to another user.
            NotFound {
                rest: 404, oauth: 404 "invalid_request",
                en: "Not found.",
                ru: "Не найдено",
            }
            /// The role `admin` is missing.
            Forbidden {
                rest: 403, oauth: 403 "access_denied",
                en: "Only administrators may do this. Ask one of them.",
                ru: "Недостаточно прав",
            }
            /// Sign in again, or confirm the password or the second factor with `reauthenticate`, then try again.
            ReauthenticationRequired {
                // RFC 9470 §3
                rest: 401, oauth: 401 "insufficient_user_authentication",
                en: "Your sign-in is too old for this. Confirm your password and try again.",
                ru: "Вы вошли слишком давно. Подтвердите пароль и повторите попытку.",
            }
            /// The password is right; a second factor is needed to finish the sign-in.
            MfaRequired {
                rest: 403, oauth: 403 "mfa_required",
                en: "Confirm the sign-in with a second factor: a passkey, the code of your authenticator app, or a recovery code.",
                ru: "Подтвердите вход вторым фактором: ключом доступа, кодом из приложения-аутентификатора или резервным кодом",
            }
            /// The code of the second factor is wrong, or was already used.
            MfaCodeInvalid {
                rest: 400, oauth: 400 "invalid_grant",
                en: "This code is incorrect or was already used. Enter the current code.",
                ru: "Код неверен или уже использован. Введите текущий код.",
            }
            /// The sign-in that waits for a second factor is unknown, was already finished, or has expired. Sign in again.
            MfaChallengeExpired {
                rest: 400, oauth: 400 "invalid_grant",
                en: "This sign-in has expired. Sign in again.",
                ru: "Время входа истекло. Войдите снова.",
            }
            /// The account already has an authenticator app: remove it first.
            MfaAlreadyEnabled {
                rest: 400, oauth: 400 "invalid_request",
                en: "An authenticator app is already set up. Remove it first.",
                ru: "Приложение-аутентификатор уже подключено. Сначала отключите его.",
            }
            /// The account does not have this second factor, or there is no enrollment to confirm: start one.
            MfaNotEnabled {
                rest: 400, oauth: 400 "invalid_request",
                en: "This second factor is not set up. Set it up first.",
                ru: "Этот второй фактор не подключён. Сначала подключите его.",
            }
            /// A role of this user requires a second factor, and none is set up: enroll first.
            MfaEnrollmentRequired {
                rest: 403, oauth: 403 "access_denied",
                en: "Your account requires a second factor. Set up an authenticator app or a passkey first.",
                ru: "Для вашей учётной записи обязателен второй фактор. Сначала подключите приложение-аутентификатор или ключ доступа.",
            }
            /// The passkey could not be verified, or its ceremony was already finished or has expired. Start again.
            PasskeyInvalid {
                rest: 400, oauth: 400 "invalid_grant",
                en: "This passkey could not be verified. Try again, or sign in another way.",
                ru: "Не удалось проверить ключ доступа. Повторите попытку или войдите другим способом.",
            }
            /// The account has the maximum number of passkeys, which is 20.
            PasskeyLimitReached {
                rest: 409, oauth: 409 "invalid_request",
                en: "Your account has the maximum number of passkeys. Delete one first.",
                ru: "В вашей учётной записи уже максимальное число ключей доступа. Сначала удалите один из них.",
            }
            /// It is the only way to sign in: set a password, add a passkey or link a provider first.
            LastSignInMethod {
                rest: 409, oauth: 409 "invalid_request",
                en: "This is your only way to sign in. Set a password, add a passkey or link a provider first.",
                ru: "Это единственный способ входа. Сначала задайте пароль, добавьте ключ доступа или привяжите другой сервис.",
            }
            /// There is no provider with this id; see `serverInfo.identityProviders`.
            ProviderUnknown {
                rest: 404, oauth: 404 "invalid_request",
                en: "Sign-in with this provider is not available. Sign in another way.",
                ru: "Вход через этот сервис недоступен. Войдите другим способом.",
            }
            /// The provider is unreachable, or its response could not be verified. The log says why.
            ProviderFailed {
                rest: 400, oauth: 400 "invalid_grant",
                en: "The provider could not confirm the sign-in. Try again, or sign in another way.",
                ru: "Сервис не смог подтвердить вход. Повторите попытку или войдите другим способом.",
            }
            /// The user cancelled at the provider, or the provider does not let the user sign in here.
            ProviderRefused {
                rest: 403, oauth: 403 "access_denied",
                en: "The sign-in was cancelled at the provider. Try again, or sign in another way.",
                ru: "Вход отменён на стороне сервиса. Повторите попытку или войдите другим способом.",
            }
            /// The account at the provider is linked to another user: unlink it there first.
            IdentityTaken {
                rest: 409, oauth: 409 "invalid_request",
                en: "This account at the provider is linked to another user. Sign in with it, or unlink it there first.",
                ru: "Эта учётная запись сервиса привязана к другому пользователю. Войдите с ней или сначала отвяжите её там.",
            }
            /// An account has this address, but has not verified it, so it is not linked. Sign in another way, and link the
            /// provider from inside.
            IdentityUnlinked {
                rest: 409, oauth: 409 "invalid_request",
                en: "An account with your e-mail address already exists. Sign in another way, then link the provider.",
                ru: "Учётная запись с вашим адресом уже есть. Войдите другим способом, затем привяжите сервис.",
            }
            /// The account has the maximum number of linked identities, which is 20.
            IdentityLimitReached {
                rest: 409, oauth: 409 "invalid_request",
                en: "Your account has the maximum number of linked accounts. Unlink one first.",
                ru: "К вашей учётной записи привязано максимальное число учётных записей сервисов. Сначала отвяжите одну из них.",
            }
            /// The account has a password: change it instead.
            PasswordAlreadySet {
                rest: 409, oauth: 409 "invalid_request",
                en: "Your account already has a password. Change it instead.",
                ru: "У вашей учётной записи уже есть пароль. Измените его.",
            }
            /// The token of an invitation is unknown, or the invitation was accepted, revoked or replaced by a newer one.
            InvitationInvalid {
                rest: 400, oauth: 400 "invalid_request",
                en: "This invitation is invalid or was already used. Ask for a new one.",
                ru: "Это приглашение недействительно или уже использовано. Попросите новое.",
            }
            /// The invitation is too old.
            InvitationExpired {
                rest: 400, oauth: 400 "invalid_request",
                en: "This invitation has expired. Ask for a new one.",
                ru: "Срок действия этого приглашения истёк. Попросите новое.",
            }
            /// The role does not exist on this server.
            RoleUnknown {
                rest: 422, oauth: 400 "invalid_request",
                en: "This role does not exist. Choose one of the roles of this server.",
                ru: "Такой роли нет. Выберите одну из тех, что есть на этом сервере.",
            }
            /// The last active administrator cannot be deleted, disabled or demoted.
            LastAdmin {
                rest: 409, oauth: 409 "invalid_request",
                en: "This is the last active administrator. Make another user an administrator first.",
                ru: "Это последний действующий администратор. Сначала назначьте другого.",
            }
            /// This server accepts no registrations; see `serverInfo.registrationEnabled`.
            RegistrationDisabled {
                rest: 403, oauth: 403 "invalid_request",
                en: "Registration is closed. Ask an administrator for an account.",
                ru: "Регистрация закрыта. Обратитесь к администратору.",
            }
            /// Too many attempts. Try again after `retryAfter` seconds; until then, the right password is refused too.
            RateLimited {
                rest: 429, oauth: 429 "temporarily_unavailable",
                en: "Too many attempts. Try again in {wait}.",
                ru: "Слишком много попыток. Повторите через {wait}.",
            }
            /// The user has as many streams of live events as one user may have. Close another one, in another tab or app.
            TooManyStreams {
                rest: 429, oauth: 429 "temporarily_unavailable",
                en: "This account receives live updates in too many tabs or apps. Close one of them.",
                ru: "Обновления этой учётной записи уже открыты на слишком многих вкладках или в приложениях. Закройте лишние.",
            }
            /// The access token is missing or invalid; see `reason`.
            Unauthenticated {
                rest: 401, oauth: 401 "invalid_grant",
                en: "Authentication required. Sign in.",
                ru: "Не удалось проверить учетные данные",
            }
            /// A variable does not fit its type, or a value cannot be stored.
            BadUserInput {
                rest: 422, oauth: 400 "invalid_request",
                en: "This contains a character that cannot be stored. Remove it.",
                ru: "Здесь есть символ, который нельзя сохранить. Удалите его.",
            }
            /// The request is not a GraphQL request (method, content type or JSON), or comes from a page of an origin that is
            /// not allowed.
            BadRequest {
                rest: 400, oauth: 400 "invalid_request",
                en: "This is not a GraphQL request.",
                ru: "Это не запрос GraphQL",
            }
            /// The request has the hash of a document instead of the document, and this server stores no documents. Clients
            /// with automatic persisted queries then send the document.
            PersistedQueryNotSupported {
                rest: 400, oauth: 400 "invalid_request",
                // Clients compare it.
                en: "PersistedQueryNotSupported",
                ru: "PersistedQueryNotSupported",
            }
            /// The request has the id of a document that is not in the server's list of trusted documents. Do not retry with the
            /// document.
            PersistedQueryNotInList {
                rest: 400, oauth: 400 "invalid_request",
                en: "This operation is not in the server's list of trusted documents. Update the app.",
                ru: "Этой операции нет в списке доверенных документов сервера. Обновите приложение.",
            }
            /// The document is not in the server's list of trusted documents.
            QueryNotInSafelist {
                rest: 400, oauth: 400 "invalid_request",
                en: "This operation is not in the server's list of trusted documents. Update the app.",
                ru: "Этой операции нет в списке доверенных документов сервера. Обновите приложение.",
            }
            /// The document cannot be parsed.
            GraphqlParseFailed {
                rest: 400, oauth: 400 "invalid_request",
                en: "The GraphQL document has a syntax error at the given location.",
                ru: "В указанном месте документа GraphQL синтаксическая ошибка",
            }
            /// The document does not fit the schema, is too large, too deep or too costly, or has more than one mutation.
            GraphqlValidationFailed {
                rest: 400, oauth: 400 "invalid_request",
                en: "The GraphQL document does not match the schema at the given location.",
                ru: "В указанном месте документ GraphQL не соответствует схеме",
            }
            /// A fault of the server; find `requestId` in its log.
            InternalServerError {
                rest: 500, oauth: 500 "server_error",
                en: "The server had an internal error. Try again later. If it happens again, tell an administrator.",
                ru: "На сервере произошла ошибка. Повторите попытку позже. Если ошибка повторится, сообщите администратору.",
            }
            /// Try again after `retryAfter` seconds.
            ServiceUnavailable {
                rest: 503, oauth: 503 "temporarily_unavailable",
                en: "The server is temporarily unavailable. Try again in {wait}.",
                ru: "Сервер временно недоступен. Повторите попытку через {wait}.",
            }
        }
    };
}

pub(crate) use operation_codes;
