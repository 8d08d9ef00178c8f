//! Routes that cannot exist without a permission.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::{Caller, Gate, Problem};

/// What a caller needs, `<room>.<verb>`; [`Permission::PUBLIC`] needs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission(pub &'static str);

impl Permission {
    /// Open to everyone who can reach the port.
    pub const PUBLIC: Self = Self("public");
}

/// One line of the access matrix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct AccessRule {
    /// HTTP method.
    pub method: String,
    /// Path with parameters in braces.
    pub path: String,
    /// The permission needed.
    pub permission: String,
}

/// A room's routes with their permissions.
pub struct RoomRouter<S = ()> {
    inner: OpenApiRouter<S>,
    access: Vec<AccessRule>,
}

impl<S: Clone + Send + Sync + 'static> Default for RoomRouter<S> {
    fn default() -> Self {
        Self { inner: OpenApiRouter::new(), access: vec![] }
    }
}

impl<S: Clone + Send + Sync + 'static> RoomRouter<S> {
    /// Adds the handlers of `utoipa_axum::routes!(…)`, all under one permission.
    #[must_use]
    pub fn route(mut self, permission: Permission, routes: UtoipaMethodRouter<S>) -> Self {
        let (schemas, paths, handlers) = routes;
        for (path, item) in &paths.paths {
            let methods = [
                (Method::GET, item.get.is_some()),
                (Method::POST, item.post.is_some()),
                (Method::PUT, item.put.is_some()),
                (Method::DELETE, item.delete.is_some()),
                (Method::PATCH, item.patch.is_some()),
            ];
            for (method, _) in methods.into_iter().filter(|(_, present)| *present) {
                self.access.push(AccessRule {
                    method: method.to_string(),
                    path: path.clone(),
                    permission: permission.0.into(),
                });
            }
        }
        let guarded = handlers
            .layer(from_fn(move |request: Request, next: Next| guard(permission, request, next)));
        self.inner = self.inner.routes((schemas, paths, guarded));
        self
    }

    /// Passes every response of the routes added so far, refusals included, through `map`: for a
    /// protocol that writes its errors in its own form.
    #[must_use]
    pub fn map_response<F, R>(mut self, map: F) -> Self
    where
        F: Fn(Response) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response> + Send + 'static,
    {
        self.inner = self.inner.layer(axum::middleware::map_response(map));
        self
    }

    /// Adds another set of routes.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.inner = self.inner.merge(other.inner);
        self.access.extend(other.access);
        self
    }

    /// With its state, ready to be merged into the node's router.
    #[must_use]
    pub fn with_state(self, state: S) -> RoomRouter<()> {
        RoomRouter { inner: self.inner.with_state(state), access: self.access }
    }

    /// The router with its OpenAPI text, and the access rules.
    pub fn into_parts(self) -> (OpenApiRouter<S>, Vec<AccessRule>) {
        (self.inner, self.access)
    }
}

async fn guard(permission: Permission, request: Request, next: Next) -> Response {
    if permission == Permission::PUBLIC {
        return next.run(request).await;
    }
    let Some(gate) = request.extensions().get::<Gate>().cloned() else {
        return Problem::internal("a route was mounted without the authorizer").into_response();
    };
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_else(Caller::anonymous);
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| request.uri().path().to_owned(), |path| path.as_str().to_owned());
    match gate.check(&caller, permission.0, &path) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            metrics::counter!("sereno_access_denied_total", "permission" => permission.0)
                .increment(1);
            problem.into_response()
        }
    }
}
