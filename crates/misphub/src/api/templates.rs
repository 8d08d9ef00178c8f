//! Object templates, as the MISP project writes them.

use serde_json::{Value, json};

use super::{Answer, Ask};
use crate::error::MispError;
use crate::shipped::{self, Shipped};

fn head(one: &Shipped) -> Value {
    let body = &one.body;
    let mut requirements = serde_json::Map::new();
    for name in ["required", "requiredOneOf"] {
        if !body[name].is_null() {
            requirements.insert(name.into(), body[name].clone());
        }
    }
    json!({ "id": one.id.to_string(), "uuid": body["uuid"], "name": body["name"],
        "meta-category": body["meta-category"], "description": body["description"],
        "version": body["version"].to_string(), "requirements": requirements, "fixed": true, "active": true })
}

/// `objectTemplates/index`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    let shown = shipped::templates().iter().map(|one| json!({ "ObjectTemplate": head(one) }));
    Ok(Value::Array(shown.collect()).into())
}

fn found(ask: &Ask) -> Result<&'static Shipped, MispError> {
    let said = ask.parts.first().map(String::as_str).unwrap_or_default();
    let fits = |one: &&Shipped| {
        one.id.to_string() == said
            || one.body["name"].as_str() == Some(said)
            || one.body["uuid"].as_str().is_some_and(|uuid| uuid.eq_ignore_ascii_case(said))
    };
    let known = shipped::templates().iter().find(fits);
    known.ok_or_else(|| MispError::not_found("object template"))
}

/// `objectTemplates/view/ID`: also by UUID and by name.
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let one = found(ask)?;
    let elements = one.body["attributes"].as_object().into_iter().flatten().map(|(name, of)| {
        json!({ "object_template_id": one.id.to_string(), "object_relation": name,
            "type": of["misp-attribute"], "ui-priority": of["ui-priority"].to_string(),
            "categories": of["categories"].as_array().cloned().unwrap_or_default(),
            "sane_default": of["sane_default"].as_array().cloned().unwrap_or_default(),
            "values_list": of["values_list"].as_array().cloned().unwrap_or_default(),
            "description": of["description"], "multiple": of["multiple"].as_bool().unwrap_or(false),
            "disable_correlation": of["disable_correlation"].as_bool().unwrap_or(false) })
    });
    let elements: Vec<Value> = elements.collect();
    Ok(json!({ "ObjectTemplate": head(one), "ObjectTemplateElement": elements }).into())
}

/// `objectTemplates/getRaw/NAME`: also by UUID.
pub(crate) async fn raw(ask: &Ask) -> Result<Answer, MispError> {
    Ok(found(ask)?.body.clone().into())
}

/// `objectTemplates/update`: they ship with the program.
pub(crate) async fn update(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Ok(json!([]).into())
}
