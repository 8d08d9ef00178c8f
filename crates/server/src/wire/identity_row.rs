//! Who this node is: minted at first start, named by the configuration or at first run.

use model::NodeId;
use platform::config::NodeIdentity;
use platform::db::{Db, DbError};
use sqlx::Row;

use crate::config::NodeConfig;
use crate::http::node_change::KINDS;

/// The organisation's name before anybody gave one.
const UNNAMED: &str = "Unnamed node";

/// Reads the identity, making it at first start. The configuration wins over what first run wrote.
///
/// # Errors
/// The kind is none of [`KINDS`], or the database said no.
pub(super) async fn load(db: &Db, config: &NodeConfig) -> anyhow::Result<NodeIdentity> {
    if let Some(kind) = config.kind.as_deref().filter(|kind| !KINDS.contains(kind)) {
        anyhow::bail!("node.kind is '{kind}'; it must be one of {}", KINDS.join(", "));
    }
    let known: Result<(String, Option<String>, Option<String>), DbError> = db
        .write(|tx| {
            Box::pin(async move {
                let fresh: NodeId = tx.mint();
                sqlx::query(
                    "INSERT INTO platform_settings (name, value) VALUES ('node.id', $1) \
                     ON CONFLICT (name) DO NOTHING",
                )
                .bind(fresh.to_string())
                .execute(tx.sql())
                .await?;
                let rows = sqlx::query(
                    "SELECT name, value FROM platform_settings WHERE name IN \
                     ('node.id', 'node.name', 'node.kind')",
                )
                .fetch_all(tx.sql())
                .await?;
                let value = |wanted: &str| {
                    rows.iter()
                        .find(|row| {
                            row.try_get::<String, _>("name").is_ok_and(|name| name == wanted)
                        })
                        .and_then(|row| row.try_get::<String, _>("value").ok())
                };
                let id = value("node.id").unwrap_or_default();
                Ok((id, value("node.name"), value("node.kind")))
            })
        })
        .await;
    let (id, name, kind) = known?;
    Ok(NodeIdentity {
        id: id.parse().map_err(|cause| DbError::corrupt("platform_settings node.id", cause))?,
        name: config.name.clone().or(name).unwrap_or_else(|| UNNAMED.into()),
        kind: config.kind.clone().or(kind).unwrap_or_else(|| "other".into()),
    })
}
