//! Sites and maps as a caller sees them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use ports::AssetDirectory;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{MAC, open, seen};

async fn call(
    assets: &assets::Assets,
    method: &str,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    platform::testing::call(assets.router(), true, method, path, &body).await
}

/// A request whose body and answer are bytes.
async fn bytes(
    assets: &assets::Assets,
    request: Request<Body>,
) -> (StatusCode, axum::http::HeaderMap, Vec<u8>) {
    let (routes, _) = assets.router().into_parts();
    let gate = platform::http::Gate(std::sync::Arc::new(ports::fake::FakeAuthorizer(true)));
    let app = axum::Router::from(routes).layer(axum::Extension(gate));
    let response = app.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (parts.status, parts.headers, body.to_vec())
}

fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([0, 0, 2, 128, 0, 0, 1, 224]);
    bytes
}

#[tokio::test]
async fn devices_stand_at_sites_and_no_site_goes_while_they_do() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, assets) = open(folder.path()).await;
    let one = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    let two = assets.identify(&seen(Some("02:00:00:00:00:02"), "192.168.1.6", 0)).await.unwrap();
    let stop =
        json!({ "name": " Glòries ", "kind": "Tram stop", "latitude": 41.4, "longitude": 2.18 });
    let (status, site) = call(&assets, "POST", "/api/v1/sites", stop.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{site}");
    assert_eq!((&site["name"], &site["kind"]), (&json!("Glòries"), &json!("tram stop")));
    let (status, _) =
        call(&assets, "POST", "/api/v1/sites", json!({ "name": "GLÒRIES", "kind": "office" }))
            .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (_, depot) =
        call(&assets, "POST", "/api/v1/sites", json!({ "name": "Depot", "kind": "depot" })).await;

    // All or none: one unknown device, and nobody has moved.
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    let asked = json!({ "devices": [one.id, unknown], "site": site["id"] });
    assert_eq!(call(&assets, "POST", "/api/v1/devices/site", asked).await.0, StatusCode::NOT_FOUND);
    let (_, none) = call(&assets, "GET", "/api/v1/devices?site=Gl%C3%B2ries", Value::Null).await;
    assert_eq!(none["items"], json!([]));
    let asked = json!({ "devices": [one.id, two.id], "site": "glòries" });
    let (status, done) = call(&assets, "POST", "/api/v1/devices/site", asked).await;
    assert_eq!((status, &done["moved"]), (StatusCode::OK, &json!(2)), "{done}");
    let (_, there) =
        call(&assets, "GET", "/api/v1/devices?site=Gl%C3%B2ries&limit=1", Value::Null).await;
    assert_eq!(there["items"][0]["site_name"], "Glòries");
    assert!(there["next"].is_string(), "the second device is on the next page");
    // What the wire says later leaves the device where people put it.
    assets.identify(&seen(Some(MAC), "192.168.1.77", 90)).await.unwrap();
    let (_, device) =
        call(&assets, "GET", &format!("/api/v1/devices/{}", one.id), Value::Null).await;
    assert_eq!(device["site"], site["id"]);

    let path = format!("/api/v1/sites/{}", site["id"].as_str().unwrap());
    let (status, problem) = call(&assets, "DELETE", &path, Value::Null).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(problem["detail"].as_str().unwrap().contains("2 devices"), "{problem}");
    let (status, _) = call(&assets, "DELETE", &format!("{path}?move_to=Depot"), Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, depot) = call(
        &assets,
        "GET",
        &format!("/api/v1/sites/{}", depot["id"].as_str().unwrap()),
        Value::Null,
    )
    .await;
    assert_eq!(depot["devices"], 2);
    assert_eq!(call(&assets, "GET", &path, Value::Null).await.0, StatusCode::NOT_FOUND);
    // Every change is a fact.
    let mut sql = platform.db.read().await.unwrap();
    let facts =
        platform::db::read_facts(&mut sql, 0, &["assets.site_changed", "assets.devices_moved"], 50)
            .await
            .unwrap();
    let told: Vec<&str> = facts.iter().map(|fact| fact.sentence.as_str()).collect();
    assert_eq!(
        told,
        [
            "Site made: Glòries (tram stop)",
            "Site made: Depot (depot)",
            "2 devices put to the site Glòries",
            "Site removed: Glòries; its 2 devices went to Depot",
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_a_site_is_refused_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    for body in [
        json!({ "name": "", "kind": "office" }),
        json!({ "name": "x".repeat(81), "kind": "office" }),
        json!({ "name": "a\nb", "kind": "office" }),
        json!({ "name": "a", "kind": "office", "latitude": 41.0 }),
        json!({ "name": "a", "kind": "office", "latitude": 141.0, "longitude": 2.0 }),
        json!({ "name": "a", "kind": "office", "plan": { "layer": "nothing", "x": 0.5, "y": 0.5 } }),
        json!({ "name": "a", "kind": "office", "plan": { "layer": "nothing", "x": 1.5, "y": 0.5 } }),
        json!({ "name": "a", "kind": "office", "colour": "red" }),
    ] {
        let (status, problem) = call(&assets, "POST", "/api/v1/sites", body.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
    }
    let point = |name: &str, east: f64| {
        json!({ "type": "Feature", "properties": { "name": name, "kind": "plant" },
        "geometry": { "type": "Point", "coordinates": [east, 41.0] } })
    };
    let file = |features: Value| json!({ "type": "FeatureCollection", "features": features });
    // One feature is wrong, none is taken.
    let (status, problem) = call(
        &assets,
        "POST",
        "/api/v1/sites/geojson",
        file(json!([point("A", 2.0), point("B", 999.0)])),
    )
    .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["errors"][0].as_str().unwrap().starts_with("feature 2:"), "{problem}");
    let (_, none) = call(&assets, "GET", "/api/v1/sites", Value::Null).await;
    assert_eq!(none["total"], 0);
    let good = file(json!([point("A", 2.0), point("B", 3.0)]));
    let (_, made) = call(&assets, "POST", "/api/v1/sites/geojson", good).await;
    assert_eq!(made, json!({ "made": 2, "changed": 0 }));
    // What is exported imports again and changes nothing.
    let (_, exported) = call(&assets, "GET", "/api/v1/sites/geojson", Value::Null).await;
    let (_, again) = call(&assets, "POST", "/api/v1/sites/geojson", exported.clone()).await;
    assert_eq!(again, json!({ "made": 0, "changed": 2 }));
    assert_eq!(call(&assets, "GET", "/api/v1/sites/geojson", Value::Null).await.1, exported);
}

#[tokio::test]
async fn a_plan_is_kept_served_by_ranges_and_stays_while_a_site_is_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let upload = |body: Vec<u8>| {
        Request::post("/api/v1/map/layers?name=Ground%20floor").body(Body::from(body)).unwrap()
    };
    let (status, _, refused) = bytes(&assets, upload(b"<svg onload='x()'/>".to_vec())).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(String::from_utf8(refused).unwrap().contains("PNG or JPEG"));
    let (status, _, made) = bytes(&assets, upload(png())).await;
    assert_eq!(status, StatusCode::CREATED);
    let layer: Value = serde_json::from_slice(&made).unwrap();
    assert_eq!(
        (&layer["form"], &layer["width"], &layer["height"]),
        (&json!("plan"), &json!(640), &json!(480))
    );
    let id = layer["id"].as_str().unwrap();
    let content = format!("/api/v1/map/layers/{id}/content");
    let ask = |range: &str| {
        Request::get(&content).header(header::RANGE, range).body(Body::empty()).unwrap()
    };
    let (status, headers, part) = bytes(&assets, ask("bytes=1-3")).await;
    assert_eq!((status, part.as_slice()), (StatusCode::PARTIAL_CONTENT, b"PNG".as_slice()));
    assert_eq!(headers[header::CONTENT_RANGE], "bytes 1-3/24");
    assert_eq!(
        (&headers[header::CONTENT_TYPE], &headers["x-content-type-options"]),
        (&"image/png".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    assert_eq!(bytes(&assets, ask("bytes=24-")).await.0, StatusCode::RANGE_NOT_SATISFIABLE);

    let on = json!({ "name": "Pump hall", "kind": "plant", "plan": { "layer": id, "x": 0.25, "y": 0.5 } });
    let (status, site) = call(&assets, "POST", "/api/v1/sites", on).await;
    assert_eq!((status, &site["plan"]["x"]), (StatusCode::CREATED, &json!(0.25)));
    let path = format!("/api/v1/map/layers/{id}");
    let (status, problem) = call(&assets, "DELETE", &path, Value::Null).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(problem["detail"].as_str().unwrap().contains("Pump hall"), "{problem}");
    assert_eq!(
        call(&assets, "DELETE", "/api/v1/sites/pump%20hall", Value::Null).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(call(&assets, "DELETE", &path, Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(bytes(&assets, ask("bytes=1-3")).await.0, StatusCode::NOT_FOUND);
}
