//! `POST /api/v1/knowledge/layers`: a layer of the ATT&CK Navigator comes in, as a grouping of the techniques it marks.

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use feeds::knowledge::layer::Layer;
use intel::own;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stix::{StixId, Tlp};
use utoipa::{IntoParams, ToSchema};

use crate::catalogue::keep_changed;
use crate::import::Origin;
use crate::room::Knowledge;
use crate::{ontology, sight};

/// Largest layer, bytes.
const MAX_LAYER_BYTES: usize = 8 << 20;
/// Techniques of one layer.
const MAX_TECHNIQUES: usize = 5_000;
/// Characters of a source's name, and of the layer's own.
const MAX_LABEL_CHARS: usize = 120;
const MAX_NAME_CHARS: usize = 300;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct LayerQuery {
    /// TLP label of the grouping; `amber` when absent.
    tlp: Option<String>,
    /// What the source is called; the person when absent.
    label: Option<String>,
}

/// What a layer became.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LayerKept {
    /// Id of the grouping.
    id: String,
    /// Techniques that it refers to.
    techniques: u64,
    /// Techniques of the layer that are not loaded here.
    unknown: Vec<String>,
    /// Whether this very layer was known under this label.
    known: bool,
}

/// Takes a Navigator layer in: a grouping of the techniques that it marks and does not hide, with the layer in it as it came.
#[utoipa::path(post, path = "/api/v1/knowledge/layers", tag = "knowledge", params(LayerQuery),
    request_body(content = Object, content_type = "application/json", description = "A layer, format 4"), responses(
    (status = 200, description = "What it became", body = LayerKept),
    (status = 413, description = "Too large", body = Problem),
    (status = 422, description = "No layer, or none of its techniques is loaded", body = Problem)))]
pub(crate) async fn take(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<LayerQuery>,
    request: Request,
) -> Result<Json<LayerKept>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let word = query.tlp.as_deref().unwrap_or("amber");
    let tlp =
        Tlp::from_label(word).filter(|tlp| sight.sees(intel::rank(*tlp))).ok_or_else(|| {
            cannot("tlp is none of clear, green, amber, amber+strict, red that you may read")
        })?;
    let label = query.label.unwrap_or_default();
    if label.chars().count() > MAX_LABEL_CHARS || label.chars().any(char::is_control) {
        return Err(cannot(&format!(
            "a label has at most {MAX_LABEL_CHARS} characters and no control signs"
        )));
    }
    let body = axum::body::to_bytes(request.into_body(), MAX_LAYER_BYTES).await.map_err(|_| {
        let text = format!("the layer is larger than {MAX_LAYER_BYTES} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text).remedy("Is it a layer?")
    })?;
    let layer = Layer::read(&body).map_err(|error| cannot(&error.to_string()))?;
    let ontology = ontology::current(&room).await?;
    let (mut refs, mut unknown) = (Vec::new(), Vec::new());
    for mark in layer.marks().filter(|mark| mark.enabled).take(MAX_TECHNIQUES) {
        let list = match ontology.tables.get(&mark.technique) {
            Some(item) => (&mut refs, item.stix_id.clone()),
            None => (&mut unknown, mark.technique.chars().take(40).collect()),
        };
        if !list.0.contains(&list.1) {
            list.0.push(list.1);
        }
    }
    if refs.is_empty() {
        return Err(cannot("none of the techniques of this layer is loaded here")
            .remedy("Import ATT&CK first: `sereno intel import`."));
    }
    let seed: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    let id = StixId::derived("grouping", own::NAMESPACE, &format!("layer {seed} {}", tlp.label()));
    let name: String = layer.name().chars().take(MAX_NAME_CHARS).collect();
    let more = json!({
        "name": if name.is_empty() { "Navigator layer".to_owned() } else { name },
        "context": "unspecified",
        "object_refs": refs,
        "x_navigator_layer": Value::Object(layer.properties().clone()),
    });
    let node = room.platform().node.id.to_string();
    let now = room.platform().now().to_millis_text();
    let grouping = own::object(&id, &node, &now, tlp, more);
    let source = Origin::person(&caller.name, label.trim(), tlp).source;
    let report = keep_changed(&room, source, vec![grouping]).await?;
    Ok(Json(LayerKept {
        id: id.as_str().to_owned(),
        techniques: refs.len() as u64,
        unknown,
        known: report.same == 1,
    }))
}

fn cannot(text: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text.to_owned())
}
