//! Reports of events: text that people wrote, which becomes a note when the event is published.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::events::{touch, write};
use super::take::Writer;
use super::{Answer, Ask, form, withdraw};
use crate::error::MispError;
use crate::fields::{Fields, number, text, truth, unwrapped};
use crate::store::reports::{self, Report};
use crate::store::{Name, events};

/// Bytes of a report's text.
const MAX_CONTENT_BYTES: usize = 1 << 20;
/// Characters of a report's name.
const MAX_NAME_CHARS: usize = 255;

fn unknown() -> MispError {
    MispError::not_found("event report")
}

fn done(text: &str) -> Answer {
    json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/event_reports" }).into()
}

impl Writer {
    /// Stores a report of an event, or a newer state of a known one.
    pub(crate) async fn put_report(
        &self,
        sql: &mut AnyConnection,
        fields: Fields,
        event: i64,
    ) -> Result<Report, MispError> {
        let mut fields = fields;
        let name = text(&fields, "name").unwrap_or_default();
        if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS {
            let text = format!("a report has a name of 1 to {MAX_NAME_CHARS} characters");
            return Err(MispError::field("name", text));
        }
        let bytes = text(&fields, "content").map_or(0, |content| content.len());
        if bytes > MAX_CONTENT_BYTES {
            let text = format!("{bytes} bytes, the limit is {MAX_CONTENT_BYTES}; split the report");
            return Err(MispError::field("content", text));
        }
        let mut report = Report {
            id: 0,
            uuid: self.uuid_of(&fields)?,
            event,
            name,
            stamp: number(&fields, "timestamp").unwrap_or(self.now_s),
            deleted: truth(&fields, "deleted").unwrap_or(false),
            body: Fields::new(),
        };
        for name in ["id", "uuid", "event_id", "name", "timestamp", "deleted", "Event"] {
            fields.remove(name);
        }
        report.body = fields;
        if let Some(id) = reports::insert(sql, &report).await? {
            report.id = id;
            return Ok(report);
        }
        let known = reports::get(sql, &Name::Uuid(report.uuid.clone()), i64::MAX).await?;
        let taken = || MispError::field("uuid", "another event holds a report with it");
        let known = known.filter(|known| known.event == event).ok_or_else(taken)?;
        if report.stamp < known.stamp {
            return Ok(known);
        }
        report.id = known.id;
        reports::update(sql, &report).await?;
        if report.deleted && !known.deleted {
            withdraw::parts(sql, event, &[&report.uuid], self.now_s).await?;
        }
        Ok(report)
    }
}

/// `eventReports/index` and `eventReports/index/EVENT`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.first().cloned().or_else(|| text(&ask.fields, "event_id"));
    let mut sql = ask.room.platform().db.read().await?;
    let most = ask.sight.most();
    let event = match said {
        None => 0,
        Some(said) => {
            let unknown = || MispError::not_found("event");
            let name = Name::parse(&said).ok_or_else(unknown)?;
            events::get(&mut sql, &name, most).await?.ok_or_else(unknown)?.id
        }
    };
    let found = reports::find(&mut sql, event, false, most).await?;
    let shown = found.iter().map(|one| json!({ "EventReport": form::report(one) }));
    Ok(Value::Array(shown.collect()).into())
}

async fn answered(ask: &Ask, id: i64) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = reports::get(&mut sql, &Name::Number(id), i64::MAX).await?.ok_or_else(unknown)?;
    Ok(json!({ "EventReport": form::report(&found) }).into())
}

/// `eventReports/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = reports::get(&mut sql, &ask.name("event report")?, ask.sight.most()).await?;
    let id = found.ok_or_else(unknown)?.id;
    drop(sql);
    answered(ask, id).await
}

/// `eventReports/add/EVENT`
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "EventReport");
    let (name, most) = (ask.name("event")?, ask.sight.most());
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let event = events::get(sql, &name, most).await?;
            let event = event.ok_or_else(|| MispError::not_found("event"))?;
            let report = writer.put_report(sql, fields, event.id).await?;
            touch(sql, event.id, writer.now_s).await?;
            Ok(report.id)
        })
    })
    .await?;
    answered(ask, id).await
}

/// Changes a report inside of one transaction; its number.
async fn change(
    ask: &Ask,
    change: impl FnOnce(&Report, &mut Fields) + Send + 'static,
) -> Result<i64, MispError> {
    let (name, most) = (ask.name("event report")?, ask.sight.most());
    let mut fields = unwrapped(ask.fields.clone(), "EventReport");
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let known = reports::get(sql, &name, most).await?.ok_or_else(unknown)?;
            change(&known, &mut fields);
            for (name, value) in &known.body {
                fields.entry(name.clone()).or_insert(value.clone());
            }
            fields.entry("name").or_insert_with(|| known.name.clone().into());
            fields.entry("deleted").or_insert(known.deleted.into());
            fields.insert("uuid".into(), known.uuid.clone().into());
            fields.insert("timestamp".into(), writer.now_s.max(known.stamp).into());
            writer.put_report(sql, fields, known.event).await?;
            touch(sql, known.event, writer.now_s).await?;
            Ok(known.id)
        })
    })
    .await
}

/// `eventReports/edit/ID`
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let id = change(ask, |_, _| ()).await?;
    answered(ask, id).await
}

/// `eventReports/restore/ID`
pub(crate) async fn restore(ask: &Ask) -> Result<Answer, MispError> {
    let id = change(ask, |_, fields| {
        fields.insert("deleted".into(), false.into());
    })
    .await?;
    answered(ask, id).await
}

/// `eventReports/delete/ID`: marked as deleted, or gone with `hard`; its note is withdrawn.
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("event report")?, ask.sight.most());
    let hard = truth(&ask.fields, "hard").unwrap_or(false);
    let uuid = write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut known = reports::get(sql, &name, most).await?.ok_or_else(unknown)?;
            withdraw::parts(sql, known.event, &[&known.uuid], writer.now_s).await?;
            if hard {
                reports::delete(sql, known.id).await?;
            } else {
                known.deleted = true;
                known.stamp = writer.now_s.max(known.stamp);
                reports::update(sql, &known).await?;
            }
            touch(sql, known.event, writer.now_s).await?;
            Ok(known.uuid)
        })
    })
    .await?;
    let how = if hard { "hard" } else { "soft" };
    Ok(done(&format!("Event Report {uuid} {how} deleted")))
}
