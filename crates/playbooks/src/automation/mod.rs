//! What happens by itself, and what only after a person: levels by how critical the asset is, quiet hours, limits, what is
//! never touched, and the stop.
//!
//! A playbook that would start by itself is judged first ([`Automation::judge`]): it acts, asks, or is recommended. What
//! asks or is recommended waits as a proposal (`proposals`). What is commanded passes the gate of `guard`, whoever started the
//! run: limits and what is never touched hold for people too.

pub(crate) mod due;
pub(crate) mod guard;
pub(crate) mod proposals;
pub(crate) mod rank;

use std::collections::BTreeMap;

use model::{Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PlaybooksError;
use crate::approvals::MailLinks;

/// Limits, quiet hours and lines of what is never touched, each at most.
pub(crate) const MAX_RULES: usize = 200;
/// The longest window of a limit, seconds.
pub(crate) const MAX_LIMIT_WINDOW_S: u32 = 30 * 86_400;
/// Longest name or reason, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 300;
/// Minutes of a day.
const DAY_MIN: i64 = 24 * 60;

/// How far a playbook goes by itself, the least first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[schema(as = AutomationLevel)]
pub enum Level {
    /// It is named with its reason; people start it.
    Recommend,
    /// People are asked; with their yes it starts.
    Ask,
    /// It starts.
    Act,
}

impl Level {
    /// The word used in the database and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recommend => "recommend",
            Self::Ask => "ask",
            Self::Act => "act",
        }
    }
}

/// The policy of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Automation {
    /// How far playbooks go by themselves, by the criticality of the most critical asset concerned.
    #[schema(value_type = BTreeMap<String, Level>)]
    pub levels: BTreeMap<Severity, Level>,
    /// Hours in which they go less far.
    pub quiet: Vec<Quiet>,
    /// How often commands are carried out at most.
    pub limits: Vec<Limit>,
    /// What no command touches.
    pub never: Vec<Never>,
    /// From this criticality on two persons must say yes.
    #[schema(value_type = Option<String>)]
    pub two_persons_from: Option<Severity>,
    /// People are told once more when nobody answered in that time, seconds.
    pub escalate_after_s: u32,
    /// What nobody answered is over then, seconds.
    pub expire_after_s: u32,
    /// Minutes by which the clock of the quiet hours is ahead of UTC.
    pub zone_minutes: i16,
    /// Who is asked by mail, with a link that answers; off unless somebody turns it on.
    pub mail_links: MailLinks,
    /// While set, nothing starts by itself: everything asks.
    pub stopped: Option<Stopped>,
}

impl Default for Automation {
    /// Everything acts but on critical assets, where people are asked; at most 20 blocks an hour.
    fn default() -> Self {
        let act = [Severity::Low, Severity::Medium, Severity::High].map(|it| (it, Level::Act));
        let levels = act.into_iter().chain([(Severity::Critical, Level::Ask)]).collect();
        let blocks = Limit {
            name: "blocks".into(),
            actuator: "gateway".into(),
            verbs: vec!["block".into()],
            at_most: 20,
            within_s: 3_600,
        };
        Self {
            levels,
            quiet: vec![],
            limits: vec![blocks],
            never: vec![],
            two_persons_from: None,
            escalate_after_s: 900,
            expire_after_s: 86_400,
            zone_minutes: 0,
            mail_links: MailLinks::default(),
            stopped: None,
        }
    }
}

