//! A database of the first version: everything in it is still there.

use std::sync::Arc;

use platform::db::{DbError, RoomMigrations};
use serde_json::{Value, json};

use crate::support::{Setup, client, until};
use crate::taxii::malware;

const DAY1: &str = "2020-01-01T00:00:00.000Z";
const DAY2: &str = "2020-01-02T00:00:00.000Z";

fn indicator() -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "name": "Old acquaintance",
        "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "created": DAY1, "modified": DAY1,
        "pattern": "[ipv4-addr:value = '192.0.2.1']", "pattern_type": "stix", "valid_from": DAY1})
}

fn rows() -> String {
    let object = |value: &Value, at: i64| {
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        let version = stix::Timestamp::parse(&text("modified")).unwrap().unix_us();
        let (id, kind) = (text("id"), text("type"));
        let body = value.to_string().replace('\'', "''");
        format!(
            "INSERT INTO cti_objects VALUES ('{id}', {version}, '{kind}', {version}, {version}, 0, '2.1', \
             'TLP:GREEN', 'node-7', '{body}', {at}); \
             INSERT INTO cti_collection_objects VALUES ('{}', '{id}', {version}, {at});",
            cti::INBOX_ID
        )
    };
    let collection = |id: &str, alias: &str, kind: &str| {
        format!(
            "INSERT INTO cti_collections VALUES ('{id}', '{alias}', 'T', 'D', '{kind}', NULL, 1);"
        )
    };
    [
        collection(cti::INBOX_ID, "inbox", "inbox"),
        collection("22222222-2222-4222-8222-222222222222", "outbox-x", "outbox"),
        object(&malware(1, DAY2), 1_000),
        object(&malware(1, DAY1), 1_001),
        object(&indicator(), 1_002),
        "INSERT INTO cti_sources VALUES ('mine', 'd', 1, 'CC0', 5);".into(),
        "INSERT INTO cti_values VALUES ('198.51.100.9', 'address', 'mine', '', 4.0, 0, NULL);".into(),
        "INSERT INTO cti_values VALUES ('192.0.2.1', 'address', 'STIX indicators', 'indicator--x', NULL, 0, NULL);".into(),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_database_is_carried_over() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let first = RoomMigrations { room: "cti", steps: &cti::MIGRATIONS.steps[..1] };
    let old = platform::testing::platform(folder.path(), &[first]).await.unwrap();
    let filled: Result<(), DbError> = old
        .db
        .write(|tx| {
            Box::pin(async move {
                sqlx::raw_sql(sqlx::AssertSqlSafe(rows())).execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    filled.unwrap();
    old.db.close().await;
    drop(old);

    let node = Setup::new(1, "operator")
        .start_in(folder, Arc::default(), Arc::default(), "127.0.0.1:0")
        .await;
    let get = async |path: &str| -> Value {
        client("administrator").get(node.url(path)).send().await.unwrap().json().await.unwrap()
    };
    let inbox = "/taxii2/sereno/collections/inbox";
    let all = get(&format!("{inbox}/objects/?match[version]=all")).await;
    assert_eq!(all["objects"], json!([malware(1, DAY2), malware(1, DAY1), indicator()]));
    let newest = get(&format!("{inbox}/objects/")).await;
    assert_eq!(newest["objects"], json!([malware(1, DAY2), indicator()]));
    let manifest = get(&format!("{inbox}/manifest/")).await;
    assert_eq!(manifest["objects"][0]["date_added"], "1970-01-01T00:00:00.001000Z");
    assert_eq!(get("/taxii2/sereno/collections/").await["collections"][0]["alias"], "outbox-x");
    let listed = get("/api/v1/intel/lookup?value=198.51.100.9").await;
    // the list was read half a century ago
    let word = &listed["sources"][0];
    assert_eq!((&word["standing"], &word["score"]), (&"faded".into(), &4.0.into()));
    assert_eq!(get("/api/v1/intel/sources").await[1]["licence"], "CC0");
    // what indicators name is taken out again beside the work
    until(|| async {
        let known = get("/api/v1/intel/lookup?value=192.0.2.1").await;
        (known["sources"][0]["object"] == indicator()["id"]).then_some(())
    })
    .await;
    let mut sql = node.platform.db.read().await.unwrap();
    let id = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    let object = intel::objects::newest(&mut sql, id, intel::Sight::ALL).await.unwrap().unwrap();
    assert_eq!((object.name.as_str(), object.tlp), ("Old acquaintance", 1));
}
