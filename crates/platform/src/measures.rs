//! Every metric of the node: name, kind, labels, meaning. What is counted anywhere stands here; a test compares this
//! list with the source, with the dashboard, with the alert rules and with `docs/monitoring.md`.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Grows from the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution: `_bucket`, `_sum`, `_count`.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Its name; the unit is its last word (`_seconds`, `_bytes`, `_total`).
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// Labels and their values, or what bounds them.
    pub labels: &'static str,
    /// What it tells.
    pub help: &'static str,
}

/// Upper bounds of histograms of seconds: from a fast read to what no person waits for.
pub const SECONDS_BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

const fn counter(name: &'static str, labels: &'static str, help: &'static str) -> Measure {
    Measure { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static str, help: &'static str) -> Measure {
    Measure { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static str, help: &'static str) -> Measure {
    Measure { name, kind: Kind::Histogram, labels, help }
}

/// All of them, by name.
pub const MEASURES: &[Measure] = &[
    counter(
        "sereno_access_denied_total",
        "permission",
        "Requests refused for want of a permission",
    ),
    counter("sereno_access_refused_total", "what", "Credentials refused: wrong, expired, revoked"),
    gauge("sereno_backup_bytes", "", "Size of the newest backup"),
    gauge("sereno_backup_made_seconds", "", "When the newest backup was made, seconds since 1970"),
    gauge("sereno_build_info", "version", "Always 1; the version that runs"),
    gauge(
        "sereno_clock_seconds",
        "",
        "The node's clock, seconds since 1970: compare it with another one",
    ),
    counter("sereno_cti_objects_total", "outcome: stored, refused", "Objects received over TAXII"),
    counter("sereno_cti_shares_total", "state", "Incidents shared, by the state they came to"),
    gauge(
        "sereno_database_bytes",
        "file: main, wal",
        "Size of the database and of its write-ahead log",
    ),
    histogram(
        "sereno_db_commit_seconds",
        "",
        "From the begin of a group of writes to its commit on disk",
    ),
    counter("sereno_db_commits_total", "outcome: kept, failed", "Commits of the one writer"),
    gauge(
        "sereno_db_write_queue_jobs",
        "",
        "Writes waiting for the writer when it last took some; 256 make callers wait",
    ),
    counter(
        "sereno_detection_batches_missing_total",
        "",
        "Batches of windows that an edge numbered and the node never got",
    ),
    counter(
        "sereno_detection_batches_repeated_total",
        "",
        "Batches of windows that came twice and counted once",
    ),
    counter(
        "sereno_detection_records_refused_total",
        "",
        "Records of edges that could not be taken",
    ),
    counter("sereno_detection_windows_alerting_total", "", "Windows scored above their threshold"),
    counter("sereno_detection_windows_scored_total", "", "Windows scored"),
    counter(
        "sereno_detection_windows_turned_away_total",
        "",
        "Windows that the edge had to keep, because too many wait",
    ),
    counter(
        "sereno_detection_windows_unwatched_total",
        "",
        "Windows of devices that are not watched",
    ),
    gauge("sereno_disk_bytes", "", "Size of the disk that holds the data folder"),
    gauge("sereno_disk_free_bytes", "", "What of it is free for the node"),
    gauge(
        "sereno_facts_behind",
        "consumer",
        "From the oldest fact that a room has not taken to the newest; 0: taken all",
    ),
    gauge(
        "sereno_facts_set_aside",
        "",
        "Facts that a room could not take after all tries; anything but 0 is a fault",
    ),
    counter(
        "sereno_facts_total",
        "kind",
        "Facts recorded: incidents.opened, detection.finding_opened, …",
    ),
    counter("sereno_federation_letters_total", "way: in, out; outcome", "Letters between nodes"),
    counter("sereno_federation_lies_total", "", "Letters whose chain or signature was wrong"),
    counter("sereno_federation_objects_total", "outcome", "Objects that came with letters"),
    counter(
        "sereno_federation_streams_total",
        "",
        "Streams begun anew, because a side had forgotten",
    ),
    counter("sereno_feed_runs_total", "outcome: done, failed", "Fetches and loads of feeds"),
    counter("sereno_feed_values_total", "outcome: new, rejected", "Values that feeds brought"),
    histogram(
        "sereno_http_request_seconds",
        "class: api, events, taxii, misp, soarca, openc2, probe, console",
        "From a request to the head of its answer",
    ),
    counter("sereno_http_requests_total", "class, method, status", "Requests answered"),
    gauge("sereno_jobs", "state: waiting, running, done, failed", "Durable work with the outside"),
    gauge(
        "sereno_jobs_late_seconds",
        "",
        "How long the oldest waiting job should have begun by now",
    ),
    gauge("sereno_live_viewers", "", "Open pages and commands that follow what happens"),
    gauge(
        "sereno_parts",
        "state: ok, absent, degraded, failed",
        "Parts of the node as `sereno doctor` lists them",
    ),
    counter(
        "sereno_playbook_rows_removed_total",
        "",
        "Rows of ended runs removed after their time",
    ),
    gauge("sereno_process_memory_bytes", "", "Resident memory of the process"),
    gauge("sereno_process_open_files", "", "Open files and sockets of the process"),
    gauge("sereno_process_threads", "", "Threads of the process"),
    counter(
        "sereno_push_objects_total",
        "outcome: sent, failed",
        "Objects pushed to servers of others",
    ),
    counter(
        "sereno_requests_limited_total",
        "",
        "Requests refused because their source asked too often",
    ),
    gauge(
        "sereno_tls_certificate_end_seconds",
        "",
        "When the server certificate ends, seconds since 1970; absent without TLS",
    ),
    counter("sereno_webhook_tries_total", "outcome: told, failed", "Tries to tell receivers"),
];

/// Tells the recorder what each metric means.
pub fn describe() {
    for measure in MEASURES {
        match measure.kind {
            Kind::Counter => describe_counter!(measure.name, measure.help),
            Kind::Gauge => describe_gauge!(measure.name, measure.help),
            Kind::Histogram => describe_histogram!(measure.name, measure.help),
        }
    }
}
