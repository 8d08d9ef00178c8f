//! An advisory as STIX: the publisher, a vulnerability for each, a note with its products and remedies, and a report that
//! holds them together. Everything belongs to this one advisory: two that speak of one CVE meet in its identifier.

use feeds::csaf::{Advisory, Note, Vulnerability};
use serde_json::{Map, Value, json};
use stix::{Object, StixId, Timestamp, Tlp};
use uuid::Uuid;

/// Namespace of the ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a1e_54cf_0b1d_5d6e_8f3b_3c52_9d70_41aa);
/// When what never changes was made: the day of the standard.
const STANDARD_US: i64 = 1_668_729_600_000_000;
/// Characters of a text.
const MAX_TEXT_CHARS: usize = 20_000;
/// Products named for one status.
const MAX_PRODUCTS: usize = 200;
/// References of one object.
const MAX_REFERENCES: usize = 100;
/// Vulnerabilities of one advisory.
const MAX_VULNERABILITIES: usize = 5_000;

/// An advisory taken over.
pub(crate) struct Stix {
    pub(crate) objects: Vec<Object>,
    /// What its distribution says.
    pub(crate) tlp: Option<Tlp>,
}

fn time(text: &str) -> Option<Timestamp> {
    let at: model::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_unix_us(at.as_micros()).to_millis())
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

/// The parts that all objects of an advisory share.
struct Frame {
    /// Who and which: names the advisory world-wide.
    key: String,
    created: Timestamp,
    modified: Timestamp,
    publisher: StixId,
    tlp: Option<Tlp>,
}

impl Frame {
    fn object(&self, kind: &str, part: &str) -> Map<String, Value> {
        let id = StixId::derived(kind, NAMESPACE, &format!("{}\n{kind}\n{part}", self.key));
        let mut map = Map::new();
        map.insert("type".into(), kind.into());
        map.insert("spec_version".into(), "2.1".into());
        map.insert("id".into(), id.as_str().into());
        map.insert("created_by_ref".into(), self.publisher.as_str().into());
        map.insert("created".into(), self.created.to_string().into());
        map.insert("modified".into(), self.modified.to_string().into());
        if let Some(tlp) = self.tlp {
            map.insert("object_marking_refs".into(), json!([tlp.id()]));
        }
        map
    }
}

/// The label of version 1 as it is called today.
fn label(advisory: &Advisory) -> Option<Tlp> {
    let said = advisory.document.distribution.tlp.as_ref()?;
    match said.label.as_str() {
        "WHITE" => Some(Tlp::Clear),
        other => Tlp::from_label(other),
    }
}

/// Turns an advisory into objects.
///
/// # Errors
/// It has no usable dates or too many vulnerabilities.
pub(crate) fn convert(advisory: &Advisory, url: &str) -> Result<Stix, String> {
    let document = &advisory.document;
    let (publisher, tracking) = (&document.publisher, &document.tracking);
    let modified = time(&tracking.current_release_date)
        .ok_or("/document/tracking/current_release_date is no time")?;
    let created = time(&tracking.initial_release_date).unwrap_or(modified).min(modified);
    let count = advisory.vulnerabilities.len();
    if count > MAX_VULNERABILITIES {
        return Err(format!("{count} vulnerabilities, the limit is {MAX_VULNERABILITIES}"));
    }
    let who = format!("{}\n{}", publisher.namespace, publisher.name);
    let publisher_id = StixId::derived("identity", NAMESPACE, &who);
    let tlp = label(advisory);
    let frame = Frame {
        key: format!("{}\n{}", publisher.namespace, tracking.id),
        created,
        modified,
        publisher: publisher_id.clone(),
        tlp,
    };
    let at = Timestamp::from_unix_us(STANDARD_US);
    let mut objects =
        vec![stix::build::identity(&publisher_id, at, &publisher.name, "organization").build()];
    let mut refs = vec![publisher_id.as_str().to_owned()];
    for (index, vulnerability) in advisory.vulnerabilities.iter().enumerate() {
        let (of, note) = one(&frame, advisory, vulnerability, index);
        for object in [Some(of), note].into_iter().flatten() {
            refs.push(object.id_text().to_owned());
            objects.push(object);
        }
    }
    objects.push(report(&frame, advisory, refs, url));
    Ok(Stix { objects, tlp })
}

