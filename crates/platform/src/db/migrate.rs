//! One migrator for all rooms: backup, then everything new in one transaction.

use std::collections::HashMap;
use std::path::Path;

use model::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Executor, Row};

use super::DbError;

/// One step of a room's tables.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From 1, rising by one.
    pub number: i64,
    /// The SQL (several statements allowed).
    pub sql: &'static str,
}

/// A room's migrations, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct RoomMigrations {
    /// The room; its tables carry this name as prefix.
    pub room: &'static str,
    /// Its steps.
    pub steps: &'static [Migration],
}

pub(super) const PLATFORM: RoomMigrations = RoomMigrations {
    room: "platform",
    steps: &[
        Migration { number: 1, sql: include_str!("../../migrations/0001_platform.sql") },
        Migration { number: 2, sql: include_str!("../../migrations/0002_labels.sql") },
    ],
};

pub(super) async fn run(
    connection: &mut AnyConnection,
    file: &Path,
    rooms: &[RoomMigrations],
    now: Timestamp,
) -> Result<(), DbError> {
    connection
        .execute(
            "CREATE TABLE IF NOT EXISTS platform_migrations (room TEXT NOT NULL, number BIGINT NOT NULL, \
             digest TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (room, number))",
        )
        .await?;
    let applied = applied(connection).await?;
    let all: Vec<&RoomMigrations> = std::iter::once(&PLATFORM).chain(rooms).collect();
    refuse_newer(&applied, &all)?;
    let mut wanted = Vec::new();
    for room in &all {
        for step in room.steps {
            let digest = hex::encode(Sha256::digest(step.sql));
            match applied.get(&(room.room.to_owned(), step.number)) {
                Some(known) if *known == digest => {}
                Some(_) => {
                    return Err(DbError::ChangedMigration {
                        room: room.room.into(),
                        number: step.number,
                    });
                }
                None => wanted.push((room.room, step, digest)),
            }
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    if !applied.is_empty() {
        back_up(connection, file, now).await?;
    }
    connection.execute("BEGIN IMMEDIATE").await?;
    for (room, step, digest) in wanted {
        sqlx::raw_sql(step.sql).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO platform_migrations VALUES ($1, $2, $3, $4)")
            .bind(room)
            .bind(step.number)
            .bind(digest)
            .bind(now.as_micros())
            .execute(&mut *connection)
            .await?;
    }
    connection.execute("COMMIT").await?;
    Ok(())
}

async fn applied(
    connection: &mut AnyConnection,
) -> Result<HashMap<(String, i64), String>, DbError> {
    let rows = sqlx::query("SELECT room, number, digest FROM platform_migrations")
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

fn refuse_newer(
    applied: &HashMap<(String, i64), String>,
    rooms: &[&RoomMigrations],
) -> Result<(), DbError> {
    let known = |room: &str, number: i64| {
        rooms.iter().any(|r| r.room == room && r.steps.iter().any(|s| s.number == number))
    };
    match applied.keys().find(|(room, number)| !known(room, *number)) {
        Some((room, number)) => Err(DbError::Newer { room: room.clone(), number: *number }),
        None => Ok(()),
    }
}

/// A whole copy beside the data, so that an upgrade can be taken back.
async fn back_up(
    connection: &mut AnyConnection,
    file: &Path,
    now: Timestamp,
) -> Result<(), DbError> {
    let Some(folder) = file.parent() else { return Ok(()) };
    let backups = folder.join("backups");
    if backups.is_dir() {
        let name = format!("before-upgrade-{}.db", now.as_micros());
        sqlx::query("VACUUM INTO $1")
            .bind(backups.join(name).display().to_string())
            .execute(connection)
            .await?;
    }
    Ok(())
}
