//! Galaxies: list, view, load, attach to events and attributes.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::condition::Budget;
use super::events::write;
use super::take::Writer;
use super::{Answer, Ask, attack, clusters, form, tags};
use crate::error::MispError;
use crate::fields::{Fields, number, take_list, text, texts, unwrapped, uuid};
use crate::store::Name;
use crate::store::galaxies::{self, Cluster, Galaxy, Relation, Wanted};

/// Clusters of one file.
const MAX_LOADED: usize = 50_000;
/// Characters of a cluster's name.
const MAX_VALUE_CHARS: usize = 255;
/// Clusters attached at once.
const MAX_ATTACHED: usize = 100;
/// Clusters of one galaxy that are shown.
pub(super) const MAX_SHOWN: i64 = 10_000;

pub(super) fn unknown() -> MispError {
    MispError::not_found("galaxy")
}

/// `galaxies/index`; `value` searches.
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let words = text(&ask.fields, "value").unwrap_or_default().trim_matches('%').to_lowercase();
    let mut sql = ask.room.platform().db.read().await?;
    let found = galaxies::galaxies(&mut sql).await?;
    let fits = |galaxy: &&Galaxy| {
        let description = text(&galaxy.body, "description").unwrap_or_default();
        [&galaxy.name, &galaxy.kind, &galaxy.uuid, &description]
            .into_iter()
            .any(|said| said.to_lowercase().contains(&words))
    };
    let shown = found.iter().filter(fits).map(|one| json!({ "Galaxy": form::galaxy(one) }));
    Ok(Value::Array(shown.collect()).into())
}

/// `galaxies/view/ID`: also by type.
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let said = ask.parts.first().cloned().unwrap_or_default();
    let galaxy = galaxies::get_galaxy(&mut sql, &said).await?.ok_or_else(unknown)?;
    let wanted = Wanted { galaxy: galaxy.id, limit: MAX_SHOWN, ..Wanted::default() };
    let mut budget = Budget::new();
    let mut shown = Vec::new();
    for cluster in galaxies::find(&mut sql, &wanted, ask.sight.most()).await? {
        let one = form::cluster(&cluster, &galaxy);
        budget.take_value(&one)?;
        shown.push(one);
    }
    Ok(json!({ "Galaxy": form::galaxy(&galaxy), "GalaxyCluster": shown }).into())
}

/// `galaxies/delete/ID`
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.first().cloned().unwrap_or_default();
    let most = ask.sight.most();
    write(ask, move |sql, _| {
        Box::pin(async move {
            let galaxy = galaxies::get_galaxy(sql, &said).await?.ok_or_else(unknown)?;
            let all = galaxies::count(sql, galaxy.id, i64::MAX).await?;
            // What the caller does not see, it does not delete; it is told no more than for an unknown galaxy.
            if galaxies::count(sql, galaxy.id, most).await? < all {
                return Err(unknown());
            }
            Ok(galaxies::delete_galaxy(sql, galaxy.id).await?)
        })
    })
    .await?;
    let text = "Galaxy deleted";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/galaxies/delete" }).into())
}

/// `galaxies/update`: what this node knows of ATT&CK becomes clusters. Nothing is fetched from outside: files of
/// misp-galaxy are sent to `galaxies/import`.
pub(crate) async fn update(ask: &Ask) -> Result<Answer, MispError> {
    let count = attack::load(ask).await?;
    let text = "Galaxies updated.";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/galaxies/update",
        "x_sereno": format!("{count} clusters of ATT&CK; send files of misp-galaxy to galaxies/import") })
    .into())
}

/// `galaxies/import`: a list of clusters as MISP exports it, or a file of misp-galaxy (`galaxies/X.json`,
/// `clusters/X.json`). A galaxy of a known type gets the new state, its clusters keep their numbers.
pub(crate) async fn import(ask: &Ask) -> Result<Answer, MispError> {
    let (fields, list) = (ask.fields.clone(), ask.list.clone());
    let (galaxies, clusters) = write(ask, move |sql, writer| {
        Box::pin(async move {
            if list.is_empty() {
                file(sql, writer, fields).await
            } else {
                exported(sql, writer, list).await
            }
        })
    })
    .await?;
    let text = format!("{galaxies} galaxies and {clusters} clusters loaded.");
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/galaxies/import" }).into())
}

fn check_count(count: usize) -> Result<(), MispError> {
    if count <= MAX_LOADED {
        return Ok(());
    }
    let text = format!("{count} clusters at once, the limit is {MAX_LOADED}; split the file");
    Err(MispError::bad_request(text))
}

