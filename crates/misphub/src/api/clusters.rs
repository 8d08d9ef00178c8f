//! Clusters of galaxies: search, and those that people make here.

use serde_json::{Map, Value, json};
use sqlx::AnyConnection;

use super::cluster_relations::relate;
use super::condition::Budget;
use super::events::write;
use super::galaxies::MAX_SHOWN;
use super::take::{Writer, label};
use super::{Answer, Ask, form, galaxies as loaded, tags};
use crate::error::MispError;
use crate::fields::{Fields, number, take_list, text, texts, truth, unwrapped, uuid};
use crate::store::Name;
use crate::store::galaxies::{self, Cluster, Galaxy, Wanted};

/// Bytes of a cluster's description and elements together.
const MAX_BODY_BYTES: usize = 1 << 20;

pub(super) fn unknown() -> MispError {
    MispError::not_found("galaxy cluster")
}

pub(super) fn done(text: &str) -> Answer {
    json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/galaxy_clusters" }).into()
}

/// Letters, digits, `-` and `_`.
pub(super) fn is_word(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// `meta` of a file as the list of elements that MISP shows.
pub(super) fn elements(meta: &Map<String, Value>) -> Value {
    let mut list = Vec::new();
    for (key, value) in meta {
        match value {
            Value::Array(items) => {
                list.extend(items.iter().map(|item| json!({ "key": key, "value": item })));
            }
            one => list.push(json!({ "key": key, "value": one })),
        }
    }
    Value::Array(list)
}

/// Takes out what stands in columns or tables of its own.
pub(super) fn strip(fields: &mut Fields) {
    for name in [
        "id",
        "uuid",
        "galaxy_id",
        "collection_uuid",
        "type",
        "value",
        "tag_name",
        "tag_id",
        "tag_count",
        "local",
        "default",
        "published",
        "deleted",
        "meta",
        "Galaxy",
        "Org",
        "Orgc",
        "GalaxyClusterRelation",
        "TargetingClusterRelation",
    ] {
        fields.remove(name);
    }
}

/// A cluster with its relations and its galaxy.
async fn whole(
    sql: &mut AnyConnection,
    cluster: &Cluster,
    galaxy: &Galaxy,
    most: i64,
) -> Result<Value, MispError> {
    let mut shown = form::cluster(cluster, galaxy);
    let mut list = Vec::new();
    for one in galaxies::relations(sql, cluster.id).await? {
        let name = Name::Uuid(one.target.clone());
        let target = galaxies::get(sql, &name, most).await?.map_or(0, |target| target.id);
        let mut fields = one.body.clone();
        for (name, value) in [
            ("id", one.id.to_string()),
            ("galaxy_cluster_id", one.cluster.to_string()),
            ("galaxy_cluster_uuid", cluster.uuid.clone()),
            ("referenced_galaxy_cluster_id", target.to_string()),
            ("referenced_galaxy_cluster_uuid", one.target),
            ("referenced_galaxy_cluster_type", one.kind),
        ] {
            fields.insert(name.into(), value.into());
        }
        fields.entry("distribution").or_insert("3".into());
        list.push(Value::Object(fields));
    }
    shown["GalaxyClusterRelation"] = Value::Array(list);
    shown["Galaxy"] = form::galaxy(galaxy);
    Ok(shown)
}

async fn galaxy_of(sql: &mut AnyConnection, id: i64) -> Result<Galaxy, MispError> {
    let galaxy = galaxies::get_galaxy(sql, &id.to_string()).await?;
    galaxy.ok_or_else(loaded::unknown)
}

async fn answered(ask: &Ask, id: i64) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let cluster = galaxies::get(&mut sql, &Name::Number(id), i64::MAX).await?;
    let cluster = cluster.ok_or_else(unknown)?;
    let galaxy = galaxy_of(&mut sql, cluster.galaxy).await?;
    let shown = whole(&mut sql, &cluster, &galaxy, ask.sight.most()).await?;
    Ok(json!({ "GalaxyCluster": shown }).into())
}

/// `galaxy_clusters/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let name = ask.name("galaxy cluster")?;
    let id = galaxies::get(&mut sql, &name, ask.sight.most()).await?.ok_or_else(unknown)?.id;
    drop(sql);
    answered(ask, id).await
}

fn page(fields: &Fields) -> (i64, i64) {
    let limit = number(fields, "limit").filter(|n| *n > 0).unwrap_or(MAX_SHOWN).min(MAX_SHOWN);
    let page = number(fields, "page").filter(|n| *n > 0).unwrap_or(1);
    (limit, (page - 1).saturating_mul(limit))
}

