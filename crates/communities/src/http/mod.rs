//! Endpoints under `/api/v1/organisations`, `/api/v1/communities` and `/api/v1/sharing`.

mod circles;
mod invite;
mod join;
mod lead;
mod members;
mod organisations;
mod policies;
mod preview;
mod redactions;
mod tests;

use platform::http::{Permission, RoomRouter};
use utoipa_axum::routes;

use crate::room::Communities;

const READ: Permission = Permission("communities.read");
const MANAGE: Permission = Permission("communities.manage");
const SHARING_READ: Permission = Permission("sharing.read");
const SHARING_WRITE: Permission = Permission("sharing.write");

pub(crate) fn routes() -> RoomRouter<Communities> {
    RoomRouter::default()
        .route(READ, routes!(organisations::list))
        .route(MANAGE, routes!(organisations::add))
        .route(MANAGE, routes!(organisations::change))
        .route(MANAGE, routes!(organisations::remove))
        .route(READ, routes!(circles::list))
        .route(MANAGE, routes!(circles::make))
        .route(READ, routes!(circles::show))
        .route(MANAGE, routes!(circles::change))
        .route(MANAGE, routes!(circles::dissolve))
        .route(MANAGE, routes!(invite::invite))
        .route(READ, routes!(invite::invited))
        .route(MANAGE, routes!(invite::withdraw))
        .route(MANAGE, routes!(join::join))
        .route(MANAGE, routes!(lead::offer))
        .route(MANAGE, routes!(lead::accept))
        .route(MANAGE, routes!(lead::decline))
        .route(MANAGE, routes!(join::leave))
        .route(MANAGE, routes!(members::change))
        .route(MANAGE, routes!(members::expel))
        .route(SHARING_READ, routes!(policies::list))
        .route(SHARING_READ, routes!(policies::show))
        .route(SHARING_WRITE, routes!(policies::put))
        .route(SHARING_WRITE, routes!(policies::remove))
        .route(SHARING_READ, routes!(tests::run))
        .route(SHARING_WRITE, routes!(tests::put))
        .route(SHARING_READ, routes!(redactions::list))
        .route(SHARING_WRITE, routes!(redactions::add))
        .route(SHARING_WRITE, routes!(redactions::change))
        .route(SHARING_WRITE, routes!(redactions::remove))
        .route(SHARING_READ, routes!(preview::preview))
}
