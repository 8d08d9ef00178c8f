//! Playbooks as STIX 2.1 objects: a course of action with the extension for security playbooks, and back.
//!
//! The extension is `extension-definition--1e1c1bd7-c527-4215-8e18-e199e74da57c`, version 3 (properties as its documentation lists them;
//! the CACAO Roaster writes it, too). The whole playbook travels in it as base64 of the text as it came, so that signatures hold.
//! Written is `playbook_bin`; read are `playbook_base64` and `playbook` of its earlier versions as well.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use stix::{StixId, Timestamp, Tlp, build};
use uuid::Uuid;

use crate::{MAX_PLAYBOOK_BYTES, Playbook};

/// Id of the extension's definition.
pub const EXTENSION: &str = "extension-definition--1e1c1bd7-c527-4215-8e18-e199e74da57c";
/// Where the extension is documented.
const DOCUMENTED: &str = "https://github.com/cyentific-rni/stix2.1-coa-playbook-extension";
/// Its version.
const VERSION: &str = "3.0.0";
/// Who defined it.
const DEFINED_BY: &str = "identity--ae82a5e5-ec07-4863-ad88-6504b29f24e9";
/// Ids of courses of action are made of those of their playbooks in here: a newer version of a playbook is one of its course of action.
const NAMESPACE: Uuid = Uuid::from_u128(0x5e1b_21f4_93d0_5c0b_8f0a_7a3c_2f6d_9b11);
/// Courses of action with a playbook that are read from one bundle.
pub const MAX_PLAYBOOKS: usize = 1_000;

/// Why there is no course of action, or no playbook in one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StixError {
    /// The text is no playbook.
    #[error("no playbook: {0}")]
    NoPlaybook(String),
    /// Neither a bundle nor an object with a playbook in it.
    #[error("no course of action with a playbook in it (extension {EXTENSION} with playbook_bin)")]
    Nothing,
    /// A playbook in it is damaged or not what it is said to be.
    #[error("{place}: {cause}")]
    Wrong {
        /// Id of the course of action.
        place: String,
        /// What is the matter.
        cause: String,
    },
    /// Too many of them.
    #[error("{0} playbooks; at most {MAX_PLAYBOOKS} are read from one bundle")]
    TooMany(usize),
}

/// A bundle with the playbook as a course of action, the definition of the extension and its marking.
///
/// # Errors
/// The text is no playbook, or its times are none.
pub fn to_stix(text: &str) -> Result<Value, StixError> {
    let playbook =
        Playbook::parse(text).map_err(|cause| StixError::NoPlaybook(cause.to_string()))?;
    let time = |text: &str| {
        Timestamp::parse(text).map_err(|cause| StixError::NoPlaybook(cause.to_string()))
    };
    let (created, modified) = (time(&playbook.created)?, time(&playbook.modified)?);
    let id = StixId::derived("course-of-action", NAMESPACE, &playbook.id);
    let definition =
        StixId::parse(EXTENSION).map_err(|cause| StixError::NoPlaybook(cause.to_string()))?;
    let mut draft = build::course_of_action(&id, created, &playbook.name)
        .modified(modified)
        .set("description", playbook.description.clone())
        .set("labels", playbook.other.get("labels").cloned().unwrap_or_default())
        .extension(&definition, extension(&playbook, text));
    if let Ok(creator) = StixId::parse(&playbook.created_by) {
        draft = draft.created_by(&creator);
    }
    if playbook.revoked {
        draft = draft.set("revoked", true);
    }
    let mut objects = vec![definition_object()];
    if let Some(tlp) = label(&playbook) {
        draft = draft.marked(tlp);
        objects.push(tlp.definition().to_value());
    }
    objects.push(draft.build().to_value());
    let bundle =
        Uuid::new_v5(&NAMESPACE, format!("bundle\n{}\n{modified}", playbook.id).as_bytes());
    Ok(json!({ "type": "bundle", "id": format!("bundle--{bundle}"), "objects": objects }))
}

fn definition_object() -> Value {
    json!({
        "type": "extension-definition", "spec_version": "2.1", "id": EXTENSION,
        "created_by_ref": DEFINED_BY,
        "created": "2022-01-18T23:22:03.933Z", "modified": "2022-08-25T19:15:25.577Z",
        "name": "Course of Action extension for Security Playbooks",
        "schema": DOCUMENTED, "version": VERSION, "extension_types": ["property-extension"]
    })
}

