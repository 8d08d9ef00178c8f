//! Keeping rules: a change counts once it was compiled with all others.

use std::sync::Arc;

use model::event::CommunityNoted;
use platform::db::{DbError, Tx};

use super::rule::{MAX_RULES, Redactor, Rule};
use crate::error::CommunityError;
use crate::room::Communities;
use crate::store::redactions;

impl Communities {
    /// Adds a rule, or changes one.
    pub(crate) async fn put_rule(
        &self,
        by: &str,
        rule: Rule,
        new: bool,
    ) -> Result<(), CommunityError> {
        rule.check().map_err(|text| {
            let text = format!("the redaction rule cannot be used: {text}");
            CommunityError::invalid(text, "Mend it; nothing was changed.")
        })?;
        let by = by.to_owned();
        let done: Result<(), CommunityError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let all = redactions::all(tx.sql()).await?;
                    if new && all.len() >= MAX_RULES {
                        return Err(CommunityError::conflict(
                            format!("there are {MAX_RULES} redaction rules, the limit"),
                            "Remove one first, or name several properties in one rule.",
                        ));
                    }
                    if !new && !all.iter().any(|known| known.id == rule.id) {
                        return Err(CommunityError::unknown("redaction rule", &rule.id));
                    }
                    let now_us = tx.now().as_micros();
                    redactions::put(tx.sql(), &rule, now_us).await?;
                    note(tx, &by, "redaction_rule_changed", &rule.id).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        self.reload_rules().await
    }

    /// Takes a rule away.
    pub(crate) async fn remove_rule(&self, by: &str, id: &str) -> Result<(), CommunityError> {
        let (by, id) = (by.to_owned(), id.to_owned());
        let done: Result<(), CommunityError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if !redactions::remove(tx.sql(), &id).await? {
                        return Err(CommunityError::unknown("redaction rule", &id));
                    }
                    note(tx, &by, "redaction_rule_removed", &id).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        self.reload_rules().await
    }

    async fn reload_rules(&self) -> Result<(), CommunityError> {
        // One after the other, so that the last one to read is the last one to put its reading in force.
        let _one = self.reloading().await;
        let mut sql = self.platform().db.read().await?;
        let rules = redactions::all(&mut sql).await?;
        let redactor =
            Redactor::new(rules, self.own_networks().to_vec(), self.own_domains().to_vec())
                .map_err(|text| CommunityError::invalid(text, "Mend or pause that rule."))?;
        self.put_redactor(Arc::new(redactor));
        Ok(())
    }
}

async fn note(tx: &mut Tx, by: &str, what: &str, id: &str) -> Result<(), DbError> {
    let detail = format!("redaction rule {id}");
    let note = CommunityNoted { what: what.into(), who: by.to_owned(), detail };
    tx.publish(by, &note).await?;
    Ok(())
}
