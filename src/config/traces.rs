//! The export of traces. The names are those of OpenTelemetry's specification ("OpenTelemetry Protocol Exporter" and "General SDK
//! Configuration").

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::{setting::Setting, vars::Vars};

/// The path below the endpoint (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// Headers that requests to the collector have anyway.
const RESERVED_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// Where traces are exported to.
#[derive(Clone, Debug)]
pub struct TracesSettings {
    /// The URL that traces are sent to. `None` if there are no traces.
    pub collector: Option<Url>,
    /// Headers of the requests to the collector.
    pub headers: Vec<OtlpHeader>,
    /// The name of this service in the traces.
    pub service_name: String,
    /// Other attributes of this service in the traces.
    pub resource_attributes: Vec<(String, String)>,
    /// The share of traces that are exported, from 0 to 1, among those that begin here.
    pub sample_ratio: f64,
}

/// A header of the requests to the collector.
#[derive(Clone, Debug)]
pub struct OtlpHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: SecretString,
}

impl TracesSettings {
    /// Declares and reads the settings of this section.
    pub(super) fn read(vars: &mut Vars) -> Self {
        vars.section("traces", "Traces");
        let collector = Setting::new(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "The URL of an OpenTelemetry collector. [Traces](operations/tracing.md) are sent to `/v1/traces` below it, by OTLP over HTTP \
             with protobuf. Needs a binary that was built with the feature `otlp`. Without this setting, there are no traces, and the \
             other settings of this section have no effect.",
        )
        .example("http://127.0.0.1:4318")
        .text("an http or https URL without `/v1/traces`, such as `http://127.0.0.1:4318`", traces_url)
        .read_optional(vars);
        let headers = Setting::new(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Headers of the requests to the collector, such as credentials. Values are percent-encoded.",
        )
        .secret("`name=value`, separated by commas, such as `authorization=Bearer%20secret`", |text| {
            headers(text.expose_secret()).ok_or("expected name=value, separated by commas, with percent-encoded values")
        })
        .read_optional(vars);
        let service_name = Setting::new("OTEL_SERVICE_NAME", "The name of this service in the traces.")
            .text("a name", |text| (!text.chars().any(char::is_control)).then(|| text.to_owned()))
            .read_or(vars, "hallpass".to_owned());
        let resource_attributes = Setting::new(
            "OTEL_RESOURCE_ATTRIBUTES",
            "Other attributes of this service in the traces. Values are percent-encoded.",
        )
        .example("deployment.environment.name=production")
        .parsed("`name=value`, separated by commas", pairs, |_| String::new())
        .read_optional(vars);
        let sample_ratio = Setting::new(
            "OTEL_TRACES_SAMPLER_ARG",
            "The share of the traces that are exported. A request with `traceparent` from a trusted proxy is exported if the proxy has \
             set the sampled flag, whatever the share. The sampler is always `parentbased_traceidratio`.",
        )
        .text("a number from 0 to 1", |text| text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)))
        .read_or(vars, 1.0);
        Self {
            collector,
            headers: headers.unwrap_or_default(),
            service_name,
            resource_attributes: resource_attributes.unwrap_or_default(),
            sample_ratio,
        }
    }
}

/// The URL for traces below this endpoint.
fn traces_url(endpoint: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok()?;
    let base = url.path().trim_end_matches('/').to_owned();
    let is_valid = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && !base.ends_with(PATH);
    url.set_path(&format!("{base}{PATH}"));
    is_valid.then_some(url)
}

fn headers(text: &str) -> Option<Vec<OtlpHeader>> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let header = |(name, value): (String, String)| {
        let name = name.to_ascii_lowercase();
        let is_valid = name.bytes().all(is_token)
            && !RESERVED_HEADERS.contains(&&*name)
            && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        is_valid.then(|| OtlpHeader { name, value: value.into() })
    };
    pairs(text)?.into_iter().map(header).collect()
}

/// Parses `name=value,name=value` with percent-encoded values.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |item: &str| {
        let (name, value) = item.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
    };
    text.split(',').map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn read(name: &str, value: &str) -> Result<TracesSettings, Vec<String>> {
        let variables = [(name.to_owned(), value.to_owned())];
        Settings::from_vars(variables).map(|settings| settings.traces).map_err(|mistakes| mistakes.0)
    }

    #[test]
    fn nothing_is_exported_by_default() {
        let settings = Settings::from_vars([]).unwrap().traces;
        assert!(settings.collector.is_none());
        assert_eq!((settings.service_name.as_str(), settings.sample_ratio.to_string().as_str()), ("hallpass", "1"));
    }

    #[test]
    fn traces_are_sent_below_the_endpoint() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            ("https://otlp.example.org/otlp/", "https://otlp.example.org/otlp/v1/traces"),
        ] {
            let url = read("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).unwrap().collector.unwrap();
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn other_endpoints_are_mistakes() {
        for wrong in [
            "127.0.0.1:4318",
            "collector:4317",
            "grpc://collector:4317",
            "http://user:password@collector:4318",
            "http://collector:4318/v1/traces",
            "http://collector:4318/v1/traces/",
            "http://collector:4318?key=value",
            "http://collector:4318#fragment",
        ] {
            let mistakes = read("OTEL_EXPORTER_OTLP_ENDPOINT", wrong).unwrap_err();
            let expected = "an http or https URL without /v1/traces, such as http://127.0.0.1:4318";
            assert_eq!(mistakes, [format!("OTEL_EXPORTER_OTLP_ENDPOINT: expected {expected}, got \"{wrong}\"")]);
        }
    }

    #[test]
    fn headers_are_decoded() {
        let settings = read("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20a%3Db, x-tenant = 7").unwrap();
        let shown: Vec<_> =
            settings.headers.iter().map(|header| (header.name.as_str(), header.value.expose_secret())).collect();
        assert_eq!(shown, [("authorization", "Bearer a=b"), ("x-tenant", "7")]);
    }

    #[test]
    fn malformed_headers_are_mistakes_without_their_value() {
        for wrong in
            ["hunter2", "=hunter2", "a b=hunter2", "x=hunter2%0a", "x=hunter2%ff", "host=hunter2", "x=hunter2,"]
        {
            let mistakes = read("OTEL_EXPORTER_OTLP_HEADERS", wrong).unwrap_err();
            assert!(mistakes.len() == 1 && !mistakes[0].contains("hunter2"), "{mistakes:?}");
        }
    }

    #[test]
    fn sample_ratio_is_from_0_to_1() {
        for (text, is_valid) in
            [("0", true), ("0.25", true), ("1", true), ("1.1", false), ("-1", false), ("NaN", false)]
        {
            assert_eq!(read("OTEL_TRACES_SAMPLER_ARG", text).is_ok(), is_valid, "{text}");
        }
    }
}
