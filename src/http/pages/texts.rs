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
}

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
        },
        Language::Russian => &Texts {
            title: "Подтвердите адрес электронной почты",
            intro: "Нажмите кнопку, чтобы подтвердить, что этот адрес принадлежит вам.",
            button: "Подтвердить адрес",
            password: None,
            hint: "",
            done_title: "Спасибо",
            done: "Ваш адрес электронной почты подтверждён. Страницу можно закрыть.",
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
        },
        Language::Russian => &Texts {
            title: "Выберите новый пароль",
            intro: "Вы выйдете из учётной записи на всех устройствах и войдёте заново с новым паролем.",
            button: "Сохранить новый пароль",
            password: Some("Новый пароль"),
            hint: "Не меньше 8 любых символов. Хороший пароль — это несколько слов.",
            done_title: "Пароль изменён",
            done: "Теперь можно войти с новым паролем и закрыть эту страницу.",
        },
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

pub(super) fn why_invalid(language: Language) -> &'static str {
    match language {
        Language::English => {
            "It may have been used already, or the account has changed since. Request a new message where you sign in."
        }
        Language::Russian => {
            "Возможно, она уже использована или учётная запись с тех пор изменилась. Запросите новое письмо там, где вы входите."
        }
    }
}

pub(super) fn expired(language: Language) -> &'static str {
    match language {
        Language::English => "This link has expired",
        Language::Russian => "Срок действия этой ссылки истёк",
    }
}

pub(super) fn ask_for_new(language: Language) -> &'static str {
    match language {
        Language::English => "Request a new message where you sign in.",
        Language::Russian => "Запросите новое письмо там, где вы входите.",
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

pub(super) fn ask_again(language: Language) -> &'static str {
    match language {
        Language::English => "Open the link from the message again, or request a new message where you sign in.",
        Language::Russian => "Откройте ссылку из письма ещё раз или запросите новое письмо там, где вы входите.",
    }
}
