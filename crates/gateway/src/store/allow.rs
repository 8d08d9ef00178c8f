//! Allow lists and their entries.

use model::Timestamp;
use platform::db::DbError;
use ports::edge::AllowEntry;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{signed, unsigned};

/// One list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListRow {
    pub(crate) device: String,
    /// `learning`, `frozen` or `off`.
    pub(crate) state: String,
    pub(crate) learn_until: Option<Timestamp>,
}

/// One entry with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AllowRow {
    pub(crate) device: String,
    pub(crate) entry: AllowEntry,
    /// `learned`, `mud` or `hand`.
    pub(crate) source: String,
    pub(crate) packets: u64,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
}

/// The lists of a gateway.
pub(crate) async fn allow_lists(
    connection: &mut AnyConnection,
    edge: &str,
) -> Result<Vec<ListRow>, DbError> {
    let rows = sqlx::query("SELECT * FROM gateway_allow_lists WHERE edge = $1 ORDER BY device")
        .bind(edge)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ListRow {
                device: row.try_get("device")?,
                state: row.try_get("state")?,
                learn_until: row
                    .try_get::<Option<i64>, _>("learn_until")?
                    .map(Timestamp::from_micros),
            })
        })
        .collect()
}

/// Makes a list, or sets the state of one.
pub(crate) async fn set_list(
    connection: &mut AnyConnection,
    edge: &str,
    list: &ListRow,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO gateway_allow_lists (edge, device, state, learn_until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (edge, device) DO UPDATE SET state = excluded.state, learn_until = excluded.learn_until",
    )
    .bind(edge)
    .bind(&list.device)
    .bind(&list.state)
    .bind(list.learn_until.map(Timestamp::as_micros))
    .execute(connection)
    .await?;
    Ok(())
}

fn row_of(row: &AnyRow) -> Result<AllowRow, DbError> {
    let entry: String = row.try_get("entry")?;
    Ok(AllowRow {
        device: row.try_get("device")?,
        entry: serde_json::from_str(&entry)
            .map_err(|cause| DbError::corrupt("gateway_allow_entries.entry", cause))?,
        source: row.try_get("source")?,
        packets: unsigned(row.try_get("packets")?),
        first_seen: Timestamp::from_micros(row.try_get("first_seen")?),
        last_seen: Timestamp::from_micros(row.try_get("last_seen")?),
    })
}

/// All entries of a gateway, by device.
pub(crate) async fn allow_entries(
    connection: &mut AnyConnection,
    edge: &str,
) -> Result<Vec<AllowRow>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM gateway_allow_entries WHERE edge = $1 ORDER BY device, entry")
            .bind(edge)
            .fetch_all(connection)
            .await?;
    rows.iter().map(row_of).collect()
}

/// The entries of one device.
pub(crate) async fn entries_of(
    connection: &mut AnyConnection,
    edge: &str,
    device: &str,
) -> Result<Vec<AllowRow>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM gateway_allow_entries WHERE edge = $1 AND device = $2 ORDER BY entry",
    )
    .bind(edge)
    .bind(device)
    .fetch_all(connection)
    .await?;
    rows.iter().map(row_of).collect()
}

/// Writes an entry, or adds what was seen of it.
pub(crate) async fn put_entry(
    connection: &mut AnyConnection,
    edge: &str,
    row: &AllowRow,
) -> Result<(), DbError> {
    let entry = serde_json::to_string(&row.entry)
        .map_err(|cause| DbError::corrupt("gateway_allow_entries.entry", cause))?;
    sqlx::query(
        "INSERT INTO gateway_allow_entries (edge, device, entry, source, packets, first_seen, last_seen) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (edge, device, entry) DO UPDATE SET \
         packets = gateway_allow_entries.packets + excluded.packets, last_seen = excluded.last_seen",
    )
    .bind(edge)
    .bind(&row.device)
    .bind(entry)
    .bind(&row.source)
    .bind(signed(row.packets))
    .bind(row.first_seen.as_micros())
    .bind(row.last_seen.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes away all entries of a device from one source, or one entry.
pub(crate) async fn forget_entries(
    connection: &mut AnyConnection,
    edge: &str,
    device: &str,
    only: Option<&AllowEntry>,
) -> Result<u64, DbError> {
    let entry = only
        .map(serde_json::to_string)
        .transpose()
        .map_err(|cause| DbError::corrupt("gateway_allow_entries.entry", cause))?;
    let done = sqlx::query(
        "DELETE FROM gateway_allow_entries WHERE edge = $1 AND device = $2 AND ($3 = '' OR entry = $4)",
    )
    .bind(edge)
    .bind(device)
    .bind(entry.clone().unwrap_or_default())
    .bind(entry.unwrap_or_default())
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Takes up what a device did, while its list learns; at most `limit` entries.
pub(crate) async fn learn(
    connection: &mut AnyConnection,
    edge: &str,
    rows: &[AllowRow],
    limit: usize,
) -> Result<(), DbError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let known = entries_of(connection, edge, &first.device).await?;
    let mut room = limit.saturating_sub(known.len());
    for row in rows {
        if !known.iter().any(|known| known.entry == row.entry) {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        put_entry(connection, edge, row).await?;
    }
    Ok(())
}