fn extension(playbook: &Playbook, text: &str) -> Map<String, Value> {
    let other = |name: &str| playbook.other.get(name).cloned();
    let all = [
        ("playbook_id", Some(json!(playbook.id))),
        ("description", playbook.description.clone().map(Value::from)),
        ("created", Some(json!(playbook.created))),
        ("modified", Some(json!(playbook.modified))),
        ("revoked", playbook.revoked.then_some(Value::Bool(true))),
        ("playbook_creation_time", Some(json!(playbook.created))),
        ("playbook_modification_time", Some(json!(playbook.modified))),
        ("playbook_valid_from", playbook.valid_from.clone().map(Value::from)),
        ("playbook_valid_until", playbook.valid_until.clone().map(Value::from)),
        ("playbook_creator", Some(json!(playbook.created_by))),
        ("labels", other("labels")),
        ("organization_type", other("industry_sectors")),
        ("playbook_standard", Some(json!("CACAO"))),
        ("playbook_type", other("playbook_types")),
        ("playbook_impact", other("impact")),
        ("playbook_severity", other("severity")),
        ("playbook_priority", other("priority")),
        ("playbook_bin", Some(json!(STANDARD.encode(text)))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The strictest TLP marking of a playbook.
fn label(playbook: &Playbook) -> Option<Tlp> {
    let definitions = playbook.other.get("data_marking_definitions").and_then(Value::as_object)?;
    let marked = playbook.other.get("markings").and_then(Value::as_array)?;
    let labels = marked.iter().filter_map(|id| {
        let level = definitions.get(id.as_str()?)?.get("tlpv2_level")?;
        Tlp::from_label(level.as_str()?)
    });
    labels.max()
}

/// The playbooks in a bundle, or in one course of action, as texts as they were put in.
///
/// # Errors
/// There is none, or one of them is damaged.
pub fn from_stix(value: &Value) -> Result<Vec<String>, StixError> {
    let objects = match value.get("objects").and_then(Value::as_array) {
        Some(objects) => objects.as_slice(),
        None => std::slice::from_ref(value),
    };
    let mut texts = Vec::new();
    let mut found = 0;
    for object in objects {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let extension = object.get("extensions").and_then(|all| all.get(EXTENSION));
        let (Some("course-of-action"), Some(extension)) = (text("type"), extension) else {
            continue;
        };
        found += 1;
        if found > MAX_PLAYBOOKS {
            return Err(StixError::TooMany(found));
        }
        let place = text("id").unwrap_or("a course of action without an id").chars().take(120);
        texts.extend(
            playbook_in(extension)
                .map_err(|cause| StixError::Wrong { place: place.collect(), cause })?,
        );
    }
    if texts.is_empty() { Err(StixError::Nothing) } else { Ok(texts) }
}

/// The playbook of one extension; none where it holds metadata only, or another standard.
fn playbook_in(extension: &Value) -> Result<Option<String>, String> {
    let text = |name: &str| extension.get(name).and_then(Value::as_str);
    if text("playbook_standard").is_some_and(|it| !it.to_ascii_lowercase().starts_with("cacao")) {
        return Ok(None);
    }
    let packed = text("playbook_bin").or_else(|| text("playbook_base64"));
    let body = match (packed, text("playbook")) {
        (Some(packed), _) => {
            if packed.len() > MAX_PLAYBOOK_BYTES * 2 {
                return Err(format!("a playbook has at most {MAX_PLAYBOOK_BYTES} bytes"));
            }
            let bytes =
                STANDARD.decode(packed).map_err(|_| "playbook_bin is no base64".to_owned())?;
            String::from_utf8(bytes).map_err(|_| "playbook_bin holds no UTF-8 text".to_owned())?
        }
        (None, Some(text)) => text.to_owned(),
        (None, None) => return Ok(None),
    };
    if body.len() > MAX_PLAYBOOK_BYTES {
        return Err(format!("a playbook has at most {MAX_PLAYBOOK_BYTES} bytes"));
    }
    let playbook = Playbook::parse(&body).map_err(|cause| format!("no playbook in it: {cause}"))?;
    match text("playbook_id") {
        Some(id) if id != playbook.id => {
            Err(format!("it is said to be {id} and holds {}", playbook.id))
        }
        _ => Ok(Some(body)),
    }
}
