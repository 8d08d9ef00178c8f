//! Triggers in words.

use model::{AttackKind, Severity};

use super::{CatchUp, Day, OnFinding, OnNews, OnSchedule, OnWebhook, Trigger};

impl Trigger {
    /// In words: "when an incident …".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Incident(it) => format!(
                "when an incident of severity {} or worse is opened here, or becomes that severe{}",
                it.min_severity.word(),
                kinds(&it.kinds)
            ),
            Self::Received(it) => format!(
                "when an incident of severity {} or worse{} arrives{}, up to {}",
                it.min_severity.word(),
                kinds(&it.kinds),
                among("from", &it.origins),
                it.tlp
            ),
            Self::Finding(it) => it.words(),
            Self::News(it) => it.words(),
            Self::Hit(it) => format!(
                "when a value met here is known to intelligence{}",
                among("of", &it.sources)
            ),
            Self::Schedule(it) => it.words(),
            Self::Webhook(it) => it.words(),
        }
    }
}

fn kinds(kinds: &[AttackKind]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.words()).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn among(before: &str, names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" {before} {}", names.join(" or ")) }
}

/// Seconds as people say them.
pub(super) fn span(seconds: u32) -> String {
    let (number, unit) = match seconds {
        it if it > 0 && it.is_multiple_of(86_400) => (it / 86_400, "day"),
        it if it > 0 && it.is_multiple_of(3_600) => (it / 3_600, "hour"),
        it if it > 0 && it.is_multiple_of(60) => (it / 60, "minute"),
        it => (it, "second"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

impl OnFinding {
    fn words(&self) -> String {
        let of = match self.min_criticality {
            Some(Severity::Low) | None => String::new(),
            Some(least) => format!(" on a device of {} criticality or more", least.word()),
        };
        let devices = match self.devices.len() {
            0 => String::new(),
            1 => " on one device".to_owned(),
            many => format!(" on one of {many} devices"),
        };
        let known = if self.known { ", with a remote address known to intelligence" } else { "" };
        let cooldown = match self.cooldown_s {
            0 => String::new(),
            long => format!("; once in {} for each device", span(long)),
        };
        format!(
            "when a finding of severity {} or worse is raised{}{of}{devices}{}{}{known}{cooldown}",
            self.min_severity.word(),
            kinds(&self.kinds),
            among("at", &self.places),
            among("on a device of the type", &self.device_types),
        )
    }
}

impl OnNews {
    fn words(&self) -> String {
        let what = match self.types.as_slice() {
            [] => "intelligence".to_owned(),
            types => types.join(" or "),
        };
        let confidence = match self.min_confidence {
            None | Some(0) => String::new(),
            Some(least) => format!(" with confidence {least} or more"),
        };
        format!(
            "when new {what}{}{}{confidence} becomes known, up to {}; once in {} for all of it",
            among("labelled", &self.labels),
            among("from", &self.sources),
            self.tlp,
            span(self.cooldown_s.max(self.gather_s)),
        )
    }
}

impl OnSchedule {
    fn words(&self) -> String {
        let mut text = match (&self.at, self.every_s) {
            (Some(at), _) => {
                let days: Vec<&str> = self.days.iter().map(|day| day.word()).collect();
                let days = if days.is_empty() {
                    "every day".to_owned()
                } else {
                    format!("on {}", days.join(", "))
                };
                format!("at {at} {days} ({})", zone(self.zone_minutes))
            }
            (None, every) => format!("every {}", span(every.unwrap_or_default())),
        };
        if self.catch_up == CatchUp::Skip {
            text.push_str("; what was missed is left out");
        }
        if self.overlap {
            text.push_str("; also while the last run goes on");
        }
        text
    }
}

impl OnWebhook {
    fn words(&self) -> String {
        let how = if self.signed { "signed calls of its webhook" } else { "calls of its webhook" };
        match self.fields.len() {
            0 => format!("on {how}"),
            _ => {
                let fields: Vec<&str> = self.fields.keys().map(String::as_str).collect();
                format!("on {how} ({})", fields.join(", "))
            }
        }
    }
}

fn zone(minutes: i16) -> String {
    if minutes == 0 {
        return "UTC".to_owned();
    }
    let sign = if minutes < 0 { '−' } else { '+' };
    let ahead = minutes.unsigned_abs();
    format!("UTC{sign}{:02}:{:02}", ahead / 60, ahead % 60)
}

impl Day {
    /// In words.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Mon => "Monday",
            Self::Tue => "Tuesday",
            Self::Wed => "Wednesday",
            Self::Thu => "Thursday",
            Self::Fri => "Friday",
            Self::Sat => "Saturday",
            Self::Sun => "Sunday",
        }
    }
}
