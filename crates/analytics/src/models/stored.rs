//! Parts of stored models: a head with version and metrics, and numbers in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::metrics::METRICS;

/// Version of the stored form of every model here. A reader refuses any other.
const VERSION: u32 = 1;
/// Numbers of one array at most: the points of a nearest-neighbour model.
const MAX_NUMBERS: usize = super::MAX_ROWS * METRICS;

/// What every stored model begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawHead")]
pub(crate) struct Head {
    version: u32,
    /// Width of a row.
    metrics: usize,
    /// Places of the judged metrics.
    pub(crate) active: Vec<usize>,
}

#[derive(Deserialize)]
struct RawHead {
    version: u32,
    metrics: usize,
    active: Vec<usize>,
}

impl Head {
    pub(crate) fn new(active: &[usize]) -> Self {
        Self { version: VERSION, metrics: METRICS, active: active.to_vec() }
    }
}

impl TryFrom<RawHead> for Head {
    type Error = String;

    fn try_from(raw: RawHead) -> Result<Self, String> {
        let RawHead { version, metrics, active } = raw;
        if version != VERSION {
            return Err(format!(
                "stored as version {version}, this build reads version {VERSION}; train again"
            ));
        }
        if metrics != METRICS {
            return Err(format!(
                "learned on rows of {metrics} metrics, this build has {METRICS}; train again"
            ));
        }
        let rising = active.windows(2).all(|pair| pair[0] < pair[1]);
        if active.is_empty() || !rising || active.last().is_some_and(|place| *place >= METRICS) {
            return Err("judged metrics are out of order or do not exist".to_owned());
        }
        Ok(Self { version, metrics, active })
    }
}

/// Finite numbers, stored as little-endian double precision in base64.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers(pub(crate) Vec<f64>);

impl Numbers {
    /// The numbers, if there are as many as wanted.
    pub(crate) fn exactly(self, count: usize, name: &str) -> Result<Vec<f64>, String> {
        if self.0.len() == count {
            return Ok(self.0);
        }
        Err(format!("{name} holds {} numbers instead of {count}", self.0.len()))
    }

    /// The numbers, if there are as many as wanted and all are above 0.
    pub(crate) fn positive(self, count: usize, name: &str) -> Result<Vec<f64>, String> {
        let numbers = self.exactly(count, name)?;
        if numbers.iter().any(|number| *number <= 0.0) {
            return Err(format!("{name} holds a number that is not above 0"));
        }
        Ok(numbers)
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().copied().flat_map(f64::to_le_bytes).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX_NUMBERS * 11 {
            return Err(D::Error::custom(format!("more than {MAX_NUMBERS} numbers")));
        }
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        let (words, rest) = bytes.as_chunks::<8>();
        let numbers: Vec<f64> = words.iter().map(|word| f64::from_le_bytes(*word)).collect();
        if !rest.is_empty() {
            return Err(D::Error::custom("numbers are cut off"));
        }
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(D::Error::custom("numbers that are not finite"));
        }
        Ok(Self(numbers))
    }
}

/// A stored part as JSON; what is finite always has one.
pub(crate) fn to_value(stored: &impl Serialize) -> Value {
    serde_json::to_value(stored).unwrap_or(Value::Null)
}

/// Reads a stored part.
pub(crate) fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| format!("damaged or foreign: {error}"))
}
