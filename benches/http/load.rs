//! Load generation with `wrk` on core 1.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

#[derive(Clone, Copy)]
pub struct Load<'a> {
    pub port: u16,
    pub body: &'a str,
    pub token: Option<&'a str>,
    pub connections: u32,
}

/// The results of a `wrk` run.
pub struct Wrk {
    pub requests: u64,
    pub seconds: f64,
    pub mean_millis: f64,
    pub p99_millis: f64,
    pub errors: u64,
}

pub struct Running(Child);

impl Load<'_> {
    pub fn run(&self, duration: Duration) -> Wrk {
        self.start(duration).finish()
    }

    pub fn start(&self, duration: Duration) -> Running {
        let script = std::env::temp_dir().join(format!("hallpass-bench-{}-{}.lua", self.port, self.connections));
        let token = self.token.map(|token| format!("wrk.headers['authorization'] = 'Bearer {token}'\n"));
        let text = format!(
            "wrk.method = 'POST'\nwrk.body = [==[{}]==]\nwrk.headers['content-type'] = 'application/json'\n{}\
             done = function(summary, latency)\n  local errors = summary.errors\n  \
             print('result', summary.requests, summary.duration / 1e6, latency.mean / 1e3, \
             latency:percentile(99) / 1e3, errors.connect + errors.read + errors.write + errors.status + errors.timeout)\nend\n",
            self.body,
            token.unwrap_or_default()
        );
        fs::write(&script, text).unwrap();
        let child = Command::new("taskset")
            .args(["-c", "1", "wrk", "-t", "1", "--timeout", "30s", "-c", &self.connections.to_string()])
            .args(["-d", &format!("{}s", duration.as_secs()), "-s"])
            .arg(script)
            .arg(format!("http://127.0.0.1:{}/graphql", self.port))
            .stdout(Stdio::piped())
            .spawn()
            .expect("wrk is required: apt-get install wrk");
        Running(child)
    }
}

impl Running {
    pub fn finish(self) -> Wrk {
        let output = self.0.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.starts_with("result")).unwrap_or_else(|| panic!("{text}"));
        let numbers: Vec<f64> = line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are counts")]
        let count = |number: f64| number as u64;
        Wrk {
            requests: count(numbers[0]),
            seconds: numbers[1],
            mean_millis: numbers[2],
            p99_millis: numbers[3],
            errors: count(numbers[4]),
        }
    }
}
