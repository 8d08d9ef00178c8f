//! Pages as people keep them: a name for a path with its query, own or shared with everybody here.
//!
//! A view gives no right: it is an address, and what it shows is asked for by whoever opens it.

use model::ViewId;
use model::event::AccessNoted;
use platform::db::Tx;
use platform::http::Caller;

use crate::preferences::person;
use crate::store::views;
use crate::{Identity, IdentityError};

/// Views of one person.
pub(crate) const MAX_VIEWS: i64 = 100;
/// Views that one person is shown: their own and shared ones.
pub(crate) const MAX_VIEWS_SHOWN: i64 = 300;
/// Characters of a view's name.
pub(crate) const MAX_VIEW_NAME_CHARS: usize = 80;
/// Bytes of a view's path with its query.
pub(crate) const MAX_VIEW_PATH_BYTES: usize = 2_000;

/// A page as somebody keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) id: ViewId,
    pub(crate) owner: String,
    pub(crate) owner_name: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) shared: bool,
    pub(crate) position: i64,
}

/// What is said of a view; what is not said stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) name: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) shared: Option<bool>,
    pub(crate) position: Option<i64>,
}

impl Said {
    fn check(&self) -> Result<(), IdentityError> {
        let invalid = |text: String| Err(IdentityError::Invalid(text));
        if let Some(name) = &self.name {
            let length = name.trim().chars().count();
            if length == 0 || length > MAX_VIEW_NAME_CHARS || name.chars().any(char::is_control) {
                return invalid(format!(
                    "the name of a view has 1 to {MAX_VIEW_NAME_CHARS} characters, none of them control characters"
                ));
            }
        }
        if let Some(path) = &self.path {
            // It is opened as a link: nothing but a place of this console.
            let here =
                path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/api/");
            let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
            if !here || !plain || path.len() > MAX_VIEW_PATH_BYTES {
                return invalid(format!(
                    "the path of a view begins with one /, is a page of the console, percent-encoded, and has at most {MAX_VIEW_PATH_BYTES} bytes"
                ));
            }
        }
        if self.position.is_some_and(|at| !(0..=1_000_000).contains(&at)) {
            return invalid("the position of a view is a number from 0 to 1,000,000".into());
        }
        Ok(())
    }

    fn onto(self, view: &mut View) {
        if let Some(name) = self.name {
            view.name = name.trim().to_owned();
        }
        view.path = self.path.unwrap_or_else(|| std::mem::take(&mut view.path));
        view.shared = self.shared.unwrap_or(view.shared);
        view.position = self.position.unwrap_or(view.position);
    }
}

/// Others see it, or saw it: they are told who changed it.
async fn tell(tx: &mut Tx, by: &str, view: &View, did: &str) -> Result<(), IdentityError> {
    let detail = format!("{did} the shared view “{}” ({})", view.name, view.path);
    let note = AccessNoted { what: "view_changed".into(), who: by.to_owned(), detail };
    tx.publish(by, &note).await?;
    Ok(())
}

fn gone() -> IdentityError {
    IdentityError::NotFound("this view".into())
}

impl Identity {
    pub(crate) async fn views(&self, caller: &Caller) -> Result<Vec<View>, IdentityError> {
        let user = person(caller).unwrap_or_default();
        let mut sql = self.platform().db.read().await?;
        Ok(views::seen_by(&mut sql, &user, MAX_VIEWS_SHOWN).await?)
    }

    pub(crate) async fn add_view(&self, by: &Caller, said: Said) -> Result<View, IdentityError> {
        said.check()?;
        let owner = person(by)?;
        if said.name.is_none() || said.path.is_none() {
            return Err(IdentityError::Invalid("a view has a name and a path".into()));
        }
        let owner_name = by.name.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (kept, last) = views::count(tx.sql(), &owner).await?;
                    if kept >= MAX_VIEWS {
                        return Err(IdentityError::Conflict(format!(
                            "{MAX_VIEWS} views (MAX_VIEWS) are kept for you: remove one first"
                        )));
                    }
                    let mut view = View {
                        id: tx.mint(),
                        owner,
                        owner_name: owner_name.clone(),
                        name: String::new(),
                        path: String::new(),
                        shared: false,
                        position: last + 1,
                    };
                    said.onto(&mut view);
                    views::put(tx, &view).await?;
                    if view.shared {
                        tell(tx, &owner_name, &view, "made").await?;
                    }
                    Ok(view)
                })
            })
            .await
    }

    pub(crate) async fn change_view(
        &self,
        by: &Caller,
        id: ViewId,
        said: Said,
    ) -> Result<View, IdentityError> {
        said.check()?;
        let (owner, name) = (person(by)?, by.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = views::find(tx.sql(), id).await?;
                    // Another's shared view is answered as one that is not there: whose it is, is no reason to ask.
                    let mut view = found.filter(|view| view.owner == owner).ok_or_else(gone)?;
                    let was_shared = view.shared;
                    said.onto(&mut view);
                    views::put(tx, &view).await?;
                    if was_shared || view.shared {
                        tell(tx, &name, &view, "changed").await?;
                    }
                    Ok(view)
                })
            })
            .await
    }

    /// Its owner removes a view; an administrator a shared one of anybody.
    pub(crate) async fn remove_view(&self, by: &Caller, id: ViewId) -> Result<(), IdentityError> {
        let (owner, name) = (person(by).unwrap_or_default(), by.name.clone());
        let rules = by.roles.iter().any(|role| role == "administrator");
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let found = views::find(tx.sql(), id).await?;
                    let may = |view: &View| view.owner == owner || (rules && view.shared);
                    let view = found.filter(may).ok_or_else(gone)?;
                    views::remove(tx, id).await?;
                    if view.shared {
                        tell(tx, &name, &view, "removed").await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_place_of_this_console() {
        let path = |path: &str| Said { path: Some(path.into()), ..Said::default() }.check().is_ok();
        assert!(path("/incidents?state=open&q=a%20b"));
        for bad in [
            "",
            "incidents",
            "//evil.example/",
            "https://evil.example/",
            "/api/v1/me",
            "/a b",
            "/\\evil",
            "/é",
        ] {
            assert!(!path(bad), "{bad}");
        }
        assert!(!path(&format!("/{}", "a".repeat(MAX_VIEW_PATH_BYTES))));
    }
}
