//! What edges tell of devices, from the port to the endpoints.

use axum::http::StatusCode;
use ports::{AssetDirectory, InventorySink, PortError};
use serde_json::{Value, json};

use crate::{MAC, open};

const FIRST_US: i64 = 1_533_042_911_000_000;

fn facts(mac: &str, address: &str, name: &str, offset_s: i64) -> Value {
    let (first, last) = (FIRST_US, FIRST_US + offset_s * 1_000_000);
    let dated = |value: Value| json!({ "value": value, "first_us": first, "last_us": last });
    json!({
        "version": 1,
        "mac": mac,
        "addresses": [dated(json!(address))],
        "names": [dated(json!(["dhcp", name]))],
        "hints": [],
        "offers": [dated(json!({ "transport": 6, "port": 502, "protocol": "modbus" }))],
        "uses": [],
        "protocols": ["modbus"],
        "parts": ["server", "outstation"],
        "first_us": first,
        "last_us": last,
        "beyond": 0,
    })
}

async fn get(assets: &assets::Assets, path: &str) -> (StatusCode, Value) {
    platform::testing::call(assets.router(), true, "GET", path, &Value::Null).await
}

#[tokio::test]
async fn facts_become_a_device_with_kind_reasons_and_dated_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, assets) = open(folder.path()).await;
    let told = json!([
        facts(MAC, "192.168.1.5", "pump-4", 10),
        facts("02:00:00:00:00:02", "192.168.1.6", "garden-camera", 10),
    ]);
    assets.note("gw", &told).await.unwrap();
    // Told again, and again after a restart: nothing doubles.
    assets.note("gw", &told).await.unwrap();
    drop((platform, assets));
    let (_platform, assets) = open(folder.path()).await;
    assets.note("gw", &told).await.unwrap();

    let (_, all) = get(&assets, "/api/v1/devices").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    for item in all["items"].as_array().unwrap() {
        let kind = assets.type_of(item["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
        // One that is called a camera and answers like a PLC is not sure enough to lend its model.
        assert_eq!(kind.as_deref(), (item["mac"] == MAC).then_some("plc"));
    }
    let (_, plcs) = get(&assets, "/api/v1/devices?kind=plc").await;
    let items = plcs["items"].as_array().unwrap();
    let pump = items.iter().find(|item| item["mac"] == MAC).unwrap();
    assert_eq!(pump["names"], json!(["pump-4"]));
    assert_eq!(
        (&pump["kind_words"], &pump["protocols"]),
        (&json!("PLC or RTU"), &json!(["modbus"]))
    );
    assert!(pump["kind_confidence"].as_f64().unwrap() >= 0.8);
    let (_, found) = get(&assets, "/api/v1/devices?q=GARDEN").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let (_, none) = get(&assets, "/api/v1/devices?q=100%25").await;
    assert!(none["items"].as_array().unwrap().is_empty());

    let id = pump["id"].as_str().unwrap();
    let (_, evidence) = get(&assets, &format!("/api/v1/devices/{id}/evidence")).await;
    let known = &evidence["known"][0];
    assert_eq!((&known["sensor"], &known["mac_is_private"]), (&json!("gw"), &json!(false)));
    assert!(known["reasons"][0]["text"].as_str().unwrap().contains("industrial"));
    let offers = known["facts"]
        .as_array()
        .unwrap()
        .iter()
        .any(|fact| fact["what"] == "offers" && fact["value"] == "TCP port 502 (modbus)");
    assert!(offers, "{known}");
    assert!(evidence["identity"].as_array().unwrap().iter().any(|row| row["kind"] == "mac"));
}

#[tokio::test]
async fn a_new_address_is_the_same_device_and_the_old_one_may_be_anothers() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    assets.note("gw", &json!([facts(MAC, "192.168.1.5", "a", 10)])).await.unwrap();
    assets.note("gw", &json!([facts(MAC, "192.168.1.9", "a", 20)])).await.unwrap();
    let other = "02:00:00:00:00:02";
    assets.note("gw", &json!([facts(other, "192.168.1.5", "b", 30)])).await.unwrap();
    let (_, all) = get(&assets, "/api/v1/devices").await;
    let items = all["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let of = |mac: &str| items.iter().find(|item| item["mac"] == mac).unwrap();
    assert_eq!(of(MAC)["addresses"], json!(["192.168.1.9"]));
    assert_eq!(of(other)["addresses"], json!(["192.168.1.5"]));
}

#[tokio::test]
async fn what_stands_behind_a_router_is_not_the_router() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let behind = "192.168.7.5";
    assets.note("gw", &json!([facts(MAC, behind, "edge-router", 10)])).await.unwrap();
    // Now it is known to hand on packets, and only its own address is left.
    let mut router = facts(MAC, "192.168.1.1", "edge-router", 20);
    router["parts"] = json!(["router"]);
    let mut device = facts(MAC, behind, "pump-9", 30);
    device.as_object_mut().unwrap().remove("mac");
    assets.note("gw", &json!([router, device])).await.unwrap();
    let (_, all) = get(&assets, "/api/v1/devices").await;
    let items = all["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let router = items.iter().find(|item| item["mac"] == MAC).unwrap();
    let pump = items.iter().find(|item| item["mac"].is_null()).unwrap();
    assert_eq!(
        (&router["kind"], &router["addresses"]),
        (&json!("router"), &json!(["192.168.1.1"]))
    );
    assert_eq!((&pump["names"], &pump["addresses"]), (&json!(["pump-9"]), &json!([behind])));
}

#[tokio::test]
async fn names_asked_for_and_traffic_are_dated_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let mut told = facts(MAC, "192.168.1.5", "bridge", 10);
    told["asked"] = json!([{
        "value": { "by": "dns", "name": "bridge.meethue.com" },
        "first_us": FIRST_US, "last_us": FIRST_US + 5,
    }]);
    told["hints"] = json!([{
        "value": { "kind": "homekit_category", "text": "2" },
        "first_us": FIRST_US, "last_us": FIRST_US,
    }]);
    told["sent"] = json!({ "frames": 7, "bytes": 700, "spans": 2, "streaming": 0 });
    assets.note("gw", &json!([told])).await.unwrap();
    let (_, all) = get(&assets, "/api/v1/devices").await;
    let id = all["items"][0]["id"].as_str().unwrap();
    let (_, evidence) = get(&assets, &format!("/api/v1/devices/{id}/evidence")).await;
    let rows = evidence["known"][0]["facts"].as_array().unwrap();
    let of = |what: &str| rows.iter().find(|row| row["what"] == what).unwrap();
    assert_eq!(of("asks for (DNS)")["value"], "bridge.meethue.com");
    assert_eq!(of("HomeKit category")["value"], "2");
    assert_eq!(of("sent")["value"], "7 frames, 700 bytes in 2 spans of ten seconds");
    assert!(
        of("asks for (DNS)")["first_seen"].as_str() < of("asks for (DNS)")["last_seen"].as_str()
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_reason_and_others_may_not_look() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let mut newer = facts(MAC, "192.168.1.5", "a", 10);
    newer["version"] = json!(2);
    for (told, word) in [
        (json!({}), "list"),
        (json!([newer]), "version 2"),
        (json!([{ "version": 1 }]), "facts of a device"),
        (json!(vec![json!(1); 2_000]), "more than"),
    ] {
        let Err(PortError::Invalid(reason)) = assets.note("gw", &told).await else {
            panic!("{told} was taken");
        };
        assert!(reason.contains(word), "{reason}");
    }
    for path in ["/api/v1/devices", "/api/v1/devices/x/evidence"] {
        let call = platform::testing::call(assets.router(), false, "GET", path, &Value::Null);
        assert_eq!(call.await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let (status, _) = get(&assets, "/api/v1/devices/0199-no/evidence").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
