//! How fast values of a kind fade: the program's own choice, and what people chose instead.

use std::collections::BTreeMap;

use feeds::decay::{Model, default_model};
use feeds::value::Kind;
use platform::db::DbError;
use sqlx::{AnyConnection, Row};

/// The kinds of values that have parameters of their own; others fade like [`OTHER`].
const KINDS: &[(&str, Kind)] = &[
    ("address", Kind::Ipv4),
    ("network", Kind::Ipv4Net),
    ("endpoint", Kind::Endpoint),
    ("domain", Kind::Domain),
    ("url", Kind::Url),
    ("email", Kind::Email),
    ("hash", Kind::Sha256),
    ("fuzzy-hash", Kind::Tlsh),
    ("cve", Kind::Cve),
    ("mac", Kind::Mac),
    ("asn", Kind::Asn),
    ("file", Kind::FileName),
    ("file-path", Kind::FilePath),
    ("registry-key", Kind::RegistryKey),
    ("bitcoin", Kind::Bitcoin),
    ("user-agent", Kind::UserAgent),
    (OTHER, Kind::FileName),
];
/// The kind of all values that have no parameters of their own.
pub const OTHER: &str = "other";

/// Parameters of all kinds.
#[derive(Clone, Debug, PartialEq)]
pub struct Models(BTreeMap<&'static str, Chosen>);

/// Parameters of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The parameters.
    pub model: Model,
    /// Who chose them; `None` for the program.
    pub by: Option<String>,
}

impl Models {
    /// Parameters of a kind of values.
    #[must_use]
    pub fn of(&self, kind: &str) -> Model {
        let found = self.0.get(kind).or_else(|| self.0.get(OTHER));
        found.map_or_else(|| default_model(Kind::FileName), |chosen| chosen.model)
    }

    /// All kinds with their parameters, by name.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Chosen)> {
        self.0.iter().map(|(kind, chosen)| (*kind, chosen))
    }
}

/// The name of a kind that has parameters, as the program keeps it.
#[must_use]
pub fn kind(name: &str) -> Option<&'static str> {
    KINDS.iter().map(|(known, _)| *known).find(|known| *known == name)
}

/// The parameters that hold.
///
/// # Errors
/// The database says no.
pub async fn models(sql: &mut AnyConnection) -> Result<Models, DbError> {
    let own = |of: Kind| Chosen { model: default_model(of), by: None };
    let mut all: BTreeMap<&'static str, Chosen> =
        KINDS.iter().map(|(name, of)| (*name, own(*of))).collect();
    for row in sqlx::query("SELECT * FROM intel_decay").fetch_all(sql).await? {
        let name: String = row.try_get("kind")?;
        let Some(known) = kind(&name) else { continue };
        let model = Model {
            lifetime_days: row.try_get("lifetime_days")?,
            decay_speed: row.try_get("decay_speed")?,
            threshold: row.try_get("threshold")?,
            default_base: row.try_get("default_base")?,
            sighting_gain: row.try_get("sighting_gain")?,
            false_positive_cost: row.try_get("false_positive_cost")?,
        };
        all.insert(known, Chosen { model, by: Some(row.try_get("changed_by")?) });
    }
    Ok(Models(all))
}

/// Chooses parameters for a kind, or with `None` goes back to the program's own.
///
/// # Errors
/// The database says no.
pub async fn choose(
    sql: &mut AnyConnection,
    kind: &'static str,
    model: Option<Model>,
    by: &str,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM intel_decay WHERE kind = $1").bind(kind).execute(&mut *sql).await?;
    let Some(model) = model else { return Ok(()) };
    sqlx::query(
        "INSERT INTO intel_decay (kind, lifetime_days, decay_speed, threshold, default_base, \
         sighting_gain, false_positive_cost, changed_by, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(kind)
    .bind(model.lifetime_days)
    .bind(model.decay_speed)
    .bind(model.threshold)
    .bind(model.default_base)
    .bind(model.sighting_gain)
    .bind(model.false_positive_cost)
    .bind(by)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}
