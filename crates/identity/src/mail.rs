//! Where mail reaches people, and what other rooms learn of accounts.

use async_trait::async_trait;
use model::event::AccessNoted;
use platform::http::Caller;
use platform::people::{PeopleDirectory, Person};
use ports::PortError;

use crate::Identity;
use crate::error::IdentityError;
use crate::store::access::{self, User};
use crate::users::caller;

/// Longest address, characters (RFC 5321 §4.5.3.1.3, without the angle brackets).
pub(crate) const MAX_MAIL_CHARS: usize = 254;

/// An address as people give it; empty takes it away.
///
/// # Errors
/// It cannot be an address: one `@`, letters of ASCII, a name of a host behind it.
fn checked(text: &str) -> Result<Option<String>, IdentityError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let letters = |part: &str, more: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let fits = text
        .split_once('@')
        .is_some_and(|(local, host)| letters(local, "!#$%&'*+-/=?^_`{|}~.") && letters(host, "-."));
    if fits && text.len() <= MAX_MAIL_CHARS {
        return Ok(Some(text.to_owned()));
    }
    Err(IdentityError::Invalid(format!(
        "an address of mail is NAME@HOST in ASCII with at most {MAX_MAIL_CHARS} characters"
    )))
}

fn person(user: &User) -> Person {
    Person { caller: caller(user), mail: user.mail.clone() }
}

impl Identity {
    /// Says where mail reaches an account; an empty text takes the address away. Gives what is kept.
    ///
    /// # Errors
    /// No such account, no address, or the database said no.
    pub async fn set_mail(
        &self,
        by: &Caller,
        name: &str,
        mail: &str,
    ) -> Result<Option<String>, IdentityError> {
        let kept = checked(mail)?;
        let (actor, name, new) = (by.name.clone(), name.to_owned(), kept.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let Some(user) = access::user(tx.sql(), &name).await? else {
                        let shown: String = name.chars().take(100).collect();
                        return Err(IdentityError::NotFound(format!("account {shown}")));
                    };
                    if user.mail == new {
                        return Ok(());
                    }
                    access::set_mail(tx, user.id, new.as_deref()).await?;
                    // Questions go there: whoever changes it could answer for another, so it is told.
                    let detail = match &new {
                        Some(mail) => format!("mail for {name} goes to {mail}"),
                        None => format!("{name} has no address of mail any more"),
                    };
                    let note =
                        AccessNoted { what: "mail_changed".into(), who: actor.clone(), detail };
                    tx.publish(&actor, &note).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(kept)
    }
}

#[async_trait]
impl PeopleDirectory for Identity {
    async fn people(&self) -> Result<Vec<Person>, PortError> {
        // Who is switched off is asked nothing and answers nothing.
        let users = self.users().await?;
        Ok(users.iter().filter(|user| user.disabled_at.is_none()).map(person).collect())
    }

    async fn person(&self, id: &str) -> Result<Option<Person>, PortError> {
        let mut sql = self.platform().db.read().await.map_err(IdentityError::from)?;
        let user = access::user_by_id(&mut sql, id).await.map_err(IdentityError::from)?;
        Ok(user.filter(|user| user.disabled_at.is_none()).as_ref().map(person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused() {
        for good in ["ana@example.org", "a.b+soc@host", "x_y'z@10-1.example.org"] {
            assert_eq!(checked(good).ok().flatten().as_deref(), Some(good));
        }
        assert!(matches!(checked("  "), Ok(None)));
        let long = format!("{}@example.org", "a".repeat(MAX_MAIL_CHARS));
        for bad in [
            "ana",
            "@host",
            "ana@",
            "a b@host",
            "ana@host,ben@host",
            "ana@host\r\nBcc: x@y",
            "Ana <ana@host>",
            "ana@ho..st",
            "ana@host@host",
            "änä@host",
            &long,
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
