//! The stored form of a training: one line of JSON that names the form, one that holds the models.
//!
//! The first line carries the version and the SHA-256 of the second, so that a damaged or foreign
//! file is refused before anything is believed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::features::CONTEXT_US;
use crate::metrics::{ALL, METRICS, Metric};
use crate::model::DeviceModel;
use crate::policy::DevicePolicy;
use crate::train::{MAX_MODELS, TrainOptions, Trained};

/// Name of the form.
pub const FORMAT: &str = "sereno-detector";
/// Version of the form. A reader refuses any other.
pub const VERSION: u32 = 2;
/// Largest model file read, bytes.
pub const MAX_FILE_BYTES: usize = 512 * 1024 * 1024;
/// Longest first line, bytes.
const MAX_HEADER_BYTES: usize = 1_024;

/// Why a model file was refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// Larger than [`MAX_FILE_BYTES`].
    #[error(
        "model file of {0} bytes: the limit is {MAX_FILE_BYTES}; train fewer devices into one file"
    )]
    TooLarge(usize),
    /// The first line is not the header of a model file.
    #[error(
        "not a detector model file (its first line names no `{FORMAT}`): give the file that `sereno detect train` wrote"
    )]
    Foreign,
    /// Written by another version.
    #[error(
        "model file version {0}: this build reads version {VERSION}; train again with this build"
    )]
    Version(u32),
    /// Shorter or longer than its header says, or changed.
    #[error("model file is damaged: {0}; train again or restore it from a backup")]
    Damaged(String),
}

/// Models of a training with what is needed to use them alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelFile {
    /// Seed of every random draw of the training.
    pub seed: u64,
    /// Share of benign windows that may alert.
    pub alpha: f64,
    /// Length of a window, microseconds.
    pub window_us: i64,
    /// Time a context count looks back, microseconds.
    pub context_us: i64,
    /// Who counts as a device.
    pub policy: DevicePolicy,
    /// Names of the metrics, in the order of the network's rows.
    pub features: Vec<Metric>,
    /// One model per device, by address.
    pub devices: Vec<DeviceModel>,
    /// The model for devices without their own.
    pub pooled: Option<DeviceModel>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    bytes: usize,
    sha256: String,
}

impl ModelFile {
    /// Puts a training into a file.
    #[must_use]
    pub fn new(
        trained: Trained,
        options: &TrainOptions,
        window_us: i64,
        policy: DevicePolicy,
    ) -> Self {
        Self {
            seed: options.seed,
            alpha: options.alpha,
            window_us,
            context_us: CONTEXT_US,
            policy,
            features: ALL[..METRICS].to_vec(),
            devices: trained.devices,
            pooled: trained.pooled,
        }
    }

    /// The stored form. The same training gives the same bytes.
    ///
    /// # Errors
    /// When a number is not finite, which no training gives.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFileError> {
        let damaged = |error: serde_json::Error| ModelFileError::Damaged(error.to_string());
        let body = serde_json::to_vec(self).map_err(damaged)?;
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            bytes: body.len(),
            sha256: digest(&body),
        };
        let mut bytes = serde_json::to_vec(&header).map_err(damaged)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&body);
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are too many, foreign, of another version, damaged or contradict themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(ModelFileError::TooLarge(bytes.len()));
        }
        let end = bytes
            .iter()
            .take(MAX_HEADER_BYTES)
            .position(|byte| *byte == b'\n')
            .ok_or(ModelFileError::Foreign)?;
        let header: Header =
            serde_json::from_slice(&bytes[..end]).map_err(|_| ModelFileError::Foreign)?;
        if header.format != FORMAT {
            return Err(ModelFileError::Foreign);
        }
        if header.version != VERSION {
            return Err(ModelFileError::Version(header.version));
        }
        let rest = &bytes[end + 1..];
        let body = rest.strip_suffix(b"\n").unwrap_or(rest);
        if body.len() != header.bytes {
            return Err(ModelFileError::Damaged(format!(
                "it holds {} bytes of models where {} were written",
                body.len(),
                header.bytes
            )));
        }
        if digest(body) != header.sha256 {
            return Err(ModelFileError::Damaged("its SHA-256 does not match".to_owned()));
        }
        let file: Self = serde_json::from_slice(body)
            .map_err(|error| ModelFileError::Damaged(error.to_string()))?;
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), ModelFileError> {
        let damaged = |text: String| Err(ModelFileError::Damaged(text));
        if !crate::windows::WINDOW_RANGE_US.contains(&self.window_us) {
            return damaged(format!("window length of {} µs", self.window_us));
        }
        if self.context_us != CONTEXT_US {
            return damaged(format!(
                "context of {} µs, this build uses {CONTEXT_US}",
                self.context_us
            ));
        }
        // A file of before may know fewer: places never change, and what it does not know it does
        // not judge.
        if self.features.len() > METRICS || !ALL.starts_with(&self.features) {
            return damaged("its metrics are not those of this build".to_owned());
        }
        if self.devices.len() > MAX_MODELS {
            return damaged(format!("{} devices, the limit is {MAX_MODELS}", self.devices.len()));
        }
        if self.devices.iter().any(|model| model.device.is_none()) {
            return damaged("a model names no device".to_owned());
        }
        for model in self.devices.iter().chain(&self.pooled) {
            for metric in &model.metrics {
                if !self.features.contains(&metric.metric) {
                    return damaged(format!(
                        "it judges {}, which is none of its metrics",
                        metric.metric.name()
                    ));
                }
                let limits = [Some(metric.scale), Some(metric.range_limit), metric.network_limit];
                let sound =
                    limits.into_iter().flatten().all(|limit| limit.is_finite() && limit > 0.0);
                if !sound || !metric.mean.is_finite() || !metric.residual_mean.is_finite() {
                    return damaged(format!(
                        "numbers of metric {} are out of bounds",
                        metric.metric.name()
                    ));
                }
            }
        }
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
