//! SQL of sites.

use model::{DeviceId, Timestamp};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Draft, Fresh, PlanSpot, Site};

const SITE: &str = "SELECT id, name, kind, place, latitude, longitude, plan, plan_x, plan_y, updated_at, \
     (SELECT COUNT(*) FROM assets_devices d WHERE d.site = assets_sites.id) AS devices FROM assets_sites";

fn site(row: &AnyRow) -> Result<Site, DbError> {
    let (plan, x, y): (Option<String>, Option<f64>, Option<f64>) =
        (row.try_get("plan")?, row.try_get("plan_x")?, row.try_get("plan_y")?);
    let devices: i64 = row.try_get("devices")?;
    Ok(Site {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        place: row.try_get("place")?,
        latitude: row.try_get("latitude")?,
        longitude: row.try_get("longitude")?,
        plan: plan.zip(x).zip(y).map(|((layer, x), y)| PlanSpot { layer, x, y }),
        devices: devices.unsigned_abs(),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
    })
}

/// Sites after the name `after`, in the order of their names.
pub(crate) async fn list(
    connection: &mut AnyConnection,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Site>, DbError> {
    let sql = format!("{SITE} WHERE folded > $1 ORDER BY folded LIMIT $2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(after.unwrap_or("").to_lowercase())
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(site).collect()
}

/// One site by its id or its name.
pub(crate) async fn find(
    connection: &mut AnyConnection,
    id_or_name: &str,
) -> Result<Option<Site>, DbError> {
    let sql = format!("{SITE} WHERE id = $1 OR folded = $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id_or_name)
        .bind(id_or_name.trim().to_lowercase())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(site).transpose()
}

pub(crate) async fn count(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM assets_sites").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// Writes a new site and gives its id.
pub(crate) async fn insert(tx: &mut Tx, draft: &Draft) -> Result<String, DbError> {
    let (id, now) = (tx.mint::<Fresh>().to_string(), tx.now().as_micros());
    let spot = draft.plan.as_ref();
    sqlx::query(
        "INSERT INTO assets_sites (id, name, folded, kind, place, latitude, longitude, plan, plan_x, \
         plan_y, recorded_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
    )
    .bind(id.clone())
    .bind(draft.name.clone())
    .bind(draft.name.to_lowercase())
    .bind(draft.kind.clone())
    .bind(draft.place.clone())
    .bind(draft.latitude)
    .bind(draft.longitude)
    .bind(spot.map(|spot| spot.layer.clone()))
    .bind(spot.map(|spot| spot.x))
    .bind(spot.map(|spot| spot.y))
    .bind(now)
    .execute(tx.sql())
    .await?;
    Ok(id)
}

/// Replaces what people gave; false when there is no such site.
pub(crate) async fn replace(tx: &mut Tx, id: &str, draft: &Draft) -> Result<bool, DbError> {
    let (spot, now) = (draft.plan.as_ref(), tx.now().as_micros());
    let done = sqlx::query(
        "UPDATE assets_sites SET name = $1, folded = $2, kind = $3, place = $4, latitude = $5, \
         longitude = $6, plan = $7, plan_x = $8, plan_y = $9, updated_at = $10 WHERE id = $11",
    )
    .bind(draft.name.clone())
    .bind(draft.name.to_lowercase())
    .bind(draft.kind.clone())
    .bind(draft.place.clone())
    .bind(draft.latitude)
    .bind(draft.longitude)
    .bind(spot.map(|spot| spot.layer.clone()))
    .bind(spot.map(|spot| spot.x))
    .bind(spot.map(|spot| spot.y))
    .bind(now)
    .bind(id)
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a site; false when there was none. Its devices must have been moved before.
pub(crate) async fn remove(tx: &mut Tx, id: &str) -> Result<bool, DbError> {
    let done =
        sqlx::query("DELETE FROM assets_sites WHERE id = $1").bind(id).execute(tx.sql()).await?;
    Ok(done.rows_affected() == 1)
}

/// Puts one device to a site or to none; false when there is no such device.
pub(crate) async fn put_device(
    tx: &mut Tx,
    device: DeviceId,
    site: Option<&str>,
) -> Result<bool, DbError> {
    let done = sqlx::query("UPDATE assets_devices SET site = $1 WHERE id = $2")
        .bind(site)
        .bind(device.to_string())
        .execute(tx.sql())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves every device of a site.
pub(crate) async fn move_all(tx: &mut Tx, from: &str, to: Option<&str>) -> Result<u64, DbError> {
    let done = sqlx::query("UPDATE assets_devices SET site = $1 WHERE site = $2")
        .bind(to)
        .bind(from)
        .execute(tx.sql())
        .await?;
    Ok(done.rows_affected())
}

/// Which site each of the devices `first` to `last` (in the order of ids) stands at: id and name.
pub(crate) async fn of_devices(
    connection: &mut AnyConnection,
    first: DeviceId,
    last: DeviceId,
) -> Result<Vec<(DeviceId, String, String)>, DbError> {
    let rows = sqlx::query(
        "SELECT d.id, s.id AS site, s.name FROM assets_devices d JOIN assets_sites s ON s.id = d.site \
         WHERE d.id >= $1 AND d.id <= $2",
    )
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let id: String = row.try_get("id")?;
            let id = id.parse().map_err(|cause| DbError::corrupt("assets_devices.id", cause))?;
            Ok((id, row.try_get("site")?, row.try_get("name")?))
        })
        .collect()
}

/// Ids of the devices of a site, after `after`.
pub(crate) async fn devices(
    connection: &mut AnyConnection,
    site: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<DeviceId>, DbError> {
    let rows = sqlx::query(
        "SELECT id FROM assets_devices WHERE site = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(site)
    .bind(after.unwrap_or(""))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let id: String = row.try_get("id")?;
            id.parse().map_err(|cause| DbError::corrupt("assets_devices.id", cause))
        })
        .collect()
}
