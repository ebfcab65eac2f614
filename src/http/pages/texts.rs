//! The texts of the pages, in each language.

use crate::language::Language;

/// The texts of one page.
pub(super) struct Texts {
    pub(super) title: &'static str,
    pub(super) intro: &'static str,
    pub(super) button: &'static str,
    /// The label of the password field. `None` if the form has none.
    pub(super) password: Option<&'static str>,
    pub(super) hint: &'static str,
    pub(super) done_title: &'static str,
    pub(super) done: &'static str,
    /// Why a link may be invalid, and what to do.
    pub(super) why_invalid: &'static str,
    /// How to get a new link after one has expired.
    pub(super) ask_for_new: &'static str,
    /// What to do after a request that cannot be accepted.
    pub(super) ask_again: &'static str,
}

const WHY_INVALID_EN: &str =
    "It may have been used already, or the account has changed since. Request a new message where you sign in.";
const WHY_INVALID_RU: &str = "Возможно, она уже использована или учётная запись с тех пор изменилась. Запросите новое письмо там, где вы входите.";
const ASK_FOR_NEW_EN: &str = "Request a new message where you sign in.";
const ASK_FOR_NEW_RU: &str = "Запросите новое письмо там, где вы входите.";
const ASK_AGAIN_EN: &str = "Open the link from the message again, or request a new message where you sign in.";
const ASK_AGAIN_RU: &str = "Откройте ссылку из письма ещё раз или запросите новое письмо там, где вы входите.";

pub(super) fn verify(language: Language) -> &'static Texts {
    match language {
        Language::English => &Texts {
            title: "Confirm your e-mail address",
            intro: "Press the button to confirm that this address is yours.",
            button: "Confirm this address",
            password: None,
            hint: "",
            done_title: "Thank you",
            done: "Your e-mail address is confirmed. You can close this page.",
            why_invalid: WHY_INVALID_EN,
            ask_for_new: ASK_FOR_NEW_EN,
            ask_again: ASK_AGAIN_EN,
        },
        Language::Russian => &Texts {
            title: "Подтвердите адрес электронной почты",
            intro: "Нажмите кнопку, чтобы подтвердить, что этот адрес принадлежит вам.",
            button: "Подтвердить адрес",
            password: None,
            hint: "",
            done_title: "Спасибо",
            done: "Ваш адрес электронной почты подтверждён. Страницу можно закрыть.",
            why_invalid: WHY_INVALID_RU,
            ask_for_new: ASK_FOR_NEW_RU,
            ask_again: ASK_AGAIN_RU,
        },
    }
}

pub(super) fn reset(language: Language) -> &'static Texts {
    match language {
        Language::English => &Texts {
            title: "Choose a new password",
            intro: "You will be signed out everywhere. Then sign in with the new password.",
            button: "Save the new password",
            password: Some("New password"),
            hint: "At least 8 characters of any kind. A few words make a good password.",
            done_title: "The password is changed",
            done: "You can sign in with the new password now, and close this page.",
            why_invalid: WHY_INVALID_EN,
            ask_for_new: ASK_FOR_NEW_EN,
            ask_again: ASK_AGAIN_EN,
        },
        Language::Russian => &Texts {
            title: "Выберите новый пароль",
            intro: "Вы выйдете из учётной записи на всех устройствах и войдёте заново с новым паролем.",
            button: "Сохранить новый пароль",
            password: Some("Новый пароль"),
            hint: "Не меньше 8 любых символов. Хороший пароль — это несколько слов.",
            done_title: "Пароль изменён",
            done: "Теперь можно войти с новым паролем и закрыть эту страницу.",
            why_invalid: WHY_INVALID_RU,
            ask_for_new: ASK_FOR_NEW_RU,
            ask_again: ASK_AGAIN_RU,
        },
    }
}

/// The texts of the form of an invitation.
pub(super) struct AcceptTexts {
    pub(super) username: &'static str,
    pub(super) username_hint: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) optional: &'static str,
}

