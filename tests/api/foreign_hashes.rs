//! Password hashes imported from other systems.

use chrono::TimeDelta;
use futures_util::future::join_all;
use hallpass::{
    config::SecretString,
    entity::{throttle, user},
    security::{
        hasher::Hasher,
        password::{FirebaseParameters, PasswordHash},
    },
};
use proptest::{prelude::*, sample::Index};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use tokio::runtime::Runtime;

use crate::{
    foreign_hash_vectors::{FIREBASE, SIGNER_KEY, STAPLE, VECTORS},
    support::{TestServer, password_of, settings},
};

/// Passwords, the number of repetitions, and the hash that a Python library created.
const FIXTURES: &[(&str, usize, &str)] = &[
    // passlib 1.7.4 with bcrypt 4.0.1: `bcrypt.using(rounds=4)`.
    (STAPLE, 1, "$2b$04$jORFAFn2eVhnl2TYZk42Mu0Q.pPNdLHjpwCCezjyPs5/INDKoZ.bu"),
    ("пароль с пробелами", 1, "$2b$04$6B4VNXAHVgTEr5oe7GuKe.eLZ1LsEvHCDdq8wq2tfqAFPoLZf4S/a"),
    ("p", 1, "$2b$04$0rA.dISAJh2Gd9LJL39N9u/sLWZ/mkYo1lTTzAZFq6JRzHliRio2C"),
    ("", 1, "$2b$04$GHrQNx2/fUB1WXvbkGz/pO/X6tSAgo5SsPOabIWS4/Vi5IC4/OqYm"),
    ("x", 71, "$2b$04$qPwMVxfsEIS9w3bVz5mJh.B9ZlwsWzkzXbavQuUFXwUpsMZeYiLyK"),
    ("x", 72, "$2b$04$HdPxUw0S.TwqWdjb5O97.e61w7SurPsqZe6omIYt/lj/ChTmMx0c2"),
    ("x", 73, "$2b$04$lQmEAffV1tX3fXi4Kc7p7.HKb8SguW/PeDVtGlb6uS7GfGvwTuqt2"),
    ("x", 128, "$2b$04$/9N53EqwVjg72A6DiZylluQTIS3doimjH/ieuUJmHhv/soDfitazK"),
    ("я", 36, "$2b$04$6QH7soJCPxfokhchstJDL./8JB4AZRZZk2/8f2S6CoA.SqV6nKGmW"),
    ("я", 40, "$2b$04$MfccTHf1ADWCdQ/AXMgKQuLeYwP7DPLSsncUMcgk6WUB17y35iVW6"),
    ("a😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", 1, "$2b$04$fjA07oZfspP2XMygOP9iaue.77PrK2sBtW.UJKu.gmFlpvOBLPgL6"),
    ("😀", 64, "$2b$04$CLslbj9pqq7l/l7fdV5ChOltF7Re.92tDhnCAT54nIFjEVZNgQLaG"),
    (" padded ", 1, "$2b$04$sDMXeFJl6irCP/NrXY.YmO0TBuULDh93FPX7ELS.igJ4gPw0S7RfK"),
    ("\u{301}e\u{e9}", 1, "$2b$04$RzqNI5BFeA16bR7TcEDyKehSD0ToczZL.jloxzFNsloSZ.bMFrRBG"),
    // The same with `ident="2a"` and `ident="2y"`.
    (STAPLE, 1, "$2a$04$3cdRWHJQm9YNBJkRbcsZI.GUcwpURSCayCUEKyrejk.DYeWpJKNUm"),
    (STAPLE, 1, "$2y$04$HMc9xCSzGQzQWEPjPq1.h.QV4fa3gXKufzAdxGNuqjDtZ/ubTIpsS"),
    // bcrypt 4.0.1: `hashpw` with `gensalt(4)`, `gensalt(4, b"2a")`, `gensalt(12)`.
    (STAPLE, 1, "$2b$04$QuGqa8MOZOv8kY0B0nwHjud5Mk5M1pZgW88vMQm7847ZlrMxROeAC"),
    ("x", 73, "$2a$04$Yh4ru9aqp7gIRQrGgmQoFOIRFzhNYNFwx.L2Wp5M7nqQJOcuXZbum"),
    (STAPLE, 1, "$2b$12$BjMHKUVs6tYhKHdBZerpge7EPHqK8aby8.OTse6OX.k3GvT56bs32"),
    // passlib 1.7.4: `pbkdf2_sha256.using(rounds=1000)`.
    (STAPLE, 1, "$pbkdf2-sha256$1000$SYnR2rvX2ptzTkmp9Z4T4g$0qpPJYGzXCzwCUS6I8FiZo2pKx67gT/ml6MaGw9exoQ"),
    ("пароль с пробелами", 1, "$pbkdf2-sha256$1000$P2ds7f0fI8Q4hxACQChFyA$koRREb5D04SA6QJbTAO5P2zTk/pFEHnOqe4a4Ka38tw"),
    ("p", 1, "$pbkdf2-sha256$1000$VQphTOndG0OI0XpvTam1tg$9kRp7ZlhkS4rkcwtHVtuSeHsLaim1IZnNa3dxIMerfs"),
    ("", 1, "$pbkdf2-sha256$1000$8X6PEYKwViplLGXsHcM4Zw$3rrsEdneIvlstWsX2ywFvtosLGFqbbPniSn5RBJsGX0"),
    ("x", 71, "$pbkdf2-sha256$1000$yvkfAyAEwJjTOuf8nzMGgA$XWkXZN0QMoQGm.mYOBnw1zCOMKVVv0LOk8vn.PHXJXE"),
    ("x", 72, "$pbkdf2-sha256$1000$Zqz13nsPAaAUAqB0jvE.xw$LtEXiud0a0yXXYWh8v2bqyvyZQZ1FjvlXvWn6fb.7U8"),
    ("x", 73, "$pbkdf2-sha256$1000$XYvxnhPCWIsR4lwrBWCsNQ$FhlUKbp.rvSDRw9yXDLQoINLZeK5dWEDDaQ3gp7b2r4"),
    ("x", 128, "$pbkdf2-sha256$1000$PAfAuJdSijGmVGotJWQMYQ$crv.DE3/ypgv9cIIXj7XXgVFedUV6BoIF0rC5.nv8ec"),
    ("я", 36, "$pbkdf2-sha256$1000$bo0xhnDOOYeQ8h7DmHOulQ$rEAdEX7kNv.h0dO.FahiIcJ8wk1yIwgOgzDXKRFdMUU"),
    ("я", 40, "$pbkdf2-sha256$1000$X4sxZgxhDME4RyjFWEupVQ$r6Xc6sbikurNCKeSHscryhUXxUyWyAXhtGNK3WOcKYM"),
    (
        "a😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
        1,
        "$pbkdf2-sha256$1000$RwhBiDFGiLE2xhgDgFBKCQ$8O0uKptnE13B4VTO0tqaHg1lgk1VM5zsnYzhYbQV.sI",
    ),
    ("😀", 64, "$pbkdf2-sha256$1000$rjWGsDYmpNT6Xyvl/P9faw$RwtAkTdjizzx7vNp.KcCRZIxo62LMc46kF0MRSwi3qM"),
    (" padded ", 1, "$pbkdf2-sha256$1000$5xzjHCME4FwLYUzp/b9XSg$0JwMjyh83B9vhDopYZZTyiDFrEubjso8hrYPdlr/5eI"),
    ("\u{301}e\u{e9}", 1, "$pbkdf2-sha256$1000$gXCOUWqtlVLqXev9//9fqw$KCmTgRl24YD8/F2nI6viI/H0XNoxpRYbEq4Adg/w4wY"),
    // With the default of 29,000 rounds; with a NUL; without salt.
    (STAPLE, 1, "$pbkdf2-sha256$29000$FyJEKCWkFALA.H8vRYixFg$173k6UskOYRPNEruA50.81nMHKajaNSekpbk0IiiAmU"),
    ("p\0p", 1, "$pbkdf2-sha256$1000$LeX839ub8773nvN.712LcQ$N5tuWoEZ76mIGYa3zTY3DvBHXeJSyEEngWfbob8910I"),
    (STAPLE, 1, "$pbkdf2-sha256$1$$eFCDdXwF5mFDlqaYj8ss3t3sfTpR5xmB5DUGTr2E.pI"),
    // argon2-cffi 25.1.0: `PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)`.
    (STAPLE, 1, "$argon2id$v=19$m=64,t=1,p=1$b+SaTID9z7PtpZFO1A28dA$l2dSAWzEQ21bB90wDNGM5dFabhKTzIFGgvd7rTDeGTo"),
    (
        "пароль с пробелами",
        1,
        "$argon2id$v=19$m=64,t=1,p=1$S+OvPIg3LV4+WWh/vhodJw$VT39LVCMdO8WHdYH3CK8kNJveddbUoHkwd0jIWpvIyk",
    ),
    ("p", 1, "$argon2id$v=19$m=64,t=1,p=1$XF3XlrHT+VWqvIl1//hGrQ$EInSHU7a0YbpB9KIPS2x062Rw/GO2UW1y+0ayp+j+Ss"),
    ("", 1, "$argon2id$v=19$m=64,t=1,p=1$nZvdJb5LcYCNnotQflGIBQ$GI+eamdLDCamkvagkxc6HLuW04sI7p+Z/bRI4KHd4e0"),
    ("x", 71, "$argon2id$v=19$m=64,t=1,p=1$t69c0EWaUNR/SYhy7w7dOA$eM76alpd/JlBfAu65ZPOTe93tcxphu6iz23PzRhG2eQ"),
    ("x", 72, "$argon2id$v=19$m=64,t=1,p=1$uGZCq7iZL44cO9LiBdzidQ$xXfMH5cHY9XbHnYJhQQfCZnoe/UUrLsD0EBZTrsCn5U"),
    ("x", 73, "$argon2id$v=19$m=64,t=1,p=1$+FeaDe3dA4NL8bFKcEHGfQ$RN+sd9KHe7nYtQ4WqDn6ndtJYKSq13bFFhR1iyihK54"),
    ("x", 128, "$argon2id$v=19$m=64,t=1,p=1$cdCd04F7RLM0ltlh4VGZ1g$huGCbMm1I+4CEZ75uRDeX+Gpccqgqa1VJfdEtlsp91Y"),
    ("я", 36, "$argon2id$v=19$m=64,t=1,p=1$tGB32B9CGKW436UMY8A2tA$7AIelP0jDcgoby6LftZlL/baFzswXmeDxnZcFXxObxM"),
    ("я", 40, "$argon2id$v=19$m=64,t=1,p=1$4AaHld3WNtWTqzhHut18kQ$7s1Tm+jb1CgMtucJlPaIL+5MhPofeYbXmlj/AAdqTkA"),
    (
        "a😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
        1,
        "$argon2id$v=19$m=64,t=1,p=1$xSZrEvX5Vah8/vsOQ35ktw$HxvKg8UprhdTeETHWyauDLtsbdNpKv5LNUIWTuD46hY",
    ),
    ("😀", 64, "$argon2id$v=19$m=64,t=1,p=1$T4aytJH4Xl1Vj1xznZ6JMw$9Y5OscZUrwXki3enekSqmtEhZINl9C2kCg0K9gH5jaM"),
    (" padded ", 1, "$argon2id$v=19$m=64,t=1,p=1$GApNAqjdNHk1BNuHCGnrgA$SBWKI95kYox/jerRxuFdishgxFSJsC36pVGI8zGgLJI"),
    (
        "\u{301}e\u{e9}",
        1,
        "$argon2id$v=19$m=64,t=1,p=1$qMRrGWuTRQU2UUwJgBhnWA$6laQhQRWqaB8vM6xvWPSSQapCKM9dg6jOOKUEhap/Jo",
    ),
    // With default parameters; with a NUL; with four lanes and a short digest.
    (STAPLE, 1, "$argon2id$v=19$m=65536,t=3,p=4$/mxAfA4Bk/U3CSpX2OMx7w$LyJfEVYeVjvjrvK7OHw4uV1z62IowLTk7tSc1Lt3FIk"),
    ("p\0p", 1, "$argon2id$v=19$m=64,t=1,p=1$VGtctoyuqlKrIADZlwfP0g$RVu8fCagOTuFI8Eg5Yb1jdshaMvfChdx1tYA30esnQI"),
    (STAPLE, 1, "$argon2id$v=19$m=102,t=2,p=4$aTfQz9Ukuu3IUoF/aYbhNw$m7k5m/siGXs3WXY7D1ybNw"),
    // passlib 1.7.4: `argon2.using(type="ID", time_cost=1, memory_cost=64, parallelism=2)`.
    (STAPLE, 1, "$argon2id$v=19$m=64,t=1,p=2$oVQKQWiNsXZujbGWkrI2pg$u61XqmoFwELFYDlZxHxhpXMtGF96gtmCmkH+FWCdAMw"),
];

