//! `POST /api/v1/findings/{id}/feedback`: say what a finding is.

use axum::extract::{Path, State};
use model::{FindingId, Timestamp};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::suppressions::SuppressionView;
use super::{reason, until};
use crate::Detection;
use crate::error::DetectionError;
use crate::feedback::{Scope, Word};

/// Longest name of a metric or technique, characters.
const MAX_NAME_CHARS: usize = 64;

/// Normal, or an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// This is normal for this device.
    Normal,
    /// This is an attack.
    Attack,
}

/// What is covered; what is absent is not asked for. Nothing at all means: what the finding is about.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScopeBody {
    /// Only this metric, e.g. `bytes_out`.
    metric: Option<String>,
    /// Only traffic with this address.
    peer: Option<String>,
    /// Over this protocol: `tcp`, `udp` …
    protocol: Option<String>,
    /// And this service port.
    port: Option<u16>,
    /// Only findings of this technique, e.g. `T1046`.
    technique: Option<String>,
    /// Everything the device does.
    whole_device: bool,
}

impl ScopeBody {
    /// The scope, when it makes sense.
    pub(crate) fn read(self) -> Result<Scope, DetectionError> {
        let invalid = |what: String| Err(DetectionError::Invalid(what));
        let peer = match &self.peer {
            None => None,
            Some(text) => match text.parse() {
                Ok(peer) => Some(peer),
                Err(_) => {
                    let text: String = text.chars().take(64).collect();
                    return invalid(format!("scope.peer: '{text}' is no address"));
                }
            },
        };
        for name in [&self.metric, &self.technique, &self.protocol].into_iter().flatten() {
            if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
                return invalid(format!("scope: a name has 1 to {MAX_NAME_CHARS} characters"));
            }
        }
        if let Some(metric) = &self.metric
            && !analytics::metrics::ALL.iter().any(|own| own.name() == metric)
        {
            return invalid(format!("scope.metric: there is no metric '{metric}'"));
        }
        if peer.is_none() && (self.port.is_some() || self.protocol.is_some()) {
            return invalid("scope: a protocol or port needs a peer".into());
        }
        let narrow = self.metric.is_some() || peer.is_some() || self.technique.is_some();
        if self.whole_device && narrow {
            return invalid("scope: the whole device, or a part of it".into());
        }
        Ok(Scope {
            metric: self.metric,
            peer,
            protocol: self.protocol,
            port: self.port,
            technique: self.technique,
            command: None,
            whole_device: self.whole_device,
        })
    }
}

/// A person's word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feedback {
    /// Normal, or an attack.
    verdict: Verdict,
    /// Why.
    reason: String,
    /// Until when it is normal; absent until it is taken back (and then also learned from).
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// What is normal.
    #[serde(default)]
    scope: ScopeBody,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedbackTaken {
    /// What is called normal because of it; empty for an attack.
    suppressions: Vec<SuppressionView>,
}

/// Takes a person's word on a finding. "Normal" covers what the finding is about (or the scope) up
/// to one and a half times its score; the conversations named count as known.
#[utoipa::path(post, path = "/api/v1/findings/{id}/feedback", tag = "detection",
    params(("id" = String, Path, description = "The finding's id")), request_body = Feedback,
    responses((status = 200, body = FeedbackTaken), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn feedback(
    State(detection): State<Detection>,
    Path(id): Path<String>,
    caller: Caller,
    Json(body): Json<Feedback>,
) -> Result<Json<FeedbackTaken>, Problem> {
    let missing =
        || Problem::not_found(format!("finding '{}'", id.chars().take(64).collect::<String>()));
    let parsed: FindingId = id.parse().map_err(|_| missing())?;
    let now = detection.inner.platform.now();
    let word = Word {
        normal: body.verdict == Verdict::Normal,
        reason: reason(&body.reason)?,
        until: until(body.until, now)?,
        scope: body.scope.read()?,
        by: caller.name,
    };
    let made = Box::pin(detection.judge_finding(parsed, word)).await?;
    let suppressions = made.into_iter().map(|one| SuppressionView::new(one, now)).collect();
    Ok(Json(FeedbackTaken { suppressions }))
}
