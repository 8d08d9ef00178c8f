//! One exchange with a configured service over HTTP, for the actuators that speak its interface.

use std::sync::Arc;

use ports::PortError;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::Outside;
use super::config::Service as Config;
use super::web::{Answer, NoAnswer, address};
use crate::secrets::Covers;

/// A service as configured, with the way it is logged in to.
pub(crate) struct Service {
    pub outside: Arc<Outside>,
    pub config: Config,
    /// The header that logs in.
    pub header: &'static str,
    /// What stands before the secret in it.
    pub scheme: &'static str,
}

impl Service {
    /// The host, for sentences.
    pub(crate) fn host(&self) -> String {
        let url = address(&self.config.url).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The answer, whatever its status, or why there is none.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        covers: &mut Covers,
    ) -> Result<Result<Answer, NoAnswer>, PortError> {
        let url = format!("{}/{path}", self.config.url.trim_end_matches('/'));
        let web = &self.outside.web;
        let mut request = web.request(method, &url).await.map_err(NoAnswer::repeatable)?;
        if let Some(name) = &self.config.secret {
            let secret = self.outside.secrets.open(name, &self.host()).await?;
            let word = secret.trim_end_matches(['\r', '\n']);
            covers.add(word);
            let text = format!("{}{word}", self.scheme);
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                PortError::Invalid(format!("the secret '{name}' is no single line"))
            })?;
            value.set_sensitive(true);
            request = request.header(self.header, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Ok(web.send(request).await)
    }

    /// The JSON of a successful answer to a question that may be repeated.
    pub(crate) async fn get(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        covers: &mut Covers,
    ) -> Result<Value, PortError> {
        let answer = self.ask(method, path, body, covers).await?.map_err(NoAnswer::repeatable)?;
        self.success(&answer, covers)
    }

    /// The JSON of an answer, if it is a success.
    pub(crate) fn success(&self, answer: &Answer, covers: &Covers) -> Result<Value, PortError> {
        let status = answer.status;
        if status.is_success() {
            return Ok(answer.json());
        }
        let text = covers.text(&format!("{} answered {status}: {}", self.host(), answer.said()));
        Err(if answer.is_passing() {
            PortError::Unavailable(text)
        } else {
            PortError::Invalid(text)
        })
    }
}