fn texts(notes: &[Note]) -> String {
    let wanted = ["summary", "description", "general", "details"];
    let told = notes.iter().filter(|note| wanted.contains(&note.category.as_str()));
    clip(&told.map(|note| note.text.trim()).collect::<Vec<_>>().join("\n\n"))
}

fn references(list: &[feeds::csaf::Reference]) -> Vec<Value> {
    list.iter()
        .take(MAX_REFERENCES)
        .filter(|reference| reference.url.starts_with("https://") || reference.url.starts_with("http://"))
        .map(|reference| {
            json!({ "source_name": "csaf", "description": clip(&reference.summary), "url": reference.url })
        })
        .map(|mut reference| {
            if reference["description"] == json!("")
                && let Some(map) = reference.as_object_mut()
            {
                map.shift_remove("description");
            }
            reference
        })
        .collect()
}

/// A vulnerability, and the note with its products.
fn one(
    frame: &Frame,
    advisory: &Advisory,
    vulnerability: &Vulnerability,
    index: usize,
) -> (Object, Option<Object>) {
    let name_of =
        |one: &Vulnerability| one.cve.clone().or_else(|| Some(one.ids.first()?.text.clone()));
    let named = name_of(vulnerability);
    let before = &advisory.vulnerabilities[..index];
    let again = named.is_some() && before.iter().any(|one| name_of(one) == named);
    let part = match &named {
        Some(name) if !again => name.clone(),
        _ => format!("{}\n{index}", named.as_deref().unwrap_or_default()),
    };
    let mut map = frame.object("vulnerability", &part);
    let title = vulnerability.title.clone().unwrap_or_default();
    let name = named.filter(|name| !name.is_empty()).unwrap_or_else(|| title.clone());
    let name = if name.is_empty() { advisory.document.title.clone() } else { name };
    map.insert("name".into(), clip(&name).into());
    let told = [title, texts(&vulnerability.notes)].join("\n\n");
    if !told.trim().is_empty() {
        map.insert("description".into(), clip(told.trim()).into());
    }
    let mut cited = Vec::new();
    if let Some(cve) = &vulnerability.cve {
        cited.push(json!({ "source_name": "cve", "external_id": cve }));
    }
    if let Some(cwe) = &vulnerability.cwe {
        cited.push(json!({ "source_name": "cwe", "external_id": cwe.id }));
    }
    for id in vulnerability.ids.iter().take(MAX_REFERENCES) {
        // whoever tells it, a CVE identifier is cited as one (STIX 2.1 §4.19)
        let is_cve = stix::validate::identifies("cve", &id.text);
        let source = if is_cve { "cve".to_owned() } else { clip(&id.system_name) };
        cited.push(json!({ "source_name": source, "external_id": clip(&id.text) }));
    }
    cited.extend(references(&vulnerability.references));
    if !cited.is_empty() {
        map.insert("external_references".into(), cited.into());
    }
    let score = vulnerability.scores.iter().filter_map(|score| score.base());
    if let Some((base, vector)) = score.max_by(|a, b| a.0.total_cmp(&b.0)) {
        map.insert("x_cvss_base_score".into(), base.into());
        map.insert("x_cvss_vector".into(), vector.into());
    }
    let object = Object::from_map(map);
    let content = products(advisory, vulnerability);
    let note = (!content.is_empty()).then(|| {
        let mut note = frame.object("note", &part);
        note.insert("abstract".into(), clip(&format!("Products of {name}")).into());
        note.insert("content".into(), content.into());
        note.insert("object_refs".into(), json!([object.id_text()]));
        Object::from_map(note)
    });
    (object, note)
}

