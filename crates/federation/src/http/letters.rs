//! `POST` and `GET /api/v1/federation/letters`: the peer's letters to us, and ours to it.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use platform::http::{Caller, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::calling_peer;
use crate::error::FederationError;
use crate::room::Federation;
use crate::store::links;
use crate::wire::{Letters, Receipts, letters_text};

/// How long an asker may wait at most, seconds.
const MAX_WAIT_S: u64 = 25;
/// The link notes at most this often that the peer called, microseconds.
const NOTE_EVERY_US: i64 = 5_000_000;

/// Takes a peer's letters in order and answers with signed receipts. Where one cannot be taken, those before it are.
#[utoipa::path(post, path = "/api/v1/federation/letters", tag = "federation", request_body = Letters, responses(
    (status = 200, description = "Receipts, in the order of the letters", body = Receipts),
    (status = 403, description = "Not a peer", body = Problem),
    (status = 409, description = "Letters before these are missing", body = Problem),
    (status = 422, description = "A letter is not what it says it is", body = Problem)))]
pub(crate) async fn bring(
    State(room): State<Federation>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Receipts>, Problem> {
    let peer = calling_peer(&room, &caller).await?;
    let receipts = room.accept(&peer, body.to_vec()).await?;
    Ok(Json(Receipts { receipts }))
}

/// Which letters are wanted.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// The stream of the last letter that was taken; absent at first.
    #[serde(default)]
    stream: String,
    /// Number of the last letter that was taken; 0 at first.
    after: i64,
    /// Seconds to wait for one, 0 to 25.
    wait: Option<u64>,
}

/// Our letters to the peer after a number; waits until there is one.
#[utoipa::path(get, path = "/api/v1/federation/letters", tag = "federation", params(Wanted), responses(
    (status = 200, description = "Letters in order; none when the time is over", body = Letters),
    (status = 403, description = "Not a peer", body = Problem),
    (status = 429, description = "Too many wait already", body = Problem)))]
pub(crate) async fn fetch(
    State(room): State<Federation>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<([(axum::http::HeaderName, &'static str); 1], String), Problem> {
    let peer = calling_peer(&room, &caller).await?;
    let door = room.door(peer.id);
    let _place = std::sync::Arc::clone(&door.waiting).try_acquire_owned().map_err(|_| {
        FederationError::Busy("this peer has as many open questions for letters as it may".into())
    })?;
    called(&room, peer.id).await?;
    let after = room.place_of(&peer, &wanted.stream, wanted.after.max(0)).await?;
    let stream = room.out_stream(peer.id).await?;
    let mut wake = door.wake.subscribe();
    let wait = Duration::from_secs(wanted.wait.unwrap_or_default().min(MAX_WAIT_S));
    let over = tokio::time::sleep(wait);
    tokio::pin!(over);
    let letters = loop {
        wake.mark_unchanged();
        let found = room.offer(&peer, Some(after)).await?;
        if !found.is_empty() {
            break found;
        }
        tokio::select! {
            () = &mut over => break vec![],
            () = room.platform().tasks.stopped() => break vec![],
            _ = wake.changed() => {}
        }
        // The exchange may have been ended while it waited, or a new stream begun: who still asks asks again.
        if room.peer(peer.id).await?.is_none() || room.out_stream(peer.id).await? != stream {
            break vec![];
        }
    };
    let wires: Vec<String> = letters.into_iter().map(|(_, wire)| wire).collect();
    let kind = [(axum::http::header::CONTENT_TYPE, "application/json")];
    Ok((kind, letters_text(&wires)))
}

/// Notes that the peer called.
async fn called(room: &Federation, peer: model::PeerId) -> Result<(), FederationError> {
    let mut sql = room.platform().db.read().await?;
    let link = links::get(&mut sql, peer).await?;
    drop(sql);
    let now_us = room.platform().now().as_micros();
    let last = link.and_then(|link| link.last_contact_us.filter(|_| link.last_error.is_none()));
    if last.is_some_and(|last| now_us.saturating_sub(last) < NOTE_EVERY_US) {
        return Ok(());
    }
    room.platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                links::ensure(tx, peer).await?;
                Ok(links::contact(tx.sql(), peer, now_us, true, None).await?)
            })
        })
        .await
}
