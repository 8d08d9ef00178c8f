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
