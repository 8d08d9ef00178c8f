//! A node that dies at any moment finishes the run after its restart, and does nothing twice.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model::Severity;

use crate::room::{Camera, Room, World, cert, opened};

fn world() -> Arc<World> {
    let world = World::default();
    world.certs.lock().unwrap().push(cert(true));
    Arc::new(world)
}

/// What the world saw of a whole run.
fn check_whole(world: &World) {
    let effects = world.effects.lock().unwrap().clone();
    let mut keys: Vec<&String> = effects.iter().map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), effects.len(), "done twice: {effects:?}");
    assert_eq!(world.verbs(), ["block", "share"]);
}

#[tokio::test]
async fn dying_after_the_effect_and_before_its_record_repeats_the_ask_not_the_effect() {
    let folder = tempfile::tempdir().unwrap();
    let world = world();
    world.mute.store(true, Ordering::SeqCst);
    let room = Room::open(folder.path(), &world).await;
    room.publish(&opened(1, Severity::High)).await;
    while world.verbs().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    room.close().await;
    world.mute.store(false, Ordering::SeqCst);
    let room = Room::open(folder.path(), &world).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    check_whole(&world);
    let asked = world.asked.lock().unwrap().clone();
    let blocks: Vec<_> = asked.iter().filter(|(_, verb)| verb == "block").collect();
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0], blocks[1], "the same key both times");
    assert_eq!(room.facts("playbooks.run_started").await.len(), 1);
    assert_eq!(room.facts("playbooks.run_finished").await.len(), 1);
    assert_eq!(room.facts("playbooks.step_finished").await.len(), 6);
    room.close().await;
}

#[tokio::test]
async fn a_node_killed_at_any_moment_finishes_the_run_and_does_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let first = world();
    let room = Room::open(folder.path(), &first).await;
    let copies = tempfile::tempdir().unwrap();
    let camera = Camera {
        database: room.platform.data.database(),
        copies: copies.path().into(),
        next: Arc::default(),
    };
    *first.camera.lock().unwrap() = Some(camera.clone());
    room.publish(&opened(1, Severity::High)).await;
    camera.take().await;
    room.ended().await;
    *first.camera.lock().unwrap() = None;
    camera.take().await;
    let mut taken: Vec<PathBuf> =
        std::fs::read_dir(copies.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    taken.sort();
    check_whole(&first);
    assert_eq!(taken.len(), 6, "before and after each effect, at the beginning, at the end");
    let keys = first.effects.lock().unwrap().clone();
    room.close().await;
    for copy in taken {
        let folder = tempfile::tempdir().unwrap();
        // The world remembers what the dead node had done.
        let world = Arc::clone(&first);
        let room = Room::open(folder.path(), &world).await;
        let database = room.platform.data.database();
        room.close().await;
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", database.display()));
        }
        std::fs::copy(&copy, &database).unwrap();
        let room = Room::open(folder.path(), &world).await;
        let run = room.ended().await;
        assert_eq!(run["state"], "succeeded", "{run:#}");
        room.close().await;
        // Either the copy was made before the run had an id (then it is another run, with its own
        // keys), or every key is one the world knew already.
        let now = world.effects.lock().unwrap().clone();
        let same = now.len() == keys.len();
        let run_id = run["id"].as_str().unwrap();
        let other_run = !keys.iter().any(|(key, _)| key.starts_with(run_id));
        let once_more = now.len() == keys.len() + 2;
        assert!(same || (other_run && once_more), "done twice: {now:?}");
        world.effects.lock().unwrap().truncate(keys.len());
    }
}