fn galaxy_of(writer: &Writer, mut fields: Fields) -> Result<Galaxy, MispError> {
    let kind = text(&fields, "type").map(|kind| kind.to_lowercase());
    let kind = kind.filter(|kind| clusters::is_word(kind)).ok_or_else(|| {
        MispError::field("type", "a galaxy has a type of letters, digits, - and _")
    })?;
    let name = text(&fields, "name").unwrap_or_else(|| kind.clone());
    let uuid = text(&fields, "uuid").and_then(|said| uuid(&said));
    for name in ["id", "uuid", "type", "name", "values", "authors", "category", "source"] {
        fields.remove(name);
    }
    let uuid = uuid.unwrap_or_else(|| writer.room.new_uuid());
    Ok(Galaxy { id: 0, uuid, kind, name, body: fields })
}

/// A file of misp-galaxy.
async fn file(
    sql: &mut AnyConnection,
    writer: &Writer,
    fields: Fields,
) -> Result<(usize, usize), MispError> {
    let mut fields = fields;
    let has_values = fields.contains_key("values");
    let values = take_list(&mut fields, "values");
    check_count(values.len())?;
    let (source, authors) = (fields.get("source").cloned(), fields.get("authors").cloned());
    let mut galaxy = galaxy_of(writer, fields)?;
    galaxy.id = match galaxies::get_galaxy(sql, &galaxy.kind).await? {
        // The file of the galaxy itself says more of it than that of its clusters.
        Some(known) if has_values => known.id,
        _ => galaxies::put_galaxy(sql, &galaxy).await?,
    };
    let count = values.len();
    for mut value in values {
        for (name, of_file) in [("source", &source), ("authors", &authors)] {
            if let Some(of_file) = of_file {
                value.entry(name).or_insert(of_file.clone());
            }
        }
        load(sql, writer, &galaxy, value).await?;
    }
    Ok((1, count))
}

/// What MISP exports: clusters, each with its galaxy.
async fn exported(
    sql: &mut AnyConnection,
    writer: &Writer,
    list: Vec<Value>,
) -> Result<(usize, usize), MispError> {
    check_count(list.len())?;
    let mut known: Vec<Galaxy> = Vec::new();
    let mut count = 0;
    for one in list {
        let Value::Object(mut fields) = one else { continue };
        let beside = take_list(&mut fields, "Galaxy").pop();
        let mut fields = unwrapped(fields, "GalaxyCluster");
        let within = take_list(&mut fields, "Galaxy").pop();
        let Some(said) = within.or(beside) else {
            return Err(MispError::field("Galaxy", "a cluster comes with its galaxy"));
        };
        let mut galaxy = galaxy_of(writer, said)?;
        match known.iter().find(|known| known.kind == galaxy.kind) {
            Some(same) => galaxy = same.clone(),
            None => {
                galaxy.id = galaxies::put_galaxy(sql, &galaxy).await?;
                known.push(galaxy.clone());
            }
        }
        load(sql, writer, &galaxy, fields).await?;
        count += 1;
    }
    Ok((known.len(), count))
}

/// Loads one cluster; one that was made here is not touched by it.
pub(super) async fn load(
    sql: &mut AnyConnection,
    writer: &Writer,
    galaxy: &Galaxy,
    fields: Fields,
) -> Result<(), MispError> {
    let mut fields = fields;
    let value = text(&fields, "value").unwrap_or_default();
    if value.trim().is_empty() || value.chars().count() > MAX_VALUE_CHARS {
        let text = format!("a cluster has a name of 1 to {MAX_VALUE_CHARS} characters");
        return Err(MispError::field("value", text));
    }
    if let Some(Value::Object(meta)) = fields.remove("meta") {
        fields.entry("GalaxyElement").or_insert_with(|| clusters::elements(&meta));
    }
    let related = take_list(&mut fields, "related");
    let own_uuid = writer.uuid_of(&fields)?;
    clusters::strip(&mut fields);
    let mut cluster = Cluster {
        id: 0,
        uuid: own_uuid,
        galaxy: galaxy.id,
        tag: format!("misp-galaxy:{}=\"{value}\"", galaxy.kind),
        value,
        own: false,
        published: true,
        deleted: false,
        // What is loaded from a public collection is public.
        tlp: 0,
        stamp: writer.now_s,
        body: fields,
    };
    match galaxies::insert(sql, &cluster).await? {
        Some(id) => cluster.id = id,
        None => {
            let name = Name::Uuid(cluster.uuid.clone());
            let known = galaxies::get(sql, &name, i64::MAX).await?;
            let Some(known) = known.filter(|known| !known.own) else { return Ok(()) };
            cluster.id = known.id;
            galaxies::update(sql, &cluster).await?;
        }
    }
    for one in related {
        let target = text(&one, "dest-uuid").and_then(|said| uuid(&said));
        if let (Some(target), Some(kind)) = (target, text(&one, "type")) {
            let relation =
                Relation { id: 0, cluster: cluster.id, target, kind, body: Fields::new() };
            galaxies::put_relation(sql, &relation).await?;
        }
    }
    Ok(())
}

