//! ATT&CK as galaxies: what the store of intelligence knows of it becomes clusters, so that people find techniques,
//! groups and tools by the tags that other servers use.

use intel::search::{self, MAX_LIMIT, Wanted};
use serde_json::{Map, Value, json};
use sqlx::AnyConnection;

use super::events::write;
use super::take::Writer;
use super::{Ask, galaxies as loaded};
use crate::error::MispError;
use crate::fields::{Fields, text};
use crate::store::Name;
use crate::store::galaxies::{self, Galaxy};

/// Types of STIX with the galaxy that misp-galaxy makes of them.
const GALAXIES: &[(&str, &str, &str)] = &[
    ("attack-pattern", "mitre-attack-pattern", "Attack Pattern"),
    ("course-of-action", "mitre-course-of-action", "Course of Action"),
    ("intrusion-set", "mitre-intrusion-set", "Intrusion Set"),
    ("malware", "mitre-malware", "Malware"),
    ("tool", "mitre-tool", "Tool"),
];
/// What a cluster that was made here of ATT&CK says of its origin; others stay as they were loaded.
const SOURCE: &str = "ATT&CK, as known to this node";
/// Objects of one type that are read.
const MAX_OBJECTS: usize = 20_000;

/// Makes clusters of what is known of ATT&CK; how many.
pub(super) async fn load(ask: &Ask) -> Result<usize, MispError> {
    let mut count = 0;
    for (kind, galaxy, name) in GALAXIES {
        let found = known(ask, kind).await?;
        if found.is_empty() {
            continue;
        }
        count += found.len();
        let (galaxy, name) = ((*galaxy).to_owned(), (*name).to_owned());
        write(ask, move |sql, writer| {
            Box::pin(async move { put(sql, writer, (galaxy, name), found).await })
        })
        .await?;
    }
    Ok(count)
}

/// Clusters of the public objects of a type that ATT&CK numbers, revoked ones left out.
async fn known(ask: &Ask, kind: &str) -> Result<Vec<Fields>, MispError> {
    let query = search::parse(&format!("type:{kind}"), 0);
    let query = query.map_err(|cause| MispError::bad_request(cause.to_string()))?;
    let mut sql = ask.room.platform().db.read().await?;
    let (mut found, mut read, mut before_seq) = (Vec::new(), 0, None);
    while read < MAX_OBJECTS {
        let wanted = Wanted {
            query: &query,
            sight: ask.sight,
            at_us: None,
            before_seq,
            limit: MAX_LIMIT,
            count: false,
        };
        let page = search::run(&mut sql, &wanted).await?;
        let Some(last) = page.hits.last() else { break };
        before_seq = Some(last.seq);
        read += page.hits.len();
        let public = page.hits.iter().filter(|hit| hit.tlp == 0 && !hit.revoked);
        found.extend(public.filter_map(|hit| cluster(&hit.body)));
    }
    Ok(found)
}

/// An object of ATT&CK as misp-galaxy writes it; `None` for others.
fn cluster(body: &str) -> Option<Fields> {
    let object: Value = serde_json::from_str(body).ok()?;
    let references = object["external_references"].as_array()?;
    let is_attack = |one: &&Value| {
        one["source_name"].as_str().is_some_and(|name| name.starts_with("mitre-"))
            && one["external_id"].is_string()
    };
    let number = references.iter().find(is_attack)?["external_id"].as_str()?;
    let uuid = object["id"].as_str()?.split_once("--")?.1;
    let mut meta = Map::new();
    meta.insert("external_id".into(), number.into());
    let urls: Vec<&Value> =
        references.iter().map(|one| &one["url"]).filter(|u| u.is_string()).collect();
    meta.insert("refs".into(), json!(urls));
    for name in ["aliases", "x_mitre_aliases"] {
        if object[name].is_array() {
            meta.insert("synonyms".into(), object[name].clone());
        }
    }
    let phases = object["kill_chain_phases"].as_array().into_iter().flatten();
    let phases: Vec<String> = phases
        .filter_map(|one| {
            Some(format!("{}:{}", one["kill_chain_name"].as_str()?, one["phase_name"].as_str()?))
        })
        .collect();
    if !phases.is_empty() {
        meta.insert("kill_chain".into(), json!(phases));
    }
    let shown = json!({ "uuid": uuid, "value": format!("{} - {number}", object["name"].as_str()?),
        "description": object["description"], "source": SOURCE, "authors": ["MITRE"], "meta": meta });
    shown.as_object().cloned()
}

async fn put(
    sql: &mut AnyConnection,
    writer: &Writer,
    (kind, name): (String, String),
    list: Vec<Fields>,
) -> Result<(), MispError> {
    let galaxy = match galaxies::get_galaxy(sql, &kind).await? {
        Some(known) => known,
        None => {
            let body = json!({ "description": "ATT&CK", "namespace": "mitre-attack" });
            let body = body.as_object().cloned().unwrap_or_default();
            let mut galaxy = Galaxy { id: 0, uuid: writer.room.new_uuid(), kind, name, body };
            galaxy.id = galaxies::put_galaxy(sql, &galaxy).await?;
            galaxy
        }
    };
    for fields in list {
        let name = text(&fields, "uuid").and_then(|said| Name::parse(&said));
        let Some(name) = name else { continue };
        let known = galaxies::get(sql, &name, i64::MAX).await?;
        let other =
            known.is_some_and(|known| text(&known.body, "source").as_deref() != Some(SOURCE));
        if !other {
            loaded::load(sql, writer, &galaxy, fields).await?;
        }
    }
    Ok(())
}
