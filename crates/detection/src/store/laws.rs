//! Models of laws as they stand, with what their judges remember.

use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::laws::memory::Protocol;
use crate::laws::state::LawRow;
use crate::state::Phase;

/// Writes rows as they stand, each with its memory.
pub(crate) async fn write(tx: &mut Tx, rows: &[(LawRow, String)]) -> Result<(), DbError> {
    let now = tx.now().as_micros();
    for (row, memory) in rows {
        sqlx::query(
            "INSERT INTO detection_laws (edge, protocol, phase, reason, generation, epoch, \
             first_us, last_us, messages, reports, waiting, place, version, judged, unusual, \
             informed, suppressed, kept_out, unwatched, untold, unjudged, advanced_us, memory, \
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
             $16, $17, $18, $19, $20, $21, $22, $23, $24) ON CONFLICT (edge, protocol) DO UPDATE SET \
             phase = excluded.phase, reason = excluded.reason, generation = excluded.generation, \
             epoch = excluded.epoch, first_us = excluded.first_us, last_us = excluded.last_us, \
             messages = excluded.messages, reports = excluded.reports, \
             waiting = excluded.waiting, place = excluded.place, version = excluded.version, \
             judged = excluded.judged, unusual = excluded.unusual, informed = excluded.informed, \
             suppressed = excluded.suppressed, kept_out = excluded.kept_out, \
             unwatched = excluded.unwatched, untold = excluded.untold, \
             unjudged = excluded.unjudged, advanced_us = excluded.advanced_us, \
             memory = excluded.memory, updated_at = excluded.updated_at",
        )
        .bind(row.edge.clone())
        .bind(row.protocol.word())
        .bind(row.phase.word())
        .bind(row.reason.clone())
        .bind(row.generation)
        .bind(row.epoch)
        .bind(row.first_us)
        .bind(row.last_us)
        .bind(row.messages)
        .bind(row.reports)
        .bind(row.waiting)
        .bind(row.place)
        .bind(row.version)
        .bind(row.judged)
        .bind(row.unusual)
        .bind(row.informed)
        .bind(row.suppressed)
        .bind(row.kept_out)
        .bind(row.unwatched)
        .bind(row.untold)
        .bind(row.unjudged)
        .bind(row.advanced_us)
        .bind(memory.clone())
        .bind(now)
        .execute(tx.sql())
        .await?;
    }
    Ok(())
}

/// All of them, with their memories.
pub(crate) async fn all(connection: &mut AnyConnection) -> Result<Vec<(LawRow, String)>, DbError> {
    let rows = sqlx::query("SELECT * FROM detection_laws ORDER BY edge, protocol")
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<(LawRow, String), DbError> {
    let phase: String = row.try_get("phase")?;
    let phase =
        Phase::from_word(&phase).ok_or_else(|| DbError::corrupt("detection_laws.phase", &phase))?;
    let own = LawRow {
        edge: row.try_get("edge")?,
        protocol: protocol(row)?,
        phase,
        reason: row.try_get("reason")?,
        generation: row.try_get("generation")?,
        epoch: row.try_get("epoch")?,
        first_us: row.try_get("first_us")?,
        last_us: row.try_get("last_us")?,
        messages: row.try_get("messages")?,
        reports: row.try_get("reports")?,
        waiting: row.try_get("waiting")?,
        place: row.try_get("place")?,
        version: row.try_get("version")?,
        judged: row.try_get("judged")?,
        unusual: row.try_get("unusual")?,
        informed: row.try_get("informed")?,
        suppressed: row.try_get("suppressed")?,
        kept_out: row.try_get("kept_out")?,
        unwatched: row.try_get("unwatched")?,
        untold: row.try_get("untold")?,
        unjudged: row.try_get("unjudged")?,
        advanced_us: row.try_get("advanced_us")?,
    };
    Ok((own, row.try_get("memory")?))
}

/// The protocol of a row.
pub(super) fn protocol(row: &AnyRow) -> Result<Protocol, DbError> {
    let word: String = row.try_get("protocol")?;
    Protocol::from_word(&word).ok_or_else(|| DbError::corrupt("detection_laws.protocol", &word))
}
