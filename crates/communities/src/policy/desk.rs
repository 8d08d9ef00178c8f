//! Keeping policies: every change is compiled with all others and tried before it counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::event::CommunityNoted;
use platform::db::Tx;

use super::engine::{Engine, MAX_POLICIES, MAX_POLICY_BYTES, Wrong};
use super::trial::{MAX_TESTS, Trial, Tried};
use super::words::Words;
use crate::error::CommunityError;
use crate::room::Communities;
use crate::store::policies::{self, Stored};

/// Characters of a policy's id at most.
const MAX_ID: usize = 80;

/// A policy in force, as lists show it.
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) built_in: bool,
    pub(crate) forbids: bool,
    pub(crate) reason: String,
    pub(crate) words: String,
    pub(crate) text: String,
    /// The stored version; `None` for built-in ones.
    pub(crate) stored: Option<Stored>,
}

impl Communities {
    /// Reads the policies anew, after a change was committed.
    pub(crate) async fn reload(&self) -> Result<(), CommunityError> {
        // One after the other, so that the last one to read is the last one to put its reading in force.
        let _one = self.reloading().await;
        let mut sql = self.platform().db.read().await?;
        let own = policies::all(&mut sql).await?;
        let own: Vec<(String, String)> = own.into_iter().map(|p| (p.id, p.text)).collect();
        let engine = Engine::compile(&own).map_err(|wrong| refused(&wrong))?;
        self.put_engine(Arc::new(engine));
        Ok(())
    }

    /// The policies in force, own ones first.
    pub(crate) async fn shown_policies(&self) -> Result<Vec<Shown>, CommunityError> {
        let names = self.names().await?;
        let words = Words { names: &names };
        let mut sql = self.platform().db.read().await?;
        let mut own: BTreeMap<String, Stored> =
            policies::all(&mut sql).await?.into_iter().map(|p| (p.id.clone(), p)).collect();
        let engine = self.engine();
        let shown = engine.policies().map(|(policy, built_in)| {
            let id = policy.id().to_string();
            let json = policy.to_json().unwrap_or_default();
            let stored = if built_in { None } else { own.remove(&id) };
            Shown {
                built_in,
                forbids: json["effect"] == "forbid",
                reason: policy.annotation("reason").unwrap_or_default().to_owned(),
                words: words.policy(&json),
                text: stored.as_ref().map_or_else(|| policy.to_string(), |p| p.text.clone()),
                id,
                stored,
            }
        });
        Ok(shown.collect())
    }

    /// Names of communities and organisations by their ids.
    async fn names(&self) -> Result<HashMap<String, String>, CommunityError> {
        let mut names: HashMap<String, String> = self
            .organisations()
            .await?
            .into_iter()
            .map(|organisation| (organisation.id(), organisation.name))
            .collect();
        let mut sql = self.platform().db.read().await?;
        let circles = crate::store::circles::all(&mut sql).await?;
        names.extend(circles.into_iter().map(|circle| (circle.id.to_string(), circle.name)));
        Ok(names)
    }

    /// Puts a policy in force under an id, or takes it away; the results of all tests. With `force`, also when it
    /// breaks a test.
    pub(crate) async fn set_policy(
        &self,
        by: &str,
        id: &str,
        text: Option<&str>,
        force: bool,
    ) -> Result<Vec<Tried>, CommunityError> {
        check_id(id)?;
        let text = text.map(str::trim).unwrap_or_default().to_owned();
        if text.len() > MAX_POLICY_BYTES {
            return Err(CommunityError::invalid(
                format!("the policy has {} bytes; {MAX_POLICY_BYTES} may be", text.len()),
                "Part it into several policies.",
            ));
        }
        let (by, id) = (by.to_owned(), id.to_owned());
        let done: Result<Vec<Tried>, CommunityError> = self
            .platform()
            .db
            .write(move |tx| Box::pin(async move { change(tx, &by, &id, &text, force).await }))
            .await;
        let results = done?;
        self.reload().await?;
        Ok(results)
    }

    /// Runs the tests that are kept against the policies in force.
    pub(crate) async fn try_policies(&self) -> Result<Vec<(Trial, Tried)>, CommunityError> {
        let mut sql = self.platform().db.read().await?;
        let trials = kept(policies::tests(&mut sql).await?)?;
        let engine = self.engine();
        Ok(trials
            .into_iter()
            .map(|trial| {
                let tried = trial.run(&engine);
                (trial, tried)
            })
            .collect())
    }

