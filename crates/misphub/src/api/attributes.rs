//! Attributes: add, view, edit, delete.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::events::{touch, write};
use super::take::Writer;
use super::{Answer, Ask, found, show, withdraw};
use crate::error::MispError;
use crate::fields::{Fields, text, truth, unwrapped};
use crate::store::attributes::{self, Attribute};
use crate::store::{Name, events, objects, savepoint, tags};

/// Attributes added at once.
const MAX_AT_ONCE: usize = 100_000;

/// `attributes/add/EVENT`: one attribute, a list of them, or one whose value is a list.
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let mut wanted = wanted(ask)?;
    let well_known = well_known(ask, &mut wanted).await?;
    let single = ask.list.is_empty() && wanted.len() == 1;
    let (name, most) = (ask.name("event")?, ask.sight.most());
    let refuse_twins = truth(&ask.fields, "breakOnDuplicate").unwrap_or(true);
    let (added, refused) = write(ask, move |sql, writer| {
        Box::pin(async move {
            let event = events::get(sql, &name, most).await?;
            let event = event.ok_or_else(|| MispError::not_found("event"))?;
            let how = How { refuse_twins, single, well_known };
            let found = put_all(sql, writer, wanted, event.id, &how).await?;
            touch(sql, event.id, writer.now_s).await?;
            Ok(found)
        })
    })
    .await?;
    let mut shown = Vec::with_capacity(added.len());
    let mut sql = ask.room.platform().db.read().await?;
    for attribute in &added {
        let tags = tags::of(&mut sql, "attribute", attribute.id).await?;
        shown.push(show::attribute(attribute, &tags));
    }
    let mut body = serde_json::Map::new();
    if let [one] = shown.as_slice() {
        body.insert("Attribute".into(), one.clone());
    } else {
        body.insert("Attribute".into(), Value::Array(shown));
    }
    if !refused.is_empty() {
        body.insert("errors".into(), Value::Object(refused));
    }
    Ok(Value::Object(body).into())
}

fn wanted(ask: &Ask) -> Result<Vec<Fields>, MispError> {
    let mut wanted: Vec<Fields> = ask
        .list
        .iter()
        .filter_map(Value::as_object)
        .map(|fields| unwrapped(fields.clone(), "Attribute"))
        .collect();
    if ask.list.is_empty() {
        let fields = unwrapped(ask.fields.clone(), "Attribute");
        match fields.get("value").cloned() {
            Some(Value::Array(values)) => wanted.extend(values.into_iter().map(|value| {
                let mut one = fields.clone();
                one.insert("value".into(), value);
                one
            })),
            _ => wanted.push(fields),
        }
    }
    if wanted.is_empty() || wanted.len() > MAX_AT_ONCE {
        let text = format!("from one to {MAX_AT_ONCE} attributes at once");
        return Err(MispError::bad_request(text));
    }
    Ok(wanted)
}

/// How attributes are added.
struct How {
    refuse_twins: bool,
    single: bool,
    /// Places of those that are refused since they stand on a list of well-known values.
    well_known: Vec<usize>,
}

/// Places of attributes that say `enforceWarninglist` and whose value stands on a list that is enabled.
async fn well_known(ask: &Ask, wanted: &mut [Fields]) -> Result<Vec<usize>, MispError> {
    let said: Vec<bool> = wanted
        .iter_mut()
        .map(|fields| {
            let said = truth(fields, "enforceWarninglist").unwrap_or(false);
            fields.remove("enforceWarninglist");
            said
        })
        .collect();
    if !said.contains(&true) {
        return Ok(vec![]);
    }
    let mut sql = ask.room.platform().db.read().await?;
    let excuses = intel::excuse::Excuses::current(&mut sql).await?;
    let on_list = |fields: &Fields| {
        text(fields, "value").is_some_and(|value| !excuses.names(value.trim()).is_empty())
    };
    let places = wanted.iter().zip(&said).enumerate();
    Ok(places.filter(|(_, (fields, said))| **said && on_list(fields)).map(|(at, _)| at).collect())
}

