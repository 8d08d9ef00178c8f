//! Who may read and write which collection.

use axum::http::StatusCode;
use platform::http::{Caller, CallerKind};

use super::{OWN_ROOT, TaxiiError, catalogue};
use crate::room::Cti;
use crate::store::collections::{Collection, Kind};
use crate::store::roots::Root;

/// Rights of one caller on one collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) read: bool,
    pub(super) write: bool,
}

const NONE: Rights = Rights { read: false, write: false };

fn has(caller: &Caller, role: &str) -> bool {
    caller.roles.iter().any(|held| held == role)
}

/// Whether a grant such as `ID:read` is about this collection. An alias names one in the node's own root only: in
/// other roots the same alias may stand for something else.
fn names(grant: &str, collection: &Collection) -> Option<bool> {
    let (name, right) = grant.rsplit_once(':')?;
    let is_alias = name == collection.alias && collection.root == OWN_ROOT;
    (name == collection.id || is_alias).then_some(right == "write")
}

/// A token that carries grants has those and nothing more. Without grants: administrators and analysts read all and
/// write all but outboxes, operators read all, TAXII clients write the inbox and read open collections, a peer writes
/// the inbox, reads its own outbox and open collections, the other roles read open collections: what peers put into
/// the inbox is often not for all who work here, and never for other clients. How far a role sees into what it may read,
/// [`super::asking::Asking`] says.
pub(super) fn of(caller: &Caller, collection: &Collection) -> Rights {
    if !caller.grants.is_empty() {
        let held: Vec<bool> = caller.grants.iter().filter_map(|g| names(g, collection)).collect();
        return Rights { read: held.contains(&false), write: held.contains(&true) };
    }
    let kind = Kind::of(collection);
    let (inbox, open) = (kind == Kind::Inbox, kind == Kind::Open);
    if let CallerKind::Peer { node, .. } = &caller.kind {
        let own = collection.peer.as_deref() == Some(node.to_string().as_str());
        return Rights { read: own || open, write: inbox };
    }
    if has(caller, "administrator") || has(caller, "analyst") {
        return Rights { read: true, write: kind != Kind::Outbox };
    }
    if has(caller, "operator") {
        return Rights { read: true, write: false };
    }
    if has(caller, "taxii") {
        return Rights { read: open, write: inbox };
    }
    if has(caller, "read-only") || has(caller, "assessor") {
        return Rights { read: open, write: false };
    }
    NONE
}

/// Whether a caller sees an API root. Administrators see all; a grant on a collection shows its root as well, which
/// the caller of this has to look at.
pub(super) fn sees(caller: &Caller, root: &Root) -> bool {
    let node = match &caller.kind {
        CallerKind::Peer { node, .. } => Some(format!("peer:{node}")),
        _ => None,
    };
    root.seen_by.is_empty()
        || has(caller, "administrator")
        || root.seen_by.iter().any(|word| has(caller, word) || node.as_ref() == Some(word))
}

/// A root that the caller sees.
pub(super) async fn root(cti: &Cti, caller: &Caller, name: &str) -> Result<Root, TaxiiError> {
    let missing = || TaxiiError::not_found("the API root");
    let known = cti.catalogue().known(cti).await?;
    let root = known.root(name).ok_or_else(missing)?;
    if sees(caller, root) || granted_in(cti, caller, name).await? {
        return Ok(root.clone());
    }
    Err(missing())
}

/// Whether a grant of the caller names a collection of this root.
pub(super) async fn granted_in(cti: &Cti, caller: &Caller, root: &str) -> Result<bool, TaxiiError> {
    for grant in &caller.grants {
        let Some((name, _)) = grant.rsplit_once(':') else { continue };
        let found = catalogue::find(cti, root, name).await?;
        if found.is_some_and(|collection| names(grant, &collection).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Read,
    Write,
    Either,
    Both,
}

/// The collection, if the caller may do this with it. A collection to which the caller has no
/// right at all does not exist for it: the same answer, after the same work.
pub(super) async fn open(
    cti: &Cti,
    caller: &Caller,
    root: &str,
    name: &str,
    need: Need,
) -> Result<(Collection, Rights), TaxiiError> {
    let missing = || TaxiiError::not_found("the collection");
    let known = cti.catalogue().known(cti).await?;
    let visible =
        known.root(root).is_some_and(|root| sees(caller, root) || !caller.grants.is_empty());
    let may = |collection: &Collection| visible && of(caller, collection) != NONE;
    let found = match known.collection(root, name).filter(|collection| may(collection)) {
        Some(collection) => Some(collection.clone()),
        // What is not there is looked for in the database; so is what must seem not to be.
        None => catalogue::fresh(cti, root, name).await?.filter(may),
    };
    let collection = found.ok_or_else(missing)?;
    let rights = of(caller, &collection);
    let holds = match need {
        Need::Read => rights.read,
        Need::Write => rights.write,
        Need::Either => true,
        Need::Both => rights.read && rights.write,
    };
    if holds {
        return Ok((collection, rights));
    }
    let verb = match need {
        Need::Write => "write to",
        Need::Both => "delete from",
        _ => "read",
    };
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
            number: 1,
            root: OWN_ROOT.into(),
            held: 0,
            last_added_us: 0,
            id: "11111111-1111-4111-8111-111111111111".into(),
            alias: kind.word().into(),
            title: String::new(),
            description: String::new(),
            kind: kind.word().into(),
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
        check(&role("taxii"), &inbox, false, true);
        check(&role("taxii"), &other, false, false);
        let (open, closed) = (collection(Kind::Open, None), collection(Kind::Closed, None));
        for (who, of_open, of_closed) in [
            ("administrator", (true, true), (true, true)),
            ("analyst", (true, true), (true, true)),
            ("operator", (true, false), (true, false)),
            ("taxii", (true, false), (false, false)),
            ("read-only", (true, false), (false, false)),
            ("none", (false, false), (false, false)),
        ] {
            check(&role(who), &open, of_open.0, of_open.1);
            check(&role(who), &closed, of_closed.0, of_closed.1);
        }
        let elsewhere = Collection { root: "other".into(), ..inbox.clone() };
        let by_alias = Caller { grants: vec!["inbox:read".into()], ..role("taxii") };
        check(&by_alias, &elsewhere, false, false);
        check(&role("read-only"), &inbox, false, false);
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
