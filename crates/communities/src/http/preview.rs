//! `POST /api/v1/sharing/preview`: who would receive what, and why (not).

use axum::extract::{Query, State};
use axum::{Extension, Json};
use intel::Sight;
use platform::http::{Caller, Gate, Json as Body, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::error::CommunityError;
use crate::preview::{Ask, ForOne, MAX_OBJECTS, MAX_SHOWN, Preview, reasons};
use crate::room::Communities;

/// Most recipients that may be named at once.
const MAX_NAMED: usize = 1_000;

/// What would be shared, with whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// STIX ids, at most 1,000.
    #[serde(default)]
    objects: Vec<String>,
    /// Or a query in the language of the knowledge search; 1,000 objects a call.
    query: Option<String>,
    /// Where the query goes on, from `next`.
    cursor: Option<String>,
    /// With whom; every organisation by name when absent.
    #[serde(default)]
    to: PreviewTo,
    /// Recipients left out at the beginning, from `next_recipient`.
    #[serde(default)]
    skip_recipients: usize,
}

/// With whom.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PreviewTo {
    /// Ids of communities.
    communities: Vec<String>,
    /// Ids or names of organisations.
    organisations: Vec<String>,
}

/// What is shown.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct PreviewQuery {
    /// The objects as they would leave.
    bodies: Option<bool>,
}

/// A preview.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharePreviewAnswer {
    /// The objects judged, in their order.
    objects: Vec<PreviewObject>,
    /// Ids that are not known, or not to you.
    missing: Vec<String>,
    /// Who would get what.
    recipients: Vec<PreviewRecipient>,
    /// Cursor for further objects of the query.
    next: Option<String>,
    /// `skip_recipients` for further recipients.
    next_recipient: Option<usize>,
}

/// An object, and who would get it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewObject {
    /// STIX id.
    id: String,
    /// STIX type.
    #[serde(rename = "type")]
    kind: String,
    /// Its name, or what stands for one.
    name: String,
    /// The label that holds here.
    tlp: String,
    /// By which way it came here first: `own`, `feed`, `import`, `peer`, `misp` or `taxii`. All but `own` counts as received.
    origin: &'static str,
    /// What the source is called that said it first.
    source: String,
    /// One answer for each recipient, in their order.
    goes: Vec<bool>,
}

/// What one recipient would get.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewRecipient {
    /// Its name.
    name: String,
    /// Id of its node, or its own where it has none.
    organisation: String,
    /// Our id of the peer; absent where it has no node.
    peer: Option<String>,
    /// Id of the community it would come through; absent when it is named.
    community: Option<String>,
    /// That community's name.
    community_name: Option<String>,
    /// Objects that would go.
    allowed: u64,
    /// Objects that would stay.
    withheld: u64,
    /// Objects that would go changed.
    redacted: u64,
    /// Why objects stay, the most frequent reason first.
    reasons: Vec<PreviewReason>,
    /// Objects changed by each redaction rule.
    rules: Vec<PreviewRule>,
    /// One answer for each object, in their order.
    answers: Vec<PreviewAnswer>,
}

/// Why objects stay.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewReason {
    /// One sentence.
    reason: String,
    /// How many.
    objects: u64,
}

/// What a redaction rule changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewRule {
    /// Its id.
    rule: String,
    /// Objects it changes.
    objects: u64,
}

/// The answer about one object for one recipient.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewAnswer {
    /// STIX id, as it is known here.
    object: String,
    /// Whether it would go.
    allowed: bool,
    /// Why (not).
    reason: String,
    /// The policies that decided.
    policies: Vec<String>,
    /// What would be changed, the first fifty places.
    redactions: Vec<PreviewRedaction>,
    /// More places would be.
    more_redactions: bool,
    /// The object as it would leave, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    body: Option<Value>,
}

/// A change on the way out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewRedaction {
    /// The rule.
    rule: String,
    /// Where, as a JSON pointer.
    place: String,
}

