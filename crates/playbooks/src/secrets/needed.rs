//! Which secrets a playbook names, and which of them this node has not got.

use std::collections::BTreeSet;

use platform::db::DbError;
use serde_json::Value;
use sqlx::AnyConnection;

use crate::cacao::Playbook;
use crate::cacao::variables::references;
use crate::store::secrets;

/// The names that stand in it as they are; one that a variable gives is known only when it runs.
fn named(playbook: &Playbook) -> BTreeSet<&str> {
    let kept = |info: &&_| {
        let info: &serde_json::Map<String, Value> = info;
        info.get("kms").and_then(Value::as_bool).unwrap_or(false)
    };
    let infos = playbook
        .authentication_info_definitions
        .values()
        .filter_map(Value::as_object)
        .filter(kept)
        .filter_map(|info| info.get("kms_key_identifier"));
    let commands = playbook
        .workflow
        .values()
        .flat_map(|step| &step.commands)
        .filter_map(|command| command.arguments.get("secret"));
    let names = infos.chain(commands).filter_map(Value::as_str).map(str::trim);
    names.filter(|name| !name.is_empty() && references(name).is_empty()).collect()
}

/// One sentence for every secret that one of the playbooks names and this node has not got.
///
/// # Errors
/// The database failed.
pub(crate) async fn lacking<'t>(
    connection: &mut AnyConnection,
    texts: impl Iterator<Item = &'t String>,
) -> Result<Vec<String>, DbError> {
    let playbooks: Vec<Playbook> = texts.filter_map(|text| Playbook::parse(text).ok()).collect();
    let names: BTreeSet<&str> = playbooks.iter().flat_map(named).collect();
    let mut lacking = Vec::new();
    for name in names {
        if secrets::one(connection, name).await?.is_none() {
            let shown: String = name.chars().take(super::MAX_NAME_CHARS).collect();
            lacking.push(format!(
                "there is no secret '{shown}' here; set it with `sereno secret set {shown}`"
            ));
        }
    }
    Ok(lacking)
}