/// What is affected and what can be done, in words.
fn products(advisory: &Advisory, vulnerability: &Vulnerability) -> String {
    let status = &vulnerability.product_status;
    let mut lines = Vec::new();
    for (word, ids) in [
        ("Known affected", &status.known_affected),
        ("First affected", &status.first_affected),
        ("Last affected", &status.last_affected),
        ("Fixed", &status.fixed),
        ("First fixed", &status.first_fixed),
        ("Recommended", &status.recommended),
        ("Known not affected", &status.known_not_affected),
        ("Under investigation", &status.under_investigation),
    ] {
        if ids.is_empty() {
            continue;
        }
        lines.push(format!("{word}:"));
        for id in ids.iter().take(MAX_PRODUCTS) {
            let name =
                advisory.products.get(id).map_or(id.as_str(), |product| product.name.as_str());
            lines.push(format!("- {name}"));
        }
        if ids.len() > MAX_PRODUCTS {
            lines.push(format!("- and {} more", ids.len() - MAX_PRODUCTS));
        }
    }
    for remedy in vulnerability.remediations.iter().take(MAX_PRODUCTS) {
        lines.push(format!("{}: {}", remedy.category, remedy.details.trim()));
    }
    for threat in vulnerability.threats.iter().take(MAX_PRODUCTS) {
        lines.push(format!("{}: {}", threat.category, threat.details.trim()));
    }
    clip(&lines.join("\n"))
}

fn report(frame: &Frame, advisory: &Advisory, refs: Vec<String>, url: &str) -> Object {
    let document = &advisory.document;
    let mut map = frame.object("report", "");
    let title = if document.title.is_empty() { &document.tracking.id } else { &document.title };
    map.insert("name".into(), clip(title).into());
    let told = texts(&document.notes);
    if !told.is_empty() {
        map.insert("description".into(), told.into());
    }
    map.insert("report_types".into(), json!(["vulnerability"]));
    map.insert("published".into(), frame.created.to_string().into());
    let mut labels = vec![clip(&document.category)];
    labels.push(format!("status:{}", clip(&document.tracking.status)));
    map.insert("labels".into(), json!(labels));
    let mut cited = vec![json!({ "source_name": clip(&document.publisher.name),
        "external_id": clip(&document.tracking.id), "url": url })];
    cited.extend(references(&document.references));
    map.insert("external_references".into(), cited.into());
    map.insert("object_refs".into(), json!(refs));
    Object::from_map(map)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr)]
    use std::collections::HashSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                folder if folder.is_dir() => files(&folder, found),
                file => found.push(file),
            }
        }
    }

    #[test]
    fn the_examples_of_the_standard_become_valid_objects() {
        let root = std::env::var_os("SERENO_TEST_DATA").map(PathBuf::from).unwrap_or_default();
        let mut found = Vec::new();
        files(&root.join("cti/csaf/csaf_2.0/examples/csaf"), &mut found);
        if found.is_empty() {
            eprintln!("skipped: no examples of CSAF (SERENO_TEST_DATA)");
            return;
        }
        for file in found {
            let what = file.display();
            let advisory = feeds::csaf::read(&std::fs::read(&file).unwrap()).unwrap();
            let one = convert(&advisory, "https://example.com/a.json").unwrap();
            for object in &one.objects {
                let wrong = stix::validate::object(object);
                let wrong = wrong
                    .first_error()
                    .map(|error| format!("{} {}", error.property, error.message));
                assert_eq!(wrong, None, "{what}: {}", object.to_json());
            }
            let ids: HashSet<&str> = one.objects.iter().map(Object::id_text).collect();
            assert_eq!(ids.len(), one.objects.len(), "{what}: an id stands twice");
            let count = |kind| one.objects.iter().filter(|object| object.kind() == kind).count();
            assert_eq!(
                (count("vulnerability"), count("report")),
                (advisory.vulnerabilities.len(), 1)
            );
            for vulnerability in &advisory.vulnerabilities {
                let Some(cve) = &vulnerability.cve else { continue };
                assert!(
                    one.objects.iter().any(|object| object.text("name") == Some(cve)),
                    "{what}: {cve}"
                );
            }
        }
    }
}