/// The default costs of libraries, which take long. Hashes with these are compared with the password and one other.
const DEFAULT_COSTS: [&str; 8] =
    ["1000000$", "$29000$", "$25000$", "m=65536", "m=102400", "$16384$", ":32768:", "$scrypt$ln=16,"];

fn fixtures() -> impl Iterator<Item = (String, String)> {
    let vectors = FIXTURES.iter().chain(VECTORS);
    let vectors = vectors.map(|(password, times, stored)| (password.repeat(*times), (*stored).to_owned()));
    vectors.chain(FIREBASE.iter().map(|(password, times, memory_cost, salt, hash)| {
        let parameters = FirebaseParameters::new(SIGNER_KEY, "Bw==", "8", memory_cost).unwrap();
        (password.repeat(*times), parameters.hash(hash, salt).unwrap())
    }))
}

/// The first vector that begins so.
fn vector(prefix: &str) -> &'static str {
    VECTORS.iter().find_map(|(_, _, stored)| stored.starts_with(prefix).then_some(*stored)).unwrap()
}

/// The part of a password that plain bcrypt uses.
fn bcrypt_input(password: &str) -> &[u8] {
    &password.as_bytes()[..password.len().min(72)]
}

/// Whether a hash of `password` should verify `candidate`.
fn should_verify(stored: &str, password: &str, candidate: &str) -> bool {
    if stored.starts_with("$2") || stored.starts_with("bcrypt$") {
        bcrypt_input(candidate) == bcrypt_input(password) && !candidate.contains('\0')
    } else {
        candidate == password
    }
}

