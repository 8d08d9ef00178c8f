//! Galaxies: clusters become the STIX type of their galaxy, or `x-misp-galaxy-cluster`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use stix::Timestamp;
use stix::validate::identifies;

use super::Writer;
use crate::carry::{NotCarried, OTHER, Taker, Why, join};

/// The STIX type for the clusters of a galaxy type.
pub(crate) fn cluster_kind(galaxy: &str) -> Option<&'static str> {
    let generic = galaxy.strip_prefix("stix-2.1-").or_else(|| galaxy.strip_prefix("stix-2.0-"));
    match generic.unwrap_or(galaxy) {
        "cmtmf-attack-pattern"
        | "mitre-attack-pattern"
        | "mitre-enterprise-attack-attack-pattern"
        | "mitre-ics-techniques"
        | "mitre-mobile-attack-attack-pattern"
        | "mitre-pre-attack-attack-pattern" => Some("attack-pattern"),
        "mitre-course-of-action"
        | "mitre-enterprise-attack-course-of-action"
        | "mitre-mobile-attack-course-of-action" => Some("course-of-action"),
        "mitre-enterprise-attack-intrusion-set"
        | "mitre-intrusion-set"
        | "mitre-mobile-attack-intrusion-set"
        | "mitre-pre-attack-intrusion-set" => Some("intrusion-set"),
        "android"
        | "backdoor"
        | "banker"
        | "cryptominers"
        | "malpedia"
        | "mitre-enterprise-attack-malware"
        | "mitre-ics-software"
        | "mitre-malware"
        | "mitre-mobile-attack-malware"
        | "ransomware"
        | "stealer" => Some("malware"),
        "360net-threat-actor"
        | "microsoft-activity-group"
        | "mitre-ics-groups"
        | "threat-actor" => Some("threat-actor"),
        "botnet"
        | "rat"
        | "exploit-kit"
        | "tds"
        | "tool"
        | "mitre-tool"
        | "mitre-enterprise-attack-tool"
        | "mitre-mobile-attack-tool" => Some("tool"),
        "branded-vulnerability" => Some("vulnerability"),
        "sector" => Some("identity"),
        "country" | "region" => Some("location"),
        own if generic.is_some() => [
            "attack-pattern",
            "campaign",
            "course-of-action",
            "intrusion-set",
            "malware",
            "threat-actor",
            "vulnerability",
            "location",
        ]
        .into_iter()
        .find(|known| *known == own),
        _ => None,
    }
}

/// The relationship of an attribute's or object's STIX object to a cluster.
pub(super) fn relationship(source: &str, target: &str) -> &'static str {
    let kind = |id: &str| id.split_once("--").map_or_else(String::new, |(kind, _)| kind.to_owned());
    match (kind(source).as_str(), kind(target).as_str()) {
        ("indicator", "observed-data") => "based-on",
        (
            "indicator",
            "attack-pattern" | "campaign" | "intrusion-set" | "malware" | "threat-actor" | "tool",
        ) => "indicates",
        ("course-of-action", "attack-pattern" | "tool") => "mitigates",
        ("attack-pattern" | "tool", "identity" | "location")
        | ("campaign" | "intrusion-set", "identity") => "targets",
        ("attack-pattern" | "campaign" | "intrusion-set" | "threat-actor", "vulnerability") => {
            "targets"
        }
        ("campaign" | "intrusion-set" | "threat-actor", "attack-pattern" | "malware" | "tool")
        | ("malware", "attack-pattern")
        | ("attack-pattern", "tool") => "uses",
        ("campaign", "intrusion-set" | "threat-actor") | ("intrusion-set", "threat-actor") => {
            "attributed-to"
        }
        ("malware", "intrusion-set" | "threat-actor") => "authored-by",
        _ => "related-to",
    }
}

fn source_name(id: &str) -> &'static str {
    for (prefix, name) in [
        ("CAPEC-", "capec"),
        ("CVE-", "cve"),
        ("CWE-", "cwe"),
        ("MOB-", "mitre-mobile-attack"),
        ("PRE-", "mitre-pre-attack"),
        ("REF-", "reference_from_CAPEC"),
    ] {
        if id.starts_with(prefix) && identifies(name, id) {
            return name;
        }
    }
    if id.contains('-') {
        "NIST Mobile Threat Catalogue"
    } else if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
        "WASC"
    } else {
        "mitre-attack"
    }
}

