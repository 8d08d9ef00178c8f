//! `openapi.json` is the contract: the console's types come from it, drift fails here.

use std::path::Path;

use crate::node::open;

#[tokio::test]
async fn the_description_is_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    let now = serde_json::to_string_pretty(&node.description()).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == now,
        "openapi.json is not what the routes say; `UPDATE_SNAPSHOTS=1 cargo test -p server` writes it, \
         then `npm run types` in web/"
    );
}

#[tokio::test]
async fn every_operation_has_an_id_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    let text = serde_json::to_value(node.description()).unwrap();
    let mut seen = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (path, item) in text["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(id) = operation["operationId"].as_str() {
                seen.entry(id.to_owned()).or_default().push(format!("{method} {path}"));
            }
        }
    }
    assert!(seen.len() > 250, "only {} operations were found", seen.len());
    seen.retain(|_, places| places.len() > 1);
    assert!(seen.is_empty(), "these ids stand several times: {seen:#?}");
}
