//! Maps and plans of the house: GeoJSON, PMTiles and images, judged by their bytes, kept as blobs.

pub(crate) mod sniff;
pub(crate) mod store;

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Layers kept at most.
pub(crate) const MAX_LAYERS: i64 = 100;
/// Longest name of a layer.
pub(crate) const MAX_NAME_CHARS: usize = 80;
/// Largest upload of any form, bytes.
pub(crate) const MAX_UPLOAD_BYTES: usize = 128 << 20;

/// A map layer or a plan.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Layer {
    /// Identity.
    pub(crate) id: String,
    /// The name people gave.
    pub(crate) name: String,
    /// `geojson`, `pmtiles` or `plan`.
    pub(crate) form: String,
    /// Media type, as the bytes show.
    pub(crate) media: String,
    /// Size, bytes.
    pub(crate) bytes: u64,
    /// Width of a plan, pixels.
    pub(crate) width: Option<u64>,
    /// Height of a plan, pixels.
    pub(crate) height: Option<u64>,
    /// Who uploaded it.
    pub(crate) added_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) recorded_at: Timestamp,
    /// Where its bytes are kept.
    #[serde(skip)]
    pub(crate) blob: String,
}