async fn listed(
    ask: &Ask,
    sql: &mut AnyConnection,
    wanted: &Wanted,
) -> Result<Vec<Value>, MispError> {
    let minimal = truth(&ask.fields, "minimal").unwrap_or(false);
    let all = galaxies::galaxies(sql).await?;
    let mut budget = Budget::new();
    let mut shown = Vec::new();
    for cluster in galaxies::find(sql, wanted, ask.sight.most()).await? {
        let Some(galaxy) = all.iter().find(|galaxy| galaxy.id == cluster.galaxy) else { continue };
        let one = match minimal {
            true => {
                let whole = form::cluster(&cluster, galaxy);
                json!({ "uuid": cluster.uuid, "version": whole["version"] })
            }
            false => whole(sql, &cluster, galaxy, ask.sight.most()).await?,
        };
        budget.take_value(&one)?;
        shown.push(json!({ "GalaxyCluster": one }));
    }
    Ok(shown)
}

/// `galaxy_clusters/index/GALAXY`: `context` (all, default, custom, org, orgc, deleted) and `searchall` narrow it.
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.first().cloned().unwrap_or_default();
    let mut sql = ask.room.platform().db.read().await?;
    let galaxy = galaxies::get_galaxy(&mut sql, &said).await?.ok_or_else(loaded::unknown)?;
    let context = text(&ask.fields, "context").unwrap_or_default();
    let own = match context.as_str() {
        "default" => Some(false),
        "custom" | "org" | "orgc" => Some(true),
        _ => None,
    };
    let words = text(&ask.fields, "searchall").unwrap_or_default();
    let (limit, offset) = page(&ask.fields);
    let wanted = Wanted {
        galaxy: galaxy.id,
        words: words.trim_matches('%').to_lowercase(),
        own,
        deleted: context == "deleted",
        limit,
        offset,
        ..Wanted::default()
    };
    Ok(Value::Array(listed(ask, &mut sql, &wanted).await?).into())
}

/// `galaxy_clusters/restSearch`: what people ask, and what a server asks that pulls.
pub(crate) async fn search(ask: &Ask) -> Result<Answer, MispError> {
    let fields = &ask.fields;
    let mut sql = ask.room.platform().db.read().await?;
    let galaxy = text(fields, "galaxy_id").or_else(|| text(fields, "galaxy_uuid"));
    let galaxy = match galaxy {
        None => 0,
        Some(said) => galaxies::get_galaxy(&mut sql, &said).await?.map_or(-1, |galaxy| galaxy.id),
    };
    let words = ["value", "tag_name", "searchall"].into_iter().find_map(|name| text(fields, name));
    let uuids: Vec<String> = texts(fields, "uuid").iter().filter_map(|said| uuid(said)).collect();
    if uuids.len() > 500 {
        return Err(MispError::bad_request("`uuid` has more than 500 values; ask in parts"));
    }
    let (limit, offset) = page(fields);
    let wanted = Wanted {
        galaxy,
        words: words.unwrap_or_default().trim_matches('%').to_lowercase(),
        own: truth(fields, "custom").or_else(|| truth(fields, "default").map(|loaded| !loaded)),
        uuids,
        published: truth(fields, "published"),
        limit,
        offset,
        ..Wanted::default()
    };
    Ok(json!({ "response": listed(ask, &mut sql, &wanted).await? }).into())
}

fn check_size(fields: &Fields) -> Result<(), MispError> {
    let bytes = Value::Object(fields.clone()).to_string().len();
    if bytes <= MAX_BODY_BYTES {
        return Ok(());
    }
    let text = format!("the cluster has {bytes} bytes, the limit is {MAX_BODY_BYTES}; shorten it");
    Err(MispError::bad_request(text))
}

fn tlp_of(fields: &Fields) -> i64 {
    let level = number(fields, "distribution").unwrap_or(0);
    let own = Fields::from_iter([("distribution".to_owned(), level.into())]);
    intel::rank(label(&own, std::iter::empty()))
}

/// A cluster out of what somebody sent, with its relations.
pub(super) fn sent(
    writer: &Writer,
    galaxy: &Galaxy,
    mut fields: Fields,
) -> Result<(Cluster, Vec<Fields>), MispError> {
    let value = text(&fields, "value").unwrap_or_default();
    let value =
        tags::checked_tag(&value).map_err(|error| MispError::field("value", error.message()))?;
    let relations = take_list(&mut fields, "GalaxyClusterRelation");
    if let Some(Value::Object(meta)) = fields.remove("meta")
        && !meta.is_empty()
    {
        fields.entry("GalaxyElement").or_insert_with(|| elements(&meta));
    }
    let uuid = writer.uuid_of(&fields)?;
    let published = truth(&fields, "published").unwrap_or(false);
    strip(&mut fields);
    check_size(&fields)?;
    let cluster = Cluster {
        id: 0,
        // Its name is not in the tag: a tag is seen by more people than the cluster may be.
        tag: format!("misp-galaxy:{}=\"{uuid}\"", galaxy.kind),
        uuid,
        galaxy: galaxy.id,
        value,
        own: true,
        published,
        deleted: false,
        tlp: tlp_of(&fields),
        stamp: writer.now_s,
        body: fields,
    };
    Ok((cluster, relations))
}

