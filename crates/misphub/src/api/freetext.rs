//! Text that people paste: what is found in it becomes attributes of an event.

use intel::excuse::Excuses;
use serde_json::{Value, json};

use super::events::{touch, write};
use super::{Answer, Ask, show};
use crate::error::MispError;
use crate::fields::{Fields, text, truth};
use crate::store::{attributes, events};
use crate::types;

/// Bytes of a text.
const MAX_TEXT_BYTES: usize = 4 << 20;
/// Values that are taken out of one text.
const MAX_FOUND: usize = 20_000;

/// What to do with values that stand on a list of well-known ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WellKnown {
    Take,
    /// Not for detection.
    Soften,
    LeaveOut,
}

/// `events/freeTextImport/ID`: `value` is the text, `adhereToWarninglists` false, `soft` or true; with
/// `returnMetaAttributes` nothing is stored.
pub(crate) async fn import(ask: &Ask) -> Result<Answer, MispError> {
    let said = text(&ask.fields, "value").unwrap_or_default();
    if said.len() > MAX_TEXT_BYTES {
        let text = format!("{} bytes, the limit is {MAX_TEXT_BYTES}; split the text", said.len());
        return Err(MispError::field("value", text));
    }
    let well_known = match text(&ask.fields, "adhereToWarninglists").as_deref() {
        Some("soft") => WellKnown::Soften,
        _ if truth(&ask.fields, "adhereToWarninglists") == Some(true) => WellKnown::LeaveOut,
        _ => WellKnown::Take,
    };
    let (name, most) = (ask.name("event")?, ask.sight.most());
    let mut sql = ask.room.platform().db.read().await?;
    let event = events::get(&mut sql, &name, most).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    let excuses = Excuses::current(&mut sql).await?;
    drop(sql);
    let found = tokio::task::spawn_blocking(move || {
        let (mut found, _) = misp::feed::free_text(&said, &misp::feed::FreeText::default());
        found.truncate(MAX_FOUND + 1);
        found
    });
    let found = found.await.map_err(|_| MispError::bad_request("the text could not be read"))?;
    if found.len() > MAX_FOUND {
        let text = format!("more than {MAX_FOUND} values are found in the text; split it");
        return Err(MispError::field("value", text));
    }
    let distribution = text(&ask.fields, "distribution").filter(|said| said != "-1");
    let mut wanted: Vec<(Fields, bool)> = Vec::with_capacity(found.len());
    for one in found {
        let on_list = !excuses.names(&one.value).is_empty();
        let (category, to_ids) = types::defaults(one.kind).unwrap_or(("Other", false));
        let to_ids = to_ids && !(on_list && well_known == WellKnown::Soften);
        let mut fields = Fields::new();
        for (name, value) in [
            ("type", json!(one.kind)),
            ("category", json!(category)),
            ("value", json!(one.value)),
            ("to_ids", json!(to_ids)),
            ("comment", json!("Imported via the freetext import.")),
        ] {
            fields.insert(name.into(), value);
        }
        if let Some(distribution) = &distribution {
            fields.insert("distribution".into(), distribution.clone().into());
        }
        wanted.push((fields, !(on_list && well_known == WellKnown::LeaveOut)));
    }
    if truth(&ask.fields, "returnMetaAttributes").unwrap_or(false) {
        let shown = wanted.into_iter().map(|(fields, _)| meta(fields));
        return Ok(Value::Array(shown.collect()).into());
    }
    keep(ask, event.id, wanted).await
}

/// What a value could be, for a form in which a person chooses.
fn meta(fields: Fields) -> Value {
    let kind = text(&fields, "type").unwrap_or_default();
    let mut types = vec![kind.clone()];
    types.extend(match kind.as_str() {
        "ip-dst" => vec!["ip-src".to_owned()],
        "email-src" => vec!["email-dst".to_owned(), "email".to_owned()],
        "domain" => vec!["hostname".to_owned()],
        _ => vec![],
    });
    let named: serde_json::Map<String, Value> =
        types.into_iter().map(|kind| (kind.clone(), kind.into())).collect();
    json!({ "value": fields["value"], "default_type": kind, "types": named, "to_ids": fields["to_ids"],
        "category": fields["category"], "comment": fields["comment"] })
}

/// Stores what is wanted; all that was found is answered. What the event has already is not stored twice.
async fn keep(ask: &Ask, event: i64, wanted: Vec<(Fields, bool)>) -> Result<Answer, MispError> {
    let shown = write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut shown = Vec::with_capacity(wanted.len());
            for (fields, store) in wanted {
                let Ok((like, _, _)) = writer.attribute(fields.clone(), event, 0) else { continue };
                let twin = attributes::twin(sql, &like).await?;
                let attribute = match twin {
                    Some(twin) => twin,
                    None if store => writer.put_attribute(sql, fields, event, 0).await?,
                    None => like,
                };
                shown.push(show::attribute(&attribute, &[]));
            }
            touch(sql, event, writer.now_s).await?;
            Ok(shown)
        })
    })
    .await?;
    Ok(Value::Array(shown).into())
}
