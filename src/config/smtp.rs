//! The mail servers of `SMTP_URL`, and how each connection is encrypted.

use std::{fmt, net::IpAddr};

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::config::is_loopback_host;

/// The submission port (RFC 6409), and that of TLS from the start (RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

/// Maximum number of servers. Each has its share of the time for one mail.
const MAX_SERVERS: usize = 4;

const EXPECTED: &str = "expected smtps://user:password@mail.example.org, or smtp://… for STARTTLS. Append another port than \
                        465 or 587 to the host, and percent-encode characters such as @ or / in the password";

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: SmtpSecurity,
    /// The only authority whose certificates are believed, as PEM; none believes the well-known ones.
    pub authority: Option<Vec<u8>>,
    /// User name and password, if the server needs them.
    pub credentials: Option<(String, SecretString)>,
}

/// Names the server without user and password.
impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            SmtpSecurity::Tls => "TLS",
            SmtpSecurity::StartTls => "STARTTLS",
            SmtpSecurity::None => "not encrypted",
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{host}:{} ({security})", self.port)
    }
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// From the first byte: `smtps://`.
    Tls,
    /// By STARTTLS, without which nothing is sent: `smtp://`.
    StartTls,
    /// Not at all: `smtp://` to a loopback address, or with `?tls=none`.
    None,
}

/// Parses the servers in the order in which they are tried. With `is_development`, `?tls=none` is accepted for every host.
///
/// A password may contain a comma, so a comma separates servers only if another scheme follows.
pub(super) fn parse(text: &SecretString, is_development: bool) -> Result<Vec<Smtp>, String> {
    let urls = split(text.expose_secret());
    if urls.len() > MAX_SERVERS {
        return Err(format!("expected at most {MAX_SERVERS} servers, got {}", urls.len()));
    }
    let is_single = urls.len() == 1;
    let servers = urls.into_iter().zip(1..).map(|(url, number)| {
        let place = |mistake| if is_single { mistake } else { format!("server {number}: {mistake}") };
        parse_server(url, is_development).map_err(|mistake| place(mistake.to_owned()))
    });
    servers.collect()
}

/// Splits before each scheme that follows a comma or white space.
fn split(text: &str) -> Vec<&str> {
    let is_separator = |c: char| c == ',' || c.is_whitespace();
    let is_start = |position: usize| {
        let (before, url) = text.split_at(position);
        before.ends_with(is_separator) && (url.starts_with("smtp://") || url.starts_with("smtps://"))
    };
    let mut urls = Vec::new();
    let mut rest = text;
    for (position, _) in text.match_indices("smtp").filter(|(position, _)| is_start(*position)) {
        let (url, others) = rest.split_at(position - (text.len() - rest.len()));
        let url = url.trim();
        urls.push(url.strip_suffix(',').unwrap_or(url).trim_end());
        rest = others;
    }
    urls.push(rest.trim());
    urls
}

fn parse_server(url: &str, is_development: bool) -> Result<Smtp, &'static str> {
    let url = Url::parse(url).ok().filter(|_| !url.contains(char::is_whitespace)).ok_or(EXPECTED)?;
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains(',')).ok_or(EXPECTED)?;
    // The schemes are none that `Url` knows, so that it leaves addresses as text.
    let address = Host::parse(host).ok();
    let is_bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
    let (security, port) = match url.scheme() {
        "smtps" => (SmtpSecurity::Tls, SUBMISSIONS),
        "smtp" if address.as_ref().is_some_and(is_loopback_host) => (SmtpSecurity::None, SUBMISSION),
        "smtp" => (SmtpSecurity::StartTls, SUBMISSION),
        _ => return Err(EXPECTED),
    };
    let decode =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| EXPECTED);
    let user: String = decode(url.username())?;
    let credentials = match (user.is_empty(), url.password()) {
        (true, None) => None,
        (false, Some(password)) => Some((user, SecretString::from(decode(password)?))),
        _ => return Err(EXPECTED),
    };
    if !is_bare {
        return Err(EXPECTED);
    }
    let (authority, security) = match url.query_pairs().collect::<Vec<_>>().as_slice() {
        [] => (None, security),
        [(name, path)] if name == "ca" => (Some(read_authority(path)?), security),
        [(name, value)] if name == "tls" && value == "none" => {
            if security == SmtpSecurity::Tls {
                return Err("expected smtp:// with tls=none, because smtps:// is always encrypted");
            }
            if !is_development && !address.as_ref().is_some_and(is_internal) {
                return Err(
                    "expected no tls=none, because others could read the mails: it is accepted for a private or loopback \
                            IP address, or with DEVELOPMENT=true. A host name may lead to any address",
                );
            }
            (None, SmtpSecurity::None)
        }
        _ => return Err(EXPECTED),
    };
    // An IPv6 address is in brackets in a URL, and nowhere else. Numbers such as `0x7f.1` are written as the address that was
    // checked.
    let host = match address {
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        _ => host.to_owned(),
    };
    Ok(Smtp { host, port: url.port().unwrap_or(port), security, authority, credentials })
}

