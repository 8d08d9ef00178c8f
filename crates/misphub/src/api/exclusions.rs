//! Values that are left out of the correlation between events.

use serde_json::{Value, json};

use super::events::write;
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{text, unwrapped};
use crate::store::correlate::{self, Exclusion};

/// Values that are left out at most.
const MAX_EXCLUSIONS: usize = 10_000;
/// Bytes of one of them.
const MAX_VALUE_BYTES: usize = 4_096;

fn shown(one: &Exclusion) -> Value {
    json!({ "CorrelationExclusion": { "id": one.id.to_string(), "value": one.value,
        "comment": one.comment, "from_json": false } })
}

/// People name values here that may stand on events out of sight: they are told to those who see everything.
async fn all(ask: &Ask) -> Result<Vec<Exclusion>, MispError> {
    if ask.sight != intel::Sight::ALL {
        return Ok(vec![]);
    }
    let mut sql = ask.room.platform().db.read().await?;
    Ok(correlate::exclusions(&mut sql).await?)
}

/// `correlation_exclusions`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    Ok(Value::Array(all(ask).await?.iter().map(shown).collect()).into())
}

async fn found(ask: &Ask) -> Result<Exclusion, MispError> {
    let said = ask.parts.first().cloned().unwrap_or_default();
    let one = all(ask).await?.into_iter().find(|one| one.id.to_string() == said);
    one.ok_or_else(|| MispError::not_found("correlation exclusion"))
}

/// `correlation_exclusions/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    Ok(shown(&found(ask).await?).into())
}

/// `correlation_exclusions/add`
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "CorrelationExclusion");
    let value = text(&fields, "value").unwrap_or_default().trim().to_owned();
    if value.is_empty() || value.len() > MAX_VALUE_BYTES {
        let text = format!("a value of 1 to {MAX_VALUE_BYTES} bytes");
        return Err(MispError::field("value", text));
    }
    let comment: String =
        text(&fields, "comment").unwrap_or_default().chars().take(1_000).collect();
    let one = write(ask, move |sql, _| {
        Box::pin(async move {
            if correlate::exclusions(sql).await?.len() >= MAX_EXCLUSIONS {
                let text = format!("{MAX_EXCLUSIONS} values are left out, the limit; delete some");
                return Err(MispError::bad_request(text));
            }
            let id = correlate::exclude(sql, &value, &comment).await?;
            Ok(Exclusion { id, value, comment })
        })
    })
    .await?;
    Ok(shown(&one).into())
}

/// `correlation_exclusions/delete/ID`
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let id = found(ask).await?.id;
    write(ask, move |sql, _| Box::pin(async move { Ok(correlate::include(sql, id).await?) }))
        .await?;
    done("CorrelationExclusion deleted")
}

/// `correlation_exclusions/clean`: correlations are computed when they are asked for, so that nothing is left to clean.
pub(crate) async fn clean(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    done("Correlations up to date")
}

fn done(text: &str) -> Result<Answer, MispError> {
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/correlation_exclusions" })
        .into())
}
