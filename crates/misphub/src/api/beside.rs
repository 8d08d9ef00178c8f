//! What stands beside the parts of an event: galaxies behind its tags, proposals, reports, related events, its sharing
//! group.

use std::collections::{BTreeMap, HashMap};

use platform::db::DbError;
use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::form;
use super::show::Parts;
use crate::fields::{Fields, number};
use crate::store::events::Event;
use crate::store::galaxies::{self, Cluster, Galaxy};
use crate::store::others::{self, Org};
use crate::store::{Name, correlate, events, proposals, reports};

/// What tags of clusters begin with.
pub(crate) const GALAXY: &str = "misp-galaxy:";
/// Distribution to a sharing group.
const TO_GROUP: i64 = 4;

/// Clusters in sight behind tags, each with its galaxy.
pub(crate) struct Behind {
    clusters: HashMap<String, Cluster>,
    galaxies: HashMap<i64, Galaxy>,
}

fn names_of(value: &Value) -> Vec<String> {
    let tags = value["Tag"].as_array().into_iter().flatten();
    let names = tags.filter_map(|tag| tag["name"].as_str()).map(str::to_lowercase);
    names.filter(|name| name.starts_with(GALAXY)).collect()
}

impl Behind {
    /// Looks up what the tags of these things stand for.
    pub(crate) async fn of<'v>(
        sql: &mut AnyConnection,
        things: impl Iterator<Item = &'v Value>,
        most: i64,
    ) -> Result<Self, DbError> {
        let mut names: Vec<String> = things.flat_map(names_of).collect();
        names.sort_unstable();
        names.dedup();
        let mut behind = Self { clusters: HashMap::new(), galaxies: HashMap::new() };
        if names.is_empty() {
            return Ok(behind);
        }
        behind.clusters = galaxies::by_tags(sql, &names, most).await?;
        if !behind.clusters.is_empty() {
            let all = galaxies::galaxies(sql).await?;
            behind.galaxies = all.into_iter().map(|galaxy| (galaxy.id, galaxy)).collect();
        }
        Ok(behind)
    }

    /// Puts the galaxies behind the tags of a thing beside them. Clusters that came with it and are not known here stay.
    pub(crate) fn put(&self, thing: &mut Value) {
        let mut by_galaxy: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
        let tags = thing["Tag"].as_array().cloned().unwrap_or_default();
        let mut known = Vec::new();
        for tag in &tags {
            let name = tag["name"].as_str().unwrap_or_default().to_lowercase();
            let Some(cluster) = self.clusters.get(&name) else { continue };
            let Some(galaxy) = self.galaxies.get(&cluster.galaxy) else { continue };
            let mut shown = form::cluster(cluster, galaxy);
            shown["tag_id"] = tag["id"].clone();
            shown["local"] = tag["local"].clone();
            by_galaxy.entry(galaxy.id).or_default().push(shown);
            known.push(name);
        }
        if known.is_empty() {
            return;
        }
        let mut shown: Vec<Value> = Vec::new();
        for (id, clusters) in by_galaxy {
            if let Some(galaxy) = self.galaxies.get(&id) {
                let mut one = form::galaxy(galaxy);
                one["GalaxyCluster"] = Value::Array(clusters);
                shown.push(one);
            }
        }
        for mut galaxy in thing["Galaxy"].as_array().cloned().unwrap_or_default() {
            if let Some(Value::Array(list)) = galaxy.get_mut("GalaxyCluster") {
                let other = |cluster: &Value| {
                    let tag = cluster["tag_name"].as_str().unwrap_or_default();
                    !known.contains(&tag.to_lowercase())
                };
                list.retain(other);
                if !list.is_empty() {
                    shown.push(galaxy);
                }
            }
        }
        thing["Galaxy"] = Value::Array(shown);
    }
}

