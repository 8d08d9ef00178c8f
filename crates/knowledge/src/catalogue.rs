//! Catalogues that are no STIX: D3FEND's countermeasures and CWE's names, as objects of TLP:CLEAR.

use std::collections::BTreeMap;
use std::io::Read;

use feeds::knowledge::cwe;
use feeds::knowledge::d3fend::{self, D3fend, Fit};
use feeds::unpack::{DEFAULT_PACK_LIMITS, PackLimits, open};
use intel::{Sight, Source, objects, own};
use platform::http::Problem;
use serde_json::{Value, json};
use stix::{Object, StixId, Tlp};

use crate::error::KnowledgeError;
use crate::import::{self, ImportReport};
use crate::ontology::Ontology;
use crate::room::Knowledge;

/// Largest catalogue, unpacked, bytes.
const MAX_BYTES: u64 = 64 << 20;
/// Links of D3FEND kept at most.
const MAX_LINKS: usize = 100_000;
/// Type of a weakness: STIX has none.
const WEAKNESS: &str = "x-sereno-weakness";

/// A catalogue by the name in the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Catalogue {
    D3fend,
    Cwe,
}

impl Catalogue {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "d3fend" => Some(Self::D3fend),
            "cwe" => Some(Self::Cwe),
            _ => None,
        }
    }

    fn source(self) -> Source {
        let (key, name, licence) = match self {
            Self::D3fend => ("knowledge:d3fend", "D3FEND", "MIT, © The MITRE Corporation"),
            Self::Cwe => ("knowledge:cwe", "CWE", "CWE terms of use, © The MITRE Corporation"),
        };
        Source {
            key: key.into(),
            name: name.into(),
            kind: "knowledge".into(),
            tlp: Tlp::Clear,
            licence: licence.into(),
        }
    }
}

/// What a catalogue brought.
pub(crate) struct Loaded {
    pub(crate) report: ImportReport,
    /// Techniques that D3FEND names and that are not loaded here.
    pub(crate) unknown: Vec<String>,
}

/// Reads a catalogue, packed or not, and keeps what changed.
pub(crate) async fn load(
    room: &Knowledge,
    which: Catalogue,
    bytes: Vec<u8>,
) -> Result<Loaded, Problem> {
    let _turn = room.import_turn().await;
    let ontology = crate::ontology::current(room).await?;
    let node = room.platform().node.id.to_string();
    let now = room.platform().now().to_millis_text();
    let reading = tokio::task::spawn_blocking(move || -> Result<_, String> {
        let text = unpacked(&bytes)?;
        match which {
            Catalogue::D3fend => {
                let read = D3fend::read(&text).map_err(|error| error.to_string())?;
                Ok(of_d3fend(&read, &ontology, &node, &now))
            }
            Catalogue::Cwe => {
                let read = cwe::read(&text).map_err(|error| error.to_string())?;
                Ok((of_cwe(&read, &node, &now), vec![]))
            }
        }
    });
    let (objects, unknown) = reading.await.map_err(Problem::internal)?.map_err(|text| {
        Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
            .remedy("D3FEND is its ontology in Turtle, CWE a CSV table of cwe.mitre.org.")
    })?;
    let report = keep_changed(room, which.source(), objects).await?;
    Ok(Loaded { report, unknown })
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let limits =
        PackLimits { max_packed: MAX_BYTES, max_unpacked: MAX_BYTES, ..DEFAULT_PACK_LIMITS };
    let mut text = Vec::new();
    let reader = std::io::Cursor::new(bytes.to_vec());
    open(reader, None, limits)
        .map_err(|error| error.to_string())?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| error.to_string())?;
    Ok(text)
}

fn object(kind: &str, seed: &str, node: &str, now: &str, more: Value) -> Object {
    let id = StixId::derived(kind, own::NAMESPACE, seed);
    own::object(&id, node, now, Tlp::Clear, more)
}

