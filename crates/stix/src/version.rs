//! Versions of an object (STIX 2.1 §3.6): which is newer, what a new one may change, revocation.
//! Pure functions; what is stored and how conflicts are shown is for others.

use std::cmp::Ordering;

use crate::object::Object;

/// How two objects relate as versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Different ids: two objects.
    Unrelated,
    /// The same version with the same content.
    Same,
    /// The same id and version with different content: §3.6 does not say which counts.
    Conflict,
    /// The first is older.
    Older,
    /// The first is newer.
    Newer,
}

/// How `a` relates to `b`.
#[must_use]
pub fn compare(a: &Object, b: &Object) -> Relation {
    if a.id_text() != b.id_text() {
        return Relation::Unrelated;
    }
    match a.exact_version().cmp(&b.exact_version()) {
        Ordering::Less => Relation::Older,
        Ordering::Greater => Relation::Newer,
        Ordering::Equal if a == b => Relation::Same,
        Ordering::Equal => Relation::Conflict,
    }
}

/// The rule of versioning that a successor breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Another id or type: a new object, not a version.
    #[error("another `id` or `type` makes another object (STIX 2.1 §3.6)")]
    Identity,
    /// The type has no versions: cyber observables and marking definitions.
    #[error("objects of this type have no versions (STIX 2.1 §3.2)")]
    Unversioned,
    /// `created` differs.
    #[error("a new version keeps `created` (STIX 2.1 §3.6)")]
    Created,
    /// `created_by_ref` differs: only the creator makes versions.
    #[error(
        "only the object's creator makes new versions: `created_by_ref` differs (STIX 2.1 §3.3)"
    )]
    Creator,
    /// `modified` is not later.
    #[error("a new version has a later `modified` (STIX 2.1 §3.6)")]
    NotLater,
    /// The older version is revoked.
    #[error("a revoked object gets no new version (STIX 2.1 §3.6)")]
    Revoked,
}

/// Whether `next` may follow `current`.
///
/// # Errors
/// The first rule of [`VersionError`] that is broken.
pub fn check_successor(current: &Object, next: &Object) -> Result<(), VersionError> {
    if current.id_text() != next.id_text() || current.kind() != next.kind() {
        return Err(VersionError::Identity);
    }
    let (Some(before), Some(after)) = (current.exact("modified"), next.exact("modified")) else {
        return Err(VersionError::Unversioned);
    };
    // compared as points in time: `.5Z` and `.500Z` are one
    if current.exact("created") != next.exact("created") {
        return Err(VersionError::Created);
    }
    if current.get("created_by_ref") != next.get("created_by_ref") {
        return Err(VersionError::Creator);
    }
    if after <= before {
        return Err(VersionError::NotLater);
    }
    if current.is_revoked() {
        return Err(VersionError::Revoked);
    }
    Ok(())
}

/// The newest of several versions of one object; of those of one instant a revoked one, since a
/// revocation must not be lost, then the first. `None` for an empty list.
#[must_use]
pub fn newest<'a>(versions: impl IntoIterator<Item = &'a Object>) -> Option<&'a Object> {
    let rank = |object: &'a Object| (object.exact_version(), object.is_revoked());
    versions.into_iter().reduce(|best, next| if rank(next) > rank(best) { next } else { best })
}

/// The revoking version of an object: the same content, `revoked` set, modified at `at` or just
/// after the last version.
///
/// # Errors
/// [`VersionError::Unversioned`] or [`VersionError::Revoked`].
pub fn revoke(current: &Object, at: crate::Timestamp) -> Result<Object, VersionError> {
    let before = current.modified().ok_or(VersionError::Unversioned)?;
    if current.is_revoked() {
        return Err(VersionError::Revoked);
    }
    let mut properties = current.properties().clone();
    let next = crate::Timestamp::from_unix_us(before.unix_us() + 1_000).to_millis();
    let at = at.to_millis().max(next);
    properties.insert("modified".to_owned(), at.to_string().into());
    properties.insert("revoked".to_owned(), true.into());
    Ok(Object::from_map(properties))
}
