//! Gauges, which are read when the metrics are requested.

use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::process;

type ByPool = Family<[(&'static str, &'static str); 1], Gauge>;
/// A family without labels. It is empty while the value is unknown.
type Optional = Family<[(&'static str, &'static str); 0], Gauge>;

/// The values of the gauges.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Passwords that wait to be hashed.
    pub hash_queue_length: usize,
    /// Open streams of live events.
    pub live_streams: usize,
    /// The connection pools.
    pub pools: Vec<PoolState>,
    /// The mails that wait. `None` if the database could not be read.
    pub mails: Option<WaitingMails>,
}

/// The connections of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// The name: `read` or `write`.
    pub pool: &'static str,
    /// Connections in use, or reserved for requests that are about to open one.
    pub in_use: usize,
    /// Open connections that are not in use.
    pub idle: usize,
    /// Maximum number of connections.
    pub max: usize,
}

/// The mails that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingMails {
    /// How many there are.
    pub count: i64,
    /// The age of the oldest one, in seconds; 0 if there is none.
    pub oldest_age: i64,
}

/// The gauges.
#[derive(Debug)]
pub struct Gauges {
    hash_queue_length: Gauge,
    live_streams: Gauge,
    in_use: ByPool,
    idle: ByPool,
    max: ByPool,
    database_up: Gauge,
    mails_waiting: Optional,
    oldest_mail: Optional,
    resident: Optional,
    virtual_size: Optional,
    open_files: Optional,
}

impl Gauges {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let gauges = Self {
            hash_queue_length: Gauge::default(),
            live_streams: Gauge::default(),
            in_use: ByPool::default(),
            idle: ByPool::default(),
            max: ByPool::default(),
            database_up: Gauge::default(),
            mails_waiting: Optional::default(),
            oldest_mail: Optional::default(),
            resident: Optional::default(),
            virtual_size: Optional::default(),
            open_files: Optional::default(),
        };
        let queue = gauges.hash_queue_length.clone();
        registry.register("password_hash_queue_length", "Passwords that wait to be hashed", queue);
        registry.register("live_streams", "Open streams of live events", gauges.live_streams.clone());
        registry.register("database_connections_in_use", "Database connections in use, by pool", gauges.in_use.clone());
        registry.register("database_connections_idle", "Idle database connections, by pool", gauges.idle.clone());
        registry.register("database_connections_max", "Maximum database connections, by pool", gauges.max.clone());
        let up = gauges.database_up.clone();
        registry.register("database_up", "1 if the database answered within a second, otherwise 0", up);
        registry.register("mails_waiting", "Mails that are not sent yet", gauges.mails_waiting.clone());
        let oldest = gauges.oldest_mail.clone();
        registry.register_with_unit("mails_oldest_age", "Age of the oldest mail that waits", Unit::Seconds, oldest);
        let resident = gauges.resident.clone();
        registry.register_with_unit("process_resident_memory", "Resident memory", Unit::Bytes, resident);
        let size = gauges.virtual_size.clone();
        registry.register_with_unit("process_virtual_memory", "Virtual memory", Unit::Bytes, size);
        registry.register("process_open_files", "Open file descriptors", gauges.open_files.clone());
        gauges
    }

    pub(super) fn set(&self, reading: &Reading) {
        self.hash_queue_length.set(integer(reading.hash_queue_length));
        self.live_streams.set(integer(reading.live_streams));
        for state in &reading.pools {
            for (family, value) in [(&self.in_use, state.in_use), (&self.idle, state.idle), (&self.max, state.max)] {
                family.get_or_create(&[("pool", state.pool)]).set(integer(value));
            }
        }
        self.database_up.set(i64::from(reading.mails.is_some()));
        set(&self.mails_waiting, reading.mails.map(|mails| mails.count));
        set(&self.oldest_mail, reading.mails.map(|mails| mails.oldest_age));
        let memory = process::memory();
        set(&self.resident, memory.map(|memory| integer(memory.resident)));
        set(&self.virtual_size, memory.map(|memory| integer(memory.size)));
        set(&self.open_files, process::open_files().map(integer));
    }
}

/// Sets a gauge, or removes it if its value is unknown.
fn set(gauge: &Optional, value: Option<i64>) {
    match value {
        Some(value) => drop(gauge.get_or_create(&[]).set(value)),
        None => gauge.clear(),
    }
}

fn integer(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
