//! Sites: where devices stand, in words, on the map or on a plan.

mod event;
pub(crate) mod geojson;
pub(crate) mod store;

pub(crate) use event::{DevicesMoved, SiteChanged};

use model::Timestamp;
use model::id::TypedId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::AssetsError;

/// Sites kept at most.
pub const MAX_SITES: usize = 5_000;
/// Longest name of a site.
pub(crate) const MAX_NAME_CHARS: usize = 80;
/// Longest kind of a site.
pub(crate) const MAX_KIND_CHARS: usize = 40;
/// Longest place of a site.
pub(crate) const MAX_PLACE_CHARS: usize = 160;
/// Kinds the console offers; any other word will do.
pub const KINDS: [&str; 10] = [
    "tram stop",
    "substation",
    "plant",
    "pumping station",
    "office",
    "depot",
    "control room",
    "street cabinet",
    "harbour",
    "hospital",
];

/// An id of a site or a layer: a UUIDv7 like every other.
pub(crate) struct Fresh(Uuid);

impl TypedId for Fresh {
    fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }
    fn uuid(&self) -> Uuid {
        self.0
    }
}

impl std::fmt::Display for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The spot of a site on a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanSpot {
    /// The plan's id (a layer of the form `plan`).
    pub(crate) layer: String,
    /// From the left edge, 0 to 1.
    pub(crate) x: f64,
    /// From the upper edge, 0 to 1.
    pub(crate) y: f64,
}

/// A site as people give it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) place: Option<String>,
    pub(crate) latitude: Option<f64>,
    pub(crate) longitude: Option<f64>,
    pub(crate) plan: Option<PlanSpot>,
}

/// A site with how many devices stand there.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Site {
    /// Identity.
    pub(crate) id: String,
    /// The name people use.
    pub(crate) name: String,
    /// What it is: `tram stop`, `substation`, `plant` …, any word.
    pub(crate) kind: String,
    /// Where it is, in words.
    pub(crate) place: Option<String>,
    /// Degrees north, -90 to 90 (WGS 84).
    pub(crate) latitude: Option<f64>,
    /// Degrees east, -180 to 180 (WGS 84).
    pub(crate) longitude: Option<f64>,
    /// Its spot on a plan.
    pub(crate) plan: Option<PlanSpot>,
    /// Devices that stand there.
    pub(crate) devices: u64,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
}

fn words(text: &str, what: &str, limit: usize) -> Result<String, AssetsError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > limit || text.chars().any(char::is_control) {
        return Err(AssetsError::Invalid(format!(
            "the {what} of a site has 1 to {limit} characters on one line"
        )));
    }
    Ok(text.to_owned())
}

impl Draft {
    /// The draft with its texts trimmed.
    ///
    /// # Errors
    /// Names what cannot be and how it may be.
    pub(crate) fn checked(self) -> Result<Self, AssetsError> {
        let invalid = |text: &str| Err(AssetsError::Invalid(text.into()));
        match (self.latitude, self.longitude) {
            (None, None) => {}
            (Some(north), Some(east)) if north.abs() <= 90.0 && east.abs() <= 180.0 => {}
            (Some(_), Some(_)) => {
                return invalid(
                    "latitude is -90 to 90 and longitude -180 to 180 degrees; are the two exchanged?",
                );
            }
            _ => return invalid("a site has both latitude and longitude, or neither"),
        }
        let inside = |share: f64| (0.0..=1.0).contains(&share);
        if self.plan.as_ref().is_some_and(|spot| !inside(spot.x) || !inside(spot.y)) {
            return invalid(
                "the spot on a plan is x and y, each 0 to 1 from the upper left corner",
            );
        }
        Ok(Self {
            name: words(&self.name, "name", MAX_NAME_CHARS)?,
            kind: words(&self.kind, "kind", MAX_KIND_CHARS)?.to_lowercase(),
            place: self
                .place
                .filter(|place| !place.trim().is_empty())
                .map(|place| words(&place, "place", MAX_PLACE_CHARS))
                .transpose()?,
            ..self
        })
    }
}
