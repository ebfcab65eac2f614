use hallpass::config::{
    DatabaseUrl, EffectiveSetting, ExposeSecret, LogFormat, SecretKey, Settings, SmtpSecurity, Source, Variable,
    declarations,
};

const GOOD_KEY: &str = "5f3c9a7e1b2d4f60718293a4b5c6d7e8";

fn read(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_vars(variables).map_err(|mistakes| mistakes.0)
}

/// The effective values and their sources, as `hallpass config` prints them.
fn effective(variables: &[(&str, &str, Source)]) -> Vec<EffectiveSetting> {
    let variables = variables.iter().map(|(name, value, source)| Variable {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        source: *source,
    });
    Settings::read(variables).unwrap().1
}

/// The only mistake in these settings.
fn mistake(variables: &[(&str, &str)]) -> String {
    let mistakes = read(variables).expect_err("the settings are valid");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes[0].clone()
}

#[test]
fn defaults_are_a_local_server_on_sqlite() {
    let settings = read(&[]).unwrap();
    assert!(matches!(&settings.database.url, DatabaseUrl::Sqlite(path) if path.ends_with("hallpass.db")));
    assert!(matches!(&settings.tokens.secret_key, SecretKey::File(path) if path.ends_with("hallpass.key")));
    assert_eq!(settings.server.public_url, "http://localhost:8000");
    assert_eq!(settings.tokens.jwt_audience, "http://localhost:8000");
    assert_eq!(settings.passwords.bcrypt_cost, 12);
    assert_eq!(settings.registration.default_roles, ["user"]);
    assert_eq!(settings.logging.format, LogFormat::Text);
    assert!(settings.server.allowed_origins.contains(&"http://127.0.0.1:8000".to_owned()));
    assert!(settings.server.is_local && settings.graphql.playground);
    assert!(settings.mail.dev && settings.mail.smtp.is_empty() && settings.mail.is_enabled());
    assert_eq!(settings.mail.app_url, "http://localhost:8000");
}

#[test]
fn all_errors_are_reported_without_secrets() {
    let mistakes = read(&[
        ("DATABASE_URL", "oracle://scott:tiger@host/db"),
        ("LISTEN", "localhost"),
        ("SECRET_KEY", "tiger"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "61"),
        ("BCRYPT_COST", "4"),
        ("HASH_CONCURRENCY", "many"),
        ("HASH_LANES", "7"),
        ("REGISTRATION_ENABLED", "yes"),
        ("DEFAULT_ROLES", "user,root"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "loud=very"),
        ("DB_MAX_CONNECTIONS", "1"),
        ("ALLOWED_ORIGINS", "https://a.example,*"),
        ("REFRESH_TOKEN_EXPIRE_DAYS", ""),
        ("SMTP_URL", "smtp://scott:tiger@"),
        ("APP_URL", "app.example.org"),
        ("DEV_MAIL", "maybe"),
        ("REQUIRE_VERIFIED_EMAIL", "true"),
    ])
    .unwrap_err();
    let names = [
        "DATABASE_URL",
        "DB_MAX_CONNECTIONS",
        "LISTEN",
        "ALLOWED_ORIGINS",
        "SECRET_KEY",
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        "REGISTRATION_ENABLED",
        "DEFAULT_ROLES",
        "BCRYPT_COST",
        "HASH_CONCURRENCY",
        "HASH_LANES",
        "SMTP_URL",
        "MAIL_FROM",
        "APP_URL",
        "DEV_MAIL",
        "REQUIRE_VERIFIED_EMAIL",
        "LOG_FORMAT",
        "RUST_LOG",
    ];
    assert_eq!(mistakes.len(), names.len(), "{mistakes:#?}");
    for (mistake, name) in mistakes.iter().zip(names) {
        let rest = mistake.strip_prefix(name).unwrap_or_else(|| panic!("{name}: {mistakes:#?}"));
        assert!(rest.starts_with([' ', ':']), "{mistake}");
    }
    assert!(!format!("{mistakes:?}").contains("tiger"));
    assert!(mistakes.iter().any(|mistake| mistake == "BCRYPT_COST: expected a whole number from 10 to 15, got \"4\""));
}

