//! Endpoints under `/api/v1/recovery`, one a file.

mod agents;
mod case_change;
mod cases;
mod check_add;
mod check_remove;
mod checks;
mod delay;
mod order;
mod order_add;
mod orders;

use platform::http::{Permission, RoomRouter};
use utoipa_axum::routes;

use crate::Recovery;

pub(crate) use order::OrderView;

const READ: Permission = Permission("recovery.read");
const ORDER: Permission = Permission("recovery.order");
const WRITE: Permission = Permission("recovery.write");

pub(crate) fn routes() -> RoomRouter<Recovery> {
    RoomRouter::default()
        .route(READ, routes!(agents::agents))
        .route(READ, routes!(orders::orders))
        .route(READ, routes!(order::order))
        .route(ORDER, routes!(order_add::add))
        .route(READ, routes!(checks::checks))
        .route(WRITE, routes!(check_add::add))
        .route(WRITE, routes!(check_remove::remove))
        .route(READ, routes!(cases::cases))
        .route(ORDER, routes!(case_change::change))
        .route(WRITE, routes!(delay::learn))
}
