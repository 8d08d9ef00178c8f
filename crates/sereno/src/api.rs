//! Commands speak to the node through its API: over the admin socket when it runs, in this process
//! when it does not. Either way as the owner of the data folder.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use platform::data::DataFolder;
use platform::http::{Caller, Problem};
use serde_json::Value;
use tower::ServiceExt;

use crate::arguments::Place;
use crate::output::{Failure, NO};
use crate::settings;

/// Largest answer read, bytes.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// A way to the node.
pub(crate) enum Api {
    /// The running node.
    Socket(reqwest::Client),
    /// No node runs: its rooms, opened here without ports.
    Here(Box<server::wire::Node>),
}

impl Api {
    /// The node of a data folder, running or not.
    pub(crate) async fn of(place: &Place) -> Result<Self, Failure> {
        if DataFolder::in_use(&place.data) {
            return Self::running(&place.data);
        }
        if !place.data.join("sereno.db").exists() && !place.data.is_dir() {
            tracing::debug!("a new data folder will be made");
        }
        let settings = settings::load(place, None)?;
        let node =
            server::wire::Node::open(&place.data, &settings.node, &settings.demo, settings.rooms)
                .await
                .map_err(|cause| Failure::new(format!("{cause:#}")))?;
        Ok(Self::Here(Box::new(node)))
    }

    /// The running node of a data folder.
    pub(crate) fn running(data: &std::path::Path) -> Result<Self, Failure> {
        let socket = DataFolder::beside(data).admin_socket();
        let client = reqwest::Client::builder()
            .unix_socket(socket)
            .build()
            .map_err(Failure::io("the admin socket"))?;
        Ok(Self::Socket(client))
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    /// POST with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// PATCH with a JSON body.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// PUT with a JSON body.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// A GET whose answer comes bit by bit; only a running node has one.
    pub(crate) async fn stream(&self, path: &str) -> Result<reqwest::Response, Failure> {
        let Self::Socket(client) = self else {
            return Err(Failure::new(
                "no node runs over this data folder, so that nothing becomes known",
            )
            .remedy("Start it with `sereno up`."));
        };
        let away = |cause: reqwest::Error| {
            Failure::new(format!("the node does not answer on its admin socket: {cause}"))
                .remedy("It may be starting or stopping; try again.")
        };
        let response = client.get(format!("http://localhost{path}")).send().await.map_err(away)?;
        let status = response.status();
        if !status.is_success() {
            read(status, &response.bytes().await.map_err(away)?)?;
            return Err(Failure::new(format!("the node answers {status}")));
        }
        Ok(response)
    }

    /// PUT of a file.
    pub(crate) async fn put_bytes(
        &self,
        path: &str,
        bytes: Vec<u8>,
        kind: &str,
    ) -> Result<Value, Failure> {
        self.send(Method::PUT, path, Some((bytes, kind))).await
    }

    /// POST of a file.
    pub(crate) async fn post_bytes(
        &self,
        path: &str,
        bytes: Vec<u8>,
        kind: &str,
    ) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some((bytes, kind))).await
    }

    /// GET of a text.
    pub(crate) async fn get_text(&self, path: &str) -> Result<String, Failure> {
        let (status, answer) = self.exchange(Method::GET, path, None, None).await?;
        if !status.is_success() {
            read(status, &answer)?;
        }
        String::from_utf8(answer.to_vec()).map_err(Failure::io("the answer"))
    }

    /// POST of a text.
    pub(crate) async fn post_text(&self, path: &str, text: Vec<u8>) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some((text, "text/plain"))).await
    }

    /// PUT of a text in place of the one with this ETag.
    pub(crate) async fn put_text(
        &self,
        path: &str,
        text: Vec<u8>,
        etag: &str,
    ) -> Result<Value, Failure> {
        let body = Some((text, "text/plain"));
        let (status, answer) = self.exchange(Method::PUT, path, body, Some(etag)).await?;
        read(status, &answer)
    }

    /// DELETE.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let body = body.map(|body| (body.to_string().into_bytes(), "application/json"));
        self.send(method, path, body).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(Vec<u8>, &str)>,
    ) -> Result<Value, Failure> {
        let (status, answer) = self.exchange(method, path, body, None).await?;
        read(status, &answer)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<(Vec<u8>, &str)>,
        if_match: Option<&str>,
    ) -> Result<(StatusCode, axum::body::Bytes), Failure> {
        match self {
            Self::Socket(client) => {
                let mut request = client.request(method, format!("http://localhost{path}"));
                if let Some(etag) = if_match {
                    request = request.header(header::IF_MATCH, etag);
                }
                if let Some((body, kind)) = body {
                    request = request.header(header::CONTENT_TYPE, kind).body(body);
                }
                let away = |cause: reqwest::Error| {
                    Failure::new(format!("the node does not answer on its admin socket: {cause}"))
                        .remedy("It may be starting or stopping; try again.")
                };
                let response = request.send().await.map_err(away)?;
                Ok((response.status(), response.bytes().await.map_err(away)?))
            }
            Self::Here(node) => in_process(node, method, path, (body, if_match)).await,
        }
    }

    /// Ends an in-process node cleanly.
    pub(crate) async fn close(self) {
        if let Self::Here(node) = self {
            node.close().await;
        }
    }
}

async fn in_process(
    node: &server::wire::Node,
    method: Method,
    path: &str,
    (body, if_match): (Option<(Vec<u8>, &str)>, Option<&str>),
) -> Result<(StatusCode, axum::body::Bytes), Failure> {
    let kind = body.as_ref().map_or("application/json", |(_, kind)| *kind).to_owned();
    let mut request =
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
    if let Some(etag) = if_match {
        request = request.header(header::IF_MATCH, etag);
    }
    let mut request = request
        .body(body.map_or_else(Body::empty, |(body, _)| Body::from(body)))
        .map_err(|cause| Failure::wrong_use(format!("'{path}' is not a path: {cause}")))?;
    request.extensions_mut().insert(Caller::local_admin());
    let response = match node.app().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), MAX_ANSWER_BYTES)
        .await
        .map_err(Failure::io("the answer"))?;
    Ok((status, bytes))
}

fn read(status: StatusCode, answer: &[u8]) -> Result<Value, Failure> {
    if status.is_success() {
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        return serde_json::from_slice(answer).map_err(Failure::io("the answer"));
    }
    let problem: Problem = serde_json::from_slice(answer).unwrap_or_else(|_| {
        Problem::new(
            status,
            "unknown",
            String::from_utf8_lossy(answer).chars().take(300).collect::<String>(),
        )
    });
    let mut message = problem.detail;
    for error in problem.errors {
        message.push_str("\n  ");
        message.push_str(&error);
    }
    let mut failure = Failure::new(message).remedy(problem.remedy);
    if matches!(status.as_u16(), 404 | 409 | 422) {
        failure.code = NO;
    }
    Err(failure)
}

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
pub(crate) fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
