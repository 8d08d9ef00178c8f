//! What a run executes: its playbook and all that it calls, as they were when it began.

use std::collections::BTreeMap;

use model::Timestamp;
use platform::db::{DbError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::MAX_CALLED_PLAYBOOKS;
use super::shape::{called, called_version};
use crate::PlaybooksError;
use crate::cacao::Playbook;
use crate::cacao::variables::bare;
use crate::store::playbooks::{self, Stored};
use crate::{Abilities, validate};

/// Playbooks as texts, in the form that is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Texts {
    /// The run's own.
    pub own: String,
    /// Those called, by CACAO id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<String, String>,
}

/// The same, read.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    own: Playbook,
    called: BTreeMap<String, Playbook>,
}

impl Texts {
    /// SHA-256 of the stored form, in hexadecimal, with that form.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub(crate) fn stored(&self) -> Result<(String, String), DbError> {
        let body = serde_json::to_string(self)
            .map_err(|cause| DbError::corrupt("playbooks_books.body", cause))?;
        Ok((hex::encode(Sha256::digest(&body)), body))
    }

    /// # Errors
    /// A text is no playbook.
    pub(crate) fn read(&self) -> Result<Book, serde_json::Error> {
        let called = self
            .called
            .iter()
            .map(|(id, text)| Ok((id.clone(), Playbook::parse(text)?)))
            .collect::<Result<_, serde_json::Error>>()?;
        Ok(Book { own: Playbook::parse(&self.own)?, called })
    }
}

impl Book {
    /// The run's own playbook, or one that is called.
    pub(crate) fn playbook(&self, called: Option<&str>) -> Option<&Playbook> {
        match called {
            None => Some(&self.own),
            Some(id) => self.called.get(id),
        }
    }

    /// The run's own playbook.
    pub(crate) fn own(&self) -> &Playbook {
        &self.own
    }
}

/// What is missing to run a playbook by itself: the standard, this node, its time.
pub(crate) fn lacks(
    abilities: &Abilities,
    body: &str,
    given: &[String],
    now: Timestamp,
) -> Vec<String> {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else {
        return vec!["the stored playbook cannot be read".into()];
    };
    for name in given {
        // Handed in by the caller: not missing.
        if let Some(variable) = value.pointer_mut(&format!("/playbook_variables/{name}"))
            && variable.get("value").is_none()
            && let Some(map) = variable.as_object_mut()
        {
            map.insert("value".into(), "".into());
        }
    }
    let mut missing = validate(&value, abilities).runnable.missing;
    if let Ok(playbook) = Playbook::parse(body) {
        let time =
            |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
        if playbook.revoked {
            missing.push("its creator has revoked it".into());
        } else if time(&playbook.valid_from).is_some_and(|from| now < from) {
            missing.push("it is not valid yet (valid_from)".into());
        } else if time(&playbook.valid_until).is_some_and(|until| now >= until) {
            missing.push("it is no longer valid (valid_until)".into());
        }
    }
    missing
}

/// Collects a playbook and all that it calls, and what is missing to run them here and now.
///
/// # Errors
/// The database failed, or the playbook cannot be read.
pub(crate) async fn collect(
    tx: &mut Tx,
    abilities: &Abilities,
    stored: &Stored,
    given: &[String],
) -> Result<(Texts, Vec<String>), PlaybooksError> {
    let mut texts = Texts { own: stored.body.clone(), called: BTreeMap::new() };
    let mut missing = lacks(abilities, &stored.body, given, tx.now());
    let own = Playbook::parse(&stored.body).map_err(|cause| {
        PlaybooksError::invalid(format!("the playbook cannot be read: {cause}"))
    })?;
    let mut todo = vec![own];
    while let Some(caller) = todo.pop() {
        for step in caller.workflow.values() {
            let Some(id) = called(step) else { continue };
            if texts.called.contains_key(id) {
                continue;
            }
            if texts.called.len() >= MAX_CALLED_PLAYBOOKS {
                missing.push(format!("it calls more than {MAX_CALLED_PLAYBOOKS} playbooks"));
                return Ok((texts, missing));
            }
            let name = step.title();
            let Some(found) = playbooks::by_cacao_id(tx.sql(), id).await? else {
                missing.push(format!(
                    "step '{name}' calls {id}, which is not stored here; store it with \
                     `sereno playbook add FILE`"
                ));
                continue;
            };
            let wanted = called_version(step).and_then(|text| text.parse::<Timestamp>().ok());
            if wanted.is_some_and(|wanted| wanted != found.modified) {
                missing.push(format!(
                    "step '{name}' calls another version of {id} than the one stored here, \
                     modified {}",
                    found.modified
                ));
            }
            let given: Vec<String> = step.in_args.iter().map(|arg| bare(arg).to_owned()).collect();
            let inner = lacks(abilities, &found.body, &given, tx.now());
            missing.extend(inner.into_iter().map(|what| format!("'{}': {what}", found.name)));
            if let Ok(playbook) = Playbook::parse(&found.body) {
                todo.push(playbook);
            }
            texts.called.insert(id.to_owned(), found.body);
        }
    }
    Ok((texts, missing))
}