#[test]
fn throttle_limits_have_defaults_and_a_range() {
    let names = declarations().iter().map(|declaration| declaration.name);
    let names: Vec<&str> = names.filter(|name| name.starts_with("LIMIT_")).collect();
    assert_eq!(names.len(), 14);
    let defaults = read(&[]).unwrap().throttle.limits;
    for name in names {
        let period = ["_PER_15_MINUTES", "_PER_HOUR", "_PER_DAY"];
        assert!(period.iter().any(|period| name.ends_with(period)), "{name}");
        for wrong in ["0", "5001", "-1", "ten", "1.5"] {
            let expected = format!("{name}: expected a whole number from 1 to 5000, got \"{wrong}\"");
            assert_eq!(mistake(&[(name, wrong)]), expected);
        }
        for good in ["1", "5000"] {
            assert_ne!(read(&[(name, good)]).unwrap().throttle.limits, defaults, "{name}");
        }
    }
}

#[test]
fn malformed_origins_are_rejected() {
    for (origins, expected) in [
        ("https://*.example.org", "\"*\""),
        ("https://app.example.org,https://*", "\"*\""),
        ("https://app.{a,b}.org", "origins separated by commas"),
        ("https://app$.example.org", "\"$\""),
        ("https://(app).example.org", "\"(\""),
        ("https://app.example.org:*", "origins separated by commas"),
    ] {
        let mistakes = read(&[("ALLOWED_ORIGINS", origins)]).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with("ALLOWED_ORIGINS"), "{mistakes:?}");
        assert!(mistakes[0].contains(expected), "{mistakes:?}");
    }
    for origins in ["https://app_1.example-2.org", "http://[::1]:3000,http://127.0.0.1:3000", "https://пример.рф"]
    {
        assert!(read(&[("ALLOWED_ORIGINS", origins)]).is_ok(), "{origins}");
    }
    assert!(read(&[("PUBLIC_URL", "http://*.localhost:8000")]).is_err());
}

#[test]
fn reserved_usernames_are_a_list_or_empty() {
    let reserved = |text| read(&[("RESERVED_USERNAMES", text)]).unwrap().registration.reserved_usernames;
    assert!(["admin", "root", "support", "system"].iter().all(|name| reserved("").iter().any(|known| known == name)));
    assert_eq!(reserved("Boss, IT-desk"), ["boss", "it-desk"]);
    assert_eq!(reserved("none"), [""; 0]);
    for wrong in ["a b", "admin,,root", "админ"] {
        assert!(mistake(&[("RESERVED_USERNAMES", wrong)]).starts_with("RESERVED_USERNAMES: expected"), "{wrong}");
    }
}

#[test]
fn database_urls_are_accepted_in_every_spelling() {
    for (url, path) in [
        ("sqlite://hallpass.db", "hallpass.db"),
        ("sqlite:hallpass.db", "hallpass.db"),
        ("sqlite://data/hallpass.db?mode=rwc", "data/hallpass.db"),
        ("sqlite:///var/lib/hallpass.db", "/var/lib/hallpass.db"),
        ("sqlite:///./x.db", "./x.db"),
        ("sqlite+aiosqlite:///../x.db", "../x.db"),
        ("sqlite:////var/lib/x.db", "/var/lib/x.db"),
    ] {
        let DatabaseUrl::Sqlite(found) = read(&[("DATABASE_URL", url)]).unwrap().database.url else { panic!("{url}") };
        assert_eq!(found.to_str(), Some(path), "{url}");
    }
    let server = |url| read(&[("DATABASE_URL", url), ("SECRET_KEY", GOOD_KEY)]).unwrap().database.url;
    for url in ["postgres://u:p@host/db", "postgresql://u:p@host/db", "postgresql+asyncpg://u:p@host/db"] {
        let DatabaseUrl::Postgres(found) = server(url) else { panic!("{url}") };
        assert_eq!(found.expose_secret(), "postgres://u:p@host/db");
    }
    let DatabaseUrl::Postgres(socket) = server("postgresql:///db?host=/run/postgresql") else { panic!("a socket") };
    assert_eq!(socket.expose_secret(), "postgres:///db?host=/run/postgresql");
    for url in ["mysql://u:p@host/db", "mysql+pymysql://u:p@host/db", "mariadb://u:p@host/db"] {
        let DatabaseUrl::MySql(found) = server(url) else { panic!("{url}") };
        assert_eq!(found.expose_secret(), "mysql://u:p@host/db");
    }
    for url in [
        "sqlite::memory:",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite://hallpass.db?mode=ro",
        "postgres://",
        "postgres://host",
        "hallpass.db",
        "mysql:db",
        "http://host/db",
    ] {
        assert!(
            mistake(&[("DATABASE_URL", url), ("SECRET_KEY", GOOD_KEY)]).starts_with("DATABASE_URL: expected "),
            "{url}"
        );
    }
}

