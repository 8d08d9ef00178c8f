//! A database in a folder of its own, and objects to put into it.

use std::sync::Arc;

use intel::{Batch, Prepared, Put, Source, SourceId, write};
use platform::db::{Db, DbError};
use platform::system::{SystemClock, SystemRandom};
use serde_json::{Value, json};
use stix::{Object, Tlp};

pub(crate) struct Store {
    pub(crate) db: Db,
    _folder: tempfile::TempDir,
}

impl Store {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let file = folder.path().join("test.db");
        let db = Db::open(&file, &[intel::MIGRATIONS], clock, random).await.unwrap();
        Self { db, _folder: folder }
    }

    /// Stores what one source says at a time.
    pub(crate) async fn put(&self, source: &str, at_us: i64, objects: &[Value]) -> Vec<Put> {
        self.put_into(source, at_us, None, objects).await
    }

    pub(crate) async fn put_into(
        &self,
        source: &str,
        at_us: i64,
        collection: Option<i64>,
        objects: &[Value],
    ) -> Vec<Put> {
        self.keep(source, at_us, 1, collection, objects).await
    }

    /// Stores what one source says, under a label where it carries none.
    pub(crate) async fn put_marked(
        &self,
        source: &str,
        at_us: i64,
        unmarked: i64,
        objects: &[Value],
    ) -> Vec<Put> {
        self.keep(source, at_us, unmarked, None, objects).await
    }

    /// Stores what one source says of others' objects.
    pub(crate) async fn put_beside(&self, source: &str, at_us: i64, objects: &[Value]) -> Vec<Put> {
        let key = source.to_owned();
        let prepared: Vec<Prepared> = objects
            .iter()
            .map(|value| Prepared::new(&Object::from_value(value.clone()).unwrap()))
            .collect();
        let put: Result<Vec<Put>, DbError> = self
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let source = source_of(tx.sql(), &key, at_us).await?;
                    let objects = &prepared;
                    let batch =
                        Batch { source, unmarked: 1, collection: None, objects, now_us: at_us };
                    intel::beside::store(tx.sql(), &batch).await
                })
            })
            .await;
        put.unwrap()
    }

    /// The name of the newest version of an object.
    pub(crate) async fn newest(&self, kind: &str, n: u32) -> String {
        let mut sql = self.db.read().await.unwrap();
        let found = intel::objects::newest(&mut sql, &id(kind, n), intel::Sight::ALL).await;
        found.unwrap().unwrap().name
    }

    async fn keep(
        &self,
        source: &str,
        at_us: i64,
        unmarked: i64,
        collection: Option<i64>,
        objects: &[Value],
    ) -> Vec<Put> {
        let key = source.to_owned();
        let prepared: Vec<Prepared> = objects
            .iter()
            .map(|value| Prepared::new(&Object::from_value(value.clone()).unwrap()))
            .collect();
        let put: Result<Vec<Put>, DbError> = self
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let source = source_of(tx.sql(), &key, at_us).await?;
                    let batch =
                        Batch { source, unmarked, collection, objects: &prepared, now_us: at_us };
                    write::store(tx.sql(), &batch).await
                })
            })
            .await;
        put.unwrap()
    }
}

pub(crate) async fn source_of(
    sql: &mut sqlx::AnyConnection,
    key: &str,
    at_us: i64,
) -> Result<SourceId, DbError> {
    let source = Source {
        key: key.into(),
        name: key.to_uppercase(),
        kind: "feed".into(),
        tlp: Tlp::Green,
        licence: String::new(),
    };
    intel::sources::ensure(sql, &source, at_us).await
}

/// The n-th id of a type.
pub(crate) fn id(kind: &str, n: u32) -> String {
    format!("{kind}--00000000-0000-4000-8000-{n:012}")
}

/// A domain object of the n-th id, modified in the given second of 2026.
pub(crate) fn object(kind: &str, n: u32, second: u32, more: Value) -> Value {
    let mut object = json!({
        "type": kind, "spec_version": "2.1", "id": id(kind, n),
        "created": "2026-01-01T00:00:00.000Z",
        "modified": format!("2026-01-01T00:00:{second:02}.000Z"),
    });
    let own = object.as_object_mut().unwrap();
    own.extend(more.as_object().unwrap().clone());
    object
}

pub(crate) fn relationship(n: u32, from: &str, kind: &str, to: &str, more: Value) -> Value {
    let mut object = object("relationship", n, 0, more);
    let own = object.as_object_mut().unwrap();
    own.insert("source_ref".into(), from.into());
    own.insert("relationship_type".into(), kind.into());
    own.insert("target_ref".into(), to.into());
    object
}
