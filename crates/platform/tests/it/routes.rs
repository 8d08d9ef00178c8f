use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::{Extension, Router};
use platform::http::{Caller, Gate, Permission, RoomRouter};
use ports::fake::FakeAuthorizer;
use tower::ServiceExt;
use utoipa_axum::routes;

#[utoipa::path(get, path = "/api/v1/lantern", responses((status = 200)))]
async fn lantern() -> &'static str {
    "light"
}

fn app(allowed: bool) -> Router {
    let (router, access) = RoomRouter::<()>::default()
        .route(Permission("lantern.read"), routes!(lantern))
        .into_parts();
    assert_eq!(access[0].method, "GET");
    assert_eq!(access[0].permission, "lantern.read");
    Router::from(router).layer(Extension(Gate(Arc::new(FakeAuthorizer(allowed)))))
}

async fn status(app: Router, caller: Option<Caller>) -> StatusCode {
    let mut request = Request::get("/api/v1/lantern").body(Body::empty()).unwrap();
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    app.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn a_route_asks_the_policy_and_says_401_to_strangers_403_to_the_known() {
    assert_eq!(status(app(false), None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(app(false), Some(Caller::local_admin())).await, StatusCode::FORBIDDEN);
    assert_eq!(status(app(true), Some(Caller::local_admin())).await, StatusCode::OK);
}