/// One attribute that cannot be stored is refused as a whole; of several the others are stored and the refused ones
/// are named by their place.
async fn put_all(
    sql: &mut AnyConnection,
    writer: &Writer,
    wanted: Vec<Fields>,
    event: i64,
    how: &How,
) -> Result<(Vec<Attribute>, Fields), MispError> {
    let (mut added, mut refused) = (Vec::new(), Fields::new());
    for (place, fields) in wanted.into_iter().enumerate() {
        savepoint(sql, "SAVEPOINT one_attribute").await?;
        let outcome = match writer.attribute(fields.clone(), event, 0) {
            Ok(_) if how.well_known.contains(&place) => {
                let text =
                    "Attribute value trips over a warninglist and enforceWarninglist is enforced";
                Err(MispError::new(axum::http::StatusCode::FORBIDDEN, text))
            }
            Ok((like, _, _)) if how.refuse_twins => match attributes::twin(sql, &like).await? {
                Some(twin) if twin.uuid != like.uuid => {
                    let text = "A similar attribute already exists for this event.";
                    Err(MispError::field("value", text))
                }
                _ => writer.put_attribute(sql, fields, event, 0).await,
            },
            Ok(_) => writer.put_attribute(sql, fields, event, 0).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(attribute) => {
                savepoint(sql, "RELEASE one_attribute").await?;
                added.push(attribute);
            }
            Err(error) if how.single => return Err(error),
            Err(error) => {
                // Its tags and sightings come after it: what is refused must not stay as a half.
                savepoint(sql, "ROLLBACK TO one_attribute").await?;
                savepoint(sql, "RELEASE one_attribute").await?;
                refused.insert(format!("attribute_{place}"), error.into_errors());
            }
        }
    }
    Ok((added, refused))
}

async fn shown(ask: &Ask, id: i64) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let attribute = attributes::get(&mut sql, &Name::Number(id), i64::MAX).await?;
    let attribute = attribute.ok_or_else(|| MispError::not_found("attribute"))?;
    let tags = tags::of(&mut sql, "attribute", id).await?;
    let mut shown = show::attribute(&attribute, &tags);
    found::viewed(ask, &mut sql, &mut shown).await?;
    Ok(json!({ "Attribute": shown }).into())
}

/// `attributes/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let id = known(&mut sql, &ask.name("attribute")?, ask.sight.most()).await?.id;
    drop(sql);
    shown(ask, id).await
}

/// `attributes/edit/ID`
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("attribute")?, ask.sight.most());
    let fields = unwrapped(ask.fields.clone(), "Attribute");
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let known = known(sql, &name, most).await?;
            changed(sql, writer, &known, fields).await?;
            touch(sql, known.event, writer.now_s).await?;
            Ok(known.id)
        })
    })
    .await?;
    shown(ask, id).await
}

/// Writes what is given over what is known; the rest stays.
pub(super) async fn changed(
    sql: &mut AnyConnection,
    writer: &Writer,
    known: &Attribute,
    mut fields: Fields,
) -> Result<(), MispError> {
    for (name, value) in [
        ("type", json!(known.kind)),
        ("category", json!(known.category)),
        ("value", json!(known.value)),
        ("to_ids", json!(known.to_ids)),
        ("deleted", json!(known.deleted)),
    ] {
        fields.entry(name).or_insert(value);
    }
    for (name, value) in &known.body {
        fields.entry(name.clone()).or_insert(value.clone());
    }
    fields.insert("uuid".into(), known.uuid.clone().into());
    fields.insert("timestamp".into(), writer.now_s.max(known.stamp).into());
    writer.put_attribute(sql, fields, known.event, known.object).await?;
    Ok(())
}

/// The attribute as it is inside of the transaction that changes it.
async fn known(sql: &mut AnyConnection, name: &Name, most: i64) -> Result<Attribute, MispError> {
    let attribute = attributes::get(sql, name, most).await?;
    attribute.ok_or_else(|| MispError::not_found("attribute"))
}

/// Marks an attribute as deleted, or removes it.
pub(super) async fn take_away(
    sql: &mut AnyConnection,
    mut known: Attribute,
    hard: bool,
    now_s: i64,
) -> Result<(), MispError> {
    let holder = match known.object {
        0 => None,
        id => objects::get(sql, &Name::Number(id), i64::MAX).await?,
    };
    let mut uuids = vec![known.uuid.as_str()];
    uuids.extend(holder.as_ref().map(|object| object.uuid.as_str()));
    withdraw::parts(sql, known.event, &uuids, now_s).await?;
    if hard {
        attributes::delete(sql, known.id).await?;
    } else {
        known.deleted = true;
        known.stamp = now_s.max(known.stamp);
        attributes::update(sql, &known).await?;
    }
    Ok(())
}

/// `attributes/delete/ID`: marked as deleted, or gone with `hard`. What it became in the store of intelligence is
/// withdrawn; an attribute of an object takes what the object became with it, until the event is published again.
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("attribute")?, ask.sight.most());
    let hard = truth(&ask.fields, "hard").unwrap_or(false);
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let known = known(sql, &name, most).await?;
            let event = known.event;
            take_away(sql, known, hard, writer.now_s).await?;
            touch(sql, event, writer.now_s).await
        })
    })
    .await?;
    Ok(json!({ "message": "Attribute deleted." }).into())
}

/// `attributes/restore/ID`
pub(crate) async fn restore(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("attribute")?, ask.sight.most());
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut known = known(sql, &name, most).await?;
            known.deleted = false;
            known.stamp = writer.now_s.max(known.stamp);
            attributes::update(sql, &known).await?;
            touch(sql, known.event, writer.now_s).await?;
            Ok(known.id)
        })
    })
    .await?;
    shown(ask, id).await
}
