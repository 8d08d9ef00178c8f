//! `GET /api/v1/access-matrix`: every route, its permission, and the roles that have it.

use axum::extract::State;
use platform::http::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::{in_role, may};
use crate::{Identity, ROLES};

/// One route.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RouteAccess {
    /// HTTP method.
    method: String,
    /// Path with parameters in braces.
    path: String,
    /// The permission it needs; `public` needs nothing.
    permission: String,
    /// Roles that the policies give it.
    roles: Vec<String>,
}

/// The whole matrix.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessMatrix {
    /// Every route of this node.
    routes: Vec<RouteAccess>,
}

/// Asks the policies in force for every route and role.
#[utoipa::path(get, path = "/api/v1/access-matrix", tag = "identity",
    responses((status = 200, body = AccessMatrix)))]
pub(crate) async fn matrix(State(identity): State<Identity>) -> Json<AccessMatrix> {
    let routes = identity
        .access_rules()
        .iter()
        .map(|rule| RouteAccess {
            method: rule.method.clone(),
            path: rule.path.clone(),
            permission: rule.permission.clone(),
            roles: ROLES
                .into_iter()
                .chain(["peer"])
                .filter(|role| may(&identity, &in_role(role), &rule.permission))
                .map(str::to_owned)
                .collect(),
        })
        .collect();
    Json(AccessMatrix { routes })
}
