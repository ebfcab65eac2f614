//! The files that run Hallpass elsewhere: image, Compose, Kubernetes, systemd.

use std::{collections::HashSet, path::Path, time::Duration};

use hallpass::{
    config::{Settings, is_setting},
    http::Limits,
};
use yaml_rust2::{Yaml, YamlLoader};

const COMPOSE_FILES: [&str; 2] = ["compose.yaml", "compose.sqlite.yaml"];

/// The user of the image, by its number, because Kubernetes cannot check a name.
const USER: i64 = 65534;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parse(path: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

/// The entries of a map of texts.
fn texts(map: &Yaml) -> Vec<(String, String)> {
    let text = |yaml: &Yaml| yaml.as_str().unwrap_or_else(|| panic!("not a text: {yaml:?}")).to_owned();
    map.as_hash().unwrap().iter().map(|(name, value)| (text(name), text(value))).collect()
}

fn container(deployment: &Yaml) -> &Yaml {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

#[test]
fn compose_files_publish_ports_on_loopback_only() {
    for file in COMPOSE_FILES {
        let compose = parse(file);
        let services = compose["services"].as_hash().unwrap();
        let ports = services.values().flat_map(|service| service["ports"].as_vec().cloned().unwrap_or_default());
        let ports: Vec<String> = ports.map(|port| port.into_string().unwrap()).collect();
        assert_eq!(ports, ["127.0.0.1:8000:8000", "127.0.0.1:8025:8025"], "{file}");
        assert!(services.values().all(|service| service["network_mode"].as_str() != Some("host")), "{file}");
    }
}

#[test]
fn compose_files_have_valid_settings() {
    for file in COMPOSE_FILES {
        let compose = parse(file);
        let variables = texts(&compose["services"]["hallpass"]["environment"]);
        assert!(variables.iter().all(|(name, _)| is_setting(name)), "{file}: {variables:?}");
        // Those in files are generated.
        let mut variables: Vec<_> = variables.into_iter().filter(|(name, _)| !name.ends_with("_FILE")).collect();
        if file == "compose.yaml" {
            let secrets = [("DATABASE_URL", "postgres://hallpass:secret@postgres/hallpass"), ("SECRET_KEY", KEY)];
            variables.extend(secrets.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        let settings = Settings::from_vars(variables).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(settings.server.is_development && !settings.mail.smtp.is_empty() && !settings.mail.dev, "{file}");
    }
}

const KEY: &str = "5f3c9a7e1b2d4f60718293a4b5c6d7e8";

#[test]
fn compose_files_contain_no_secrets() {
    let compose = parse("compose.yaml");
    for service in compose["services"].as_hash().unwrap().values() {
        for name in service["environment"].as_hash().into_iter().flat_map(|variables| variables.keys()) {
            let name = name.as_str().unwrap();
            let is_secret = ["PASSWORD", "SECRET_KEY", "DATABASE_URL"].iter().any(|word| name.contains(word));
            assert!(!is_secret || name.ends_with("_FILE"), "{name}");
        }
    }
}

#[test]
fn containers_have_a_read_only_root_and_no_capabilities() {
    for file in COMPOSE_FILES {
        let compose = parse(file);
        let hallpass = &compose["services"]["hallpass"];
        assert_eq!(hallpass["read_only"].as_bool(), Some(true), "{file}");
        assert_eq!(hallpass["cap_drop"][0].as_str(), Some("ALL"), "{file}");
        assert_eq!(hallpass["user"], Yaml::BadValue, "{file}: the image has the user");
    }
    let deployment = parse("deploy/kubernetes/deployment.yaml");
    let pod = &deployment["spec"]["template"]["spec"]["securityContext"];
    assert_eq!((pod["runAsNonRoot"].as_bool(), pod["runAsUser"].as_i64()), (Some(true), Some(USER)));
    let container = &container(&deployment)["securityContext"];
    assert_eq!(container["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(container["allowPrivilegeEscalation"].as_bool(), Some(false));
    assert_eq!(container["capabilities"]["drop"][0].as_str(), Some("ALL"));
    assert!(read("Dockerfile").contains(&format!("\nUSER {USER}:{USER}\n")));
}

#[test]
fn image_is_checked_by_the_health_command() {
    let image = read("Dockerfile");
    assert!(image.contains("HEALTHCHECK") && image.contains(r#"CMD ["hallpass", "health"]"#));
}

#[test]
fn kubernetes_settings_are_valid() {
    let config = parse("deploy/kubernetes/settings.yaml");
    let mut variables = texts(&config["data"]);
    assert!(variables.iter().all(|(name, _)| is_setting(name)), "{variables:?}");
    let secrets = [("DATABASE_URL", "postgres://hallpass:secret@postgres/hallpass"), ("SECRET_KEY", KEY)];
    let smtp = ("SMTP_URL", "smtps://user:password@mail.example.org");
    variables.extend(secrets.into_iter().chain([smtp]).map(|(name, value)| (name.to_owned(), value.to_owned())));
    let settings = Settings::from_vars(variables).unwrap_or_else(|error| panic!("{error}"));
    assert!(!settings.server.is_local && settings.server.listen.port() == 8000);
}

#[test]
fn kubernetes_manifests_are_listed_and_select_the_same_pods() {
    let kustomization = parse("deploy/kubernetes/kustomization.yaml");
    let listed: HashSet<&str> = kustomization["resources"].as_vec().unwrap().iter().filter_map(Yaml::as_str).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: HashSet<String> = names.filter(|name| name != "kustomization.yaml").collect();
    assert_eq!(listed, names.iter().map(String::as_str).collect());
    let deployment = parse("deploy/kubernetes/deployment.yaml");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&parse("deploy/kubernetes/service.yaml")["spec"]["selector"], labels);
    assert_eq!(&parse("deploy/kubernetes/disruption-budget.yaml")["spec"]["selector"]["matchLabels"], labels);
}

#[test]
fn kubernetes_probes_ask_the_right_question() {
    let deployment = parse("deploy/kubernetes/deployment.yaml");
    for (probe, path) in
        [("startupProbe", "/health/live"), ("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready")]
    {
        let probe = &container(&deployment)[probe]["httpGet"];
        assert_eq!((probe["path"].as_str(), probe["port"].as_str()), (Some(path), Some("http")));
    }
}

#[test]
fn rolling_update_keeps_all_pods_and_lets_them_drain() {
    let deployment = parse("deploy/kubernetes/deployment.yaml");
    assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"].as_i64(), Some(0));
    let pod = &deployment["spec"]["template"]["spec"];
    let wait = container(&deployment)["lifecycle"]["preStop"]["sleep"]["seconds"].as_i64().unwrap();
    let seconds = u64::try_from(pod["terminationGracePeriodSeconds"].as_i64().unwrap() - wait).unwrap();
    assert!(wait > 0 && Duration::from_secs(seconds) > Limits::default().drain);
    for file in COMPOSE_FILES {
        let compose = parse(file);
        let seconds = compose["services"]["hallpass"]["stop_grace_period"].as_str().unwrap().trim_end_matches('s');
        assert!(Duration::from_secs(seconds.parse().unwrap()) > Limits::default().drain, "{file}");
    }
}

/// The value of a line of the unit of systemd.
fn unit(name: &str) -> String {
    let unit = read("deploy/hallpass.service");
    let prefix = format!("{name}=");
    let value = unit.lines().find_map(|line| line.strip_prefix(&prefix));
    value.unwrap_or_else(|| panic!("no {name}")).to_owned()
}

#[test]
fn systemd_waits_for_notifications_and_for_the_drain() {
    assert_eq!(unit("Type"), "notify");
    assert!(unit("WatchdogSec").ends_with('s'));
    let stop = unit("TimeoutStopSec");
    assert!(Duration::from_secs(stop.trim_end_matches('s').parse().unwrap()) > Limits::default().drain, "{stop}");
    // Invalid settings do not become valid by another try.
    assert_eq!(unit("RestartPreventExitStatus"), "2");
}
