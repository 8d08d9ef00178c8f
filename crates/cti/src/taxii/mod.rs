//! TAXII 2.1 server under `/taxii2/`: the node's own API root with an inbox and an outbox for each
//! peer, and roots and collections that administrators make.
//! Clauses are those of TAXII 2.1 (OASIS Standard, 10 June 2021).

mod add_objects;
mod api_root;
mod asking;
pub(crate) mod catalogue;
mod collection;
mod collections;
pub(crate) mod cursor;
mod delete;
mod discovery;
mod error;
pub(crate) mod filter;
mod intake;
mod manifest;
mod media;
mod object;
mod objects;
mod outside;
mod paths;
mod rights;
mod status;
mod versions;

use platform::http::{Permission, RoomRouter};
use utoipa_axum::routes;

use crate::room::Cti;
pub(crate) use error::TaxiiError;
pub(crate) use intake::SIGNATURE_HEADER;
pub use media::MEDIA_TYPE;
pub use paths::liberal_paths;
pub(crate) use status::Status;

/// Reading over TAXII; what may be read is decided collection by collection.
pub const READ: Permission = Permission("taxii.read");
/// Writing over TAXII; what may be written is decided collection by collection.
pub const WRITE: Permission = Permission("taxii.write");

/// The node's own API root, the same on every node.
pub(crate) const OWN_ROOT: &str = "sereno";
/// Path of the node's own API root.
pub(crate) const API_ROOT: &str = "/taxii2/sereno/";
/// The inbox: the same on every node, so that a sender need not search.
pub const INBOX_ID: &str = "5e2e0a1c-7f0b-4d64-9b0e-1c5a3f6d2b70";
/// Alias of the inbox.
pub(crate) const INBOX_ALIAS: &str = "inbox";
/// Objects in one envelope.
pub(crate) const MAX_OBJECTS_PER_ENVELOPE: usize = 10_000;

/// The collection in which a node with this id finds our answers. Derived, so that both sides know
/// it without asking.
pub(crate) fn outbox_id(node: &str) -> String {
    stix::StixId::derived("outbox", crate::NAMESPACE, node).uuid().hyphenated().to_string()
}

/// The routes; errors of the permission guard become TAXII error messages on the way out.
pub(crate) fn routes() -> RoomRouter<Cti> {
    RoomRouter::default()
        .route(READ, routes!(discovery::discovery))
        .route(READ, routes!(api_root::api_root))
        .route(READ, routes!(collections::collections))
        .route(READ, routes!(collection::collection))
        .route(READ, routes!(manifest::manifest))
        .route(READ, routes!(objects::objects))
        .route(WRITE, routes!(add_objects::add_objects))
        .route(READ, routes!(object::object))
        .route(WRITE, routes!(delete::delete))
        .route(READ, routes!(versions::versions))
        .route(READ, routes!(status::status))
        .map_response(error::speak_taxii)
}
