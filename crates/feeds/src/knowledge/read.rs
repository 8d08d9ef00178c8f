//! STIX objects into tables.

use std::collections::HashMap;

use serde_json::Value;
use stix::{Object, Timestamp};

use super::{Item, ItemKind, Knowledge, MatrixOrder, Relation, RelationKind};

/// Catalogues whose external reference is the identifier of an object.
const CATALOGUES: &[(&str, &str)] = &[
    ("mitre-attack", ""),
    ("mitre-mobile-attack", "mobile-attack"),
    ("mitre-ics-attack", "ics-attack"),
    ("mitre-atlas", "atlas"),
    ("capec", "capec"),
];

/// For each id: place in the items and version.
type Versions<'a> = HashMap<&'a str, (usize, Option<Timestamp>)>;

impl Knowledge {
    /// Reads objects of one or more bundles. Of several versions of an object the newest counts.
    pub fn read<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let mut knowledge = Self::default();
        let mut later: Vec<&Object> = Vec::new();
        let mut versions: Versions<'a> = HashMap::new();
        for object in objects {
            if matches!(object.kind(), "relationship" | "x-mitre-matrix") {
                later.push(object);
            } else if object.kind() == "marking-definition" {
                knowledge.statement(object);
            } else {
                knowledge.object(object, &mut versions);
            }
        }
        knowledge.index();
        knowledge.parents_by_ref();
        for object in later {
            if object.kind() == "relationship" {
                knowledge.relation(object);
            } else {
                knowledge.matrix(object);
            }
        }
        knowledge.relations.sort_unstable();
        knowledge.relations.dedup();
        knowledge.join();
        knowledge
    }

    fn object<'a>(&mut self, object: &'a Object, versions: &mut Versions<'a>) {
        let Some(item) = item(object) else {
            *self.not_read.entry(object.kind().chars().take(250).collect()).or_default() += 1;
            return;
        };
        let version = object.version();
        match versions.get_mut(object.id_text()) {
            Some((at, known)) => {
                // Bundles of several domains hold the same object.
                let domains = merged(&self.items[*at].domains, &item.domains);
                if version > *known {
                    *known = version;
                    self.items[*at] = item;
                }
                self.items[*at].domains = domains;
            }
            None => {
                versions.insert(object.id_text(), (self.items.len(), version));
                self.items.push(item);
            }
        }
    }

    fn statement(&mut self, object: &Object) {
        let statement = object.get("definition").and_then(|d| d.get("statement"));
        if let Some(text) = statement.and_then(Value::as_str)
            && !self.statements.iter().any(|known| known == text)
        {
            self.statements.push(text.to_owned());
        }
    }

    fn index(&mut self) {
        for (at, item) in self.items.iter().enumerate() {
            self.by_stix_id.insert(item.stix_id.clone(), at);
            let place = self.by_id.entry(item.id.clone()).or_insert(at);
            if !self.items[*place].is_current() && item.is_current() {
                *place = at;
            }
        }
    }

    /// CAPEC names parents by STIX id.
    fn parents_by_ref(&mut self) {
        let ids: HashMap<String, String> =
            self.items.iter().map(|item| (item.stix_id.clone(), item.id.clone())).collect();
        for item in &mut self.items {
            for parent in &mut item.parents {
                if let Some(id) = ids.get(parent) {
                    parent.clone_from(id);
                }
            }
        }
    }

    fn relation(&mut self, object: &Object) {
        let name = object.text("relationship_type").unwrap_or_default();
        let kind = match name {
            "uses" => Some(RelationKind::Uses),
            "mitigates" => Some(RelationKind::Mitigates),
            "detects" => Some(RelationKind::Detects),
            "attributed-to" => Some(RelationKind::AttributedTo),
            "targets" => Some(RelationKind::Targets),
            "subtechnique-of" => Some(RelationKind::SubtechniqueOf),
            "revoked-by" => Some(RelationKind::RevokedBy),
            _ => None,
        };
        let end = |name: &str| object.text(name).and_then(|id| self.by_stix_id.get(id)).copied();
        let (Some(kind), Some(source), Some(target)) = (kind, end("source_ref"), end("target_ref"))
        else {
            *self.loose.entry(name.chars().take(250).collect()).or_default() += 1;
            return;
        };
        if object.is_revoked() || flag(object, "x_mitre_deprecated") {
            return;
        }
        match kind {
            RelationKind::SubtechniqueOf => {
                let parent = self.items[target].id.clone();
                if !self.items[source].parents.contains(&parent) {
                    self.items[source].parents.push(parent);
                }
            }
            RelationKind::RevokedBy => {
                self.items[source].replaced_by = Some(self.items[target].id.clone());
            }
            _ => {}
        }
        self.relations.push(Relation { source, target, kind });
    }

    fn matrix(&mut self, object: &Object) {
        let mut tactics = Vec::new();
        for id in object.texts("tactic_refs") {
            match self.by_stix_id.get(id) {
                Some(at) => tactics.push(*at),
                None => *self.loose.entry("tactic_refs".into()).or_default() += 1,
            }
        }
        let domain = external(object).map(|(_, id, _)| id).unwrap_or_default();
        self.matrices.push(MatrixOrder {
            domain: if domain == "mitre-atlas" { "atlas".into() } else { domain },
            name: object.text("name").unwrap_or_default().to_owned(),
            tactics,
            deprecated: object.is_revoked() || flag(object, "x_mitre_deprecated"),
        });
    }

    fn join(&mut self) {
        for (at, relation) in self.relations.iter().enumerate() {
            self.from.entry(relation.source).or_default().push(at);
            self.to.entry(relation.target).or_default().push(at);
        }
    }
}

