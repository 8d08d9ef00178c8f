//! Lists of well-known values (MISP's warninglists) that people loaded: what stands on one of them raises nothing.
//!
//! A value is held against the lists when it is read, which costs less than a microsecond; nothing is written to the
//! values, so a list holds at once for everything that is known, and one that is removed leaves nothing behind.

use std::sync::{Arc, Mutex, PoisonError};

use feeds::value::Observable;
use feeds::warninglist::{LeftOut, Matcher, Warninglist, WarninglistError};
use platform::db::DbError;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A list as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// What it holds and why.
    pub description: String,
    /// Its version.
    pub version: i64,
    /// How it matches: `string`, `substring`, `hostname`, `cidr`, `regex`.
    pub matching: String,
    /// Entries.
    pub entries: i64,
    /// Entries that cannot be used.
    pub left_out: i64,
    /// Who loaded it.
    pub by: String,
    /// When, microseconds UTC.
    pub recorded_us: i64,
}

/// A list, read and tried together with the others.
#[derive(Clone, Debug)]
pub struct Tried {
    list: Warninglist,
    text: String,
    /// Entries that cannot be used, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// Why a list is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ExcuseError {
    /// It cannot be used, alone or beside the others.
    #[error(transparent)]
    List(#[from] WarninglistError),
    /// It has no name, or one that is too long.
    #[error("a warninglist has a name of 1 to 200 characters")]
    Name,
    /// The database says no.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// All lists, by name.
///
/// # Errors
/// The database says no.
pub async fn all(sql: &mut AnyConnection) -> Result<Vec<Loaded>, DbError> {
    let rows = sqlx::query(
        "SELECT name, description, version, matching, entries, left_out, added_by, recorded_at \
         FROM intel_warninglists ORDER BY name",
    )
    .fetch_all(sql)
    .await?;
    rows.iter().map(loaded).collect()
}

fn loaded(row: &AnyRow) -> Result<Loaded, DbError> {
    Ok(Loaded {
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        version: row.try_get("version")?,
        matching: row.try_get("matching")?,
        entries: row.try_get("entries")?,
        left_out: row.try_get("left_out")?,
        by: row.try_get("added_by")?,
        recorded_us: row.try_get("recorded_at")?,
    })
}

/// Reads a list and compiles it together with those that are loaded, so that what is stored can be used.
///
/// # Errors
/// It is no list, or there is too much of all of them together.
pub async fn try_list(sql: &mut AnyConnection, text: String) -> Result<Tried, ExcuseError> {
    let mut lists = bodies(sql).await?;
    let tried = tokio::task::spawn_blocking(move || -> Result<Tried, ExcuseError> {
        let list = Warninglist::read(text.as_bytes())?;
        if list.name.trim().is_empty() || list.name.chars().count() > 200 {
            return Err(ExcuseError::Name);
        }
        lists.retain(|other| other.name != list.name);
        lists.insert(0, list.clone());
        let (_, mut left_out) = Matcher::new(&lists)?;
        left_out.retain(|entry| entry.list == 0);
        Ok(Tried { list, text, left_out })
    });
    tried.await.map_err(|cause| DbError::corrupt("intel_warninglists.body", cause))?
}

/// Keeps a list in place of the one of its name.
///
/// # Errors
/// The database says no.
pub async fn put(
    sql: &mut AnyConnection,
    tried: &Tried,
    by: &str,
    now_us: i64,
) -> Result<Loaded, DbError> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let loaded = Loaded {
        name: tried.list.name.clone(),
        description: tried.list.description.clone(),
        version: i64::try_from(tried.list.version).unwrap_or(i64::MAX),
        matching: format!("{:?}", tried.list.matching).to_lowercase(),
        entries: number(tried.list.list.len()),
        left_out: number(tried.left_out.len()),
        by: by.to_owned(),
        recorded_us: now_us,
    };
    remove(&mut *sql, &loaded.name).await?;
    sqlx::query(
        "INSERT INTO intel_warninglists (name, description, version, matching, entries, left_out, print, \
         body, added_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&loaded.name)
    .bind(&loaded.description)
    .bind(loaded.version)
    .bind(&loaded.matching)
    .bind(loaded.entries)
    .bind(loaded.left_out)
    .bind(print(&tried.text))
    .bind(&tried.text)
    .bind(by)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(loaded)
}

/// Takes a list away; false when there is none of that name.
///
/// # Errors
/// The database says no.
pub async fn remove(sql: &mut AnyConnection, name: &str) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM intel_warninglists WHERE name = $1")
        .bind(name)
        .execute(sql)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// 48 bits of a text's SHA-256: those of all lists add up without running over.
fn print(text: &str) -> i64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(6).fold(0, |sum, byte| sum << 8 | i64::from(*byte))
}

/// All lists with their entries, by name.
///
/// # Errors
/// The database says no, or a stored list is damaged.
pub async fn lists(sql: &mut AnyConnection) -> Result<Vec<Warninglist>, DbError> {
    bodies(sql).await
}

async fn bodies(sql: &mut AnyConnection) -> Result<Vec<Warninglist>, DbError> {
    let rows =
        sqlx::query("SELECT body FROM intel_warninglists ORDER BY name").fetch_all(sql).await?;
    let mut lists = Vec::with_capacity(rows.len());
    for row in rows {
        let body: String = row.try_get(0)?;
        let list = Warninglist::read(body.as_bytes())
            .map_err(|cause| DbError::corrupt("intel_warninglists.body", cause))?;
        lists.push(list);
    }
    Ok(lists)
}

/// Compiled lists.
#[derive(Clone)]
pub struct Excuses(Arc<Matcher>);

/// How many lists there are, and the sum of their prints.
type Key = (i64, i64);

/// The set that was compiled last in this process; its key is of its content, so that nodes in one process share it.
static LAST: Mutex<Option<(Key, Excuses)>> = Mutex::new(None);

impl Excuses {
    /// The lists that hold now, compiled.
    ///
    /// # Errors
    /// The database says no, or a stored list is damaged.
    pub async fn current(sql: &mut AnyConnection) -> Result<Self, DbError> {
        let row = sqlx::query("SELECT COUNT(*), COALESCE(SUM(print), 0) FROM intel_warninglists")
            .fetch_one(&mut *sql)
            .await?;
        let key: Key = (row.try_get(0)?, row.try_get(1)?);
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((of, excuses)) = last
            && of == key
        {
            return Ok(excuses);
        }
        let lists = bodies(sql).await?;
        let compiled = tokio::task::spawn_blocking(move || Matcher::new(&lists)).await;
        let damaged = |cause: &dyn std::fmt::Display| {
            DbError::corrupt("intel_warninglists.body", cause.to_string())
        };
        let (matcher, _) =
            compiled.map_err(|cause| damaged(&cause))?.map_err(|cause| damaged(&cause))?;
        let excuses = Self(Arc::new(matcher));
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, excuses.clone()));
        Ok(excuses)
    }

    /// The names of the lists that hold a value.
    #[must_use]
    pub fn names(&self, value: &str) -> Vec<&str> {
        if self.0.is_empty() {
            return vec![];
        }
        let Ok(observable) = Observable::classify(value) else { return vec![] };
        self.0.lists(&observable).iter().map(|list| self.0.name(*list)).collect()
    }

    /// The lists that hold a value, by name.
    #[must_use]
    pub fn of(&self, value: &str) -> Option<String> {
        let names = self.names(value);
        (!names.is_empty()).then(|| names.join(", "))
    }
}
