//! Gauges that are looked up when `/metrics` is asked: what stands in the database, on the disk and in the process.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use platform::Platform;
use platform::health::{Component, Health};

/// How long a look at every part may take before the metrics come without it, seconds.
pub const MAX_LOOK_S: u64 = 5;

/// Sets every gauge that nobody keeps up to date by itself. What cannot be looked up keeps its last value.
pub async fn look(platform: &Platform, components: &[Component]) {
    parts(components);
    jobs(platform).await;
    match platform::bus::dead_facts(&platform.db).await {
        Ok(count) => metrics::gauge!("sereno_facts_set_aside").set(number(count)),
        Err(cause) => tracing::warn!(%cause, "facts cannot be counted"),
    }
    let viewers = i64::try_from(platform.live.listeners()).unwrap_or(i64::MAX);
    metrics::gauge!("sereno_live_viewers").set(number(viewers));
    metrics::gauge!("sereno_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::gauge!("sereno_clock_seconds").set(number(platform.now().as_micros()) / 1e6);
    disk(platform.data.root());
    files(&platform.data.database());
    process();
}

/// One series for each state, also when no part is in it: an alert on what is missing would never fire.
fn parts(components: &[Component]) {
    let states = [
        (Health::Ok, "ok"),
        (Health::Absent, "absent"),
        (Health::Degraded, "degraded"),
        (Health::Failed, "failed"),
    ];
    for (state, word) in states {
        let count = components.iter().filter(|part| part.state == state).count();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        metrics::gauge!("sereno_parts", "state" => word).set(number(count));
    }
}

async fn jobs(platform: &Platform) {
    let counts = match platform::jobs::counts(&platform.db).await {
        Ok(counts) => counts,
        Err(cause) => return tracing::warn!(%cause, "jobs cannot be counted"),
    };
    for word in ["waiting", "running", "done", "failed"] {
        let found = counts.by_state.iter().find(|(state, _)| state == word);
        metrics::gauge!("sereno_jobs", "state" => word).set(number(found.map_or(0, |(_, n)| *n)));
    }
    let late = counts.oldest_due.map_or(0, |due| platform.now().micros_since(due).max(0));
    metrics::gauge!("sereno_jobs_late_seconds").set(number(late) / 1e6);
}

fn disk(root: &Path) {
    match statvfs(root) {
        Ok(found) => {
            let unit = found.fragment_size();
            let bytes = |blocks: u64| number(i64::try_from(blocks * unit).unwrap_or(i64::MAX));
            metrics::gauge!("sereno_disk_free_bytes").set(bytes(found.blocks_available()));
            metrics::gauge!("sereno_disk_bytes").set(bytes(found.blocks()));
        }
        Err(cause) => tracing::warn!(%cause, "the disk of the data folder cannot be asked"),
    }
}

/// The database and its write-ahead log.
fn files(database: &Path) {
    for (word, ending) in [("main", ""), ("wal", "-wal")] {
        let path = format!("{}{ending}", database.display());
        let bytes = std::fs::metadata(path).map_or(0, |found| found.len());
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        metrics::gauge!("sereno_database_bytes", "file" => word).set(number(bytes));
    }
}

/// What the kernel says of this process.
fn process() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<i64>().ok()
    };
    if let Some(kib) = field("VmRSS:") {
        metrics::gauge!("sereno_process_memory_bytes").set(number(kib) * 1024.0);
    }
    if let Some(threads) = field("Threads:") {
        metrics::gauge!("sereno_process_threads").set(number(threads));
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
        metrics::gauge!("sereno_process_open_files").set(number(open));
    }
}

/// Exact below 2^53; beyond that nobody counts bytes one by one.
#[allow(clippy::cast_precision_loss)]
fn number(value: i64) -> f64 {
    value as f64
}