/// Keeps clusters that another server made: they are not changed here, and no less protected than `least` says. How many
/// are new or newer.
pub(super) async fn told(
    sql: &mut AnyConnection,
    writer: &Writer,
    list: Vec<Value>,
    least: i64,
    teller: &str,
) -> Result<usize, MispError> {
    let mut count = 0;
    for one in list {
        let Value::Object(fields) = one else { continue };
        let mut fields = unwrapped(fields, "GalaxyCluster");
        let Some(said) = take_list(&mut fields, "Galaxy").pop() else { continue };
        let Ok(mut galaxy) = galaxy_of(writer, said) else { continue };
        galaxy.id = match galaxies::get_galaxy(sql, &galaxy.kind).await? {
            Some(known) => known.id,
            None => galaxies::put_galaxy(sql, &galaxy).await?,
        };
        fields.insert("x_sereno_told_by".into(), teller.into());
        // It goes on from here one step less far, as events do.
        let less = match number(&fields, "distribution") {
            Some(1) => Some("0"),
            Some(2) => Some("1"),
            _ => None,
        };
        if let Some(less) = less {
            fields.insert("distribution".into(), less.into());
        }
        let Ok((mut cluster, relations)) = clusters::sent(writer, &galaxy, fields) else {
            continue;
        };
        cluster.own = false;
        cluster.published = true;
        cluster.tlp = cluster.tlp.max(least);
        match galaxies::insert(sql, &cluster).await? {
            Some(id) => cluster.id = id,
            None => {
                let name = Name::Uuid(cluster.uuid.clone());
                let known = galaxies::get(sql, &name, i64::MAX).await?;
                // What was made here, or loaded, or told by another server, is not this one's to change.
                let same = |known: &Cluster| {
                    !known.own && text(&known.body, "x_sereno_told_by").as_deref() == Some(teller)
                };
                let Some(known) = known.filter(same) else { continue };
                if number(&known.body, "version") >= number(&cluster.body, "version") {
                    continue;
                }
                cluster.id = known.id;
                galaxies::update(sql, &cluster).await?;
            }
        }
        super::cluster_relations::relate(sql, cluster.id, relations).await?;
        count += 1;
    }
    Ok(count)
}

/// `galaxies/attachCluster/TARGET/event|attribute`
pub(crate) async fn attach(ask: &Ask) -> Result<Answer, MispError> {
    on_target(ask, true).await
}

/// `galaxies/detachCluster/TARGET/event|attribute`
pub(crate) async fn detach(ask: &Ask) -> Result<Answer, MispError> {
    on_target(ask, false).await
}

async fn on_target(ask: &Ask, on: bool) -> Result<Answer, MispError> {
    let [target, kind] = ask.parts.as_slice() else { return Err(MispError::not_found("target")) };
    let target = Name::parse(target).ok_or_else(|| MispError::not_found("target"))?;
    let kind = tags::Kind::named(kind).ok_or_else(|| {
        MispError::bad_request("clusters are attached to an event or an attribute")
    })?;
    let fields = unwrapped(ask.fields.clone(), "Galaxy");
    let mut wanted = texts(&fields, "target_id");
    if let [one] = wanted.as_slice()
        && let Ok(Value::Array(list)) = serde_json::from_str(one)
    {
        wanted = texts(&Fields::from_iter([("ids".to_owned(), Value::Array(list))]), "ids");
    }
    if wanted.is_empty() || wanted.len() > MAX_ATTACHED {
        let text = format!("from one to {MAX_ATTACHED} clusters, by their numbers or UUIDs");
        return Err(MispError::field("target_id", text));
    }
    let local = number(&ask.fields, "local").unwrap_or(0) != 0;
    let mut names = Vec::with_capacity(wanted.len());
    let mut sql = ask.room.platform().db.read().await?;
    for one in wanted {
        let name = Name::parse(&one).ok_or_else(clusters::unknown)?;
        let known = galaxies::get(&mut sql, &name, ask.sight.most()).await?;
        names.push(known.filter(|known| !known.deleted).ok_or_else(clusters::unknown)?.tag);
    }
    drop(sql);
    for name in names {
        tags::put(ask, (target.clone(), kind), name, local, on).await?;
    }
    let text = if on { "Cluster attached." } else { "Cluster detached." };
    Ok(json!({ "saved": true, "success": text, "check_publish": true, "name": text, "message": text,
        "url": "/galaxies/attachCluster" })
    .into())
}
