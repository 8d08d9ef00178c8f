//! What the collections of the store are for, in this room's words.

use intel::collections::{self, NewCollection};
use platform::db::DbError;
use sqlx::AnyConnection;

pub(crate) use intel::collections::Collection;

/// What a collection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Peers put here what they share with us.
    Inbox,
    /// One peer reads here what we answer it.
    Outbox,
    /// Made by an administrator; whoever sees its API root may read it.
    Open,
    /// Made by an administrator; read by this organisation and by those who were granted it.
    Closed,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// What a stored collection is for; what an unknown program made is closed.
    pub(crate) fn of(collection: &Collection) -> Self {
        [Self::Inbox, Self::Outbox, Self::Open]
            .into_iter()
            .find(|kind| kind.word() == collection.kind)
            .unwrap_or(Self::Closed)
    }
}

/// The number of a collection, which is made where there is none yet.
pub(crate) async fn ensure(
    sql: &mut AnyConnection,
    new: &NewCollection,
    now_us: i64,
) -> Result<i64, DbError> {
    collections::create(sql, new, now_us).await?;
    let found = collections::find(sql, &new.root, &new.id).await?;
    found
        .map(|collection| collection.number)
        .ok_or_else(|| DbError::corrupt("intel_collections.alias", &new.alias))
}