/// `galaxy_clusters/add/GALAXY`; with `forkUUID` it says whose child it is.
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.first().cloned().unwrap_or_default();
    let fork = text(&ask.fields, "forkUUID").and_then(|said| uuid(&said));
    let mut fields = unwrapped(ask.fields.clone(), "GalaxyCluster");
    fields.remove("forkUUID");
    if let Some(parent) = fork {
        fields.insert("extends_uuid".into(), parent.into());
    }
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let galaxy = galaxies::get_galaxy(sql, &said).await?.ok_or_else(loaded::unknown)?;
            let (cluster, relations) = sent(writer, &galaxy, fields)?;
            let taken = || MispError::field("uuid", "a cluster with this UUID exists; edit it");
            let id = galaxies::insert(sql, &cluster).await?.ok_or_else(taken)?;
            relate(sql, id, relations).await?;
            Ok(id)
        })
    })
    .await?;
    answered(ask, id).await
}

/// The cluster as it is inside of the transaction that changes it: loaded ones are not changed.
pub(super) async fn own(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Cluster, MispError> {
    let known = galaxies::get(sql, name, most).await?.ok_or_else(unknown)?;
    if known.own {
        return Ok(known);
    }
    let text = "a loaded cluster is not changed; fork it and change the fork";
    Err(MispError::field("default", text))
}

/// `galaxy_clusters/edit/ID`
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("galaxy cluster")?, ask.sight.most());
    let mut fields = unwrapped(ask.fields.clone(), "GalaxyCluster");
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let known = own(sql, &name, most).await?;
            let galaxy = galaxy_of(sql, known.galaxy).await?;
            for (name, value) in &known.body {
                fields.entry(name.clone()).or_insert(value.clone());
            }
            fields.entry("value").or_insert_with(|| known.value.clone().into());
            fields.insert("uuid".into(), known.uuid.clone().into());
            fields.insert("published".into(), false.into());
            fields.insert("version".into(), writer.now_s.to_string().into());
            let (mut cluster, relations) = sent(writer, &galaxy, fields)?;
            cluster.id = known.id;
            cluster.deleted = known.deleted;
            galaxies::update(sql, &cluster).await?;
            relate(sql, known.id, relations).await?;
            Ok(known.id)
        })
    })
    .await?;
    answered(ask, id).await
}

async fn marked(
    ask: &Ask,
    mark: impl FnOnce(&mut Cluster) + Send + 'static,
) -> Result<(), MispError> {
    let (name, most) = (ask.name("galaxy cluster")?, ask.sight.most());
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut known = own(sql, &name, most).await?;
            mark(&mut known);
            known.stamp = writer.now_s.max(known.stamp);
            Ok(galaxies::update(sql, &known).await?)
        })
    })
    .await
}

/// `galaxy_clusters/publish/ID`
pub(crate) async fn publish(ask: &Ask) -> Result<Answer, MispError> {
    marked(ask, |cluster| cluster.published = true).await?;
    Ok(done("GalaxyCluster published."))
}

/// `galaxy_clusters/unpublish/ID`
pub(crate) async fn unpublish(ask: &Ask) -> Result<Answer, MispError> {
    marked(ask, |cluster| cluster.published = false).await?;
    Ok(done("GalaxyCluster unpublished."))
}

/// `galaxy_clusters/restore/ID`
pub(crate) async fn restore(ask: &Ask) -> Result<Answer, MispError> {
    marked(ask, |cluster| cluster.deleted = false).await?;
    Ok(done("GalaxyCluster restored."))
}

/// `galaxy_clusters/delete/ID`: marked as deleted, or gone with `hard`.
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    if truth(&ask.fields, "hard").unwrap_or(false) {
        let (name, most) = (ask.name("galaxy cluster")?, ask.sight.most());
        write(ask, move |sql, _| {
            Box::pin(async move {
                let known = own(sql, &name, most).await?;
                Ok(galaxies::delete(sql, known.id).await?)
            })
        })
        .await?;
        return Ok(done("GalaxyCluster hard deleted."));
    }
    marked(ask, |cluster| cluster.deleted = true).await?;
    Ok(done("GalaxyCluster deleted."))
}
