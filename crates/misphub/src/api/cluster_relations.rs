//! Relations between clusters of galaxies.

use sqlx::AnyConnection;

use super::clusters::{done, is_word, own, unknown};
use super::events::write;
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{Fields, text, unwrapped, uuid};
use crate::store::Name;
use crate::store::galaxies::{self, Relation};

/// Relations sent at once.
const MAX_RELATIONS: usize = 1_000;

/// Keeps relations of a cluster.
pub(super) async fn relate(
    sql: &mut AnyConnection,
    cluster: i64,
    list: Vec<Fields>,
) -> Result<(), MispError> {
    if list.len() > MAX_RELATIONS {
        let text = format!("{} relations, the limit is {MAX_RELATIONS}", list.len());
        return Err(MispError::bad_request(text));
    }
    for mut fields in list {
        let target = text(&fields, "referenced_galaxy_cluster_uuid").and_then(|said| uuid(&said));
        let target = target.ok_or_else(|| {
            MispError::field("referenced_galaxy_cluster_uuid", "the UUID of a cluster")
        })?;
        let kind = text(&fields, "referenced_galaxy_cluster_type").unwrap_or_default();
        if !is_word(&kind) {
            let text = "letters, digits, - and _, e.g. similar";
            return Err(MispError::field("referenced_galaxy_cluster_type", text));
        }
        fields.retain(|name, _| matches!(name.as_str(), "distribution" | "Tag"));
        let relation = Relation { id: 0, cluster, target, kind, body: fields };
        galaxies::put_relation(sql, &relation).await?;
    }
    Ok(())
}

/// `galaxy_cluster_relations/add`
pub(crate) async fn add_relation(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "GalaxyClusterRelation");
    let said = text(&fields, "galaxy_cluster_uuid").and_then(|said| uuid(&said));
    let name = Name::Uuid(said.ok_or_else(unknown)?);
    let most = ask.sight.most();
    write(ask, move |sql, _| {
        Box::pin(async move {
            let known = own(sql, &name, most).await?;
            relate(sql, known.id, vec![fields]).await
        })
    })
    .await?;
    Ok(done("Relationship added."))
}

/// `galaxy_cluster_relations/delete/ID`
pub(crate) async fn delete_relation(ask: &Ask) -> Result<Answer, MispError> {
    let missing = || MispError::not_found("galaxy cluster relation");
    let id = ask.parts.first().and_then(|part| part.parse::<i64>().ok()).ok_or_else(missing)?;
    let most = ask.sight.most();
    write(ask, move |sql, _| {
        Box::pin(async move {
            galaxies::delete_relation(sql, id, most).await?.ok_or_else(missing)?;
            Ok(())
        })
    })
    .await?;
    Ok(done("Galaxy cluster relationship successfully deleted."))
}