impl Writer {
    /// One galaxy; returns the ids of its clusters. The report refers to them wherever they stand.
    pub(super) fn galaxy(&mut self, galaxy: Value, place: &str, at: Timestamp) -> Vec<String> {
        let Some(mut taker) = self.record(galaxy, place) else { return Vec::new() };
        let clusters = taker.list("GalaxyCluster");
        let mut ids = Vec::new();
        let (mut whole, place) = (taker.rest(), place.to_owned());
        if clusters.is_empty() {
            let what = Value::Object(whole);
            self.not_carried.push(NotCarried::new(place, &what, Why::NoPlace));
            return ids;
        }
        for (index, cluster) in clusters.into_iter().enumerate() {
            let place = format!("{place}/GalaxyCluster/{index}");
            if let Some(record) = self.record(cluster, &place) {
                ids.extend(self.cluster(record, &whole, at));
            }
        }
        if !self.options.keep_other {
            // Name, type and description stand on the clusters.
            for name in ["name", "type"] {
                whole.swap_remove(name);
            }
            Taker::new(whole, place).report(&mut self.not_carried);
        }
        for id in &ids {
            self.refer(id);
        }
        ids
    }

    fn cluster(
        &mut self,
        mut taker: Taker,
        galaxy: &Map<String, Value>,
        at: Timestamp,
    ) -> Option<String> {
        let original = self.options.keep_other.then(|| taker.peek_all());
        let text = |name: &str| galaxy.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = taker.text("type").unwrap_or_else(|| text("type").to_owned());
        let value = taker.text("value").unwrap_or_default();
        let uuid = Self::uuid(&mut taker, &format!("{kind}\n{value}"));
        let target = cluster_kind(&kind).unwrap_or("x-misp-galaxy-cluster");
        let id = format!("{target}--{uuid}");
        if self.seen.contains(&id) {
            // A cluster stands at every attribute it belongs to; once is enough.
            return Some(id);
        }
        let created_by = self.created_by.take();
        let mut map = self.draft(target, &uuid, at);
        self.created_by = created_by;
        let mut labels = vec![
            format!("misp:galaxy-name=\"{}\"", text("name")),
            format!("misp:galaxy-type=\"{kind}\""),
        ];
        labels.extend(taker.text("tag_name").filter(|tag| !tag.is_empty()));
        map.insert("labels".to_owned(), labels.into());
        let description = taker.text("description").filter(|text| !text.is_empty());
        let meta = taker.object("meta").unwrap_or_default();
        if target == "x-misp-galaxy-cluster" {
            let whole = format!("{} | {}", text("description"), description.unwrap_or_default());
            map.insert("x_misp_name".to_owned(), text("name").into());
            map.insert("x_misp_type".to_owned(), kind.into());
            map.insert("x_misp_value".to_owned(), value.into());
            map.insert("x_misp_description".to_owned(), whole.into());
            if !meta.is_empty() {
                map.insert("x_misp_meta".to_owned(), Value::Object(meta));
            }
        } else {
            name_and_description(&mut map, (target, &kind), &value, description, galaxy);
            let place = join(&taker.place, "meta");
            self.meta(meta, target, &kind, &mut map, &place);
        }
        let place = taker.place.clone();
        if let Some(original) = original {
            map.insert(OTHER.to_owned(), json!({"Galaxy": galaxy, "GalaxyCluster": original}));
        } else {
            taker.report(&mut self.not_carried);
        }
        self.add(map, &place, false);
        Some(id)
    }