fn read_authority(path: &str) -> Result<Vec<u8>, &'static str> {
    let pem = std::fs::read(path).map_err(|_| "cannot read the file of the option ca")?;
    if !pem.starts_with(b"-----BEGIN CERTIFICATE-----") {
        return Err("expected a certificate in PEM format in the file of the option ca");
    }
    Ok(pem)
}

/// Whether a host is a loopback or private address (RFC 1918, RFC 4193), or `localhost`. Other names are not, because they may
/// resolve to any address.
fn is_internal(host: &Host) -> bool {
    let is_private = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    is_loopback_host(host)
        || match host {
            Host::Domain(_) => false,
            Host::Ipv4(address) => is_private((*address).into()),
            Host::Ipv6(address) => is_private((*address).into()),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        parse(&text.into(), false).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn servers_are_separated_by_commas_or_white_space() {
        let expected = ["a.example:465 (TLS)", "b.example:587 (STARTTLS)", "127.0.0.1:25 (not encrypted)"];
        for separators in [[",", ","], [" ", "\n"], [", ", " ,"], ["  ", ","]] {
            let [first, second] = separators;
            let text = format!("smtps://u:p@a.example{first}smtp://b.example{second}smtp://127.0.0.1:25");
            assert_eq!(hosts(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn comma_in_a_password_separates_nothing() {
        let servers = parse(&"smtps://u:a,b@a.example,smtps://u:c,@b.example".into(), false).unwrap();
        let passwords: Vec<_> =
            servers.iter().map(|server| server.credentials.as_ref().unwrap().1.expose_secret().to_owned()).collect();
        assert_eq!(passwords, ["a,b", "c,"]);
    }

    #[test]
    fn mistake_names_the_server_and_no_password() {
        for (text, expected) in [
            ("smtps://a.example,smtps://u:tiger@", "server 2: expected smtps://"),
            ("smtps://u:tiger@a.example,b.example", "expected smtps://"),
            ("smtps://u:tiger@a.example b.example", "expected smtps://"),
            ("smtps://u:tiger@a.example,", "expected smtps://"),
            (",smtps://u:tiger@a.example", "server 1: expected smtps://"),
            ("smtp://a smtp://b smtp://c smtp://d smtp://e", "expected at most 4 servers, got 5"),
        ] {
            let mistake = parse(&text.into(), false).unwrap_err();
            assert!(mistake.starts_with(expected) && !mistake.contains("tiger"), "{text}: {mistake}");
        }
    }

    #[test]
    fn tls_is_left_out_only_inside_of_a_private_network() {
        for (url, expected) in [
            ("smtp://10.0.0.7?tls=none", true),
            ("smtp://172.16.0.1:25?tls=none", true),
            ("smtp://192.168.1.1?tls=none", true),
            ("smtp://u:p@192.168.1.1?tls=none", true),
            ("smtp://[fd00::1]?tls=none", true),
            ("smtp://[::ffff:10.0.0.1]?tls=none", true),
            ("smtp://[::1]?tls=none", true),
            ("smtp://localhost?tls=none", true),
            ("smtp://172.32.0.1?tls=none", false),
            ("smtp://192.0.2.1?tls=none", false),
            ("smtp://100.64.0.1?tls=none", false),
            ("smtp://169.254.169.254?tls=none", false),
            ("smtp://0.0.0.0?tls=none", false),
            ("smtp://[2001:db8::1]?tls=none", false),
            ("smtp://[fe80::1]?tls=none", false),
            ("smtp://[::ffff:8.8.8.8]?tls=none", false),
            ("smtp://mail?tls=none", false),
            ("smtp://10.0.0.7.example.org?tls=none", false),
        ] {
            let security = |is_development| parse(&url.into(), is_development).map(|servers| servers[0].security);
            assert_eq!(security(false).is_ok(), expected, "{url}");
            assert_eq!(security(true), Ok(SmtpSecurity::None), "{url}");
        }
    }

    #[test]
    fn tls_option_has_one_value() {
        for url in [
            "smtp://10.0.0.7?tls=no",
            "smtp://10.0.0.7?tls",
            "smtp://10.0.0.7?tls=none&tls=none",
            "smtps://10.0.0.7?tls=none",
        ] {
            assert!(parse(&url.into(), true).is_err(), "{url}");
        }
    }

    /// The address that was checked is the one that is connected to.
    #[test]
    fn numbers_are_written_as_addresses() {
        assert_eq!(hosts("smtp://0x0a.7:25?tls=none"), ["10.0.0.7:25 (not encrypted)"]);
    }
}