/// Hours in which playbooks go less far by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuietHours)]
pub struct Quiet {
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`; before `from`: on the next day.
    pub until: String,
    /// How far they go then.
    pub level: Level,
}

/// How often commands are carried out at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AutomationLimit)]
pub struct Limit {
    /// Name, for people and for the count.
    pub name: String,
    /// The actuator, e.g. `gateway`.
    pub actuator: String,
    /// Its verbs; empty: all.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// So many commands …
    pub at_most: u32,
    /// … in so many seconds.
    pub within_s: u32,
}

/// Something that no command touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NeverTouched)]
pub struct Never {
    /// A MAC address, an address, a network (`10.0.0.0/8`), a host name or the id of a device.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// Who stopped what happens by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AutomationStopped)]
pub struct Stopped {
    /// The person.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// How far a playbook goes now, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) level: Level,
    pub(crate) reasons: Vec<String>,
    /// How many people must say yes.
    pub(crate) persons: u32,
}

impl Automation {
    /// How far a playbook goes at a time, for an asset this critical (`None`: it is about none); `most` is what its trigger
    /// allows.
    pub(crate) fn judge(
        &self,
        most: Option<Level>,
        criticality: impl Into<Option<Severity>>,
        at: Timestamp,
    ) -> Judged {
        let criticality: Option<Severity> = criticality.into();
        let mut level = Level::Act;
        let mut reasons = Vec::new();
        let mut bound = |to: Level, why: String| {
            if to < level {
                level = to;
            }
            if to < Level::Act {
                reasons.push(why);
            }
        };
        if let Some(most) = most {
            bound(most, format!("its trigger allows '{}' at most", most.word()));
        }
        if let Some(criticality) = criticality {
            let by_asset = self.levels.get(&criticality).copied().unwrap_or(Level::Ask);
            bound(by_asset, format!("the asset is of {} criticality", criticality.word()));
        }
        let minute = self.minute_of_day(at);
        for quiet in self.quiet.iter().filter(|quiet| quiet.holds(minute)) {
            bound(quiet.level, format!("quiet hours from {} to {}", quiet.from, quiet.until));
        }
        if let Some(stopped) = &self.stopped {
            let why = format!("{} stopped what happens by itself: {}", stopped.by, stopped.reason);
            bound(Level::Ask, why);
        }
        let two =
            self.two_persons_from.is_some_and(|from| criticality.is_some_and(|it| it >= from));
        Judged { level, reasons, persons: if two { 2 } else { 1 } }
    }

    fn minute_of_day(&self, at: Timestamp) -> i64 {
        let minutes = at.as_micros().div_euclid(60_000_000) + i64::from(self.zone_minutes);
        minutes.rem_euclid(DAY_MIN)
    }

    /// Holds a policy to its bounds.
    pub(crate) fn check(&self) -> Result<(), PlaybooksError> {
        let mut errors = Vec::new();
        for (list, length) in [
            ("quiet", self.quiet.len()),
            ("limits", self.limits.len()),
            ("never", self.never.len()),
        ] {
            if length > MAX_RULES {
                errors.push(format!("{list} has {length} lines; at most {MAX_RULES}"));
            }
        }
        for (at, quiet) in self.quiet.iter().enumerate() {
            for text in [&quiet.from, &quiet.until] {
                if minutes(text).is_none() {
                    errors.push(format!("quiet[{at}]: '{}' is no time like 22:30", cut(text)));
                }
            }
        }
        let mut names = std::collections::BTreeSet::new();
        for (at, limit) in self.limits.iter().enumerate() {
            if limit.name.trim().is_empty() || !names.insert(&limit.name) {
                errors.push(format!("limits[{at}]: a limit needs a name of its own"));
            }
            if !(1..=MAX_LIMIT_WINDOW_S).contains(&limit.within_s) {
                let text = format!("limits[{at}]: within_s is 1 to {MAX_LIMIT_WINDOW_S}");
                errors.push(text);
            }
        }
        let never = self.never.iter().map(|it| (&it.what, &it.reason));
        let limits = self.limits.iter().map(|it| (&it.name, &it.actuator));
        for (text, other) in never.chain(limits) {
            if text.trim().is_empty() {
                errors.push("never: a line needs 'what'".into());
            }
            if text.chars().count() > MAX_TEXT_CHARS || other.chars().count() > MAX_TEXT_CHARS {
                errors.push(format!("'{}…' has more than {MAX_TEXT_CHARS} characters", cut(text)));
            }
        }
        if self.escalate_after_s == 0 || self.expire_after_s <= self.escalate_after_s {
            let text = "expire_after_s must be more than escalate_after_s, and that more than 0";
            errors.push(text.into());
        }
        if self.zone_minutes.unsigned_abs() > 14 * 60 {
            errors.push("zone_minutes is −840 to 840".into());
        }
        errors.extend(self.mail_links.errors());
        if errors.is_empty() {
            return Ok(());
        }
        Err(PlaybooksError::Policy(errors))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Minutes since midnight of `HH:MM`.
pub(crate) fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|it| digits && *it < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

impl Quiet {
    /// Whether they hold at this minute of the day. The same time twice is the whole day.
    fn holds(&self, minute: i64) -> bool {
        let (Some(from), Some(until)) = (minutes(&self.from), minutes(&self.until)) else {
            return false;
        };
        let since = (minute - from).rem_euclid(DAY_MIN);
        let long = (until - from).rem_euclid(DAY_MIN);
        long == 0 || since < long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_secs(1_700_006_400 + (hour * 60 + minute) * 60)
    }

    fn quiet(from: &str, until: &str) -> Automation {
        let line = Quiet { from: from.into(), until: until.into(), level: Level::Recommend };
        Automation { quiet: vec![line], ..Automation::default() }
    }

    #[test]
    fn quiet_hours_begin_and_end_on_the_minute_also_over_midnight() {
        // 2023-11-15T00:00:00Z is the beginning of a day.
        assert_eq!(at(0, 0).as_micros() % 86_400_000_000, 0);
        let level = |policy: &Automation, at| policy.judge(None, Severity::Low, at).level;
        let night = quiet("22:00", "06:00");
        for (hour, minute, quiet) in [
            (21, 59, false),
            (22, 0, true),
            (23, 59, true),
            (0, 0, true),
            (5, 59, true),
            (6, 0, false),
        ] {
            let expected = if quiet { Level::Recommend } else { Level::Act };
            assert_eq!(level(&night, at(hour, minute)), expected, "{hour}:{minute}");
        }
        let ahead = Automation { zone_minutes: 120, ..quiet("22:00", "06:00") };
        assert_eq!(level(&ahead, at(20, 0)), Level::Recommend);
        assert_eq!(level(&ahead, at(19, 59)), Level::Act);
        assert_eq!(level(&quiet("12:00", "12:00"), at(3, 0)), Level::Recommend, "the whole day");
    }

    #[test]
    fn the_least_of_all_bounds_holds_and_each_says_why() {
        let mut policy = quiet("00:00", "00:00");
        policy.quiet[0].level = Level::Ask;
        policy.two_persons_from = Some(Severity::High);
        let judged = policy.judge(Some(Level::Recommend), Severity::Critical, at(1, 0));
        assert_eq!((judged.level, judged.persons), (Level::Recommend, 2));
        assert_eq!(judged.reasons.len(), 3, "{judged:?}");
        policy.quiet.clear();
        let judged = policy.judge(None, Severity::Medium, at(1, 0));
        assert_eq!((judged.level, judged.persons, judged.reasons.len()), (Level::Act, 1, 0));
        let stopped = Stopped { by: "Ana".into(), reason: "works".into(), at: at(0, 0) };
        policy.stopped = Some(stopped);
        assert_eq!(policy.judge(None, Severity::Low, at(1, 0)).level, Level::Ask);
    }

    #[test]
    fn a_policy_out_of_bounds_is_refused_line_by_line() {
        assert!(Automation::default().check().is_ok());
        let mut wrong = quiet("25:00", "6:00");
        wrong.limits.push(Limit { within_s: 0, ..wrong.limits[0].clone() });
        wrong.escalate_after_s = 0;
        wrong.zone_minutes = i16::MIN;
        let Err(PlaybooksError::Policy(errors)) = wrong.check() else { panic!("it was taken") };
        assert_eq!(errors.len(), 6, "{errors:#?}");
    }
}
