//! "Ask somebody else": one question is put to one more person. It takes nothing from anybody who could answer before.

use model::event::QuestionPassedOn;
use platform::http::Caller;
use ports::Notice;

use super::asking::{Order, PASSED, soon};
use super::{Approvals, Kind, Said, delegations};
use crate::PlaybooksError;
use crate::store::notices;

impl Approvals {
    /// Asks a person to answer; true when a mail goes out too.
    ///
    /// # Errors
    /// Nothing waits, the person may not answer it, or the comment is too long.
    pub(crate) async fn pass_on(
        &self,
        kind: Kind,
        about: &str,
        caller: &Caller,
        person: &str,
        comment: String,
    ) -> Result<bool, PlaybooksError> {
        let comment = comment.trim().to_owned();
        let most = delegations::MAX_COMMENT_CHARS;
        if comment.chars().count() > most {
            return Err(PlaybooksError::invalid(format!(
                "a comment has at most {most} characters"
            )));
        }
        let question = self.question(kind, about).await?;
        let waits = || PlaybooksError::Conflict("nothing waits here for an answer".into());
        let question = question.ok_or_else(waits)?;
        let to = self.named(person).await?;
        if !self.may_answer(&to.caller, question.tlp) {
            let text = format!("{} may not see what this is about", to.caller.name);
            return Err(PlaybooksError::invalid(text));
        }
        let by = Said::own(caller).person;
        let mailed = to.mail.is_some();
        let done: Result<bool, PlaybooksError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let name = to.caller.name;
                    let body = if comment.is_empty() { question.title } else { comment.clone() };
                    let notice = Notice {
                        title: format!("{by} asks {name} to answer {}", question.what),
                        body,
                        link: Some(question.place),
                    };
                    let key = format!("passed/{}/{name}/{}", question.about, now.as_micros());
                    notices::put(tx.sql(), &key, &notice, question.tlp, now).await?;
                    let fact = QuestionPassedOn {
                        question: question.about.clone(),
                        what: question.what,
                        by: by.clone(),
                        to: name,
                        comment,
                        tlp: question.tlp,
                    };
                    tx.publish(&by, &fact).await?;
                    let order = Order {
                        kind,
                        about: question.about,
                        round: PASSED.into(),
                        to: Some((to.caller.id, by)),
                    };
                    soon(tx, &order, &question.version, now).await
                })
            })
            .await;
        Ok(done? && mailed)
    }
}
