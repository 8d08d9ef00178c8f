//! What belongs to no room: the disk, the clock, the work that waits.

use platform::Platform;
use platform::db::DbError;
use platform::health::{Component, Health};
use sqlx::Row;

/// Below this share of the disk, writing will soon fail.
const LEAST_FREE_SHARE: f64 = 0.05;
/// Below this much, whatever the disk's size, bytes.
const LEAST_FREE_BYTES: u64 = 1 << 30;
/// Free space under which the node no longer works, bytes.
const NONE_FREE_BYTES: u64 = 64 << 20;
/// A job this long overdue is stuck, microseconds.
const STUCK_US: i64 = 15 * 60 * 1_000_000;
/// A fact dated further ahead than this shows a clock that was set back, microseconds.
const AHEAD_US: i64 = 60 * 1_000_000;

/// The parts of the machine.
pub(super) async fn components(platform: &Platform) -> Vec<Component> {
    vec![disk(platform), clock(platform).await, jobs(platform).await]
}

fn disk(platform: &Platform) -> Component {
    let folder = platform.data.root();
    match nix::sys::statvfs::statvfs(folder) {
        Ok(disk) => {
            let block = disk.fragment_size();
            let free = disk.blocks_available().saturating_mul(block);
            space(free, disk.blocks().saturating_mul(block))
        }
        Err(cause) => Component::not_ok(
            "disk",
            Health::Degraded,
            format!("free space of {} is not known: {cause}", folder.display()),
            "Check the disk of the data folder.",
        ),
    }
}

/// Judges free space of a disk.
fn space(free: u64, whole: u64) -> Component {
    // Shares of disks need no exact numbers.
    #[allow(clippy::cast_precision_loss)]
    let share = if whole == 0 { 0.0 } else { free as f64 / whole as f64 };
    let cause = format!("{} free, {:.0} % of the disk", in_words(free), share * 100.0);
    let state = if free < NONE_FREE_BYTES {
        Health::Failed
    } else if free < LEAST_FREE_BYTES || share < LEAST_FREE_SHARE {
        Health::Degraded
    } else {
        return Component::ok("disk", cause);
    };
    let remedy = "Make room on the disk of the data folder, or move the folder to a larger one: \
         a node that cannot write stops taking what edges send.";
    Component::not_ok("disk", state, cause, remedy)
}

fn in_words(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

fn unreadable(name: &str, error: &DbError) -> Component {
    Component::not_ok(
        name,
        Health::Failed,
        error.to_string(),
        "See the node's log; check the disk of the data folder.",
    )
}

async fn clock(platform: &Platform) -> Component {
    let newest = async {
        let mut sql = platform.db.read().await?;
        let row = sqlx::query("SELECT recorded_at FROM platform_facts ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *sql)
            .await?;
        Ok::<Option<i64>, DbError>(row.map(|row| row.try_get("recorded_at")).transpose()?)
    };
    let now = platform.now();
    match newest.await {
        Err(error) => unreadable("clock", &error),
        Ok(Some(at)) if at - now.as_micros() > AHEAD_US => Component::not_ok(
            "clock",
            Health::Degraded,
            format!(
                "the newest fact is dated {} s ahead of the clock: it was set back",
                (at - now.as_micros()) / 1_000_000
            ),
            "Set the clock of this machine (timedatectl set-ntp true): certificates and times of \
             the log depend on it.",
        ),
        Ok(_) => Component::ok("clock", format!("{now} (UTC)")),
    }
}

async fn jobs(platform: &Platform) -> Component {
    let before = platform.now().as_micros() - STUCK_US;
    let late = async {
        let mut sql = platform.db.read().await?;
        let row = sqlx::query(
            "SELECT COUNT(*) AS n, MIN(kind) AS kind, MAX(last_error) AS error FROM platform_jobs \
             WHERE state = 'waiting' AND due_at < $1",
        )
        .bind(before)
        .fetch_one(&mut *sql)
        .await?;
        let (n, kind): (i64, Option<String>) = (row.try_get("n")?, row.try_get("kind")?);
        let error: Option<String> = row.try_get("error")?;
        Ok::<_, DbError>((n, kind, error))
    };
    match late.await {
        Err(error) => unreadable("background work", &error),
        Ok((0, ..)) => Component::ok("background work", "nothing is overdue"),
        Ok((n, kind, error)) => {
            let kind = kind.unwrap_or_default();
            let said = error.map_or_else(String::new, |error| format!("; last error: {error}"));
            Component::not_ok(
                "background work",
                Health::Degraded,
                format!("{n} jobs are more than 15 minutes overdue, {kind} among them{said}"),
                "See the node's log; what they need (a peer, a mail server) may be away. They are \
                 tried again by themselves.",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_is_told_before_it_is_full() {
        let gb = 1_000_000_000;
        for (free, whole, state) in [
            (50 * gb, 100 * gb, Health::Ok),
            (4 * gb, 100 * gb, Health::Degraded),
            (500_000_000, 2 * gb, Health::Degraded),
            (10_000_000, 100 * gb, Health::Failed),
            (0, 0, Health::Failed),
        ] {
            let part = space(free, whole);
            assert_eq!(part.state, state, "{free} of {whole}: {}", part.cause);
            assert_eq!(part.remedy.is_empty(), state == Health::Ok);
        }
        assert!(space(4 * gb, 100 * gb).cause.contains("4.0 GB free, 4 %"));
    }
}
