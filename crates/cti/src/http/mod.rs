//! Endpoints under `/api/v1/`.

mod lookup;
mod preview;
mod share;
mod share_incident;
mod shares;
mod sources;

use platform::http::{Permission, RoomRouter};
use utoipa_axum::routes;

use crate::room::Cti;

const READ: Permission = Permission("cti.read");
const SHARE: Permission = Permission("cti.share");

pub(crate) fn routes() -> RoomRouter<Cti> {
    RoomRouter::default()
        .route(READ, routes!(lookup::lookup))
        .route(READ, routes!(sources::sources))
        .route(READ, routes!(shares::shares))
        .route(READ, routes!(share::share))
        .route(SHARE, routes!(share_incident::share_incident))
        .route(READ, routes!(preview::preview))
}
