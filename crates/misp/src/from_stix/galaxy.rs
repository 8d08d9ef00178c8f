//! Clusters.

use serde_json::{Map, Value, json};

use super::{Draft, Reader, label};
use crate::carry::{OTHER, Taker};

impl Reader {
    /// An object with the label `misp:galaxy-type=`.
    pub(super) fn cluster(&mut self, id: &str, event: &mut Draft) {
        let Some(mut taker) = self.take(id) else { return };
        if let Some(mut other) = taker.object(OTHER) {
            let galaxy = other.swap_remove("Galaxy").unwrap_or_default();
            if let Some(Value::Object(cluster)) = other.swap_remove("GalaxyCluster") {
                // The record travelled whole: what the object says beside it was made of it.
                self.clusters.insert(id.to_owned(), (galaxy, cluster));
                event.clusters.push(id.to_owned());
                return;
            }
        }
        let kind = label(&taker, "galaxy-type").unwrap_or_default();
        let name = label(&taker, "galaxy-name").unwrap_or_default();
        taker.any("labels");
        self.cluster_of(id, taker, (&kind, &name), event);
    }

    /// A foreign domain object as a cluster of the galaxy `stix-2.1-TYPE`.
    pub(super) fn foreign_cluster(&mut self, id: &str, event: &mut Draft) {
        let Some(taker) = self.take(id) else { return };
        let kind = format!("stix-2.1-{}", Self::kind(id));
        let name = format!("STIX 2.1 {}", Self::kind(id));
        self.cluster_of(id, taker, (&kind, &name), event);
    }

    fn cluster_of(
        &mut self,
        id: &str,
        mut taker: Taker,
        (kind, name): (&str, &str),
        event: &mut Draft,
    ) {
        let mut cluster = Map::new();
        cluster.insert("uuid".to_owned(), Self::uuid(id).into());
        cluster.insert("type".to_owned(), kind.into());
        let mut value =
            taker.text("x_misp_value").or_else(|| taker.text("name")).unwrap_or_default();
        for name in ["x_misp_name", "x_misp_type"] {
            taker.any(name);
        }
        let mut meta = taker.object("x_misp_meta").unwrap_or_default();
        let mut about = None;
        let description = taker.text("description").or_else(|| {
            let text = taker.text("x_misp_description")?;
            let (galaxy, own) = text.split_once(" | ").map_or(("", text.as_str()), |pair| pair);
            about = Some(galaxy.to_owned());
            Some(own.to_owned())
        });
        references(&mut taker, &mut meta);
        if let (true, Some(id)) =
            (kind.starts_with("mitre-"), meta.get("external_id").and_then(Value::as_str))
        {
            value = format!("{value} - {id}");
        }
        cluster.insert("value".to_owned(), value.clone().into());
        if let Some(description) = description {
            cluster.insert("description".to_owned(), description.into());
        }
        if let Some(aliases) = taker.any("aliases") {
            meta.insert("synonyms".to_owned(), aliases);
        }
        let phases = taker.list("kill_chain_phases");
        let chain: Vec<String> = phases.iter().filter_map(chain).collect();
        if !chain.is_empty() {
            meta.insert("kill_chain".to_owned(), chain.into());
        }
        let names: Vec<String> = taker.peek_all().into_iter().map(|(name, _)| name).collect();
        for name in names {
            // Everything else of the object that is its own goes into the meta of the cluster, which is open.
            let key = match name.strip_prefix("x_misp_") {
                Some(key) => key.to_owned(),
                None if OWN.contains(&name.as_str()) => continue,
                None => name.clone(),
            };
            if let Some(value) = taker.any(&name) {
                meta.insert(key, value);
            }
        }
        if !meta.is_empty() {
            cluster.insert("meta".to_owned(), Value::Object(meta));
        }
        let mut galaxy = json!({"name": name, "type": kind});
        if let Some(about) = about {
            galaxy["description"] = about.into();
        }
        self.done(taker);
        self.clusters.insert(id.to_owned(), (galaxy, cluster));
        event.clusters.push(id.to_owned());
    }

    /// Clusters as galaxies, those of one galaxy together.
    pub(super) fn galaxies(&self, ids: &[String]) -> Vec<Value> {
        let mut galaxies: Vec<(Value, Vec<Value>)> = Vec::new();
        for (galaxy, cluster) in ids.iter().filter_map(|id| self.clusters.get(id)) {
            let same = galaxies.iter_mut().find(|(known, _)| known == galaxy);
            let cluster = Value::Object(cluster.clone());
            match same {
                Some((_, clusters)) => clusters.push(cluster),
                None => galaxies.push((galaxy.clone(), vec![cluster])),
            }
        }
        galaxies
            .into_iter()
            .map(|(mut galaxy, clusters)| {
                if let Value::Object(map) = &mut galaxy {
                    map.insert("GalaxyCluster".to_owned(), clusters.into());
                }
                galaxy
            })
            .collect()
    }
}

/// Properties of every object, which are not the cluster's.
const OWN: [&str; 5] = ["type", "spec_version", "id", "object_marking_refs", "created_by_ref"];

fn chain(phase: &Value) -> Option<String> {
    Some(format!(
        "{}:{}",
        phase.get("kill_chain_name")?.as_str()?,
        phase.get("phase_name")?.as_str()?
    ))
}

/// References as `external_id` and `refs`; one that says more stays whole.
fn references(taker: &mut Taker, meta: &mut Map<String, Value>) {
    let (mut ids, mut urls, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for reference in taker.list("external_references") {
        let text = |name: &str| reference.get(name).and_then(Value::as_str).map(str::to_owned);
        let size = reference.as_object().map_or(0, Map::len);
        match (text("source_name"), text("external_id"), text("url")) {
            (Some(source), None, Some(url)) if size == 2 && source == "url" => urls.push(url),
            (Some(_), Some(id), None) if size == 2 => ids.push(id),
            _ => left.push(reference),
        }
    }
    if let [id] = ids.as_slice() {
        meta.insert("external_id".to_owned(), id.clone().into());
    } else if !ids.is_empty() {
        meta.insert("external_id".to_owned(), ids.into());
    }
    if !urls.is_empty() {
        meta.insert("refs".to_owned(), urls.into());
    }
    if !left.is_empty() {
        taker.put("external_references", left.into());
    }
}
