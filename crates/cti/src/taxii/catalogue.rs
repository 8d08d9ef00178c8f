//! API roots and collections at hand: every request asks for one of each, and they hardly ever change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::intel::collections as store;

use super::{OWN_ROOT, TaxiiError};
use crate::error::CtiError;
use crate::room::Cti;
use crate::store::collections::Collection;
use crate::store::roots::{self, Root};

/// What is known of roots and collections. Counts and dates in it may be old.
#[derive(Default)]
pub(crate) struct Catalogue {
    at_hand: Mutex<AtHand>,
}

#[derive(Default)]
struct AtHand {
    /// Rises with every change, so that what was read before one is not kept after it.
    change: u64,
    known: Option<Arc<Known>>,
}

/// Roots and collections as read together.
pub(crate) struct Known {
    pub(crate) roots: Vec<Root>,
    collections: HashMap<(String, String), Collection>,
}

impl Known {
    /// A root by its name.
    pub(crate) fn root(&self, name: &str) -> Option<&Root> {
        self.roots.iter().find(|root| root.name == name)
    }

    /// A collection by id or alias.
    pub(super) fn collection(&self, root: &str, name: &str) -> Option<&Collection> {
        self.collections.get(&(root.to_owned(), name.to_owned()))
    }
}

impl Catalogue {
    /// To be called after the commit of whatever changed a root or a collection.
    pub(crate) fn changed(&self) {
        let mut at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        at_hand.change += 1;
        at_hand.known = None;
    }

    /// Roots and collections, read anew after a change.
    pub(crate) async fn known(&self, cti: &Cti) -> Result<Arc<Known>, CtiError> {
        let change = {
            let at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = &at_hand.known {
                return Ok(Arc::clone(known));
            }
            at_hand.change
        };
        let known = Arc::new(read(cti).await?);
        let mut at_hand = self.at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        if at_hand.change == change {
            at_hand.known = Some(Arc::clone(&known));
        }
        Ok(known)
    }
}

async fn read(cti: &Cti) -> Result<Known, CtiError> {
    let own = Root {
        name: OWN_ROOT.into(),
        title: cti.platform().node.name.clone(),
        description: "Incidents for this node, and its answers".into(),
        max_content_length: cti.config().max_content_length_bytes,
        seen_by: vec![],
    };
    let mut sql = cti.platform().db.read().await?;
    let mut roots_known = vec![own];
    roots_known.extend(roots::all(&mut sql).await?);
    let mut collections = HashMap::new();
    for collection in store::all(&mut sql).await? {
        for name in [&collection.alias, &collection.id] {
            collections.insert((collection.root.clone(), name.clone()), collection.clone());
        }
    }
    Ok(Known { roots: roots_known, collections })
}

/// A collection by id or alias in a root. Only in the node's own root collections come into being that the catalogue
/// is not told of.
pub(super) async fn find(
    cti: &Cti,
    root: &str,
    name: &str,
) -> Result<Option<Collection>, TaxiiError> {
    let known = cti.catalogue().known(cti).await?;
    if let Some(collection) = known.collection(root, name) {
        return Ok(Some(collection.clone()));
    }
    if root != OWN_ROOT {
        return Ok(None);
    }
    fresh(cti, root, name).await
}

/// The same straight from the database: outboxes come into being inside transactions of others.
pub(super) async fn fresh(
    cti: &Cti,
    root: &str,
    name: &str,
) -> Result<Option<Collection>, TaxiiError> {
    let mut sql = cti.platform().db.read().await?;
    Ok(store::find(&mut sql, root, name).await?)
}