#[test]
fn special_characters_in_a_database_password_must_be_percent_encoded() {
    for password in ["hun#ter2", "hun/ter2", "hun?ter2", "12?a=hunter2", "12/hunter2", "12#hunter2", "hun@ter/2"] {
        for scheme in ["postgres", "mysql"] {
            let url = format!("{scheme}://ada:{password}@host/db");
            let mistake = mistake(&[("DATABASE_URL", &url), ("SECRET_KEY", GOOD_KEY)]);
            let expected = "DATABASE_URL: the password has a `#`, `/` or `?`. Percent-encode them as %23, %2F and %3F";
            assert_eq!(mistake, expected, "{password}");
        }
    }
    read(&[("DATABASE_URL", "postgres://ada:a%23%2F%3Fb@host/db"), ("SECRET_KEY", GOOD_KEY)]).unwrap();
    read(&[("DATABASE_URL", "postgres://host/db?user=ada@tenant&password=x"), ("SECRET_KEY", GOOD_KEY)]).unwrap();
}

/// The drivers ignore unknown options, so a misspelled TLS option would send passwords in clear text.
#[test]
fn ignored_database_option_is_rejected_by_name() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let with = |url: String| read(&[("DATABASE_URL", &*url), ("SECRET_KEY", GOOD_KEY)]);
    for (scheme, options) in [
        ("postgres", ["sslmode=verify-full", "ssl-mode=require", "sslrootcert=FILE", "sslcert=FILE&sslkey=FILE"]),
        ("mysql", ["ssl-mode=VERIFY_IDENTITY", "sslmode=REQUIRED", "ssl-ca=FILE", "ssl-cert=FILE&ssl-key=FILE"]),
    ] {
        for options in options {
            with(format!("{scheme}://u:p@host/db?{}", options.replace("FILE", file))).unwrap();
        }
    }
    with("postgres://u:p@host/db?sslrootcert=-----BEGIN CERTIFICATE-----".to_owned()).unwrap();
    for (scheme, options) in [
        // The spelling of SQLAlchemy's drivers.
        ("postgresql+asyncpg", "ssl=require"),
        ("mysql+pymysql", "ssl_ca=FILE&ssl_verify_identity=true"),
        ("mysql+mysqldb", "ssl_mode=REQUIRED"),
        // The spelling of other drivers, and typing errors.
        ("mysql", "useSSL=true"),
        ("mysql", "tls=true"),
        ("postgres", "SSLMODE=require"),
        ("postgres", "sslmod=require"),
        ("mysql", "sslrootcert=FILE"),
        ("postgres", "connect_timeout=10"),
        ("mysql", "options=x"),
    ] {
        let url = format!("{scheme}://u:hunter2@host/db?{}", options.replace("FILE", file));
        let mistake = mistake(&[("DATABASE_URL", &url), ("SECRET_KEY", GOOD_KEY)]);
        let name = options.split('=').next().unwrap();
        let expected = format!("DATABASE_URL: unknown option {name}. ");
        assert!(mistake.starts_with(&expected), "{mistake}");
        assert!(!mistake.contains("hunter2"));
    }
    for options in ["sslrootcert=/nothing.pem", "sslkey=", "sslcert=./nothing.pem"] {
        let url = format!("postgres://u:hunter2@host/db?{options}");
        let mistake = mistake(&[("DATABASE_URL", &url), ("SECRET_KEY", GOOD_KEY)]);
        let name = options.split('=').next().unwrap();
        assert_eq!(mistake, format!("DATABASE_URL: cannot read the file of the option {name}"));
    }
}

