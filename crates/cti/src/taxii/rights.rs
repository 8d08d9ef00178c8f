//! Who may read and write which collection.

use axum::http::StatusCode;
use platform::http::{Caller, CallerKind};

use super::TaxiiError;
use crate::room::Cti;
use crate::store::collections::{self, Collection, Kind};

/// Rights of one caller on one collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) read: bool,
    pub(super) write: bool,
}

const NONE: Rights = Rights { read: false, write: false };

/// A token that carries grants has those and nothing more. Without grants: administrators and
/// analysts read all and write the inbox, operators read all, TAXII clients read and write the inbox,
/// a peer writes the inbox and reads its own outbox, the other roles read the inbox.
pub(super) fn of(caller: &Caller, collection: &Collection) -> Rights {
    if !caller.grants.is_empty() {
        let holds = |right: &str| {
            caller.grants.iter().any(|grant| {
                grant.rsplit_once(':').is_some_and(|(name, held)| {
                    held == right && (name == collection.id || name == collection.alias)
                })
            })
        };
        return Rights { read: holds("read"), write: holds("write") };
    }
    let inbox = collection.kind == Kind::Inbox;
    if let CallerKind::Peer { node, .. } = &caller.kind {
        let own = collection.peer.as_deref() == Some(node.to_string().as_str());
        return Rights { read: own, write: inbox };
    }
    let has = |role: &str| caller.roles.iter().any(|held| held == role);
    if has("administrator") || has("analyst") {
        return Rights { read: true, write: inbox };
    }
    if has("operator") {
        return Rights { read: true, write: false };
    }
    if has("taxii") {
        return Rights { read: inbox, write: inbox };
    }
    if has("read-only") || has("assessor") {
        return Rights { read: inbox, write: false };
    }
    NONE
}

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Read,
    Write,
    Either,
}

/// The collection, if the caller may do this with it. A collection to which the caller has no
/// right at all does not exist for it.
pub(super) async fn open(
    cti: &Cti,
    caller: &Caller,
    name: &str,
    need: Need,
) -> Result<(Collection, Rights), TaxiiError> {
    let mut sql = cti.platform().db.read().await?;
    let found = collections::find(&mut sql, name).await?;
    let Some(collection) = found else {
        return Err(TaxiiError::not_found("the collection"));
    };
    let rights = of(caller, &collection);
    let holds = match need {
        Need::Read => rights.read,
        Need::Write => rights.write,
        Need::Either => rights.read || rights.write,
    };
    if holds {
        return Ok((collection, rights));
    }
    if rights == NONE {
        return Err(TaxiiError::not_found("the collection"));
    }
    let verb = if need == Need::Write { "write to" } else { "read" };
    let text = format!("{} may not {verb} the collection '{}'", caller.name, collection.title);
    Err(TaxiiError::new(StatusCode::FORBIDDEN, "forbidden", text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use model::id::TypedId;

    fn collection(kind: Kind, peer: Option<&str>) -> Collection {
        Collection {
            id: "11111111-1111-4111-8111-111111111111".into(),
            alias: kind.word().into(),
            title: String::new(),
            description: String::new(),
            kind,
            peer: peer.map(str::to_owned),
        }
    }

    fn check(caller: &Caller, collection: &Collection, read: bool, write: bool) {
        assert_eq!(of(caller, collection), Rights { read, write }, "{caller:?} {collection:?}");
    }

    #[test]
    fn rights_by_role_grant_and_certificate() {
        let node = model::NodeId::mint(model::Timestamp::from_secs(1), [1; 10]);
        let inbox = collection(Kind::Inbox, None);
        let own = collection(Kind::Outbox, Some(&node.to_string()));
        let other = collection(Kind::Outbox, Some("somebody else"));
        let role = |role: &str| Caller { roles: vec![role.into()], ..Caller::anonymous() };
        check(&Caller::anonymous(), &inbox, false, false);
        check(&role("administrator"), &inbox, true, true);
        check(&role("analyst"), &other, true, false);
        check(&role("analyst"), &inbox, true, true);
        check(&role("operator"), &inbox, true, false);
        check(&role("taxii"), &inbox, true, true);
        check(&role("taxii"), &other, false, false);
        check(&role("read-only"), &inbox, true, false);
        check(&role("read-only"), &other, false, false);
        let peer = Caller {
            kind: CallerKind::Peer {
                peer: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
                node,
            },
            ..role("peer")
        };
        check(&peer, &inbox, false, true);
        check(&peer, &own, true, false);
        check(&peer, &other, false, false);
        let granted = Caller { grants: vec!["inbox:read".into()], ..role("administrator") };
        check(&granted, &inbox, true, false);
        check(&granted, &other, false, false);
    }
}
