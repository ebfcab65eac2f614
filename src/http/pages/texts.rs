//! What the pages say, in each language.

use crate::language::Language;

/// The texts of one page.
pub(super) struct Texts {
    pub(super) title: &'static str,
    pub(super) intro: &'static str,
    pub(super) button: &'static str,
    /// The label of the password; none where none is asked for.
    pub(super) password: Option<&'static str>,
    pub(super) hint: &'static str,
    pub(super) done_title: &'static str,
    pub(super) done: &'static str,
}

pub(super) fn verify(language: Language) -> &'static Texts {
    match language {
        Language::English => &Texts {
            title: "Confirm your e-mail address",
            intro: "Press the button, and we know that this address is yours.",
            button: "Confirm this address",
            password: None,
            hint: "",
            done_title: "Thank you",
            done: "This e-mail address is confirmed. You can close this page.",
        },
        Language::Russian => &Texts {
            title: "Подтвердите адрес электронной почты",
            intro: "Нажмите кнопку, и мы будем знать, что этот адрес принадлежит вам.",
            button: "Подтвердить адрес",
            password: None,
            hint: "",
            done_title: "Спасибо",
            done: "Этот адрес электронной почты подтверждён. Страницу можно закрыть.",
        },
    }
}

pub(super) fn reset(language: Language) -> &'static Texts {
    match language {
        Language::English => &Texts {
            title: "Choose a new password",
            intro: "You will be signed out everywhere, and sign in with the new password.",
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
        Language::English => "This link is not complete",
        Language::Russian => "Ссылка неполная",
    }
}

pub(super) fn no_longer(language: Language) -> &'static str {
    match language {
        Language::English => "This did not work",
        Language::Russian => "Не получилось",
    }
}

pub(super) fn refused(language: Language) -> &'static str {
    match language {
        Language::English => "This request can't be taken",
        Language::Russian => "Такой запрос не принимается",
    }
}

pub(super) fn ask_again(language: Language) -> &'static str {
    match language {
        Language::English => "Open the link from the message once more, or ask for a new message where you sign in.",
        Language::Russian => "Откройте ссылку из письма ещё раз или запросите новое письмо там, где вы входите.",
    }
}
