//! The room by its routes, and what goes by itself.

use backup::{Backups, Config, Wanted};
use platform::testing::call;
use serde_json::{Value, json};

use crate::House;

const PATH: &str = "/api/v1/backups";

async fn get(house: &House, path: &str) -> (u16, Value) {
    let (status, body) = call(house.room.router(), true, "GET", path, &Value::Null).await;
    (status.as_u16(), body)
}

async fn post(house: &House, path: &str, body: Value) -> (u16, Value) {
    let (status, body) = call(house.room.router(), true, "POST", path, &body).await;
    (status.as_u16(), body)
}

/// Waits until nothing is being made.
async fn listed(house: &House) -> Vec<Value> {
    for _ in 0..600 {
        let (_, list) = get(house, PATH).await;
        if list["running"].is_null() {
            assert_eq!(list["failed"], "", "{list}");
            return list["items"].as_array().unwrap().clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the backup was never done");
}

#[tokio::test]
async fn a_person_makes_verifies_and_removes_one() {
    let house = House::new(Config::default()).await;
    let (status, begun) =
        post(&house, PATH, json!({ "passphrase": "seven lanterns by night", "keys": true })).await;
    assert_eq!(status, 202, "{begun}");
    let name = begun["name"].as_str().unwrap().to_owned();
    let all = listed(&house).await;
    assert_eq!(
        (all.len(), &all[0]["name"], &all[0]["sealed"], &all[0]["keys"]),
        (1, &json!(name), &json!(true), &json!(true))
    );
    let one = format!("{PATH}/{name}");
    let (status, closed) = post(&house, &format!("{one}/verify"), json!({})).await;
    assert_eq!((status, &closed["type"]), (422, &json!("urn:sereno:problem:backup-sealed")));
    let (status, sound) =
        post(&house, &format!("{one}/verify"), json!({ "passphrase": "seven lanterns by night" }))
            .await;
    assert_eq!((status, &sound["sound"]), (200, &json!(true)), "{sound}");
    assert_eq!(listed(&house).await[0]["verdict"], "sound");
    let file = house.data().join("backups").join(&name);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (status, found) =
        post(&house, &format!("{one}/verify"), json!({ "passphrase": "seven lanterns by night" }))
            .await;
    assert_eq!((status, &found["sound"]), (200, &json!(false)), "{found}");
    let (gone, _) = call(house.room.router(), true, "DELETE", &one, &Value::Null).await;
    assert_eq!((gone.as_u16(), listed(&house).await.len(), file.exists()), (204, 0, false));
    assert!(House::facts(&house.data()).await >= 4, "each act stands in the log");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason() {
    let house = House::new(Config::default()).await;
    for (body, why) in [
        (json!({ "keys": true }), "only sealed"),
        (json!({ "passphrase": "short" }), "fewer than 14"),
        (json!({ "recipients": ["age1nonsense"] }), "no recipient"),
        (json!({ "passphrase": "seven lanterns by night", "recipients": ["x"] }), "not both"),
    ] {
        let (status, said) = post(&house, PATH, body).await;
        assert!(status == 422 && said["detail"].as_str().unwrap().contains(why), "{said}");
    }
    for name in ["..%2F..%2Fsereno.db", "sereno.db", "sereno-1.tar.gz.json", "sereno-../x.tar.gz"] {
        let (status, _) = get(&house, &format!("{PATH}/{name}")).await;
        assert_eq!(status, 404, "{name}");
    }
    let (status, _) = call(house.room.router(), false, "GET", PATH, &Value::Null).await;
    assert_eq!(status.as_u16(), 403);
}

#[tokio::test]
async fn what_a_dead_process_left_is_cleared_and_old_ones_go() {
    let house = House::new(Config::default()).await;
    let shelf = house.data().join("backups");
    std::fs::write(shelf.join("sereno-20260101T000000000Z.tar.gz.part"), "half").unwrap();
    std::fs::write(shelf.join("before-upgrade-1700000000000000.db"), "old").unwrap();
    std::fs::write(shelf.join("before-upgrade-1700000001000000.db"), "newer").unwrap();
    let own = Wanted { by: "system".into(), ..Wanted::default() };
    for wanted in [own.clone(), Wanted { by: "ana".into(), ..Wanted::default() }, own.clone(), own]
    {
        house.make(wanted).await;
    }
    let again = Backups::open(&house.platform, Config::default()).unwrap();
    assert!(!shelf.join("sereno-20260101T000000000Z.tar.gz.part").exists());
    drop(again);
    let shelf = backup::Shelf::open(shelf).unwrap();
    let oldest = shelf
        .list()
        .unwrap()
        .iter()
        .rfind(|one| one.note.by == "system" && one.kind == "backup")
        .unwrap()
        .name
        .clone();
    let gone = shelf.sweep(2, 1).unwrap();
    assert_eq!(gone, [oldest, "before-upgrade-1700000000000000.db".to_owned()]);
    assert!(
        shelf.list().unwrap().iter().any(|one| one.note.by == "ana"),
        "what people asked for stays"
    );
}
