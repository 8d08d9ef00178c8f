//! Judging a bundle object by object, so that it need not be in memory at once.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::{Map, Value};

use super::path::Path;
use super::{Report, head, judge_one, sink, twice};
use crate::id;
use crate::object::Object;

/// Most versions of objects of one bundle that are remembered to find one that stands twice with
/// different content: 16 bytes each and the room of a hash table, about 130 MB at most.
pub const MAX_VERSIONS: usize = 4_000_000;

/// Judges the objects of a bundle one after the other.
#[derive(Debug, Default)]
pub struct Judge {
    report: Report,
    objects: u64,
    has_list: bool,
    /// Hash of id and version to hash of the content.
    seen: HashMap<u64, u64>,
    unwatched: u64,
}

impl Judge {
    /// Nothing judged yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges the next object of the bundle.
    pub fn object(&mut self, object: &Object) {
        let index = self.objects;
        self.objects += 1;
        judge_one(object, Some(index), &mut self.report);
        let mut key = DefaultHasher::new();
        object.id_text().hash(&mut key);
        object.text("modified").or_else(|| object.text("created")).hash(&mut key);
        let key = key.finish();
        let content = content(object.properties());
        match self.seen.get(&key) {
            Some(first) if *first != content => {
                twice(object.id_text(), Some(index), &mut self.report);
            }
            Some(_) => {}
            None if self.seen.len() >= MAX_VERSIONS => self.unwatched += 1,
            None => {
                self.seen.insert(key, content);
            }
        }
    }

    /// Counts an element of `objects` that is no JSON object.
    pub fn not_an_object(&mut self) {
        let index = self.objects;
        self.objects += 1;
        let mut sink = sink(&mut self.report, "", Some(index));
        sink.error(&Path::ROOT, "STIX 2.1 §8", "not a JSON object");
    }

    /// Judges the members of the bundle, or those beside its objects.
    pub fn head(&mut self, members: &Map<String, Value>) {
        {
            const CLAUSE: &str = "STIX 2.1 §8";
            let mut sink = sink(&mut self.report, "bundle", None);
            if members.get("type").and_then(Value::as_str) != Some("bundle") {
                sink.error_at("type", CLAUSE, "`type` is not \"bundle\"");
            }
            let id = members.get("id").and_then(Value::as_str);
            if !id.is_some_and(|id| id::check(id) == Ok("bundle")) {
                sink.error_at("id", CLAUSE, "`id` is missing or not of the form bundle--UUID");
            }
            match members.get("objects") {
                Some(_) => sink.error_at("objects", CLAUSE, "`objects` is not a list"),
                None if self.objects == 0 && self.has_list => {
                    sink.error_at("objects", CLAUSE, "an empty list; leave it out");
                }
                None => {}
            }
        }
        let own = |name: &&str| matches!(*name, "type" | "id" | "objects");
        head(members.keys().map(String::as_str).filter(|name| !own(name)), &mut self.report);
    }

    /// Says that the bundle has a list `objects`, which must then not be empty.
    pub const fn list_seen(&mut self) {
        self.has_list = true;
    }

    /// Objects judged so far.
    #[must_use]
    pub const fn objects(&self) -> u64 {
        self.objects
    }

    /// Objects beyond [`MAX_VERSIONS`], of which it is not known whether they stand twice.
    #[must_use]
    pub const fn unwatched(&self) -> u64 {
        self.unwatched
    }

    /// All problems.
    #[must_use]
    pub fn finish(self) -> Report {
        self.report
    }
}

/// A hash of an object that does not depend on the order of its properties.
fn content(map: &Map<String, Value>) -> u64 {
    map.iter().fold(0, |sum: u64, (name, value)| {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        mix(value, &mut hasher);
        sum.wrapping_add(hasher.finish())
    })
}

fn mix(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(yes) => yes.hash(hasher),
        Value::Number(number) => number.hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::Array(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| mix(item, hasher));
        }
        Value::Object(map) => content(map).hash(hasher),
    }
}