/// Countermeasures as courses of action, and which technique each mitigates: where both touch the same artefact, or the
/// countermeasure a more general one. What meets only a part of a technique is left out.
fn of_d3fend(
    read: &D3fend,
    ontology: &Ontology,
    node: &str,
    now: &str,
) -> (Vec<Object>, Vec<String>) {
    let mut made = Vec::with_capacity(read.countermeasures.len());
    for (id, one) in &read.countermeasures {
        let more = json!({ "name": one.name, "description": one.definition, "labels": one.tactics,
            "external_references": [{ "source_name": "mitre-d3fend", "external_id": id,
                "url": format!("https://d3fend.mitre.org/technique/?id={id}") }] });
        made.push(object("course-of-action", &format!("d3fend {id}"), node, now, plain(more)));
    }
    let mut links: BTreeMap<(&str, &str), &d3fend::Link> = BTreeMap::new();
    for link in read.links.iter().filter(|link| link.fit != Fit::Partly) {
        links
            .entry((&link.technique, &link.countermeasure))
            .and_modify(|kept| {
                if link.fit < kept.fit {
                    *kept = link;
                }
            })
            .or_insert(link);
    }
    let mut unknown: Vec<String> = Vec::new();
    for ((technique, countermeasure), link) in links.into_iter().take(MAX_LINKS) {
        let Some(target) = ontology.tables.get(technique) else {
            if unknown.last().is_none_or(|last| last != technique) {
                unknown.push(technique.to_owned());
            }
            continue;
        };
        let seed = format!("d3fend {countermeasure}");
        let from = StixId::derived("course-of-action", own::NAMESPACE, &seed);
        let description = format!(
            "{} {}; the technique {} {}",
            link.does, link.artefact, link.attack_does, link.attack_artefact
        );
        let more = json!({ "relationship_type": "mitigates", "source_ref": from.as_str(),
            "target_ref": target.stix_id, "description": description });
        let seed = format!("d3fend {countermeasure} mitigates {technique}");
        made.push(object("relationship", &seed, node, now, more));
    }
    (made, unknown)
}

/// Without the properties that are empty, which STIX forbids.
fn plain(mut more: Value) -> Value {
    if let Some(map) = more.as_object_mut() {
        map.retain(|_, value| {
            !value.as_array().is_some_and(Vec::is_empty) && value.as_str() != Some("")
        });
    }
    more
}

fn of_cwe(read: &[cwe::Weakness], node: &str, now: &str) -> Vec<Object> {
    let made = read.iter().map(|one| {
        let number = one.id.trim_start_matches("CWE-");
        let more = json!({ "name": format!("{} {}", one.id, one.name), "description": one.description,
            "external_references": [{ "source_name": "cwe", "external_id": one.id,
                "url": format!("https://cwe.mitre.org/data/definitions/{number}.html") }] });
        object(WEAKNESS, &one.id, node, now, plain(more))
    });
    made.collect()
}

/// Keeps the objects that say something else than what is known of them: a catalogue that is loaded again makes no new
/// versions of what it says as before.
pub(crate) async fn keep_changed(
    room: &Knowledge,
    source: Source,
    made: Vec<Object>,
) -> Result<ImportReport, KnowledgeError> {
    let mut sql = room.platform().db.read().await?;
    let all = made.len() as u64;
    let mut fresh = Vec::with_capacity(made.len());
    for object in made {
        match objects::newest(&mut sql, object.id_text(), Sight::ALL).await? {
            None => fresh.push(object),
            Some(known) => fresh.extend(changed(object, &known.body)),
        }
    }
    drop(sql);
    let same = all - fresh.len() as u64;
    let mut report = import::keep_counted(room, source, fresh).await?;
    report.same += same;
    report.objects = all;
    Ok(report)
}

/// The object as a newer version of what is known, if it says something else.
fn changed(object: Object, known: &str) -> Option<Object> {
    let known: Value = serde_json::from_str(known).ok()?;
    let mut map = object.into_map();
    let without_times = |value: &Value| {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.shift_remove("created");
            map.shift_remove("modified");
        }
        value
    };
    if without_times(&known) == without_times(&Value::Object(map.clone())) {
        return None;
    }
    if let Some(created) = known.get("created") {
        map.insert("created".into(), created.clone());
    }
    Some(Object::from_map(map))
}
