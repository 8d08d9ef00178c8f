//! ATT&CK, CAPEC and ATLAS as they stand in the store, read into tables, once for each state of the store.
//!
//! Only what is TLP:CLEAR is read: tables and names are the same for everybody, so nothing of them may be a secret.

use std::sync::{Arc, Mutex, PoisonError};

use feeds::extract::Names;
use feeds::knowledge::Knowledge as Tables;
use platform::http::Problem;

use crate::error::KnowledgeError;
use crate::room::Knowledge;

/// Objects read at most: all of ATT&CK, CAPEC and ATLAS several times over.
const MAX_OBJECTS: i64 = 200_000;
const TYPES: &[&str] = &[
    "attack-pattern",
    "campaign",
    "course-of-action",
    "intrusion-set",
    "malware",
    "tool",
    "x-mitre-matrix",
    "x-mitre-tactic",
    "x-mitre-collection",
    "marking-definition",
    "relationship",
];

/// The tables and the names in them.
pub(crate) struct Ontology {
    pub(crate) tables: Tables,
    pub(crate) names: Option<Names>,
}

/// The last one read, with the state of the store it was read from.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Option<(i64, Arc<Ontology>)>>);

/// The ontology for the store as it is.
pub(crate) async fn current(room: &Knowledge) -> Result<Arc<Ontology>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let seq = intel::objects::last_seq(&mut sql).await?;
    let held = room.ontology().0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((at, ontology)) = held
        && at == seq
    {
        return Ok(ontology);
    }
    let bodies = intel::objects::clear_bodies(&mut sql, TYPES, MAX_OBJECTS).await?;
    drop(sql);
    let read =
        tokio::task::spawn_blocking(move || read(&bodies)).await.map_err(Problem::internal)?;
    let ontology = Arc::new(read.map_err(Problem::from)?);
    let mut cache = room.ontology().0.lock().unwrap_or_else(PoisonError::into_inner);
    *cache = Some((seq, Arc::clone(&ontology)));
    Ok(ontology)
}

fn read(bodies: &[String]) -> Result<Ontology, KnowledgeError> {
    let objects: Vec<stix::Object> = bodies
        .iter()
        .filter_map(|body| serde_json::from_str(body).ok())
        .filter_map(stix::Object::from_value)
        .collect();
    let tables = Tables::read(&objects);
    // Too many names to look for is no reason to look for none of the rest.
    let names = Names::new(tables.names()).ok();
    Ok(Ontology { tables, names })
}