    fn meta(
        &mut self,
        meta: Map<String, Value>,
        target: &str,
        galaxy: &str,
        map: &mut Map<String, Value>,
        place: &str,
    ) {
        let name = map.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut references = Vec::new();
        for (key, value) in meta {
            let texts: Vec<String> = match &value {
                Value::Array(items) => items.iter().filter_map(crate::carry::text_of).collect(),
                other => crate::carry::text_of(other).into_iter().collect(),
            };
            match key.as_str() {
                "external_id" | "Technique ID" => references.extend(
                    texts
                        .iter()
                        .map(|id| json!({"source_name": source_name(id), "external_id": id})),
                ),
                "refs" => references
                    .extend(texts.iter().map(|url| json!({"source_name": "url", "url": url}))),
                "synonyms" if has_aliases(target) => {
                    let aliases: Vec<String> =
                        texts.into_iter().filter(|alias| *alias != name).collect();
                    if !aliases.is_empty() {
                        map.insert("aliases".to_owned(), aliases.into());
                    }
                }
                "kill_chain" if matches!(target, "attack-pattern" | "malware" | "tool") => {
                    let phases: Vec<Value> = texts.iter().filter_map(|text| phase(text)).collect();
                    if phases.len() < texts.len() {
                        let what = Value::from(texts);
                        self.not_carried.push(NotCarried::new(
                            join(place, &key),
                            &what,
                            Why::Malformed,
                        ));
                    }
                    map.insert("kill_chain_phases".to_owned(), phases.into());
                }
                "is_family" if target == "malware" => {
                    map.insert(
                        key,
                        texts
                            .first()
                            .is_some_and(|text| matches!(text.as_str(), "true" | "True" | "1"))
                            .into(),
                    );
                }
                "ISO" if galaxy == "country" => {
                    map.insert("country".to_owned(), value.clone());
                    map.insert("x_misp_ISO".to_owned(), value);
                }
                _ => {
                    map.insert(format!("x_misp_{}", key.replace(' ', "_")), value);
                }
            }
        }
        if !references.is_empty() {
            map.insert("external_references".to_owned(), references.into());
        }
        if target == "malware" && !map.contains_key("is_family") {
            map.insert("is_family".to_owned(), false.into());
        }
    }

    /// Tags that name a cluster written since `before`: the cluster says it better.
    pub(super) fn cluster_tags(&self, before: usize) -> HashSet<String> {
        let mut tags = HashSet::new();
        for map in self.objects.iter().skip(before) {
            let galaxy = map.get("labels").and_then(|labels| labels.get(1)).and_then(Value::as_str);
            let Some(galaxy) = galaxy.and_then(|label| label.strip_prefix("misp:galaxy-type=\""))
            else {
                continue;
            };
            let value = map
                .get(OTHER)
                .and_then(|other| other.get("GalaxyCluster"))
                .and_then(|c| c.get("value"));
            let galaxy = galaxy.trim_end_matches('"');
            let names = [value, map.get("name"), map.get("x_misp_value")];
            for value in names.into_iter().flatten().filter_map(Value::as_str) {
                tags.insert(format!("misp-galaxy:{galaxy}=\"{value}\""));
                let id = map
                    .get("external_references")
                    .and_then(|list| list.get(0))
                    .and_then(|r| r.get("external_id"));
                if let Some(id) = id.and_then(Value::as_str) {
                    tags.insert(format!("misp-galaxy:{galaxy}=\"{value} - {id}\""));
                }
            }
        }
        tags
    }
}

fn has_aliases(target: &str) -> bool {
    ["attack-pattern", "campaign", "intrusion-set", "malware", "threat-actor", "tool"]
        .contains(&target)
}

fn phase(text: &str) -> Option<Value> {
    let mut parts = text.split(':');
    let (chain, last) = (parts.next()?, parts.next_back()?);
    Some(json!({"kill_chain_name": chain, "phase_name": last}))
}

fn name_and_description(
    map: &mut Map<String, Value>,
    (target, kind): (&str, &str),
    value: &str,
    description: Option<String>,
    galaxy: &Map<String, Value>,
) {
    let about = galaxy.get("description").and_then(Value::as_str).unwrap_or_default();
    if target == "location" && matches!(kind, "country" | "region") {
        let said = description.unwrap_or_else(|| value.to_owned());
        let name = if kind == "country" {
            map.insert("description".to_owned(), format!("{about} | {value}").into());
            said
        } else {
            map.insert("description".to_owned(), format!("{about} | {said}").into());
            let name = value.split_once(" - ").map_or(value, |(_, name)| name).to_owned();
            let region = match name.as_str() {
                "Latin America and the Caribbean" => "latin-america-caribbean".to_owned(),
                "Australia and New Zealand" => "australia-new-zealand".to_owned(),
                other => other.to_ascii_lowercase().replace(' ', "-"),
            };
            map.insert("region".to_owned(), region.into());
            name
        };
        map.insert("name".to_owned(), name.into());
        return;
    }
    let cut = kind.starts_with("mitre-").then(|| value.split_once(" - ")).flatten();
    map.insert("name".to_owned(), cut.map_or(value, |(name, _)| name.trim()).into());
    if target == "identity" {
        map.insert("identity_class".to_owned(), "class".into());
        map.insert(
            "description".to_owned(),
            description.unwrap_or_else(|| about.to_owned()).into(),
        );
    } else if let Some(description) = description {
        map.insert("description".to_owned(), description.into());
    }
}
