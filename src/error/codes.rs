//! The table of error codes. A row contains the description for developers (GraphQL and `docs/errors.md`), the HTTP status in
//! REST, the HTTP status and `error` in OAuth (RFC 6749 §5.2), and the message for users. To add a code, add a row.
//!
//! Messages say what is wrong, then what to do. Users read them in forms, so they contain no backticks, no names of fields,
//! settings or headers, and no values that a client sent. A single phrase has no full stop in Russian. Russian messages that
//! also occur in the FastAPI tutorials are the same to the letter, because clients may compare them. `{limit}` is replaced by
//! a number of characters ("8 characters"), `{wait}` by a duration ("2 minutes").
//!
//! The rows here are those of forms, sign-in, sessions and links. The others are in `codes/operations.rs`.

mod operations;

pub(crate) use operations::operation_codes;

/// Passes the rows of all error codes to the macro `callback`, in the order in which they are published.
macro_rules! error_codes {
    ($callback:ident) => {
        $crate::error::operation_codes! { $callback {
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
            /// The username does not follow the rule in `serverInfo.usernamePolicy`: by default letters (A-Z), digits, `_` and `-`, and no
            /// `-` at the start. An e-mail address is never a username.
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
            /// The code of a sign-in with a provider, or the link or the code in a mail, is wrong, was already used, has expired or was tried
            /// too often, or belongs to another `codeVerifier` or session. Start again.
            CodeInvalid {
                rest: 400, oauth: 400 "invalid_grant",
                en: "This link or code is incorrect, was already used or has expired. Check it, or start again.",
                ru: "Ссылка или код неверны, уже использованы или устарели. Проверьте их или начните снова.",
            }
            /// This server offers no sign-in by mail; see `serverInfo.emailSignInEnabled`.
            EmailSignInDisabled {
                rest: 403, oauth: 403 "invalid_request",
                en: "This server offers no sign-in by mail. Sign in another way.",
                ru: "На этом сервере нельзя войти с помощью письма. Войдите другим способом.",
            }
            /// The token of a verification or reset link is too old.
            LinkExpired {
                rest: 400, oauth: 400 "invalid_request",
                en: "This link has expired. Request a new one.",
                ru: "Срок действия этой ссылки истёк. Запросите новую.",
            }
        } }
    };
}

pub(crate) use error_codes;
