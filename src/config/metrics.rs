//! The listener of the metrics.

use std::net::SocketAddr;

use crate::config::{setting::Setting, vars::Vars};

/// Where the metrics are served.
#[derive(Clone, Debug)]
pub struct MetricsSettings {
    /// The address and port of the listener. `None` if there is none.
    pub listen: Option<SocketAddr>,
}

impl MetricsSettings {
    /// Declares and reads the settings of this section. `server` is the address of the API.
    pub(super) fn read(vars: &mut Vars, server: SocketAddr) -> Self {
        vars.section("metrics", "Metrics");
        let listen = Setting::new(
            "METRICS_LISTEN",
            "The address and port of a separate listener for [metrics](operations/monitoring.md#metrics), over plain HTTP. Without \
             it, there is none.",
        )
        .text("an IP address and port, such as `127.0.0.1:9464` or `10.0.0.5:9464`", |text| text.parse().ok())
        .read_optional(vars);
        if listen.is_some_and(|listen: SocketAddr| listen.port() != 0 && listen == server) {
            vars.mistake("METRICS_LISTEN: expected another address or port than that of LISTEN".to_owned());
        }
        Self { listen }
    }
}
