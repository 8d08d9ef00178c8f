//! `DELETE /api/v1/playbook-keys/{fingerprint}`: does not trust a key any more.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::event::PlaybookKeyChanged;
use platform::http::{Caller, Problem};

use super::no_key;
use crate::{Playbooks, PlaybooksError, store};

/// Does not trust a key any more. What it signed is as if signed by a stranger.
#[utoipa::path(delete, path = "/api/v1/playbook-keys/{fingerprint}", tag = "playbooks",
    params(("fingerprint" = String, Path, description = "The key's fingerprint")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Playbooks>,
    caller: Caller,
    Path(fingerprint): Path<String>,
) -> Result<StatusCode, Problem> {
    let wanted = fingerprint.clone();
    let gone: Result<bool, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let Some(key) = store::keys::one(tx.sql(), &wanted).await? else {
                    return Ok(false);
                };
                store::keys::remove(tx.sql(), &wanted).await?;
                let fact = PlaybookKeyChanged {
                    fingerprint: key.fingerprint,
                    name: key.name,
                    what: "removed".into(),
                    since: None,
                    by: caller.name.clone(),
                };
                tx.publish(&caller.name, &fact).await?;
                Ok(true)
            })
        })
        .await;
    if gone? { Ok(StatusCode::NO_CONTENT) } else { Err(no_key(&fingerprint)) }
}
