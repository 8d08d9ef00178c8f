//! `POST /api/v1/federation/receipts`: the peer's receipts for letters that it fetched.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use platform::http::{Caller, Problem};

use super::calling_peer;
use crate::error::FederationError;
use crate::room::Federation;
use crate::wire::{MAX_LETTERS, Receipts, read};

/// Takes receipts. One that the peer did not sign, or that is about another letter, changes nothing.
#[utoipa::path(post, path = "/api/v1/federation/receipts", tag = "federation", request_body = Receipts, responses(
    (status = 204, description = "Noted"),
    (status = 400, description = "No receipts", body = Problem),
    (status = 403, description = "Not a peer", body = Problem)))]
pub(crate) async fn bring(
    State(room): State<Federation>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let peer = calling_peer(&room, &caller).await?;
    let receipts: Receipts = read(&body).map_err(FederationError::Unreadable)?;
    if receipts.receipts.len() > MAX_LETTERS {
        let text = format!("{} receipts at once exceed {MAX_LETTERS}", receipts.receipts.len());
        return Err(FederationError::Unreadable(text).into());
    }
    room.settle(&peer, receipts.receipts).await?;
    Ok(StatusCode::NO_CONTENT)
}
