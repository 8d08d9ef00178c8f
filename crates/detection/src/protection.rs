//! How a device is protected just now, in words: no device is silently unprotected.

use crate::config::Config;
use crate::engine::Priors;
use crate::memory::Memory;
use crate::state::{DeviceRow, Phase};

/// Whether windows of the device are judged by some model.
pub(crate) fn is_protected(
    row: &DeviceRow,
    memory: &Memory,
    _config: &Config,
    priors: &Priors,
) -> bool {
    match row.phase {
        Phase::Watching | Phase::Draining | Phase::Training => true,
        Phase::Learning => {
            !memory.borrowed_is_unfit() && priors.for_kind(memory.kind.as_deref()).is_some()
        }
        Phase::Failed => false,
    }
}

/// The sentence.
pub(crate) fn protection(
    row: &DeviceRow,
    memory: &Memory,
    config: &Config,
    priors: &Priors,
) -> String {
    match row.phase {
        Phase::Watching => match &memory.fallback {
            Some(why) => {
                format!("watched by its earlier model, version {}, because {why}", row.version)
            }
            None => format!("watched by its own model, version {}", row.version),
        },
        Phase::Training | Phase::Draining => {
            "its model is being fitted; its windows wait and are judged then".to_owned()
        }
        Phase::Failed => format!("not protected: {}", row.reason),
        Phase::Learning => {
            let by = match priors.for_kind(memory.kind.as_deref()) {
                _ if memory.borrowed_is_unfit() => {
                    "not protected: the pooled model plainly does not fit it".to_owned()
                }
                Some(prior) => format!(
                    "protected by the pooled model of {} devices{}",
                    prior.devices,
                    memory.kind.as_ref().map(|kind| format!(" ({kind})")).unwrap_or_default()
                ),
                None => "not protected yet: there are no two devices to borrow a model from".into(),
            };
            let seen_s =
                if row.learned == 0 { 0 } else { (row.last_us - row.first_us) / 1_000_000 };
            format!(
                "learning ({} of {} windows, {} of {} minutes), {by}",
                row.learned.min(i64::from(config.min_training_windows)),
                config.min_training_windows,
                (seen_s.min(config.training_span_s)) / 60,
                config.training_span_s / 60,
            )
        }
    }
}
