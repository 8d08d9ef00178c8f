//! Organisations that have no node: made, changed and forgotten here, and named by tokens, accounts and pushes.

use async_trait::async_trait;
use model::OrganisationId;
use model::event::AccessNoted;
use ports::PortError;
use ports::disclosure::{Named, Organisations, Recipient};

use crate::error::CommunityError;
use crate::members::{MAX_NAME, checked_text};
use crate::organisations::{Change, Organisation, Who, one_of};
use crate::room::Communities;
use crate::store::organisations::{self, Nodeless};

/// Organisations without a node at most.
pub(crate) const MAX_NODELESS: usize = 2_000;

fn taken(name: &str) -> CommunityError {
    CommunityError::conflict(
        format!("there is an organisation '{name}'"),
        "Choose another name, or change that one with `sereno organisation set`.",
    )
}

fn stored(id: OrganisationId, it: &Organisation) -> Nodeless {
    Nodeless {
        id,
        name: it.name.clone(),
        kind: it.kind.clone(),
        sector: it.sector.clone(),
        country: it.country.clone(),
        note: it.note.clone(),
    }
}

impl Communities {
    /// Makes an organisation without a node.
    pub(crate) async fn new_organisation(
        &self,
        by: &str,
        name: &str,
        about: Change,
    ) -> Result<Organisation, CommunityError> {
        let name = checked_text("the name of an organisation", name, 1, MAX_NAME)?;
        // A name with an id's form would hide that one.
        if name.contains(['\n', '\t']) || name.parse::<OrganisationId>().is_ok() {
            let text = "a name has one line and is no id";
            return Err(CommunityError::invalid(text, "Choose another name."));
        }
        if self.organisations().await?.iter().any(|known| known.name == name) {
            return Err(taken(&name));
        }
        let id: OrganisationId = self.platform().mint();
        let mut made = Organisation {
            who: Who::Nodeless(id),
            name,
            kind: "other".into(),
            sector: String::new(),
            country: String::new(),
            note: String::new(),
        };
        made.change(about)?;
        let (by, new) = (by.to_owned(), stored(id, &made));
        let done: Result<(), CommunityError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if organisations::nodeless(tx.sql()).await?.len() >= MAX_NODELESS {
                        return Err(CommunityError::conflict(
                            format!(
                                "there are {MAX_NODELESS} organisations without a node, the limit"
                            ),
                            "Remove those that are needed no longer.",
                        ));
                    }
                    let now_us = tx.now().as_micros();
                    if !organisations::put_nodeless(tx.sql(), &new, now_us).await? {
                        return Err(taken(&new.name));
                    }
                    let detail = format!("organisation {} of kind {}", new.name, new.kind);
                    let what = "organisation_created".into();
                    tx.publish(&by, &AccessNoted { what, who: by.clone(), detail }).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        Ok(made)
    }

    pub(crate) async fn change_nodeless(
        &self,
        id: OrganisationId,
        now: &Organisation,
    ) -> Result<(), CommunityError> {
        let now = stored(id, now);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if organisations::get_nodeless(tx.sql(), id).await?.is_none() {
                        return Err(CommunityError::unknown("organisation", &id.to_string()));
                    }
                    let now_us = tx.now().as_micros();
                    organisations::put_nodeless(tx.sql(), &now, now_us).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Forgets an organisation without a node. Tokens, accounts and pushes that are for it get nothing any more.
    pub(crate) async fn remove_organisation(
        &self,
        by: &str,
        id: &str,
    ) -> Result<(), CommunityError> {
        let all = self.organisations().await?;
        let found = all.into_iter().find(|known| known.id() == id);
        let found = found.ok_or_else(|| CommunityError::unknown("organisation", id))?;
        let Who::Nodeless(id) = found.who else {
            return Err(CommunityError::conflict(
                format!("{} has a node", found.name),
                "Its organisation goes with `sereno peer remove`.",
            ));
        };
        let by = by.to_owned();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if !organisations::remove_nodeless(tx.sql(), id).await? {
                        return Err(CommunityError::unknown("organisation", &id.to_string()));
                    }
                    let detail = format!("organisation {}", found.name);
                    let what = "organisation_removed".into();
                    tx.publish(&by, &AccessNoted { what, who: by.clone(), detail }).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Another organisation by name or id; our own receives nothing and is not found.
    pub(crate) async fn other(&self, name: &str) -> Result<Organisation, CommunityError> {
        Ok(one_of(&self.organisations().await?, name)?.clone())
    }
}

#[async_trait]
impl Organisations for Communities {
    async fn organisation(&self, name: &str) -> Result<Named, PortError> {
        let found = self.other(name).await?;
        let recipient = found.recipient().unwrap_or(Recipient::Unnamed);
        Ok(Named { recipient, name: found.name })
    }

    async fn name_of(&self, recipient: Recipient) -> Result<Option<String>, PortError> {
        Ok(match recipient {
            Recipient::Peer(peer) => self.peers().peer(peer).await?.map(|peer| peer.name),
            Recipient::Organisation(id) => {
                let mut sql = self.platform().db.read().await.map_err(CommunityError::from)?;
                let found = organisations::get_nodeless(&mut sql, id).await;
                found.map_err(CommunityError::from)?.map(|it| it.name)
            }
            Recipient::Unnamed => None,
        })
    }
}
