//! Sites and devices as the situation shows them.

use async_trait::async_trait;
use platform::db::DbError;
use ports::PortError;
use ports::situation::{DeviceBrief, SiteBoard, SiteBrief};
use sqlx::Row;

use crate::sites::store;
use crate::{Assets, AssetsError};

#[async_trait]
impl SiteBoard for Assets {
    async fn sites(&self, limit: u32) -> Result<Vec<SiteBrief>, PortError> {
        let read = async {
            let mut sql = self.platform.db.read().await?;
            store::list(&mut sql, None, i64::from(limit)).await
        };
        let sites = read.await.map_err(AssetsError::from)?;
        Ok(sites
            .into_iter()
            .map(|site| SiteBrief {
                position: site.latitude.zip(site.longitude),
                plan: site.plan.map(|spot| (spot.layer, spot.x, spot.y)),
                id: site.id,
                name: site.name,
                kind: site.kind,
                place: site.place,
            })
            .collect())
    }

    async fn devices(&self, limit: u32) -> Result<Vec<DeviceBrief>, PortError> {
        let read = async {
            let mut sql = self.platform.db.read().await?;
            let mut briefs = Vec::new();
            // Two bounded reads along an index each, instead of sorting the whole inventory.
            for filter in ["site IS NOT NULL", "site IS NULL"] {
                let left = i64::from(limit) - i64::try_from(briefs.len()).unwrap_or(i64::MAX);
                let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
                    "SELECT id, name, place, site, mac FROM assets_devices WHERE {filter} LIMIT $1"
                )))
                .bind(left.max(0))
                .fetch_all(&mut *sql)
                .await?;
                for row in &rows {
                    let id: String = row.try_get("id")?;
                    briefs.push(DeviceBrief {
                        id: id.parse().map_err(|e| DbError::corrupt("assets_devices.id", e))?,
                        name: row.try_get("name")?,
                        place: row.try_get("place")?,
                        site: row.try_get("site")?,
                        mac: row.try_get("mac")?,
                    });
                }
            }
            Ok::<_, DbError>(briefs)
        };
        Ok(read.await.map_err(AssetsError::from)?)
    }
}
