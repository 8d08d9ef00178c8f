//! Endpoints under `/api/v1/`.

mod collections;
mod lookup;
mod preview;
mod roots;
mod share;
mod share_incident;
mod shares;
mod sources;

use platform::http::{Permission, RoomRouter};
use utoipa_axum::routes;

use crate::room::Cti;

const READ: Permission = Permission("cti.read");
const SHARE: Permission = Permission("cti.share");
const LIST: Permission = Permission("exchange.list");
const MANAGE: Permission = Permission("exchange.manage");

pub(crate) fn routes() -> RoomRouter<Cti> {
    RoomRouter::default()
        .route(READ, routes!(lookup::lookup))
        .route(READ, routes!(sources::sources))
        .route(READ, routes!(shares::shares))
        .route(READ, routes!(share::share))
        .route(SHARE, routes!(share_incident::share_incident))
        .route(READ, routes!(preview::preview))
        .route(LIST, routes!(roots::list))
        .route(MANAGE, routes!(roots::create))
        .route(MANAGE, routes!(roots::remove))
        .route(LIST, routes!(collections::list))
        .route(MANAGE, routes!(collections::create))
        .route(MANAGE, routes!(collections::remove))
}