pub(super) fn accept_form(language: Language) -> &'static AcceptTexts {
    match language {
        Language::English => &AcceptTexts {
            username: "Username",
            username_hint: "Letters from A to Z, digits, underscores and hyphens.",
            first_name: "First name",
            last_name: "Last name",
            optional: "optional",
        },
        Language::Russian => &AcceptTexts {
            username: "Имя пользователя",
            username_hint: "Латинские буквы, цифры, подчёркивания и дефисы.",
            first_name: "Имя",
            last_name: "Фамилия",
            optional: "необязательно",
        },
    }
}

pub(super) fn accept(language: Language) -> &'static Texts {
    match language {
        Language::English => &Texts {
            title: "Create your account",
            intro: "You are invited to create an account with this address:",
            button: "Create the account",
            password: Some("Password"),
            hint: "At least 8 characters of any kind. A few words make a good password.",
            done_title: "Your account is ready",
            done: "You can sign in now with your username and password, and close this page.",
            why_invalid: "It may have been used already: then sign in to your account. Otherwise, ask for a new invitation.",
            ask_for_new: "Ask for a new invitation.",
            ask_again: "Open the link from the message again, or ask for a new invitation.",
        },
        Language::Russian => &Texts {
            title: "Создайте учётную запись",
            intro: "Вас приглашают создать учётную запись с этим адресом:",
            button: "Создать учётную запись",
            password: Some("Пароль"),
            hint: "Не меньше 8 любых символов. Хороший пароль — это несколько слов.",
            done_title: "Учётная запись создана",
            done: "Теперь можно войти с именем пользователя и паролем и закрыть эту страницу.",
            why_invalid: "Возможно, она уже использована: тогда войдите в свою учётную запись. Если нет, попросите новое приглашение.",
            ask_for_new: "Попросите новое приглашение.",
            ask_again: "Откройте ссылку из письма ещё раз или попросите новое приглашение.",
        },
    }
}

/// Why the browser does not know a sign-in with a provider, and what to do.
pub(super) fn unknown_flow(language: Language) -> &'static str {
    match language {
        Language::English => {
            "This sign-in has expired, or began in another browser, or this browser keeps no cookies. Allow cookies for this site, go back to the page where you began, and start again."
        }
        Language::Russian => {
            "Время этого входа истекло, или он начат в другом браузере, или браузер не сохраняет файлы cookie. Разрешите файлы cookie для этого сайта, вернитесь на страницу, где вы начали, и начните снова."
        }
    }
}

pub(super) fn incomplete(language: Language) -> &'static str {
    match language {
        Language::English => "This link is incomplete",
        Language::Russian => "Ссылка неполная",
    }
}

pub(super) fn failed(language: Language) -> &'static str {
    match language {
        Language::English => "This did not work",
        Language::Russian => "Не получилось",
    }
}

pub(super) fn used(language: Language) -> &'static str {
    match language {
        Language::English => "This link was already used",
        Language::Russian => "Эта ссылка уже использована",
    }
}

pub(super) fn invalid(language: Language) -> &'static str {
    match language {
        Language::English => "This link is not valid",
        Language::Russian => "Эта ссылка недействительна",
    }
}

pub(super) fn expired(language: Language) -> &'static str {
    match language {
        Language::English => "This link has expired",
        Language::Russian => "Срок действия этой ссылки истёк",
    }
}

pub(super) fn taken(language: Language) -> &'static str {
    match language {
        Language::English => "This address belongs to another account",
        Language::Russian => "Этот адрес принадлежит другой учётной записи",
    }
}

pub(super) fn why_taken(language: Language) -> &'static str {
    match language {
        Language::English => {
            "Another account has this e-mail address. Sign in to that account, or choose another address."
        }
        Language::Russian => {
            "С этим адресом электронной почты есть другая учётная запись. Войдите в неё или выберите другой адрес."
        }
    }
}

pub(super) fn rejected(language: Language) -> &'static str {
    match language {
        Language::English => "This request can't be accepted",
        Language::Russian => "Такой запрос не принимается",
    }
}

pub(super) fn start_again(language: Language) -> &'static str {
    match language {
        Language::English => "Open the page again, and start again.",
        Language::Russian => "Откройте страницу ещё раз и начните снова.",
    }
}