#[test]
fn published_secret_is_rejected() {
    for (key, expected) in [
        ("tiger", "at least 32 bytes"),
        ("ваш_секретный_ключ_здесь", "random secret"),
        ("your-secret-key-here-at-least-32-characters", "random secret"),
        ("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "random secret"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "random secret"),
        ("SuperSecretKeySuperSecretKeySuperSecretKey", "random secret"),
        ("CHANGEME-0f8e7d6c5b4a39281706f5e4d3c2b1a0", "random secret"),
    ] {
        let mistake = mistake(&[("SECRET_KEY", key)]);
        assert!(mistake.contains(expected) && mistake.contains("openssl rand -hex 32"), "{mistake}");
        assert!(!mistake.contains(key));
    }
    let settings = read(&[("SECRET_KEY", GOOD_KEY)]).unwrap();
    assert!(!format!("{settings:?}").contains(GOOD_KEY));
}

#[test]
fn secret_can_be_read_from_a_file() {
    let path = format!("{}/secret_key_of_the_settings_test_{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&path, format!("{GOOD_KEY}\n")).unwrap();
    let SecretKey::Given(key) = read(&[("SECRET_KEY_FILE", &path)]).unwrap().tokens.secret_key else { panic!() };
    assert_eq!(key.expose_secret(), GOOD_KEY);
    assert!(mistake(&[("SECRET_KEY_FILE", &path), ("SECRET_KEY", GOOD_KEY)]).contains("expected only one of"));
    assert!(mistake(&[("SECRET_KEY_FILE", "/no/such/file")]).contains("/no/such/file"));
    std::fs::write(&path, "\n").unwrap();
    assert!(mistake(&[("SECRET_KEY_FILE", &path)]).contains("empty"));
}

#[test]
fn secret_file_with_extra_content_is_rejected() {
    let path = format!("{}/padded_secret_of_the_settings_test_{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    for (text, expected) in [
        (format!("\u{feff}{GOOD_KEY}"), "expected a file without a byte order mark"),
        (format!(" {GOOD_KEY}\n"), "expected no white space around the secret"),
        (format!("{GOOD_KEY} \r\n"), "expected no white space around the secret"),
        (format!("\n{GOOD_KEY}"), "expected no white space around the secret"),
    ] {
        std::fs::write(&path, text).unwrap();
        for name in ["SECRET_KEY_FILE", "DATABASE_URL_FILE", "OAUTH_CLIENTS_FILE"] {
            assert_eq!(mistake(&[(name, &path)]), format!("{name}: {expected}, got \"{path}\""));
        }
    }
}

#[test]
fn only_secrets_are_read_from_files() {
    for declaration in declarations() {
        let name = declaration.name;
        let result = read(&[(&format!("{name}_FILE"), "/no/such/file"), ("MAIL_FROM", "accounts@example.org")]);
        assert_eq!(result.is_err(), declaration.is_secret, "{name}");
    }
}

#[test]
fn invalid_log_level_does_not_silence_the_log() {
    for text in ["verbose", "hallpass", "info,hallpass", "loud=very", "info,", "info, warn", "hallpass=verbose"] {
        assert!(mistake(&[("RUST_LOG", text)]).starts_with("RUST_LOG: expected"), "{text}");
    }
    for text in ["info", "DEBUG", "off", "warn,hallpass=debug", "hallpass::http=trace"] {
        assert_eq!(read(&[("RUST_LOG", text)]).unwrap().logging.filter, text);
    }
}

#[test]
fn missing_default_role_says_what_to_set() {
    assert_eq!(
        mistake(&[("ROLES", "admin,editor")]),
        "DEFAULT_ROLES: expected one or more of ROLES (admin, editor), got its default \"user\"; set DEFAULT_ROLES, or add \
         user to ROLES"
    );
    assert!(
        mistake(&[("ROLES", "admin"), ("DEFAULT_ROLES", "user")])
            .starts_with("DEFAULT_ROLES: expected only ROLES, got \"user\"")
    );
    assert!(read(&[("ROLES", "admin,editor"), ("DEFAULT_ROLES", "editor")]).is_ok());
}

#[test]
fn roles_that_require_a_second_factor_must_exist() {
    let required = |variables: &[_]| read(variables).unwrap().registration.mfa_required_roles;
    assert_eq!(required(&[]), Vec::<String>::new());
    assert_eq!(required(&[("MFA_REQUIRED_ROLES", "user,admin")]), ["admin", "user"]);
    assert_eq!(
        mistake(&[("MFA_REQUIRED_ROLES", "admin,editor")]),
        "MFA_REQUIRED_ROLES: expected only ROLES, got \"editor\"; add it to ROLES"
    );
}

#[test]
fn database_is_displayed_without_credentials() {
    for (url, expected) in [
        ("postgres://scott:tiger@db.example.org/accounts", "PostgreSQL accounts at db.example.org:5432"),
        ("postgresql+asyncpg://scott:tiger@[::1]:6543/accounts?sslmode=require", "PostgreSQL accounts at [::1]:6543"),
        (
            "postgres:///accounts?host=/run/postgresql&user=scott&password=tiger",
            "PostgreSQL accounts at /run/postgresql",
        ),
        ("mariadb://scott:tiger@db.example.org/accounts", "MySQL accounts at db.example.org:3306"),
    ] {
        let settings = read(&[("DATABASE_URL", url), ("SECRET_KEY", GOOD_KEY)]).unwrap();
        assert_eq!(settings.database.url.to_string(), expected);
    }
    let here = std::env::current_dir().unwrap();
    let relative = read(&[]).unwrap().database.url.to_string();
    assert_eq!(relative, format!("SQLite {}", here.join("hallpass.db").display()));
    let absolute = read(&[("DATABASE_URL", "sqlite:////srv/x.db")]).unwrap().database.url.to_string();
    assert_eq!(absolute, "SQLite /srv/x.db");
}

#[test]
fn introspection_secret_is_strong_and_hidden() {
    let settings =
        read(&[("REST_API", "false"), ("OAUTH_CLIENTS", &format!("api:{GOOD_KEY},billing:{GOOD_KEY}x"))]).unwrap();
    assert!(
        !settings.oauth.rest_api && read(&[]).unwrap().oauth.rest_api && read(&[]).unwrap().oauth.clients.is_empty()
    );
    let ids: Vec<&str> = settings.oauth.clients.iter().map(|client| client.id.as_str()).collect();
    assert_eq!(ids, ["api", "billing"]);
    assert!(!format!("{settings:?}").contains(GOOD_KEY));
    for bad in ["api:tiger".to_owned(), GOOD_KEY.to_owned(), format!("api:{GOOD_KEY},api:{GOOD_KEY}")] {
        let mistake = mistake(&[("OAUTH_CLIENTS", &bad)]);
        assert!(mistake.starts_with("OAUTH_CLIENTS: expected "), "{mistake}");
        assert!(!mistake.contains("tiger") && !mistake.contains(GOOD_KEY), "{mistake}");
    }
}

#[test]
fn public_server_requires_a_key_and_https() {
    let public = [("LISTEN", "0.0.0.0:8000"), ("PUBLIC_URL", "https://accounts.example.org")];
    assert!(mistake(&public).starts_with("SECRET_KEY: required"));
    let settings = read(&[public[0], public[1], ("SECRET_KEY", GOOD_KEY)]).unwrap();
    assert_eq!(settings.server.allowed_origins, ["https://accounts.example.org"]);
    assert!(!settings.server.is_local);
    assert!(
        mistake(&[("LISTEN", "0.0.0.0:8000"), ("SECRET_KEY", GOOD_KEY)])
            .starts_with("PUBLIC_URL: expected the https:// address")
    );
    assert!(
        mistake(&[("PUBLIC_URL", "http://accounts.example.org"), ("SECRET_KEY", GOOD_KEY)])
            .starts_with("PUBLIC_URL: expected the https:// address")
    );
    assert!(mistake(&[("DATABASE_URL", "postgres://u:p@host/db")]).starts_with("SECRET_KEY: required"));
    for url in
        ["https://a.example/a//b", "https://a.example/?q", "https://u:p@a.example", "ftp://a.example", "a.example"]
    {
        assert!(
            read(&[("PUBLIC_URL", url), ("SECRET_KEY", GOOD_KEY)]).unwrap_err()[0].starts_with("PUBLIC_URL: expected"),
            "{url}"
        );
    }
    assert_eq!(
        read(&[("PUBLIC_URL", "https://A.example:443/"), ("SECRET_KEY", GOOD_KEY)]).unwrap().server.public_url,
        "https://a.example"
    );
}

/// Connections over a network are always encrypted; only loopback addresses are not.
#[test]
fn smtp_urls_are_parsed_and_require_encryption() {
    let from = ("MAIL_FROM", "Пример <accounts@example.org>");
    let smtp = |url| read(&[("SMTP_URL", url), from]).unwrap().mail.smtp.remove(0);
    for (url, host, port, security) in [
        ("smtps://mail.example.org", "mail.example.org", 465, SmtpSecurity::Tls),
        ("smtps://mail.example.org:2465/", "mail.example.org", 2465, SmtpSecurity::Tls),
        ("smtp://mail.example.org", "mail.example.org", 587, SmtpSecurity::StartTls),
        ("smtp://10.0.0.7:25", "10.0.0.7", 25, SmtpSecurity::StartTls),
        ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, SmtpSecurity::None),
        ("smtp://localhost:25", "localhost", 25, SmtpSecurity::None),
        ("smtp://[::1]:25", "::1", 25, SmtpSecurity::None),
        ("smtp://localhost.example.org", "localhost.example.org", 587, SmtpSecurity::StartTls),
        ("smtps://127.0.0.1", "127.0.0.1", 465, SmtpSecurity::Tls),
    ] {
        let found = smtp(url);
        assert_eq!((found.host.as_str(), found.port, found.security), (host, port, security), "{url}");
        assert!(found.credentials.is_none());
    }
    let (user, password) = smtp("smtps://ada%40example.org:p%2Fw%3A%25%20+@mail.example.org").credentials.unwrap();
    assert_eq!((user.as_str(), password.expose_secret()), ("ada@example.org", "p/w:% +"));
    for url in [
        "mail.example.org",
        "mail.example.org:587",
        "https://mail.example.org",
        "smtp://",
        "smtps://ada@mail.example.org",
        "smtps://:tiger@mail.example.org",
        "smtps://mail.example.org?ca=Cargo.toml&tls=none",
        "smtp://mail.example.org/path",
    ] {
        let mistake = mistake(&[("SMTP_URL", url), from]);
        assert!(mistake.starts_with("SMTP_URL: expected smtps://") && !mistake.contains("tiger"), "{mistake}");
    }
    for (file, expected) in [("no/such/file", "cannot read"), ("Cargo.toml", "expected a certificate")] {
        let mistake = mistake(&[("SMTP_URL", &format!("smtps://mail.example.org?ca={file}")), from]);
        assert!(mistake.contains(expected), "{mistake}");
    }
    for sender in ["accounts", "a@b@c", "Example <accounts@example.org", "ada@example.org\r\nBcc: all@example.org"] {
        let mistake = mistake(&[("SMTP_URL", "smtps://mail.example.org"), ("MAIL_FROM", sender)]);
        assert!(mistake.starts_with("MAIL_FROM: expected"), "{mistake}");
    }
    assert!(mistake(&[("SMTP_URL", "smtps://mail.example.org")]).starts_with("MAIL_FROM: required"));
    assert!(!format!("{:?}", smtp("smtps://scott:tiger@mail.example.org")).contains("tiger"));
}

#[test]
fn links_point_to_the_app_and_mailbox_is_local_only() {
    let app_url = |url| read(&[("APP_URL", url)]).unwrap().mail.app_url;
    assert_eq!(app_url("http://localhost:3000/"), "http://localhost:3000");
    assert_eq!(app_url("https://app.example.org/account/"), "https://app.example.org/account");
    for url in
        ["https://app.example.org/?x", "https://app.example.org/#x", "ftp://app.example.org", "https://u:p@a.example"]
    {
        assert!(mistake(&[("APP_URL", url)]).starts_with("APP_URL: expected"), "{url}");
    }
    for (url, link) in [
        ("myapp://", "myapp://verify-email"),
        ("myapp://account/", "myapp://account/verify-email"),
        ("com.example.app:/", "com.example.app:/verify-email"),
        ("com.example.app:/account", "com.example.app:/account/verify-email"),
    ] {
        assert_eq!(format!("{}/verify-email", app_url(url)), link);
    }
    for url in
        ["javascript://alert(1)", "javascript:alert(1)", "data:text/html,x", "mailto:a@b", "file:///tmp", "myapp:x"]
    {
        assert!(mistake(&[("APP_URL", url)]).starts_with("APP_URL: expected"), "{url}");
    }
    let public = [("PUBLIC_URL", "https://accounts.example.org"), ("SECRET_KEY", GOOD_KEY)];
    let with = |more: &[(&str, &str)]| read(&[&public[..], more].concat());
    let settings = with(&[]).unwrap();
    assert!(!settings.mail.dev && !settings.mail.is_enabled());
    assert_eq!(with(&[("DEV_MAIL", "true")]).unwrap_err().len(), 1);
    assert!(with(&[("APP_URL", "http://app.example.org")]).unwrap_err()[0].starts_with("APP_URL: expected"));
    let verified = [("REQUIRE_EMAIL", "true"), ("REQUIRE_VERIFIED_EMAIL", "true")];
    assert!(with(&verified).unwrap_err()[0].starts_with("REQUIRE_VERIFIED_EMAIL: expected false"));
    let smtp = [("SMTP_URL", "smtps://mail.example.org"), ("MAIL_FROM", "accounts@example.org")];
    assert!(with(&[verified, smtp].concat()).is_ok());
    assert!(read(&[verified[1]]).unwrap_err()[0].starts_with("REQUIRE_VERIFIED_EMAIL: expected false"));
}

#[test]
fn sign_in_by_mail_is_off_by_default_and_needs_mails() {
    assert!(!read(&[]).unwrap().mail.sign_in);
    let sign_in = ("EMAIL_SIGN_IN", "true");
    assert!(read(&[sign_in]).unwrap().mail.sign_in);
    let mistakes = read(&[sign_in, ("DEV_MAIL", "false")]).unwrap_err();
    assert_eq!(mistakes, ["EMAIL_SIGN_IN: expected false without SMTP_URL or DEV_MAIL"]);
    let smtp = [("SMTP_URL", "smtps://mail.example.org"), ("MAIL_FROM", "accounts@example.org"), ("DEV_MAIL", "false")];
    assert!(read(&[&[sign_in][..], &smtp].concat()).unwrap().mail.sign_in);
}

/// Otherwise the manual and `.env.example` would lack settings that are read only if others are set.
#[test]
fn same_variables_are_read_for_any_values() {
    let example = |name| declarations().iter().find(|declaration| declaration.name == name).unwrap().example.as_str();
    let examples = declarations().iter().filter(|declaration| !declaration.example.is_empty());
    let local: Vec<_> = examples.map(|setting| (setting.name, setting.example.as_str(), Source::DotEnv)).collect();
    let public = [
        ("LISTEN", "0.0.0.0:443", Source::Environment),
        ("PUBLIC_URL", "https://accounts.example.org", Source::Environment),
        ("DATABASE_URL", "postgres://u:p@host/db", Source::Environment),
        ("SECRET_KEY", GOOD_KEY, Source::Environment),
        ("JWT_ALGORITHM", "EdDSA", Source::Environment),
        ("JWT_KEYS", "keys", Source::Environment),
        ("SMTP_URL", example("SMTP_URL"), Source::Environment),
        ("MAIL_FROM", example("MAIL_FROM"), Source::Environment),
    ];
    let declared: Vec<_> = declarations().iter().map(|declaration| declaration.name).collect();
    for variables in [&local[..], &public] {
        let read: Vec<_> = effective(variables).iter().map(|setting| setting.declaration.name).collect();
        assert_eq!(read, declared);
    }
}

#[test]
fn effective_value_depends_on_other_settings() {
    let variables = [
        ("LISTEN", "127.0.0.1:9000", Source::Environment),
        ("DATABASE_URL", "postgres://u:p@host/db", Source::DotEnv),
        ("SECRET_KEY", GOOD_KEY, Source::DotEnv),
    ];
    let settings = effective(&variables);
    for (name, value, source) in [
        ("LISTEN", "127.0.0.1:9000", Source::Environment),
        ("PUBLIC_URL", "http://localhost:9000", Source::Default),
        ("APP_URL", "http://localhost:9000", Source::Default),
        ("JWT_AUDIENCE", "http://localhost:9000", Source::Default),
        ("DB_MAX_CONNECTIONS", "10", Source::Default),
        ("DATABASE_URL", "PostgreSQL db at host:5432", Source::DotEnv),
        ("SECRET_KEY", "(secret)", Source::DotEnv),
        ("SECRET_KEY_PREVIOUS", "(none)", Source::Default),
    ] {
        let setting = settings.iter().find(|setting| setting.declaration.name == name).unwrap();
        assert_eq!((setting.value.as_str(), setting.source), (value, source), "{name}");
    }
}

#[test]
fn first_variable_of_a_name_wins() {
    for (first, value, source) in [("json", "json", Source::Environment), ("", "text", Source::Default)] {
        let variables = [("LOG_FORMAT", first, Source::Environment), ("LOG_FORMAT", "json", Source::DotEnv)];
        let settings = effective(&variables);
        let format = settings.iter().find(|setting| setting.declaration.name == "LOG_FORMAT").unwrap();
        assert_eq!((format.value.as_str(), format.source), (value, source));
    }
}

#[test]
fn port_listens_on_all_addresses_only_behind_a_proxy_with_tls() {
    let local = read(&[("PORT", "8080")]).unwrap().server;
    assert_eq!((local.listen.to_string().as_str(), local.is_local), ("127.0.0.1:8080", true));
    assert_eq!(local.public_url, "http://localhost:8080");
    let public = [("PORT", "8080"), ("PUBLIC_URL", "https://accounts.example.org"), ("SECRET_KEY", GOOD_KEY)];
    assert_eq!(read(&public).unwrap().server.listen.to_string(), "0.0.0.0:8080");
}

#[test]
fn listen_takes_precedence_over_port() {
    let server = read(&[("PORT", "8080"), ("LISTEN", "127.0.0.1:9000")]).unwrap().server;
    assert_eq!(server.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(server.public_url, "http://localhost:9000");
    assert!(server.allows_origin(b"http://127.0.0.1:9000"));
}

#[test]
fn development_makes_a_server_on_all_addresses_local() {
    for listen in [("LISTEN", "0.0.0.0:9000"), ("LISTEN", "[::]:9000"), ("PORT", "9000")] {
        let settings = read(&[listen, ("DEVELOPMENT", "true")]).unwrap();
        assert!(settings.server.is_local && settings.server.is_development, "{listen:?}");
        assert!(settings.server.listen.ip().is_unspecified(), "{listen:?}");
        assert_eq!(settings.server.public_url, "http://localhost:9000");
        assert!(matches!(settings.tokens.secret_key, SecretKey::File(_)));
    }
}

#[test]
fn development_is_refused_with_a_public_name() {
    for url in ["https://accounts.example.org", "https://localhost:8000", "https://127.0.0.1"] {
        let variables = [("DEVELOPMENT", "true"), ("PUBLIC_URL", url), ("SECRET_KEY", GOOD_KEY)];
        assert!(mistake(&variables).starts_with("DEVELOPMENT: expected false"), "{url}");
    }
    for url in ["http://accounts.example.org", "http://192.168.0.7:8000", "http://0.0.0.0:8000"] {
        let variables =
            [("DEVELOPMENT", "true"), ("LISTEN", "0.0.0.0:8000"), ("PUBLIC_URL", url), ("DEV_MAIL", "false")];
        let mistakes = read(&variables).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.starts_with("DEVELOPMENT: expected false")), "{mistakes:?}");
    }
}

#[test]
fn server_on_all_addresses_is_not_local_without_development() {
    let variables = [("LISTEN", "0.0.0.0:8000"), ("PUBLIC_URL", "http://localhost:8000"), ("SECRET_KEY", GOOD_KEY)];
    assert!(mistake(&variables).starts_with("PUBLIC_URL: expected the https:// address"));
}

#[test]
fn effective_listen_has_the_port_of_the_platform() {
    let settings = effective(&[("PORT", "8080", Source::Environment)]);
    let listen = settings.iter().find(|setting| setting.name == "LISTEN").unwrap();
    assert_eq!((listen.value.as_str(), listen.source), ("127.0.0.1:8080", Source::Default));
}