fn item(object: &Object) -> Option<Item> {
    let (catalogue, id, url) = external(object).unwrap_or_default();
    let kind = match object.kind() {
        "x-mitre-tactic" => ItemKind::Tactic,
        "attack-pattern" if catalogue == "capec" => ItemKind::AttackPattern,
        "attack-pattern" => ItemKind::Technique,
        "intrusion-set" => ItemKind::Group,
        "malware" => ItemKind::Malware,
        "tool" => ItemKind::Tool,
        "campaign" => ItemKind::Campaign,
        "course-of-action" => ItemKind::Mitigation,
        "x-mitre-data-source" => ItemKind::DataSource,
        "x-mitre-data-component" => ItemKind::DataComponent,
        "x-mitre-detection-strategy" => ItemKind::DetectionStrategy,
        "x-mitre-analytic" => ItemKind::Analytic,
        "x-mitre-asset" => ItemKind::Asset,
        _ => return None,
    };
    let list = |name: &str| object.texts(name).map(str::to_owned).collect::<Vec<_>>();
    let name = object.text("name").unwrap_or_default().to_owned();
    let aliases = ["aliases", "x_mitre_aliases"].iter().flat_map(|property| object.texts(property));
    let mut aliases: Vec<String> =
        aliases.filter(|alias| *alias != name).map(str::to_owned).collect();
    aliases.dedup();
    let mut domains = list("x_mitre_domains");
    let by_catalogue = CATALOGUES.iter().find(|(source, _)| *source == catalogue);
    if let (true, Some((_, domain))) = (domains.is_empty(), by_catalogue)
        && !domain.is_empty()
    {
        domains.push((*domain).to_owned());
    }
    Some(Item {
        kind,
        stix_id: object.id_text().to_owned(),
        id: if id.is_empty() { object.id_text().to_owned() } else { id },
        name,
        aliases,
        description: object.text("description").unwrap_or_default().to_owned(),
        url,
        domains,
        tactics: phases(object),
        platforms: list("x_mitre_platforms"),
        parents: list("x_capec_child_of_refs"),
        references: references(object, &catalogue),
        short_name: object.text("x_mitre_shortname").map(str::to_owned),
        deprecated: flag(object, "x_mitre_deprecated")
            || object.text("x_capec_status") == Some("Deprecated"),
        revoked: object.is_revoked(),
        replaced_by: None,
    })
}

/// Catalogue, identifier and address of the reference that names an object.
fn external(object: &Object) -> Option<(String, String, Option<String>)> {
    let references = object.get("external_references")?.as_array()?;
    references.iter().find_map(|reference| {
        let text = |name: &str| reference.get(name).and_then(Value::as_str);
        let source = text("source_name")?;
        let known = CATALOGUES.iter().any(|(catalogue, _)| *catalogue == source);
        let id = text("external_id").filter(|_| known)?;
        Some((source.to_owned(), id.to_owned(), text("url").map(str::to_owned)))
    })
}

/// Identifiers in other catalogues.
fn references(object: &Object, own: &str) -> Vec<String> {
    let all = object.get("external_references").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(|reference| {
            let source = reference.get("source_name")?.as_str()?;
            let other = matches!(source, "cwe" | "capec" | "ATTACK" | "mitre-attack");
            let id = reference.get("external_id")?.as_str()?;
            (other && source != own).then(|| id.to_owned())
        })
        .collect()
}

/// Tactic and kill chain of each phase.
fn phases(object: &Object) -> Vec<(String, String)> {
    let all = object.get("kill_chain_phases").and_then(Value::as_array);
    all.into_iter()
        .flatten()
        .filter_map(|phase| {
            let text = |name: &str| phase.get(name)?.as_str().map(str::to_owned);
            Some((text("phase_name")?, text("kill_chain_name")?))
        })
        .collect()
}

fn flag(object: &Object, name: &str) -> bool {
    object.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn merged(one: &[String], two: &[String]) -> Vec<String> {
    let mut all = one.to_vec();
    all.extend(two.iter().filter(|domain| !one.contains(domain)).cloned());
    all
}
