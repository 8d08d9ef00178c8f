//! Taxonomies: a selection ships; people switch them on and make tags of them.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::events::write;
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{Fields, truth, unwrapped};
use crate::shipped::{self, Shipped};
use crate::store::switched::{self, State};
use crate::store::tags;

const KIND: &str = "taxonomy";

fn done(text: &str) -> Answer {
    json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/taxonomies" })
        .into()
}

fn namespace(one: &Shipped) -> &str {
    one.body["namespace"].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

/// The tags of a taxonomy, each with what it means and its colour.
fn entries(one: &Shipped) -> Vec<(String, String, String)> {
    let space = namespace(one);
    let word = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for predicate in list(&one.body, "predicates") {
        let name = word(predicate, "value");
        let values = list(&one.body, "values").filter(|of| of["predicate"].as_str() == Some(&name));
        let mut any = false;
        for value in values.flat_map(|of| list(of, "entry")) {
            any = true;
            let tag = format!("{space}:{name}=\"{}\"", word(value, "value"));
            let meaning = format!("{}: {}", word(predicate, "expanded"), word(value, "expanded"));
            found.push((tag, meaning, word(value, "colour")));
        }
        if !any {
            let tag = format!("{space}:{name}");
            found.push((tag, word(predicate, "expanded"), word(predicate, "colour")));
        }
    }
    found
}

fn head(one: &Shipped, state: State) -> Value {
    let body = &one.body;
    json!({ "id": one.id.to_string(), "namespace": body["namespace"], "description": body["description"],
        "version": body["version"].to_string(), "enabled": state.enabled, "required": state.required,
        "exclusive": body["exclusive"].as_bool().unwrap_or(false), "highlighted": false })
}

/// `taxonomies/index`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let states = switched::all(&mut sql, KIND).await?;
    let known = tags::find(&mut sql, "%", ask.sight.most()).await?;
    let known: HashSet<String> = known.into_iter().map(|tag| tag.name.to_lowercase()).collect();
    let shown = shipped::taxonomies().iter().map(|one| {
        let state = states.get(namespace(one)).copied().unwrap_or_default();
        let all = entries(one);
        let there = all.iter().filter(|(tag, _, _)| known.contains(&tag.to_lowercase())).count();
        json!({ "Taxonomy": head(one, state), "total_count": all.len(), "current_count": there })
    });
    Ok(Value::Array(shown.collect()).into())
}

fn found(ask: &Ask) -> Result<&'static Shipped, MispError> {
    let said = ask.parts.first().map(String::as_str).unwrap_or_default();
    let fits = |one: &&Shipped| one.id.to_string() == said || namespace(one) == said;
    let known = shipped::taxonomies().iter().find(fits);
    known.ok_or_else(|| MispError::not_found("taxonomy"))
}

/// `taxonomies/view/ID`: also by namespace.
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let one = found(ask)?;
    let mut sql = ask.room.platform().db.read().await?;
    let state = switched::all(&mut sql, KIND).await?.remove(namespace(one)).unwrap_or_default();
    let known = tags::find(&mut sql, &format!("{}:%", namespace(one)), ask.sight.most()).await?;
    let entries = entries(one).into_iter().map(|(tag, expanded, colour)| {
        let there = known.iter().any(|known| known.name.eq_ignore_ascii_case(&tag));
        json!({ "tag": tag, "expanded": expanded, "colour": colour, "existing_tag": there })
    });
    let entries: Vec<Value> = entries.collect();
    Ok(json!({ "Taxonomy": head(one, state), "entries": entries }).into())
}

async fn switch(ask: &Ask, change: impl Fn(&mut State) + Send + 'static) -> Result<(), MispError> {
    let one = found(ask)?;
    write(ask, move |sql, _| {
        Box::pin(async move {
            let name = namespace(one);
            let mut state = switched::all(sql, KIND).await?.remove(name).unwrap_or_default();
            change(&mut state);
            Ok(switched::set(sql, KIND, name, state).await?)
        })
    })
    .await
}

/// `taxonomies/enable/ID`
pub(crate) async fn enable(ask: &Ask) -> Result<Answer, MispError> {
    switch(ask, |state| state.enabled = true).await?;
    Ok(done("Taxonomy enabled"))
}

/// `taxonomies/disable/ID`
pub(crate) async fn disable(ask: &Ask) -> Result<Answer, MispError> {
    switch(ask, |state| state.enabled = false).await?;
    Ok(done("Taxonomy disabled"))
}

/// `taxonomies/toggleRequired/ID`
pub(crate) async fn require(ask: &Ask) -> Result<Answer, MispError> {
    let said = truth(&unwrapped(ask.fields.clone(), "Taxonomy"), "required");
    switch(ask, move |state| state.required = said.unwrap_or(!state.required)).await?;
    Ok(done("Taxonomy toggleRequireded"))
}

/// `taxonomies/addTag/ID`: makes tags of all entries.
pub(crate) async fn add_tags(ask: &Ask) -> Result<Answer, MispError> {
    let one = found(ask)?;
    write(ask, move |sql, _| {
        Box::pin(async move {
            for (tag, _, colour) in entries(one) {
                let mut body = Fields::new();
                if !colour.is_empty() {
                    body.insert("colour".into(), colour.into());
                }
                tags::ensure(sql, &tag, &body).await?;
            }
            Ok(())
        })
    })
    .await?;
    Ok(done("The tag(s) has been saved."))
}

/// `taxonomies/disableTag/ID`: the tags are no longer offered; where they are, they stay.
pub(crate) async fn hide_tags(ask: &Ask) -> Result<Answer, MispError> {
    let one = found(ask)?;
    write(ask, move |sql, _| {
        Box::pin(async move {
            for (name, _, _) in entries(one) {
                if let Some(mut tag) = tags::get(sql, &name).await? {
                    tag.body.insert("hide_tag".into(), true.into());
                    tags::update(sql, tag.id, &tag.name, &tag.body).await?;
                }
            }
            Ok(())
        })
    })
    .await?;
    Ok(done("The tag(s) has been hidden."))
}

/// `taxonomies/update`: they ship with the program.
pub(crate) async fn update(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Ok(done("All taxonomy libraries are up to date already."))
}
