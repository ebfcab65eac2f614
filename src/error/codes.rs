//! The table of error codes. A row contains the description for developers (GraphQL and `docs/errors.md`), the HTTP status in
//! REST, the HTTP status and `error` in OAuth (RFC 6749 §5.2), and the message for users. To add a code, add a row.
//!
//! Messages say what is wrong, then what to do. Users read them in forms, so they contain no backticks, no names of fields,
//! settings or headers, and no values that a client sent. A single phrase has no full stop in Russian. Russian messages that
//! also occur in the FastAPI tutorials are the same to the letter, because clients may compare them. `{limit}` is replaced by
//! a number of characters ("8 characters"), `{wait}` by a duration ("2 minutes").

/// Passes the rows of all error codes to the macro `callback`, in the order in which they are published.
macro_rules! error_codes {
    ($callback:ident) => {
        $callback! {
            /// Several fields are invalid; `extensions.errors` has one entry for each. If only one is invalid, its own code is
            /// used instead.
            InvalidInput {
                rest: 422, oauth: 400 "invalid_request",
                en: "Some fields are invalid. Correct them and try again.",
                ru: "Некоторые поля заполнены неверно. Исправьте их и повторите попытку.",
            }
            /// A field is missing or blank.
            Required {
                rest: 422, oauth: 400 "invalid_request",
                en: "This field is required.",
                ru: "Заполните это поле",
            }
            /// The value has more than `limit` characters.
            TooLong {
                rest: 422, oauth: 400 "invalid_request",
                en: "Use at most {limit}.",
                ru: "Здесь допускается максимум {limit}",
            }
            /// The value is not an e-mail address.
            InvalidEmail {
                rest: 422, oauth: 400 "invalid_request",
                en: "This is not an e-mail address. Enter one such as ada@example.org.",
                ru: "Это не адрес электронной почты; он выглядит так: ada@example.org",
            }
            /// The username has other characters than letters (A-Z), digits, `_` and `-`, or starts with `-`.
            InvalidUsername {
                rest: 422, oauth: 400 "invalid_request",
                en: "Use only letters (A-Z), digits, underscores and hyphens, and do not start with a hyphen.",
                ru: "Имя пользователя должно содержать только латинские буквы, цифры, подчёркивания и дефисы и не начинаться с дефиса",
            }
            /// Another account has this username, or the server reserves it.
            UsernameTaken {
                rest: 400, oauth: 400 "invalid_request",
                en: "This username is taken. Choose another.",
                ru: "Имя пользователя уже занято",
            }
            /// Another account has this e-mail address.
            EmailTaken {
                rest: 400, oauth: 400 "invalid_request",
                en: "An account with this e-mail address already exists. Sign in instead.",
                ru: "Email уже зарегистрирован",
            }
            /// The password has fewer than `limit` characters.
            PasswordTooShort {
                rest: 422, oauth: 400 "invalid_request",
                en: "Use at least {limit}.",
                ru: "Пароль должен содержать минимум {limit}",
            }
            /// The value has more than `limit` characters.
            PasswordTooLong {
                rest: 422, oauth: 400 "invalid_request",
                en: "Use at most {limit}.",
                ru: "Пароль должен содержать максимум {limit}",
            }
            /// The password is one of the most common ones, or the user's own name or address.
            PasswordTooCommon {
                rest: 422, oauth: 400 "invalid_request",
                en: "This password is too easy to guess. Choose one that is neither common nor your own name or address.",
                ru: "Такой пароль подбирают первым. Выберите другой: не из распространённых и не своё имя или адрес.",
            }
            /// The username or the password is wrong.
            InvalidCredentials {
                // RFC 6749 requires 400, but the FastAPI systems that Hallpass replaces, and their clients, use 401.
                rest: 401, oauth: 401 "invalid_grant",
                en: "The username or password is incorrect.",
                ru: "Неверное имя пользователя или пароль",
            }
            /// The signed-in user gave a wrong current password.
            WrongPassword {
                rest: 422, oauth: 400 "invalid_request",
                en: "The current password is incorrect.",
                ru: "Текущий пароль указан неверно",
            }
            /// The password is right, but the account is disabled.
            AccountDisabled {
                rest: 400, oauth: 400 "invalid_grant",
                en: "This account is disabled. Ask an administrator to enable it.",
                ru: "Неактивный пользователь",
            }
            /// The password is right, but the e-mail address must be verified first: see `sendVerificationEmail`.
            EmailNotVerified {
                rest: 403, oauth: 400 "invalid_grant",
                en: "The e-mail address is not verified yet. Open the link in the mail, or request a new mail.",
                ru: "Адрес электронной почты ещё не подтверждён. Откройте ссылку из письма или запросите новое письмо.",
            }
            /// The account has a verified address: sign in and use `changeEmail`.
            EmailAlreadyVerified {
                rest: 403, oauth: 400 "invalid_grant",
                en: "The e-mail address of this account is already verified. Sign in to change it.",
                ru: "Адрес электронной почты этой учётной записи уже подтверждён. Чтобы изменить его, войдите.",
            }
            /// This server cannot send mails; see `serverInfo.mailEnabled`.
            MailDisabled {
                rest: 400, oauth: 400 "invalid_request",
                en: "This server does not send mail. Ask an administrator.",
                ru: "Этот сервер не отправляет писем. Обратитесь к администратору.",
            }
            /// Refresh: no refresh token was sent, or it is unknown.
            SessionNotFound {
                rest: 401, oauth: 400 "invalid_grant",
                en: "There is no session to refresh. Sign in.",
                ru: "Недействительный refresh токен",
            }
            /// Refresh: the session was not refreshed in time, or has reached its maximum age. Sign in again.
            SessionExpired {
                rest: 401, oauth: 400 "invalid_grant",
                en: "This session has expired. Sign in again.",
                ru: "Сеанс истёк. Войдите снова.",
            }
            /// Refresh: the session was ended by a logout, from another session, or by reuse of an old token. Sign in again.
            SessionRevoked {
                rest: 401, oauth: 400 "invalid_grant",
                en: "This session has ended. Sign in again.",
                ru: "Сеанс завершён. Войдите снова.",
            }
            /// The token of a link is invalid, was already used, or is for an address that the account no longer has.
            LinkInvalid {
                rest: 400, oauth: 400 "invalid_request",
                en: "This link is invalid or was already used. Request a new one.",
                ru: "Эта ссылка недействительна или уже использована. Запросите новую.",
            }
            /// The token of a verification or reset link is too old.
            LinkExpired {
                rest: 400, oauth: 400 "invalid_request",
                en: "This link has expired. Request a new one.",
                ru: "Срок действия этой ссылки истёк. Запросите новую.",
            }
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
                en: "Enter the code of your authenticator app, or a recovery code.",
                ru: "Введите код из приложения-аутентификатора или резервный код",
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
            /// The account has no second factor, or there is no enrollment to confirm: start one.
            MfaNotEnabled {
                rest: 400, oauth: 400 "invalid_request",
                en: "No authenticator app is set up. Set one up first.",
                ru: "Приложение-аутентификатор не подключено. Сначала подключите его.",
            }
            /// A role of this user requires a second factor, and none is set up: enroll first.
            MfaEnrollmentRequired {
                rest: 403, oauth: 403 "access_denied",
                en: "Your account requires a second factor. Set up an authenticator app first.",
                ru: "Для вашей учётной записи обязателен второй фактор. Сначала подключите приложение-аутентификатор.",
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

pub(crate) use error_codes;
