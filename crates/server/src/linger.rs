//! A refusal must reach who is still sending: the rest of a body that nobody wants is read and thrown
//! away, within bounds, before the answer closes the connection. Otherwise the sender sees a broken
//! pipe instead of "too large", and sends it all again.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::oneshot;

/// Thrown away of one body at most, bytes; the sender of a longer one meets a closed door.
pub const MAX_LINGER_BYTES: u64 = 128 << 20;
/// Thrown away for at most this long, seconds.
pub const MAX_LINGER_S: u64 = 5;

/// A request's body that comes back when it is dropped before its end.
struct Returned {
    body: Option<Body>,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Returned {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it any more: then it ends here.
            let _ = back.send(body);
        }
    }
}

/// Middleware: reads what a handler left of the body.
pub async fn linger(request: Request, next: Next) -> Response {
    // Who asks before sending has not sent anything that would have to be read.
    let asks = request.headers().contains_key(header::EXPECT);
    if asks || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (back, mut left) = oneshot::channel();
    let wrap = |body| Body::new(Returned { body: Some(body), back: Some(back) });
    let response = next.run(request.map(wrap)).await;
    if let Ok(body) = left.try_recv() {
        let _ = tokio::time::timeout(Duration::from_secs(MAX_LINGER_S), discard(body)).await;
    }
    response
}

async fn discard(mut body: Body) {
    let mut left = MAX_LINGER_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(rest) = left.checked_sub(size) else { return };
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures::StreamExt;
    use tower::ServiceExt;

    use super::*;

    /// Sends `size` bytes to a handler that reads `read` frames of a mebibyte; how much was taken.
    async fn taken(size: u64, read: usize, expect: bool) -> u64 {
        let counter = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&counter);
        let frames = futures::stream::iter(0..size >> 20).map(move |_| {
            seen.fetch_add(1 << 20, Ordering::Relaxed);
            Ok::<_, std::convert::Infallible>(Bytes::from_static(&[0; 1 << 20]))
        });
        let handler = async move |request: Request| {
            let mut body = request.into_body();
            for _ in 0..read {
                body.frame().await;
            }
        };
        let app = Router::new().route("/", post(handler)).layer(from_fn(linger));
        let mut request = Request::post("/");
        if expect {
            request = request.header(header::EXPECT, "100-continue");
        }
        let request = request.body(Body::from_stream(frames)).unwrap();
        app.oneshot(request).await.unwrap();
        counter.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn the_rest_is_read_within_bounds() {
        assert_eq!(taken(20 << 20, 0, false).await, 20 << 20);
        assert_eq!(taken(20 << 20, 3, false).await, 20 << 20);
        let long = taken(MAX_LINGER_BYTES * 2, 0, false).await;
        assert_eq!(long, MAX_LINGER_BYTES + (1 << 20));
        assert_eq!(taken(20 << 20, 0, true).await, 0, "it was not sent");
    }
}
