//! Which devices incidents are about, as the situation shows it.

use async_trait::async_trait;
use model::{DeviceId, IncidentId};
use platform::db::DbError;
use ports::PortError;
use ports::situation::IncidentBoard;
use sqlx::Row;

use crate::Incidents;

#[async_trait]
impl IncidentBoard for Incidents {
    async fn devices_of(
        &self,
        incidents: &[IncidentId],
        limit: u32,
    ) -> Result<Vec<(IncidentId, DeviceId)>, PortError> {
        if incidents.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (2..=incidents.len() + 1).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT DISTINCT incident, device FROM incidents_findings WHERE incident IN ({}) LIMIT $1",
            places.join(", ")
        );
        let read = async {
            let mut connection = self.platform.db.read().await?;
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(limit));
            for id in incidents {
                query = query.bind(id.to_string());
            }
            let rows = query.fetch_all(&mut *connection).await?;
            let pairs = rows.iter().map(|row| {
                let (incident, device): (String, String) =
                    (row.try_get("incident")?, row.try_get("device")?);
                Ok((
                    incident
                        .parse()
                        .map_err(|e| DbError::corrupt("incidents_findings.incident", e))?,
                    device.parse().map_err(|e| DbError::corrupt("incidents_findings.device", e))?,
                ))
            });
            pairs.collect::<Result<Vec<_>, DbError>>()
        };
        read.await.map_err(|error| PortError::Internal(error.to_string()))
    }
}