/// All attributes of an event that is shown, those of objects included.
pub(crate) fn attributes_of(event: &mut Value) -> Vec<&mut Value> {
    let Value::Object(fields) = event else { return vec![] };
    let mut found = Vec::new();
    for (name, value) in fields {
        let Value::Array(items) = value else { continue };
        match name.as_str() {
            "Attribute" => found.extend(items.iter_mut()),
            "Object" => {
                for object in items {
                    if let Some(Value::Array(own)) = object.get_mut("Attribute") {
                        found.extend(own.iter_mut());
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// Leaves out what a server that pulls does not want: tags that are this node's own, galaxies.
pub(crate) fn leave_out(event: &mut Value, local_tags: bool, galaxies: bool) {
    let strip = |thing: &mut Value| {
        let Some(fields) = thing.as_object_mut() else { return };
        if local_tags && let Some(Value::Array(tags)) = fields.get_mut("Tag") {
            tags.retain(|tag| tag["local"] != json!(true));
        }
        if galaxies {
            fields.remove("Galaxy");
        }
    };
    strip(event);
    attributes_of(event).into_iter().for_each(strip);
}

/// Puts what stands beside an event to it.
pub(crate) async fn put(
    sql: &mut AnyConnection,
    event: &Event,
    shown: &mut Value,
    parts: Parts,
    orgs: &[Org],
) -> Result<(), DbError> {
    let most = parts.clusters.unwrap_or(event.tlp);
    let own = json!({ "Tag": shown["Tag"].clone() });
    let mut things = vec![own];
    things.extend(attributes_of(shown).into_iter().map(|one| json!({ "Tag": one["Tag"].clone() })));
    let behind = Behind::of(sql, things.iter(), most).await?;
    behind.put(shown);
    attributes_of(shown).into_iter().for_each(|one| behind.put(one));
    reported(sql, event, shown, parts.deleted).await?;
    if parts.proposals {
        proposed(sql, event.id, shown, orgs).await?;
    }
    if let Some(most) = parts.related {
        let found = related(sql, event.id, most, orgs).await?;
        shown["RelatedEvent"] = Value::Array(found);
    }
    Ok(())
}

/// Reports that came with an event before they had a table stay in its body.
async fn reported(
    sql: &mut AnyConnection,
    event: &Event,
    shown: &mut Value,
    deleted: bool,
) -> Result<(), DbError> {
    let found = reports::find(sql, event.id, deleted, i64::MAX).await?;
    let list = shown["EventReport"].as_array().cloned().unwrap_or_default();
    let other = |one: &Value| found.iter().all(|known| one["uuid"].as_str() != Some(&known.uuid));
    let mut list: Vec<Value> = list.into_iter().filter(other).collect();
    list.extend(found.iter().map(form::report));
    shown["EventReport"] = Value::Array(list);
    Ok(())
}

async fn proposed(
    sql: &mut AnyConnection,
    event: i64,
    shown: &mut Value,
    orgs: &[Org],
) -> Result<(), DbError> {
    let mut alone = Vec::new();
    let mut by_attribute: HashMap<String, Vec<Value>> = HashMap::new();
    for one in proposals::open(sql, event, i64::MIN, i64::MAX).await? {
        let value = form::proposal(&one, orgs);
        match one.attribute {
            0 => alone.push(value),
            id => by_attribute.entry(id.to_string()).or_default().push(value),
        }
    }
    for attribute in attributes_of(shown) {
        let id = attribute["id"].as_str().unwrap_or_default();
        if let Some(list) = by_attribute.remove(id) {
            attribute["ShadowAttribute"] = Value::Array(list);
        }
    }
    shown["ShadowAttribute"] = Value::Array(alone);
    Ok(())
}

/// Events in sight that share a value with this one.
async fn related(
    sql: &mut AnyConnection,
    event: i64,
    most: i64,
    orgs: &[Org],
) -> Result<Vec<Value>, DbError> {
    let mut found = Vec::new();
    for id in correlate::events(sql, event, most).await? {
        if let Some(event) = events::get(sql, &Name::Number(id), most).await? {
            found.push(json!({ "Event": form::brief(&event, orgs) }));
        }
    }
    Ok(found)
}

/// The sharing group that a thing goes to, as it is shown; `answer` takes it out for those who may not see members.
pub(crate) async fn group(
    sql: &mut AnyConnection,
    fields: &Fields,
) -> Result<Option<Value>, DbError> {
    if number(fields, "distribution") != Some(TO_GROUP) {
        return Ok(None);
    }
    let Some(id) = number(fields, "sharing_group_id").filter(|id| *id != 0) else {
        return Ok(None);
    };
    let known = others::groups(sql).await?.into_iter().find(|group| group.id == id);
    Ok(known.map(|group| {
        let mut own = group.body.get("SharingGroup").cloned().unwrap_or_else(|| json!({}));
        own["id"] = group.id.to_string().into();
        own["uuid"] = group.uuid.into();
        own["name"] = group.name.into();
        for name in ["SharingGroupOrg", "SharingGroupServer"] {
            own[name] = group.body.get(name).cloned().unwrap_or_else(|| json!([]));
        }
        own
    }))
}