impl PreviewRequest {
    fn read(self) -> Result<Ask, Problem> {
        let wrong =
            |text: String, remedy: &str| Problem::from(CommunityError::invalid(text, remedy));
        if self.objects.len() > MAX_OBJECTS {
            let text = format!("{} objects; {MAX_OBJECTS} may be", self.objects.len());
            return Err(wrong(text, "Ask in parts, or with a query."));
        }
        if self.objects.is_empty() == self.query.is_none() {
            let text = "objects or query must be given, and not both".to_owned();
            return Err(wrong(text, "Name STIX ids, or write a query."));
        }
        if self.to.communities.len() + self.to.organisations.len() > MAX_NAMED {
            let text = format!("more than {MAX_NAMED} recipients are named");
            return Err(wrong(text, "Ask in parts."));
        }
        let before_seq = match &self.cursor {
            None => None,
            Some(cursor) => {
                let place = platform::http::decode_cursor(cursor)?;
                Some(place.parse().map_err(|_| {
                    Problem::bad_request("the cursor was not made by this preview")
                        .remedy("Use `next` of the answer before, unchanged.")
                })?)
            }
        };
        Ok(Ask {
            objects: self.objects,
            query: self.query,
            before_seq,
            communities: self.to.communities,
            organisations: self.to.organisations,
            skip_recipients: self.skip_recipients,
            bodies: false,
        })
    }
}

/// Shows who would receive which objects, why (not), and in which form. Nothing leaves.
#[utoipa::path(post, path = "/api/v1/sharing/preview", tag = "sharing", request_body = PreviewRequest,
    params(PreviewQuery), responses(
    (status = 200, description = "The preview", body = SharePreviewAnswer),
    (status = 404, description = "No such community or organisation", body = Problem),
    (status = 422, description = "It cannot be asked so", body = Problem)))]
pub(crate) async fn preview(
    State(room): State<Communities>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<PreviewQuery>,
    Body(request): Body<PreviewRequest>,
) -> Result<Json<SharePreviewAnswer>, Problem> {
    let sight = Sight::of(&gate, &caller);
    let ask = Ask { bodies: query.bodies.unwrap_or(false), ..request.read()? };
    Ok(Json(answer(room.preview(ask, sight).await?)))
}

fn answer(preview: Preview) -> SharePreviewAnswer {
    let goes =
        |at: usize| preview.recipients.iter().map(|one| one.answers[at].decision.allowed).collect();
    let objects = preview.objects.iter().enumerate().map(|(at, stored)| PreviewObject {
        id: stored.id.clone(),
        kind: stored.kind.clone(),
        name: stored.name.clone(),
        tlp: intel::label(stored.tlp).label().to_owned(),
        origin: preview.said.get(at).map_or("", |(said, _)| said.word()),
        source: preview.said.get(at).map(|(_, name)| name.clone()).unwrap_or_default(),
        goes: goes(at),
    });
    let objects: Vec<PreviewObject> = objects.collect();
    let ids: Vec<String> = preview.objects.into_iter().map(|stored| stored.id).collect();
    SharePreviewAnswer {
        objects,
        missing: preview.missing,
        recipients: preview.recipients.into_iter().map(|one| for_one(one, &ids)).collect(),
        next: preview.next_seq.map(|seq| platform::http::encode_cursor(&seq.to_string())),
        next_recipient: preview.next_recipient,
    }
}

fn for_one(one: ForOne, ids: &[String]) -> PreviewRecipient {
    let allowed = one.answers.iter().filter(|answer| answer.decision.allowed).count() as u64;
    PreviewRecipient {
        organisation: one.to.id(),
        peer: one.to.peer().map(|peer| peer.to_string()),
        name: one.to.name,
        community: one.through.as_ref().map(|circle| circle.id.to_string()),
        community_name: one.through.map(|circle| circle.name),
        allowed,
        withheld: one.answers.len() as u64 - allowed,
        redacted: one.redacted,
        reasons: reasons(&one.answers)
            .into_iter()
            .map(|(reason, objects)| PreviewReason { reason, objects })
            .collect(),
        rules: one.rules.into_iter().map(|(rule, objects)| PreviewRule { rule, objects }).collect(),
        answers: one
            .answers
            .into_iter()
            .zip(ids)
            .map(|(answer, id)| PreviewAnswer {
                object: id.clone(),
                allowed: answer.decision.allowed,
                reason: answer.decision.reason,
                policies: answer.decision.policies,
                more_redactions: answer.redactions.len() > MAX_SHOWN,
                redactions: answer
                    .redactions
                    .into_iter()
                    .take(MAX_SHOWN)
                    .map(|it| PreviewRedaction { rule: it.rule, place: it.place })
                    .collect(),
                body: answer.object,
            })
            .collect(),
    }
}
