//! Lists of well-known values. A list that is enabled is loaded into the store of intelligence, where it holds for
//! everything; disabling takes it out again.

use feeds::warninglist::{Matching, Warninglist};
use intel::excuse::{self, ExcuseError, Excuses};
use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::condition::{Budget, like};
use super::events::write;
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{texts, truth};
use crate::shipped::number;

/// Values of one question.
const MAX_VALUES: usize = 10_000;

/// A list as it is shown, whether it is enabled, and whether it ships.
struct Known {
    list: Warninglist,
    enabled: bool,
    shipped: bool,
}

impl Known {
    fn id(&self) -> i64 {
        number(&self.list.name)
    }

    fn head(&self) -> Value {
        let matching = match self.list.matching {
            Matching::String => "string",
            Matching::Substring => "substring",
            Matching::Hostname => "hostname",
            Matching::Cidr => "cidr",
            Matching::Regex => "regex",
        };
        json!({ "id": self.id().to_string(), "name": self.list.name, "type": matching,
            "description": self.list.description, "version": self.list.version.to_string(),
            "enabled": self.enabled, "default": self.shipped, "category": "false_positive",
            "warninglist_entry_count": self.list.list.len().to_string(),
            "valid_attributes": self.list.matching_attributes.join(", ") })
    }
}

/// Those that ship and those that people loaded, by name.
async fn all(sql: &mut AnyConnection) -> Result<Vec<Known>, MispError> {
    let shipped = tokio::task::spawn_blocking(feeds::warninglist::shipped).await;
    let shipped = shipped.ok().and_then(Result::ok).unwrap_or_default();
    let mut found: Vec<Known> = Vec::new();
    for list in excuse::lists(sql).await? {
        let shipped = shipped.iter().any(|other| other.name == list.name);
        found.push(Known { list, enabled: true, shipped });
    }
    for list in shipped {
        if found.iter().all(|known| known.list.name != list.name) {
            found.push(Known { list, enabled: false, shipped: true });
        }
    }
    found.sort_by(|a, b| a.list.name.cmp(&b.list.name));
    Ok(found)
}

/// `warninglists/index`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = all(&mut sql).await?;
    let shown: Vec<Value> =
        found.iter().map(|known| json!({ "Warninglist": known.head() })).collect();
    Ok(json!({ "Warninglists": shown }).into())
}

/// `warninglists/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.first().cloned().unwrap_or_default();
    let mut sql = ask.room.platform().db.read().await?;
    let found = all(&mut sql).await?.into_iter().find(|known| known.id().to_string() == said);
    let known = found.ok_or_else(|| MispError::not_found("warninglist"))?;
    let mut shown = known.head();
    let id = known.id().to_string();
    let entries =
        known.list.list.iter().map(|value| json!({ "value": value, "warninglist_id": id }));
    shown["WarninglistEntry"] = Value::Array(entries.collect());
    let kinds = known.list.matching_attributes.iter();
    shown["WarninglistType"] =
        kinds.map(|kind| json!({ "type": kind, "warninglist_id": id })).collect();
    Budget::new().take_value(&shown)?;
    Ok(json!({ "Warninglist": shown }).into())
}

/// `warninglists/toggleEnable`: by `id` or `name` (`%` any text); `enabled` says how, else each is turned.
pub(crate) async fn toggle(ask: &Ask) -> Result<Answer, MispError> {
    let (ids, names) = (texts(&ask.fields, "id"), texts(&ask.fields, "name"));
    let wanted = truth(&ask.fields, "enabled");
    let mut sql = ask.room.platform().db.read().await?;
    let mut count = 0_usize;
    for known in all(&mut sql).await? {
        let meant = ids.contains(&known.id().to_string())
            || names.iter().any(|pattern| like(pattern, &known.list.name));
        if !meant {
            continue;
        }
        count += 1;
        let enable = wanted.unwrap_or(!known.enabled);
        if enable != known.enabled {
            switch(ask, &mut sql, known, enable).await?;
        }
    }
    if count == 0 {
        return Ok(json!({ "saved": false, "errors": "Warninglist(s) not found." }).into());
    }
    let how = match wanted {
        None => "toggled",
        Some(true) => "enabled",
        Some(false) => "disabled",
    };
    Ok(json!({ "saved": true, "success": format!("{count} warninglist(s) {how}") }).into())
}

async fn switch(
    ask: &Ask,
    sql: &mut AnyConnection,
    known: Known,
    enable: bool,
) -> Result<(), MispError> {
    let name = known.list.name.clone();
    if !enable {
        if !known.shipped {
            let text = "it was loaded from a file and would be gone; take it out with \
                 `sereno intel warninglist remove`";
            return Err(MispError::field("enabled", format!("{name}: {text}")));
        }
        return write(ask, move |sql, _| {
            Box::pin(async move {
                excuse::remove(sql, &name).await?;
                Ok(())
            })
        })
        .await;
    }
    let text = serde_json::to_string(&known.list)
        .map_err(|cause| MispError::bad_request(cause.to_string()))?;
    let tried = excuse::try_list(sql, text).await.map_err(|error| match error {
        ExcuseError::Db(cause) => cause.into(),
        other => MispError::bad_request(other.to_string()),
    })?;
    let by = ask.caller.name.clone();
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let now_us = writer.now_s.saturating_mul(1_000_000);
            excuse::put(sql, &tried, &by, now_us).await?;
            Ok(())
        })
    })
    .await
}

/// `warninglists/checkValue`: which enabled lists hold these values.
pub(crate) async fn check(ask: &Ask) -> Result<Answer, MispError> {
    let mut values: Vec<String> =
        ask.list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    values.extend(texts(&ask.fields, "value"));
    if values.len() > MAX_VALUES {
        let text =
            format!("{} values at once, the limit is {MAX_VALUES}; ask in parts", values.len());
        return Err(MispError::bad_request(text));
    }
    let mut sql = ask.room.platform().db.read().await?;
    let excuses = Excuses::current(&mut sql).await?;
    let mut found = serde_json::Map::new();
    for value in values {
        let lists: Vec<Value> = excuses
            .names(&value)
            .into_iter()
            .map(|name| json!({ "id": number(name).to_string(), "name": name }))
            .collect();
        if !lists.is_empty() {
            found.insert(value, Value::Array(lists));
        }
    }
    Ok(Value::Object(found).into())
}

/// `warninglists/update`: they ship with the program.
pub(crate) async fn update(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    let text = "All warninglists are up to date already.";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/warninglists" }).into())
}
