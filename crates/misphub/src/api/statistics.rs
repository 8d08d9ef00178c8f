//! Counts of what is in sight.

use serde_json::{Map, Value, json};

use super::{Answer, Ask};
use crate::error::MispError;
use crate::store::counts;

/// A share as MISP writes it.
fn share(part: i64, all: i64) -> String {
    let percent = part as f64 * 100.0 / all.max(1) as f64;
    format!("{}%", (percent * 1_000.0).round() / 1_000.0)
}

fn written(counted: Vec<(String, i64)>, percent: bool) -> Map<String, Value> {
    let all = counted.iter().map(|(_, count)| count).sum();
    let say = |count: i64| if percent { share(count, all) } else { count.to_string() };
    counted.into_iter().map(|(name, count)| (name, say(count).into())).collect()
}

fn flag(ask: &Ask, at: usize) -> bool {
    ask.parts.get(at).is_some_and(|part| matches!(part.as_str(), "true" | "1"))
}

/// `attributes/attributeStatistics/type|category/PERCENT`
pub(crate) async fn attributes(ask: &Ask) -> Result<Answer, MispError> {
    let by_category = ask.parts.first().is_some_and(|part| part == "category");
    let mut sql = ask.room.platform().db.read().await?;
    let counted = counts::attributes(&mut sql, by_category, ask.sight.most()).await?;
    Ok(Value::Object(written(counted, flag(ask, 1))).into())
}

/// `tags/tagStatistics/PERCENT/SORT`: tags of events.
pub(crate) async fn tags(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let counted = counts::tags(&mut sql, ask.sight.most()).await?;
    Ok(json!({ "tags": written(counted, flag(ask, 0)), "taxonomies": [] }).into())
}
