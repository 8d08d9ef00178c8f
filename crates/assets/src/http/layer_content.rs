//! `GET /api/v1/map/layers/{id}/content`: the bytes of a layer, whole or a range of them.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::blobs::Blobs;
use platform::http::Problem;

use crate::layers::store;
use crate::{Assets, AssetsError};

/// Bytes given at once for a range; a reader asks again for more.
const MAX_RANGE_BYTES: u64 = 4 << 20;

/// One range of a file: first byte and how many.
fn range(headers: &HeaderMap, whole: u64) -> Result<Option<(u64, u64)>, ()> {
    let Some(asked) = headers.get(header::RANGE) else { return Ok(None) };
    let asked = asked.to_str().map_err(|_| ())?;
    // Other units and several ranges may be answered with the whole (RFC 9110, 14.2).
    let Some(asked) = asked.strip_prefix("bytes=") else { return Ok(None) };
    if asked.contains(',') {
        return Ok(None);
    }
    let (first, last) = asked.split_once('-').ok_or(())?;
    let (first, last) = match (first.trim(), last.trim()) {
        ("", tail) => (whole.saturating_sub(tail.parse().map_err(|_| ())?), whole - 1),
        (first, "") => (first.parse().map_err(|_| ())?, whole.saturating_sub(1)),
        (first, last) => {
            (first.parse().map_err(|_| ())?, last.parse::<u64>().map_err(|_| ())?.min(whole - 1))
        }
    };
    if first >= whole || last < first {
        return Err(());
    }
    Ok(Some((first, (last - first + 1).min(MAX_RANGE_BYTES))))
}

/// The bytes of a layer under the type they were judged to be; single ranges as PMTiles readers ask for them.
#[utoipa::path(get, path = "/api/v1/map/layers/{id}/content", tag = "assets",
    params(("id" = String, Path, description = "The layer's id")),
    responses((status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "The range asked for"), (status = 404, body = Problem), (status = 416, body = Problem)))]
pub(crate) async fn content(
    State(assets): State<Assets>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = || AssetsError::NoLayer(id.chars().take(80).collect());
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let layer = store::find(&mut connection, &id).await.map_err(AssetsError::from)?;
    drop(connection);
    let layer = layer.ok_or_else(missing)?;
    let blobs = Blobs::new(&assets.platform.data);
    let unreadable = |error: platform::blobs::BlobError| AssetsError::Files(error.to_string());
    let asked = range(&headers, layer.bytes).map_err(|()| {
        let text = format!("the file has {} bytes; this range is not in it", layer.bytes);
        Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", text)
            .remedy("Ask for a range within the file.")
    })?;
    let (status, part) = match asked {
        Some((first, length)) => {
            let part = blobs.get_range(&layer.blob, first, length).await.map_err(unreadable)?;
            (StatusCode::PARTIAL_CONTENT, part.ok_or_else(missing)?)
        }
        None => {
            let whole = blobs.get(&layer.blob).await.map_err(unreadable)?;
            (StatusCode::OK, whole.ok_or_else(missing)?)
        }
    };
    let length = u64::try_from(part.len()).unwrap_or(0);
    let mut response = (status, part).into_response();
    let answer = response.headers_mut();
    let mut put = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            answer.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, &layer.media);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::ACCEPT_RANGES, "bytes");
    put(header::ETAG, &format!("\"{}\"", layer.blob));
    put(header::CACHE_CONTROL, "private, max-age=3600");
    // Opened by itself, a file of the house runs nothing.
    put(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    if let Some((first, _)) = asked {
        let last = (first + length).saturating_sub(1);
        put(header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", layer.bytes));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_are_those_of_http() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_str(text).unwrap());
            range(&headers, 100)
        };
        assert_eq!(range(&HeaderMap::new(), 100), Ok(None));
        for (asked, expected) in [
            ("bytes=0-9", Ok(Some((0, 10)))),
            ("bytes=90-", Ok(Some((90, 10)))),
            ("bytes=-5", Ok(Some((95, 5)))),
            ("bytes=-500", Ok(Some((0, 100)))),
            ("bytes=50-4000", Ok(Some((50, 50)))),
            ("bytes=0-1,5-6", Ok(None)),
            ("lines=1-2", Ok(None)),
            ("bytes=100-", Err(())),
            ("bytes=9-3", Err(())),
            ("bytes=x-3", Err(())),
            ("bytes=-18446744073709551616", Err(())),
        ] {
            assert_eq!(of(asked), expected, "{asked}");
        }
    }
}
