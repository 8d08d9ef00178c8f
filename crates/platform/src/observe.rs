//! Logs and metrics.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};

use crate::measures::{self, SECONDS_BUCKETS};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error; a second call changes nothing. `filter` is an `EnvFilter`
/// directive such as `info` or `cti=debug,info`.
///
/// # Errors
/// The filter does not parse; the text names the directive.
pub fn start_logs(form: LogForm, filter: &str) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|cause| {
        format!("log filter '{filter}': {cause}; try 'info' or 'cti=debug,info'")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match form {
        LogForm::Human => builder.try_init(),
        LogForm::Json => builder.json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was already started");
    }
    Ok(())
}

/// Installs the metrics recorder; `None` when another one is installed in this process (tests).
pub fn start_metrics() -> Option<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".into());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &SECONDS_BUCKETS)
        .ok()?
        .install_recorder()
        .ok()?;
    measures::describe();
    Some(handle)
}
