//! Where objects came from, for those who preview what may leave.

use async_trait::async_trait;
use ports::PortError;
use ports::disclosure::{Origin, Provenance};

use crate::error::FederationError;
use crate::objects;
use crate::room::Federation;

#[async_trait]
impl Provenance for Federation {
    async fn origins(&self, ids: &[String]) -> Result<Vec<Option<Origin>>, PortError> {
        let failed = |cause: FederationError| PortError::Internal(cause.to_string());
        let mut sql = self.platform().db.read().await.map_err(|cause| failed(cause.into()))?;
        let wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut known = objects::load(self, &mut sql, &wanted).await.map_err(failed)?;
        let origin = |id: &String| {
            let known = known.remove(id)?;
            let through = known.came().and_then(|row| row.community);
            Some(Origin { from: known.brought_by(), through })
        };
        Ok(ids.iter().map(origin).collect())
    }
}
