//! `POST /api/v1/peers/enrol`: an invited node comes in with its code.

use axum::extract::State;
use platform::http::{Json, Problem};

use super::Door;
use crate::{Enrolled, Enrolment, Identity};

/// Gives an invited node its client certificate. Open to callers without an account: the one-time
/// code is the credential. The same node with the same key gets the same certificate again.
#[utoipa::path(post, path = "/api/v1/peers/enrol", tag = "identity",
    responses((status = 200, body = Enrolled), (status = 403, body = Problem)))]
pub(crate) async fn enrol(
    State(identity): State<Identity>,
    door: Door,
    Json(asked): Json<Enrolment>,
) -> Result<Json<Enrolled>, Problem> {
    Ok(Json(identity.enrol(&asked, &door.source).await?))
}
