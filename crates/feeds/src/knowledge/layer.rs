//! Layers of the ATT&CK Navigator, format 4.5: read, changed and written without losing what is not
//! known here.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use stix::json::{self, JsonError, Limits};

/// Bounds of a layer: 16 MiB, 32 levels, a million values.
pub const LIMITS: Limits = Limits { max_bytes: 16 << 20, max_depth: 32, max_values: 1_000_000 };
/// The version of the format that is written, and the greatest that is read.
pub const VERSION: &str = "4.5";
/// Minor versions of format 4 that are read; they only add fields.
const MINOR: std::ops::RangeInclusive<u32> = 0..=5;
/// Domains of the Navigator.
pub const DOMAINS: &[&str] = &["enterprise-attack", "mobile-attack", "ics-attack"];

/// What is wrong with a layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// No JSON, or too large.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A part is missing or has the wrong form.
    #[error("not a layer: {0}")]
    Shape(String),
    /// A version that is not read.
    #[error(
        "layer format `{0}`; this reader knows 4.0 to {VERSION}: open the layer in a newer Navigator and export it again"
    )]
    Version(String),
}

/// A layer: its JSON, kept whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    properties: Map<String, Value>,
}

/// What a layer says of one technique (in one tactic, or in all).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// Identifier, `T1059.001`.
    pub technique: String,
    /// Short name of the tactic; `None`: in all of them.
    pub tactic: Option<String>,
    /// Score.
    pub score: Option<f64>,
    /// Colour, `#rrggbb`.
    pub color: Option<String>,
    /// Comment.
    pub comment: Option<String>,
    /// Whether it is shown.
    pub enabled: bool,
}

impl Layer {
    /// An empty layer of the newest format.
    #[must_use]
    pub fn new(name: &str, domain: &str, description: &str) -> Self {
        let value = json!({
            "name": name,
            "versions": {"layer": VERSION},
            "domain": domain,
            "description": description,
            "techniques": [],
        });
        match value {
            Value::Object(properties) => Self { properties },
            _ => Self { properties: Map::new() },
        }
    }

    /// Reads a layer.
    ///
    /// # Errors
    /// [`LayerError`].
    pub fn read(bytes: &[u8]) -> Result<Self, LayerError> {
        let shape = |text: &str| LayerError::Shape(text.to_owned());
        let Value::Object(properties) = json::read(bytes, LIMITS)? else {
            return Err(shape("the text is no object"));
        };
        let version = properties
            .get("versions")
            .and_then(|versions| versions.get("layer"))
            .or_else(|| properties.get("version"))
            .and_then(Value::as_str)
            .ok_or_else(|| shape("no /versions/layer"))?;
        let minor = version.strip_prefix("4.").and_then(|minor| minor.parse().ok());
        if !minor.is_some_and(|minor: u32| MINOR.contains(&minor)) {
            return Err(LayerError::Version(version.chars().take(40).collect()));
        }
        for name in ["name", "domain"] {
            if !properties.get(name).is_some_and(Value::is_string) {
                return Err(LayerError::Shape(format!("no /{name}")));
            }
        }
        match properties.get("techniques") {
            None => {}
            Some(Value::Array(list)) => {
                for (at, mark) in list.iter().enumerate() {
                    if !mark.get("techniqueID").is_some_and(Value::is_string) {
                        return Err(LayerError::Shape(format!("no /techniques/{at}/techniqueID")));
                    }
                }
            }
            Some(_) => return Err(shape("/techniques is no list")),
        }
        Ok(Self { properties })
    }

    /// Everything, as it came.
    #[must_use]
    pub const fn properties(&self) -> &Map<String, Value> {
        &self.properties
    }

    /// The JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.properties.clone()).to_string()
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.properties.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Domain; [`DOMAINS`] where it is one of the Navigator's own.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.properties.get("domain").and_then(Value::as_str).unwrap_or_default()
    }

    /// What it says of techniques.
    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        let list = self.properties.get("techniques").and_then(Value::as_array);
        list.into_iter().flatten().map(|value| {
            let text = |name: &str| {
                let text = value.get(name).and_then(Value::as_str);
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            };
            Mark {
                technique: text("techniqueID").unwrap_or_default(),
                tactic: text("tactic"),
                score: value.get("score").and_then(Value::as_f64),
                color: text("color"),
                comment: text("comment"),
                enabled: value.get("enabled").and_then(Value::as_bool).unwrap_or(true),
            }
        })
    }

    /// Sets what is said of a technique; fields of it that are not known here stay.
    pub fn set(&mut self, mark: &Mark) {
        let list = self.properties.entry("techniques").or_insert_with(|| json!([]));
        let Value::Array(list) = list else { return };
        let same = |value: &Value| {
            let tactic = value.get("tactic").and_then(Value::as_str).filter(|t| !t.is_empty());
            value.get("techniqueID").and_then(Value::as_str) == Some(&mark.technique)
                && tactic == mark.tactic.as_deref()
        };
        let at = match list.iter().position(same) {
            Some(at) => at,
            None => {
                list.push(json!({"techniqueID": mark.technique}));
                list.len() - 1
            }
        };
        let Value::Object(entry) = &mut list[at] else { return };
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        // The Navigator takes an absent `enabled` for true.
        let enabled = (!mark.enabled || entry.contains_key("enabled")).then(|| json!(mark.enabled));
        for (name, value) in [
            ("tactic", text(&mark.tactic)),
            ("score", mark.score.map(number)),
            ("color", text(&mark.color)),
            ("comment", text(&mark.comment)),
            ("enabled", enabled),
        ] {
            match value {
                Some(value) => {
                    entry.insert(name.to_owned(), value);
                }
                None => {
                    entry.shift_remove(name);
                }
            }
        }
    }

    /// The greatest score of each technique that is shown, as [`super::matrix`] takes them.
    #[must_use]
    pub fn scores(&self) -> BTreeMap<String, f64> {
        let mut scores = BTreeMap::new();
        for mark in self.marks().filter(|mark| mark.enabled) {
            if let Some(score) = mark.score {
                let best = scores.entry(mark.technique).or_insert(score);
                *best = best.max(score);
            }
        }
        scores
    }

    /// A layer of numbers by technique, with a gradient from nothing to the greatest.
    #[must_use]
    pub fn of_scores(name: &str, domain: &str, scores: &BTreeMap<String, f64>) -> Self {
        let mut layer = Self::new(name, domain, "");
        let marks: Vec<Value> = scores
            .iter()
            .map(|(id, score)| json!({"techniqueID": id, "score": number(*score)}))
            .collect();
        let greatest = scores.values().copied().fold(1.0, f64::max);
        layer.properties.insert("techniques".into(), Value::Array(marks));
        layer.properties.insert(
            "gradient".into(),
            json!({"colors": ["#ffffff", "#d73027"], "minValue": 0, "maxValue": number(greatest)}),
        );
        layer
    }
}

/// Whole numbers without a fraction, as the Navigator writes them.
fn number(value: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)]
    let whole = value as i64;
    #[allow(clippy::cast_precision_loss, clippy::float_cmp)]
    if whole as f64 == value { json!(whole) } else { json!(value) }
}
