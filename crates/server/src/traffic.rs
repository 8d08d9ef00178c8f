//! What is counted and logged of every request: a number of its own, how it ended, how long it took. Never its
//! address, its headers or its body: links of approvals and of webhooks carry secrets in theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use ports::Random;
use tokio::time::Instant;
use tracing::Instrument;

/// The header that carries a request's number back, to be quoted when something went wrong.
pub const REQUEST_NUMBER: HeaderName = HeaderName::from_static("x-request-id");

/// Gives numbers to requests: a word of this start, and a count.
#[derive(Debug)]
pub struct Numbers {
    start: u32,
    next: AtomicU64,
}

impl Numbers {
    /// Numbers that differ from those of the start before.
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        Self { start: u32::from_le_bytes(bytes), next: AtomicU64::new(1) }
    }

    fn take(&self) -> String {
        format!("{:08x}-{:x}", self.start, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Which door of the node a path is, for the metrics: a handful of words, whatever is asked for.
pub fn class_of(path: &str) -> &'static str {
    const DOORS: [(&str, &str); 9] = [
        ("/api/v1/events", "events"),
        ("/api/", "api"),
        ("/taxii2/", "taxii"),
        ("/misp/", "misp"),
        ("/soarca/", "soarca"),
        ("/.well-known/openc2", "openc2"),
        ("/healthz", "probe"),
        ("/readyz", "probe"),
        ("/metrics", "probe"),
    ];
    DOORS.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or("console", |(_, class)| class)
}

/// A method's name; what a caller makes up is one word, not one series each.
fn method_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Counts and times a request and puts its number into every line that is logged meanwhile, and into the answer.
pub async fn measure(numbers: Arc<Numbers>, request: Request, next: Next) -> Response {
    let (class, method) = (class_of(request.uri().path()), method_of(request.method()));
    let number = numbers.take();
    let span = tracing::info_span!("request", id = %number, class, method);
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status(), began.elapsed());
    metrics::counter!("sereno_http_requests_total", "class" => class, "method" => method,
        "status" => status.as_u16().to_string())
    .increment(1);
    metrics::histogram!("sereno_http_request_seconds", "class" => class).record(took.as_secs_f64());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| match status.as_u16() {
        // "Not now" is an answer, not a fault: a probe asks while the node starts.
        503 => tracing::info!(status = 503, ms, "answered"),
        500.. => tracing::warn!(status = status.as_u16(), ms, "answered"),
        _ => tracing::debug!(status = status.as_u16(), ms, "answered"),
    });
    if let Ok(number) = HeaderValue::from_str(&number) {
        // An answer that passes on another's number (OpenC2) keeps it.
        response.headers_mut().entry(REQUEST_NUMBER).or_insert(number);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_for_makes_few_series() {
        assert_eq!(class_of("/api/v1/events"), "events");
        assert_eq!(class_of("/api/v1/incidents/x"), "api");
        assert_eq!(class_of("/taxii2/"), "taxii");
        assert_eq!(class_of("/a/b/c"), "console");
        let made_up = Method::from_bytes(b"SMUGGLE").unwrap();
        assert_eq!(method_of(&made_up), "other");
    }

    #[test]
    fn no_two_requests_have_one_number() {
        let numbers = Numbers { start: 7, next: AtomicU64::new(1) };
        assert_eq!((numbers.take(), numbers.take()), ("00000007-1".into(), "00000007-2".into()));
    }
}
