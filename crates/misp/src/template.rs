//! Object templates (MISP/misp-objects): what an object must have.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::document::MispObject;

/// One relation of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name.
    pub name: &'static str,
    /// The attribute type.
    pub kind: &'static str,
    /// Whether it may stand more than once.
    pub multiple: bool,
    /// Whether its values are left out of correlation.
    pub disable_correlation: bool,
    /// Whether it is for detection, where the template says so.
    pub to_ids: Option<bool>,
}

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// Its UUID.
    pub uuid: &'static str,
    /// Its version.
    pub version: u32,
    /// The category of objects.
    pub meta_category: &'static str,
    /// Relations that must be there.
    pub required: Vec<&'static str>,
    /// Relations of which one must be there, where there are any.
    pub required_one_of: Vec<&'static str>,
    /// All relations.
    pub relations: Vec<Relation>,
}

/// All templates, by name.
#[must_use]
pub fn templates() -> &'static HashMap<&'static str, Template> {
    static TEMPLATES: OnceLock<HashMap<&'static str, Template>> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        include_str!("../data/templates.tsv")
            .lines()
            .filter_map(row)
            .map(|known| (known.name, known))
            .collect()
    })
}

fn list(text: &'static str) -> Vec<&'static str> {
    text.split('\u{1f}').filter(|item| !item.is_empty()).collect()
}

fn row(line: &'static str) -> Option<Template> {
    let mut cells = line.split('\t');
    Some(Template {
        name: cells.next()?,
        uuid: cells.next()?,
        version: cells.next()?.parse().ok()?,
        meta_category: cells.next()?,
        required: list(cells.next()?),
        required_one_of: list(cells.next()?),
        relations: list(cells.next()?).into_iter().filter_map(relation_of).collect(),
    })
}

fn relation_of(text: &'static str) -> Option<Relation> {
    let mut parts = text.rsplitn(3, ';');
    let flags = parts.next()?;
    let kind = parts.next()?;
    let to_ids =
        if flags.contains('t') { Some(true) } else { flags.contains('f').then_some(false) };
    let (multiple, disable_correlation) = (flags.contains('m'), flags.contains('d'));
    Some(Relation { name: parts.next()?, kind, multiple, disable_correlation, to_ids })
}

/// A relation of a template.
#[must_use]
pub fn relation(template: &str, name: &str) -> Option<&'static Relation> {
    templates().get(template)?.relations.iter().find(|known| known.name == name)
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A relation that must be there is not.
    #[error("the template {template} requires `{relation}`; add it")]
    Missing {
        /// The template.
        template: String,
        /// The relation.
        relation: &'static str,
    },
    /// None of several is there.
    #[error("the template {template} requires one of {relations:?}; add one")]
    MissingOneOf {
        /// The template.
        template: String,
        /// The relations.
        relations: Vec<&'static str>,
    },
    /// More than one where one is allowed.
    #[error("the template {template} allows `{relation}` once; keep one (at {place})")]
    Twice {
        /// The template.
        template: String,
        /// The relation.
        relation: String,
        /// JSON Pointer within the object.
        place: String,
    },
    /// Another attribute type than the template's.
    #[error(
        "`{relation}` of the template {template} is of type {expected}, not {found} (at {place})"
    )]
    Type {
        /// The template.
        template: String,
        /// The relation.
        relation: String,
        /// The type of the template.
        expected: &'static str,
        /// The type found.
        found: String,
        /// JSON Pointer within the object.
        place: String,
    },
    /// A relation that the template does not have.
    #[error("the template {template} has no `{relation}` (at {place})")]
    Unknown {
        /// The template.
        template: String,
        /// The relation.
        relation: String,
        /// JSON Pointer within the object.
        place: String,
    },
}

/// Checks an object against its template; nothing is found where the template is not known.
#[must_use]
pub fn check(object: &MispObject) -> Vec<TemplateError> {
    let name = object.text("name").unwrap_or_default();
    let Some(known) = templates().get(name.as_str()) else { return Vec::new() };
    let (mut found, mut errors): (Vec<String>, Vec<TemplateError>) = (Vec::new(), Vec::new());
    for (index, attribute) in object.records("Attribute").enumerate() {
        let text =
            |name: &str| attribute.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (relation, kind) = (text("object_relation"), text("type"));
        let (template, place) = (name.clone(), format!("/Attribute/{index}"));
        match known.relations.iter().find(|known| known.name == relation) {
            None => {
                errors.push(TemplateError::Unknown { template, relation: relation.clone(), place })
            }
            Some(of) if of.kind != kind => {
                let (expected, relation) = (of.kind, relation.clone());
                errors.push(TemplateError::Type {
                    template,
                    relation,
                    expected,
                    found: kind,
                    place,
                });
            }
            Some(of) if !of.multiple && found.contains(&relation) => {
                errors.push(TemplateError::Twice { template, relation: relation.clone(), place });
            }
            Some(_) => {}
        }
        found.push(relation);
    }
    for relation in known
        .required
        .iter()
        .copied()
        .filter(|relation| !found.iter().any(|known| known == relation))
    {
        errors.push(TemplateError::Missing { template: name.clone(), relation });
    }
    let one_of = &known.required_one_of;
    if !one_of.is_empty()
        && !one_of.iter().any(|relation| found.iter().any(|known| known == relation))
    {
        errors.push(TemplateError::MissingOneOf { template: name, relations: one_of.clone() });
    }
    errors
}
