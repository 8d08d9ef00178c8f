//! `GET|PUT /api/v1/findings/{id}/capture`: the packets of a finding.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use model::FindingId;
use platform::blobs::Blobs;
use platform::http::{Caller, Problem};

use crate::Detection;
use crate::error::DetectionError;
use crate::store;

fn finding_id(id: &str) -> Result<FindingId, Problem> {
    id.parse().map_err(|_| {
        Problem::not_found(format!("finding '{}'", id.chars().take(64).collect::<String>()))
    })
}

/// The packets of a finding, as a capture file.
#[utoipa::path(get, path = "/api/v1/findings/{id}/capture", tag = "detection",
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 200, description = "Classic pcap", content_type = "application/vnd.tcpdump.pcap"),
        (status = 404, body = Problem)))]
pub(crate) async fn capture(
    State(detection): State<Detection>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let finding = finding_id(&id)?;
    let platform = &detection.inner.platform;
    let row = {
        let mut connection = platform.db.read().await.map_err(DetectionError::from)?;
        store::groups::capture(&mut connection, finding).await?
    };
    let missing = || Problem::not_found(format!("a capture of finding '{finding}'"));
    let row = row.ok_or_else(missing)?;
    let pcap = Blobs::new(&platform.data).get(&row.blob).await.map_err(DetectionError::from)?;
    let pcap = pcap.ok_or_else(missing)?;
    let name = format!("attachment; filename=\"finding-{finding}.pcap\"");
    Ok((
        [
            (header::CONTENT_TYPE, "application/vnd.tcpdump.pcap".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        pcap,
    ))
}

/// Keeps packets with a finding, in place of those before: a capture file of at most 1 MiB.
#[utoipa::path(put, path = "/api/v1/findings/{id}/capture", tag = "detection",
    params(("id" = String, Path, description = "The finding's id")),
    request_body(content_type = "application/octet-stream"),
    responses((status = 204, description = "Kept"), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn put_capture(
    State(detection): State<Detection>,
    Path(id): Path<String>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let finding = finding_id(&id)?;
    detection.attach_capture(finding, &body, &format!("given by {}", caller.name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
