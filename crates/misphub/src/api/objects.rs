//! Objects and their references.

use serde_json::json;
use sqlx::AnyConnection;

use super::events::{touch, write};
use super::{Answer, Ask, show, withdraw};
use crate::error::MispError;
use crate::fields::{text, truth, unwrapped};
use crate::store::objects::{self, Object};
use crate::store::{Name, events};

async fn shown(ask: &Ask, id: i64) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let object = objects::get(&mut sql, &Name::Number(id), i64::MAX).await?;
    let object = object.ok_or_else(|| MispError::not_found("object"))?;
    let wanted = std::iter::once(object.id).collect();
    let mut found = show::objects(&mut sql, object.event, &wanted).await?;
    let (_, shown) = found.pop().ok_or_else(|| MispError::not_found("object"))?;
    Ok(json!({ "Object": shown }).into())
}

/// `objects/add/EVENT`
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "Object");
    let (name, most) = (ask.name("event")?, ask.sight.most());
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let event = events::get(sql, &name, most).await?;
            let event = event.ok_or_else(|| MispError::not_found("event"))?;
            let object = writer.put_object(sql, fields, event.id).await?;
            touch(sql, event.id, writer.now_s).await?;
            Ok(object.id)
        })
    })
    .await?;
    shown(ask, id).await
}

/// `objects/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let id = known(&mut sql, &ask.name("object")?, ask.sight.most()).await?.id;
    drop(sql);
    shown(ask, id).await
}

/// The object as it is inside of the transaction that changes it.
async fn known(sql: &mut AnyConnection, name: &Name, most: i64) -> Result<Object, MispError> {
    let object = objects::get(sql, name, most).await?;
    object.ok_or_else(|| MispError::not_found("object"))
}

/// `objects/edit/ID`: attributes that are not named stay.
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("object")?, ask.sight.most());
    let mut fields = unwrapped(ask.fields.clone(), "Object");
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let known = known(sql, &name, most).await?;
            fields.insert("uuid".into(), known.uuid.clone().into());
            fields.entry("name").or_insert_with(|| known.name.clone().into());
            fields.entry("deleted").or_insert(known.deleted.into());
            for (name, value) in &known.body {
                fields.entry(name.clone()).or_insert(value.clone());
            }
            fields.insert("timestamp".into(), writer.now_s.max(known.stamp).into());
            writer.put_object(sql, fields, known.event).await?;
            touch(sql, known.event, writer.now_s).await?;
            Ok(known.id)
        })
    })
    .await?;
    shown(ask, id).await
}

/// `objects/delete/ID`: marked as deleted with its attributes, or gone with `hard`. What it became in the store of
/// intelligence is withdrawn.
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("object")?, ask.sight.most());
    let hard = truth(&ask.fields, "hard").unwrap_or(false);
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut known = known(sql, &name, most).await?;
            withdraw::parts(sql, known.event, &[&known.uuid], writer.now_s).await?;
            if hard {
                objects::delete(sql, known.id).await?;
            } else {
                known.deleted = true;
                known.stamp = writer.now_s.max(known.stamp);
                objects::update(sql, &known).await?;
                objects::mark_attributes(sql, known.id, true, known.stamp).await?;
            }
            touch(sql, known.event, writer.now_s).await
        })
    })
    .await?;
    let text = "Object deleted";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/objects/delete" }).into())
}

/// `objectReferences/add`
pub(crate) async fn add_reference(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "ObjectReference");
    let said = text(&fields, "object_uuid").or_else(|| text(&fields, "object_id"));
    let name = said.and_then(|text| Name::parse(&text));
    let name = name.ok_or_else(|| MispError::field("object_uuid", "the object that refers"))?;
    let most = ask.sight.most();
    let reference = write(ask, move |sql, writer| {
        Box::pin(async move {
            let object = objects::get(sql, &name, most).await?;
            let object = object.ok_or_else(|| MispError::not_found("object"))?;
            let reference = writer.put_reference(sql, fields, &object).await?;
            touch(sql, object.event, writer.now_s).await?;
            Ok(reference)
        })
    })
    .await?;
    Ok(json!({ "ObjectReference": show::reference(&reference) }).into())
}

/// `objectReferences/delete/ID`
pub(crate) async fn delete_reference(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("object reference")?, ask.sight.most());
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let gone = objects::delete_reference(sql, &name, most).await?;
            let (uuid, event) = gone.ok_or_else(|| MispError::not_found("object reference"))?;
            withdraw::parts(sql, event, &[&uuid], writer.now_s).await?;
            touch(sql, event, writer.now_s).await
        })
    })
    .await?;
    let text = "ObjectReference deleted";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/objectReferences/delete" }).into())
}