/// Candidates for a password: itself, and variants changed at `at`.
fn variants(password: &str, at: usize) -> Vec<String> {
    let chars: Vec<char> = password.chars().collect();
    let (before, after): (String, String) = (chars[..at].iter().collect(), chars[at..].iter().collect());
    let without_one: String = after.chars().skip(1).collect();
    vec![
        password.to_owned(),
        password.repeat(2),
        format!("{password}\0"),
        format!("{password}\0{password}"),
        format!("{before}{without_one}"),
        format!("{before}\0{after}"),
        format!("{before}x{after}"),
        before.clone(),
        after.clone(),
        password.to_uppercase(),
        password.trim().to_owned(),
        String::new(),
    ]
}

/// Replaces Ada's hash, and returns her row.
async fn set_hash(server: &TestServer, stored: &PasswordHash) -> user::Model {
    let mut row = row(server).await.into_active_model();
    row.password_hash = Set(stored.clone());
    let transaction = server.app.write().await.unwrap();
    let row = row.update(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
    row
}

async fn row(server: &TestServer) -> user::Model {
    user::Entity::find().one(server.app.database.read()).await.unwrap().unwrap()
}

/// The stored text of a hash.
fn text(hash: &PasswordHash) -> String {
    match sea_orm::Value::from(hash.clone()) {
        sea_orm::Value::String(Some(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn hash_verifies_only_its_own_password() {
    let hasher = Hasher::start(&settings().passwords).unwrap();
    for (password, stored) in fixtures() {
        let hash = PasswordHash::import(&stored).unwrap_or_else(|| panic!("{stored} is not supported"));
        let candidates = variants(&password, password.chars().count() / 2);
        let count = if DEFAULT_COSTS.iter().any(|cost| stored.contains(cost)) { 2 } else { candidates.len() };
        for candidate in candidates.into_iter().take(count) {
            let is_verified = hasher.verify(&candidate.as_str().into(), Some(&hash)).await.unwrap();
            let expected = should_verify(&stored, &password, &candidate);
            assert_eq!(is_verified, expected, "{stored} of {password:?} with {candidate:?}");
        }
    }
}

#[test]
fn hash_rejects_other_passwords() {
    let runtime = Runtime::new().unwrap();
    let hasher = Hasher::start(&settings().passwords).unwrap();
    let is_verified = |candidate: &str, hash: &PasswordHash| {
        runtime.block_on(hasher.verify(&SecretString::from(candidate), Some(hash))).unwrap()
    };
    proptest!(ProptestConfig::with_cases(64), |(password in ".{1,128}|x{50,128}|[ab\\x00]{1,80}", other in ".{1,128}", at: Index)| {
        let hash = runtime.block_on(hasher.hash(&SecretString::from(password.as_str()))).unwrap();
        for candidate in variants(&password, at.index(password.chars().count())).into_iter().chain([other.clone()]) {
            prop_assert_eq!(is_verified(&candidate, &hash), candidate == password, "{:?}", candidate);
        }
    });
}

#[test]
fn unknown_malformed_and_expensive_hashes_are_rejected() {
    let bcrypt = "$2b$04$QuGqa8MOZOv8kY0B0nwHjud5Mk5M1pZgW88vMQm7847ZlrMxROeAC";
    let pbkdf2 = "$pbkdf2-sha256$1000$SYnR2rvX2ptzTkmp9Z4T4g$0qpPJYGzXCzwCUS6I8FiZo2pKx67gT/ml6MaGw9exoQ";
    let argon2 = "$argon2id$v=19$m=64,t=1,p=1$b+SaTID9z7PtpZFO1A28dA$l2dSAWzEQ21bB90wDNGM5dFabhKTzIFGgvd7rTDeGTo";
    for good in [bcrypt, pbkdf2, argon2] {
        assert!(PasswordHash::import(good).is_some());
        for bad in [
            good[1..].to_owned(),
            good[..good.len() - 1].to_owned(),
            format!("{good}AA"),
            format!("{good}="),
            format!("{good}$"),
            format!(" {good}"),
            format!("{good}\n"),
            good.replace(&good[30..31], "ö"),
        ] {
            assert!(PasswordHash::import(&bad).is_none(), "{bad}");
        }
    }
    let bad = [
        // The format of a faulty PHP implementation, in which one hash matches several passwords.
        bcrypt.replace("$2b", "$2x"),
        bcrypt.replace("$2b", "$2"),
        bcrypt.replace("$04", "$4"),
        bcrypt.replace("$04", "$+4"),
        bcrypt.replace("$04", "$03"),
        bcrypt.replace("$04", "$16"),
        bcrypt.replace("$04", "$31"),
        pbkdf2.replace("sha256", "sha512"),
        pbkdf2.replace("1000", "0"),
        pbkdf2.replace("1000", "01000"),
        pbkdf2.replace("1000", "+1000"),
        pbkdf2.replace("1000", "2000001"),
        pbkdf2.replace("1000", "99999999999"),
        argon2.replace("2id", "2i"),
        argon2.replace("v=19$", ""),
        argon2.replace("v=19", "v=16"),
        argon2.replace("m=64", "m=7"),
        argon2.replace("m=64", "m=262145"),
        argon2.replace("m=64,t=1", "m=262144,t=9"),
        argon2.replace("t=1", "t=4294967295"),
        argon2.replace("t=1", "t=0"),
        argon2.replace("p=1", "p=0"),
        argon2.replace("p=1", "p=9"),
        argon2.replace("p=1", "p=4294967295"),
        argon2.replace("p=1", "p=1,data=AAAA"),
        // A digest of 4 bytes.
        argon2.replace("l2dSAWzEQ21bB90wDNGM5dFabhKTzIFGgvd7rTDeGTo", "l2dSAQ"),
        String::new(),
        "!".to_owned(),
        "$".to_owned(),
        "$$$$".to_owned(),
        STAPLE.to_owned(),
    ];
    for bad in bad {
        assert!(PasswordHash::import(&bad).is_none(), "{bad}");
    }
    // Some libraries set the unused bits of a salt: `u` is 0b110000, `v` 0b110001.
    assert!(PasswordHash::import(&bcrypt.replace("0nwHju", "0nwHjv")).is_some());
}

#[test]
fn malformed_and_expensive_hashes_of_frameworks_are_rejected() {
    let django = vector("pbkdf2_sha256$1000$");
    let bcrypt = vector("bcrypt_sha256$");
    let argon2 = vector("argon2$");
    let django_scrypt = vector("scrypt$256$");
    let werkzeug = vector("scrypt:256:8:1$");
    let werkzeug_pbkdf2 = vector("pbkdf2:sha256:1000$");
    let phc = vector("$scrypt$ln=4,r=8,p=1$");
    let version_1 = vector("$bcrypt-sha256$2b,4$");
    let firebase = fixtures().map(|(_, stored)| stored).find(|stored| stored.starts_with("$firebase-scrypt$")).unwrap();
    let all = [django, bcrypt, argon2, django_scrypt, werkzeug, werkzeug_pbkdf2, phc, version_1, &firebase];
    for good in all {
        assert!(PasswordHash::import(good).is_some(), "{good}");
        for bad in [
            good[1..].to_owned(),
            good[..good.len() - 1].to_owned(),
            format!("{good}AA"),
            format!("{good}$"),
            format!(" {good}"),
            format!("{good}\n"),
            format!("${good}"),
        ] {
            assert!(PasswordHash::import(&bad).is_none(), "{bad}");
        }
    }
    let bad = [
        // Django's marks for passwords that cannot be used, and hashers that are not supported.
        "!tXoCZ5Hu0jn2Bgs6EnGC1ys5O3pXYpP2dgIzVVA7".to_owned(),
        django.replace("sha256", "sha512"),
        django.replace("pbkdf2_sha256", "md5"),
        django.replace("$1000$", "$0$"),
        django.replace("$1000$", "$01000$"),
        django.replace("$1000$", "$2000001$"),
        bcrypt.replace("$$2b", "$$2x"),
        bcrypt.replace("$$2b", "$2b"),
        bcrypt.replace("$04$", "$16$"),
        argon2.replace("argon2id", "argon2i"),
        argon2.replace("m=64", "m=262145"),
        django_scrypt.replace("$256$", "$255$"),
        django_scrypt.replace("$256$", "$1$"),
        django_scrypt.replace("$256$", "$524288$"),
        werkzeug.replace(":256:", ":524288:"),
        werkzeug.replace(":8:", ":0:"),
        werkzeug.replace(":8:", ":4294967295:"),
        werkzeug.replace(":8:1$", ":8:4294967295$"),
        werkzeug.replace(":256:8:1$", ":32768:8:17$"),
        werkzeug.replace(":8:1$", ":8:1:1$"),
        werkzeug.replace(":8:1$", ":8$"),
        werkzeug.replace(":8:1$", ":8:+1$"),
        werkzeug_pbkdf2.replace("sha256", "md5"),
        werkzeug_pbkdf2.replace(":1000$", "$"),
        werkzeug_pbkdf2.replace(":1000$", ":2000001$"),
        phc.replace("ln=4", "ln=0"),
        phc.replace("ln=4", "ln=19"),
        phc.replace("ln=4", "ln=64"),
        phc.replace("ln=4", "ln=4294967295"),
        phc.replace("r=8", "r=8388609"),
        phc.replace("p=1", "p=0"),
        // The salt and the digest have other lengths, but the same sum.
        version_1.replacen("$2b,4$", "$2b,4$x", 1),
        version_1.replace("2b,4", "2b,16"),
        version_1.replace("2b,4", "2x,4"),
        firebase.replace("ln=4", "ln=19"),
    ];
    for bad in bad {
        assert!(PasswordHash::import(&bad).is_none(), "{bad}");
    }
}

#[test]
fn firebase_parameters_are_checked() {
    let separator = "Bw==";
    assert!(FirebaseParameters::new(SIGNER_KEY, separator, "8", "14").is_some());
    for (key, separator, rounds, memory_cost) in [
        ("", separator, "8", "14"),
        ("AAAA", separator, "8", "14"),
        (&SIGNER_KEY[1..], separator, "8", "14"),
        (SIGNER_KEY, "?", "8", "14"),
        (SIGNER_KEY, separator, "0", "14"),
        (SIGNER_KEY, separator, "8", "0"),
        (SIGNER_KEY, separator, "8", "19"),
        (SIGNER_KEY, separator, "4294967296", "14"),
    ] {
        let parameters = FirebaseParameters::new(key, separator, rounds, memory_cost);
        assert!(parameters.is_none(), "{key} {separator} {rounds} {memory_cost}");
    }
    let parameters = FirebaseParameters::new(SIGNER_KEY, separator, "8", "14").unwrap();
    assert!(!format!("{parameters:?}").contains("jxspr"));
    let (_, _, _, salt, hash) = FIREBASE[0];
    // The API writes URL-safe Base64.
    let url_safe = |text: &str| text.replace('+', "-").replace('/', "_");
    assert_eq!(parameters.hash(&url_safe(hash), &url_safe(salt)), parameters.hash(hash, salt));
    for (hash, salt) in [("", salt), ("AAAA", salt), (&hash[4..], salt), (hash, "?")] {
        assert!(parameters.hash(hash, salt).is_none(), "{hash} {salt}");
    }
}

#[tokio::test]
async fn login_with_an_imported_hash_replaces_it() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let is_long = |password: &str, stored: &str| stored.starts_with("$2") && password.chars().count() >= 8;
    for (password, stored) in fixtures().filter(|(password, stored)| password == STAPLE || is_long(password, stored)) {
        let before = set_hash(&server, &PasswordHash::import(&stored).unwrap()).await;
        server.clock.advance(TimeDelta::seconds(1));

        let wrong = server.anonymous().login("ada", &format!("y{password}")).await;
        assert_eq!(wrong.code(), "INVALID_CREDENTIALS", "{stored}");
        assert_eq!(row(&server).await, before, "an incorrect password changed the row");

        server.anonymous().login("ada", &password).await.data("/login/user");
        let after = row(&server).await;
        let new = text(&after.password_hash);
        assert!(new.starts_with("$bcrypt-sha256$v=2,t=2b,r=4$"), "{new} instead of {stored}");
        assert_eq!(after.updated_at, before.updated_at, "a rehash counts as a change of the account");
        ada.me().await.data("/me");

        // The new hash covers the whole password, even if the old one did not.
        for (candidate, is_correct) in
            [(&password, true), (&format!("{password}x"), false), (&format!("{password}\0"), false)]
        {
            let answer = server.anonymous().login("ada", candidate).await;
            assert_eq!(answer.json().get("errors").is_none(), is_correct, "{stored}: {candidate:?}");
        }
        assert_eq!(text(&row(&server).await.password_hash), new, "a current hash was replaced");
    }
}

#[tokio::test]
async fn unverifiable_stored_hash_is_an_internal_error() {
    let server = TestServer::start().await;
    server.user("ada").await;
    for stored in ["!", "$2x$04$QuGqa8MOZOv8kY0B0nwHjud5Mk5M1pZgW88vMQm7847ZlrMxROeAC"] {
        let broken = <PasswordHash as sea_orm::sea_query::ValueType>::try_from(stored.into()).unwrap();
        set_hash(&server, &broken).await;
        assert_eq!(server.anonymous().login("ada", STAPLE).await.code(), "INTERNAL_SERVER_ERROR");
    }
}

#[tokio::test]
async fn changed_cost_takes_effect_at_the_next_login() {
    let server = TestServer::start().await;
    server.user("ada").await;
    for cost in [5, 6, 4] {
        let old = row(&server).await.password_hash;
        let server = TestServer::on(server.database.clone(), |settings| settings.passwords.bcrypt_cost = cost).await;
        assert_eq!(server.anonymous().login("ada", "not her password").await.code(), "INVALID_CREDENTIALS");
        assert_eq!(row(&server).await.password_hash, old);
        server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
        let new = text(&row(&server).await.password_hash);
        assert!(new.starts_with(&format!("$bcrypt-sha256$v=2,t=2b,r={cost}$")), "{new}");
        server.anonymous().login("ada", &password_of("ada")).await.data("/login/user");
        assert_eq!(text(&row(&server).await.password_hash), new);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_logins_with_an_imported_hash_all_succeed() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let old = PasswordHash::import("$2b$04$QuGqa8MOZOv8kY0B0nwHjud5Mk5M1pZgW88vMQm7847ZlrMxROeAC").unwrap();
    for _ in 0..4 {
        set_hash(&server, &old).await;
        let devices: Vec<_> = (0..8).map(|_| server.anonymous()).collect();
        for answer in join_all(devices.iter().map(|device| device.login("ada", STAPLE))).await {
            answer.data("/login/user");
        }
        assert!(text(&row(&server).await.password_hash).starts_with("$bcrypt-sha256$"));
    }
}

/// A hash that takes 250 ms to verify.
fn slow_hash() -> PasswordHash {
    PasswordHash::import("$2b$12$BjMHKUVs6tYhKHdBZerpge7EPHqK8aby8.OTse6OX.k3GvT56bs32").unwrap()
}

#[tokio::test]
async fn rehash_does_not_overwrite_a_concurrent_password_change() {
    let server = TestServer::start().await;
    server.user("ada").await;
    for (password, is_correct) in [("another password", false), (STAPLE, true)] {
        let hash = server.app.hasher.hash(&password.into()).await.unwrap();
        set_hash(&server, &slow_hash()).await;
        let booked = attempts(&server).await;
        let ada = server.anonymous();
        let login = tokio::spawn(async move { ada.login("ada", STAPLE).await });
        while attempts(&server).await == booked {
            tokio::task::yield_now().await;
        }
        // The attempt is booked. Hashing takes far longer than the read of the user before it.
        for _ in 0..3 {
            row(&server).await;
        }
        assert!(!login.is_finished());
        set_hash(&server, &hash).await;
        let answer = login.await.unwrap();
        assert_eq!(answer.json().get("errors").is_none(), is_correct, "{answer:?}");
        assert_eq!(row(&server).await.password_hash, hash);
    }
}

/// The number of attempts that the throttle has counted.
async fn attempts(server: &TestServer) -> usize {
    let rows = throttle::Entity::find().all(server.app.database.read()).await.unwrap();
    rows.iter().map(|row| row.attempts.times().count()).sum()
}
