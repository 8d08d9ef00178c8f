//! What stands beside events as MISP writes it: proposals, reports, galaxies and clusters.

use serde_json::{Value, json};

use super::show::{number, org, set};
use crate::fields::Fields;
use crate::store::events::Event;
use crate::store::galaxies::{Cluster, Galaxy};
use crate::store::others::Org;
use crate::store::proposals::Proposal;
use crate::store::reports::Report;

pub(crate) fn proposal(one: &Proposal, orgs: &[Org]) -> Value {
    let mut fields = one.body.clone();
    number(&mut fields, "id", one.id);
    number(&mut fields, "event_id", one.event);
    number(&mut fields, "old_id", one.attribute);
    number(&mut fields, "org_id", one.org);
    number(&mut fields, "timestamp", one.stamp);
    set(&mut fields, "uuid", one.uuid.clone());
    set(&mut fields, "type", one.kind.clone());
    set(&mut fields, "category", one.category.clone());
    set(&mut fields, "value", one.value.clone());
    set(&mut fields, "to_ids", one.to_ids);
    set(&mut fields, "proposal_to_delete", one.deletes);
    set(&mut fields, "deleted", one.closed);
    fields.entry("comment").or_insert_with(|| "".into());
    set(&mut fields, "Org", orgs.iter().find(|found| found.id == one.org).map(org));
    Value::Object(fields)
}

pub(crate) fn report(report: &Report) -> Value {
    let mut fields = report.body.clone();
    number(&mut fields, "id", report.id);
    number(&mut fields, "event_id", report.event);
    number(&mut fields, "timestamp", report.stamp);
    set(&mut fields, "uuid", report.uuid.clone());
    set(&mut fields, "name", report.name.clone());
    set(&mut fields, "deleted", report.deleted);
    for (name, usual) in [("content", ""), ("distribution", "5"), ("sharing_group_id", "0")] {
        fields.entry(name).or_insert(usual.into());
    }
    Value::Object(fields)
}

/// An event in a line, as it stands beside another.
pub(crate) fn brief(event: &Event, orgs: &[Org]) -> Value {
    let own =
        |name: &str, usual: &str| event.body.get(name).cloned().unwrap_or_else(|| usual.into());
    json!({
        "id": event.id.to_string(),
        "uuid": event.uuid,
        "info": event.info,
        "date": event.date,
        "published": event.published,
        "timestamp": event.stamp.to_string(),
        "threat_level_id": own("threat_level_id", "4"),
        "analysis": own("analysis", "0"),
        "distribution": own("distribution", "1"),
        "org_id": orgs.first().map(|own| own.id.to_string()),
        "orgc_id": event.orgc.to_string(),
        "Org": orgs.first().map(org),
        "Orgc": orgs.iter().find(|found| found.id == event.orgc).map(org),
    })
}

pub(crate) fn galaxy(galaxy: &Galaxy) -> Value {
    let mut fields = galaxy.body.clone();
    number(&mut fields, "id", galaxy.id);
    set(&mut fields, "uuid", galaxy.uuid.clone());
    set(&mut fields, "type", galaxy.kind.clone());
    set(&mut fields, "name", galaxy.name.clone());
    for (name, usual) in
        [("description", ""), ("version", "1"), ("icon", "map"), ("namespace", "misp")]
    {
        fields.entry(name).or_insert(usual.into());
    }
    fields.entry("enabled").or_insert(true.into());
    Value::Object(fields)
}

/// A cluster with its elements also as `meta`.
pub(crate) fn cluster(cluster: &Cluster, galaxy: &Galaxy) -> Value {
    let mut fields = cluster.body.clone();
    number(&mut fields, "id", cluster.id);
    number(&mut fields, "galaxy_id", cluster.galaxy);
    set(&mut fields, "uuid", cluster.uuid.clone());
    set(&mut fields, "collection_uuid", galaxy.uuid.clone());
    set(&mut fields, "type", galaxy.kind.clone());
    set(&mut fields, "value", cluster.value.clone());
    set(&mut fields, "tag_name", cluster.tag.clone());
    set(&mut fields, "default", !cluster.own);
    set(&mut fields, "published", cluster.published);
    set(&mut fields, "deleted", cluster.deleted);
    for (name, usual) in [("description", ""), ("source", ""), ("sharing_group_id", "0")] {
        fields.entry(name).or_insert(usual.into());
    }
    fields.entry("authors").or_insert_with(|| json!([]));
    fields.entry("distribution").or_insert(if cluster.own { "0" } else { "3" }.into());
    fields.entry("version").or_insert_with(|| cluster.stamp.to_string().into());
    let mut meta = Fields::new();
    for element in fields.get("GalaxyElement").and_then(Value::as_array).into_iter().flatten() {
        let Some(key) = element["key"].as_str() else { continue };
        if let Value::Array(list) = meta.entry(key).or_insert_with(|| json!([])) {
            list.push(element["value"].clone());
        }
    }
    set(&mut fields, "meta", Value::Object(meta));
    Value::Object(fields)
}