    /// Keeps these tests in place of all others.
    pub(crate) async fn put_tests(&self, trials: Vec<Trial>) -> Result<(), CommunityError> {
        if trials.len() > MAX_TESTS {
            return Err(CommunityError::invalid(
                format!("{} tests; {MAX_TESTS} may be", trials.len()),
                "Leave some out; nothing was changed.",
            ));
        }
        let mut bodies = BTreeMap::new();
        for trial in trials {
            trial.check()?;
            let body = serde_json::to_string(&trial)
                .map_err(|cause| CommunityError::invalid(cause.to_string(), ""))?;
            if bodies.insert(trial.name.clone(), body).is_some() {
                return Err(CommunityError::invalid(
                    format!("two tests are called '{}'", trial.name),
                    "Give each a name of its own; nothing was changed.",
                ));
            }
        }
        let bodies: Vec<(String, String)> = bodies.into_iter().collect();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move { Ok(policies::put_tests(tx.sql(), &bodies).await?) })
            })
            .await
    }
}

fn check_id(id: &str) -> Result<(), CommunityError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !id.is_empty() && id.len() <= MAX_ID && id.chars().all(fits) {
        return Ok(());
    }
    Err(CommunityError::invalid(
        format!("the id of a policy has 1 to {MAX_ID} letters, digits, '-', '_' and '.'"),
        "Choose another id.",
    ))
}

async fn change(
    tx: &mut Tx,
    by: &str,
    id: &str,
    text: &str,
    force: bool,
) -> Result<Vec<Tried>, CommunityError> {
    let before = policies::all(tx.sql()).await?;
    let before: BTreeMap<String, String> = before.into_iter().map(|p| (p.id, p.text)).collect();
    let mut after = before.clone();
    let known = after.remove(id).is_some();
    if text.is_empty() && !known {
        return Err(CommunityError::unknown("policy", id));
    }
    if !text.is_empty() {
        after.insert(id.to_owned(), text.to_owned());
    }
    if after.len() > MAX_POLICIES {
        return Err(CommunityError::conflict(
            format!("there are {MAX_POLICIES} policies, the limit"),
            "Remove one first.",
        ));
    }
    let compile = |set: BTreeMap<String, String>| {
        Engine::compile(&set.into_iter().collect::<Vec<_>>()).map_err(|wrong| refused(&wrong))
    };
    let (old, new) = (compile(before)?, compile(after)?);
    let trials = kept(policies::tests(tx.sql()).await?)?;
    let results: Vec<Tried> = trials.iter().map(|trial| trial.run(&new)).collect();
    let broken: Vec<String> = trials
        .iter()
        .zip(&results)
        .filter(|(trial, tried)| !tried.passed && trial.run(&old).passed)
        .map(|(_, tried)| broken_line(tried))
        .collect();
    if !broken.is_empty() && !force {
        return Err(CommunityError::Conflict {
            text: format!("the change breaks {} of {} tests", broken.len(), results.len()),
            lines: broken,
            remedy: "Mend the policy or the tests, or say `force`; nothing was changed.".into(),
        });
    }
    let now_us = tx.now().as_micros();
    let version = policies::add(tx.sql(), id, text, by, now_us).await?;
    let what = if text.is_empty() { "sharing_policy_removed" } else { "sharing_policy_changed" };
    let detail = format!("policy {id}, version {version}, {} tests broken", broken.len());
    let note = CommunityNoted { what: what.into(), who: by.to_owned(), detail };
    tx.publish(by, &note).await?;
    Ok(results)
}

/// A test that no longer passes, in one line.
fn broken_line(tried: &Tried) -> String {
    let yes = |allowed: bool| if allowed { "yes" } else { "no" };
    format!(
        "{}: expected {}, would be {}: {}",
        tried.name,
        yes(tried.expected),
        yes(tried.allowed),
        tried.reason
    )
}

fn kept(bodies: Vec<String>) -> Result<Vec<Trial>, CommunityError> {
    let read = |body: String| {
        serde_json::from_str(&body).map_err(|cause| {
            platform::db::DbError::corrupt("communities_policy_tests.body", cause).into()
        })
    };
    bodies.into_iter().map(read).collect()
}

/// Policies that cannot be, one line each.
fn refused(wrong: &[(String, Wrong)]) -> CommunityError {
    let line = |(id, wrong): &(String, Wrong)| match id.is_empty() {
        true => wrong.to_string(),
        false => format!("{id}: {wrong}"),
    };
    let lines: Vec<String> = wrong.iter().map(line).collect();
    CommunityError::Invalid {
        text: format!("the policy cannot be used: {}", lines.first().cloned().unwrap_or_default()),
        lines,
        remedy: "What policies may speak of stands in docs/communities.md; nothing was changed."
            .into(),
    }
}
