//! The texts of the page, in each language.

use serde::Serialize;

use crate::language::Language;

/// A title and a text.
pub(super) struct Message(pub(super) &'static str, pub(super) &'static str);

/// The texts of all views.
#[derive(Serialize)]
pub(super) struct Texts {
    pub(super) title: &'static str,
    identifier: &'static str,
    password: &'static str,
    sign_in: &'static str,
    forgot_password: &'static str,
    or: &'static str,
    with_passkey: &'static str,
    /// Before the name of a provider.
    with_provider: &'static str,
    pub(super) by_mail: &'static str,
    pub(super) by_mail_intro: &'static str,
    pub(super) email: &'static str,
    send: &'static str,
    another_way: &'static str,
    pub(super) code_title: &'static str,
    code_intro: &'static str,
    code: &'static str,
    link_intro: &'static str,
    pub(super) reset_title: &'static str,
    pub(super) reset_intro: &'static str,
    #[serde(skip)]
    pub(super) reset_sent: Message,
    pub(super) register: &'static str,
    #[serde(skip)]
    pub(super) registered: Message,
    pub(super) second_factor_title: &'static str,
    pub(super) totp_or_recovery_code: &'static str,
    pub(super) recovery_code: &'static str,
    remember_device: &'static str,
    #[serde(rename = "continue")]
    go_on: &'static str,
    pub(super) signed_in_title: &'static str,
    /// Before the username.
    signed_in: &'static str,
    sign_out: &'static str,
    /// After a sign-in whose cookie the browser has not kept.
    #[serde(skip)]
    pub(super) no_cookie: &'static str,
    /// If the script cannot use a passkey.
    passkey_failed: &'static str,
}

pub(super) fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &Texts {
            title: "Sign in",
            identifier: "Username or e-mail address",
            password: "Password",
            sign_in: "Sign in",
            forgot_password: "Forgot your password?",
            or: "or",
            with_passkey: "Sign in with a passkey",
            with_provider: "Sign in with",
            by_mail: "Sign in by mail",
            by_mail_intro: "You will get a message with a link and a code.",
            email: "E-mail address",
            send: "Send the message",
            another_way: "Sign in another way",
            code_title: "Enter the code",
            code_intro: "If an account has this address, a message is on its way to it. Enter the code of the message here, or open its link in this browser.",
            code: "Code of 8 digits",
            link_intro: "Press the button to sign in with the link from the message.",
            reset_title: "Forgot your password?",
            reset_intro: "You will get a message with a link. With the link, you can choose a new password.",
            reset_sent: Message(
                "Check your mailbox",
                "If an account has this address, a message with a link is on its way to it.",
            ),
            register: "Create an account",
            registered: Message(
                "Confirm your e-mail address",
                "Your account is ready. Open the link in the message that was sent to your address, and sign in then.",
            ),
            second_factor_title: "Confirm the sign-in",
            totp_or_recovery_code: "Code from the authenticator app, or a recovery code",
            recovery_code: "Recovery code",
            remember_device: "Do not ask again in this browser for 30 days",
            go_on: "Continue",
            signed_in_title: "You are signed in",
            signed_in: "Your username is",
            sign_out: "Sign out",
            no_cookie: "This browser did not keep the sign-in. Allow cookies for this site, and sign in again.",
            passkey_failed: "The passkey was not used. Try again, or sign in another way.",
        },
        Language::Russian => &Texts {
            title: "Вход",
            identifier: "Имя пользователя или адрес электронной почты",
            password: "Пароль",
            sign_in: "Войти",
            forgot_password: "Забыли пароль?",
            or: "или",
            with_passkey: "Войти с ключом доступа",
            with_provider: "Войти через",
            by_mail: "Войти по письму",
            by_mail_intro: "Вы получите письмо со ссылкой и кодом.",
            email: "Адрес электронной почты",
            send: "Отправить письмо",
            another_way: "Войти другим способом",
            code_title: "Введите код",
            code_intro: "Если с этим адресом есть учётная запись, на него отправлено письмо. Введите здесь код из письма или откройте ссылку из него в этом браузере.",
            code: "Код из 8 цифр",
            link_intro: "Нажмите кнопку, чтобы войти по ссылке из письма.",
            reset_title: "Забыли пароль?",
            reset_intro: "Вы получите письмо со ссылкой. По ней можно выбрать новый пароль.",
            reset_sent: Message(
                "Проверьте почту",
                "Если с этим адресом есть учётная запись, на него отправлено письмо со ссылкой.",
            ),
            register: "Создать учётную запись",
            registered: Message(
                "Подтвердите адрес электронной почты",
                "Учётная запись создана. Откройте ссылку из письма, отправленного на ваш адрес, и затем войдите.",
            ),
            second_factor_title: "Подтвердите вход",
            totp_or_recovery_code: "Код из приложения-аутентификатора или резервный код",
            recovery_code: "Резервный код",
            remember_device: "Не спрашивать в этом браузере 30 дней",
            go_on: "Продолжить",
            signed_in_title: "Вы вошли",
            signed_in: "Имя пользователя:",
            sign_out: "Выйти",
            no_cookie: "Браузер не сохранил вход. Разрешите файлы cookie для этого сайта и войдите снова.",
            passkey_failed: "Ключ доступа не использован. Повторите попытку или войдите другим способом.",
        },
    }
}

/// The title and the text for the link of a mail in a browser that did not ask for it.
pub(super) fn elsewhere(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => (
            "Enter the code from the message",
            "Go back to the page or the app where you asked to sign in, and enter the code there. This page cannot sign you in.",
        ),
        Language::Russian => (
            "Введите код из письма",
            "Вернитесь на страницу или в приложение, где вы начали входить, и введите код там. На этой странице войти нельзя.",
        ),
    }
}
