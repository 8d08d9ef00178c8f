//! Triggers are held to their bounds before they are kept; what is wrong is said line by line.

use cacao::Playbook;

use super::{
    MAX_COOLDOWN_S, MAX_ENTRIES, MAX_EVERY_S, MAX_FIELDS, MAX_GATHER_S, MAX_TEXT_CHARS,
    MIN_EVERY_S, OnNews, OnSchedule, OnWebhook, Trigger,
};
use crate::PlaybooksError;
use crate::automation::minutes;
use crate::cacao::variables::is_name;

/// STIX types that one trigger may name: what one reader of the store may ask for.
const MAX_TYPES: usize = intel::changes::MAX_TYPES;

impl Trigger {
    /// Holds a trigger of this playbook to its bounds.
    pub(crate) fn check(&self, playbook: &Playbook) -> Result<(), PlaybooksError> {
        let mut errors = Vec::new();
        match self {
            Self::Incident(_) => {}
            Self::Received(it) => texts(&mut errors, "origins", &it.origins, MAX_ENTRIES),
            Self::Finding(it) => {
                cooldown(&mut errors, it.cooldown_s);
                count(&mut errors, "devices", it.devices.len(), MAX_ENTRIES);
                texts(&mut errors, "places", &it.places, MAX_ENTRIES);
                texts(&mut errors, "device_types", &it.device_types, MAX_ENTRIES);
            }
            Self::News(it) => it.check(&mut errors),
            Self::Hit(it) => {
                cooldown(&mut errors, it.cooldown_s);
                texts(&mut errors, "sources", &it.sources, MAX_ENTRIES);
            }
            Self::Schedule(it) => it.check(&mut errors),
            Self::Webhook(it) => it.check(&mut errors, playbook),
        }
        if errors.is_empty() { Ok(()) } else { Err(PlaybooksError::Trigger(errors)) }
    }
}

fn cooldown(errors: &mut Vec<String>, seconds: u32) {
    if seconds > MAX_COOLDOWN_S {
        errors.push(format!("cooldown_s is 0 to {MAX_COOLDOWN_S}, it is {seconds}"));
    }
}

fn count(errors: &mut Vec<String>, name: &str, length: usize, most: usize) {
    if length > most {
        errors.push(format!("{name} has {length} entries; at most {most}"));
    }
}

fn texts(errors: &mut Vec<String>, name: &str, list: &[String], most: usize) {
    count(errors, name, list.len(), most);
    for (at, text) in list.iter().enumerate().take(most) {
        let length = text.chars().count();
        if text.trim().is_empty() || length > MAX_TEXT_CHARS {
            errors.push(format!(
                "{name}[{at}] has 1 to {MAX_TEXT_CHARS} characters, it has {length}"
            ));
        }
    }
}

impl OnNews {
    fn check(&self, errors: &mut Vec<String>) {
        texts(errors, "types", &self.types, MAX_TYPES);
        texts(errors, "labels", &self.labels, MAX_ENTRIES);
        texts(errors, "sources", &self.sources, MAX_ENTRIES);
        if self.min_confidence.is_some_and(|least| least > 100) {
            errors.push("min_confidence is 0 to 100".into());
        }
        if !(1..=MAX_GATHER_S).contains(&self.gather_s) {
            errors.push(format!("gather_s is 1 to {MAX_GATHER_S}, it is {}", self.gather_s));
        }
        if !(MIN_EVERY_S..=MAX_COOLDOWN_S).contains(&self.cooldown_s) {
            let is = self.cooldown_s;
            errors.push(format!("cooldown_s is {MIN_EVERY_S} to {MAX_COOLDOWN_S}, it is {is}"));
        }
    }
}

impl OnSchedule {
    fn check(&self, errors: &mut Vec<String>) {
        match (self.every_s, &self.at) {
            (Some(every), None) => {
                if !(MIN_EVERY_S..=MAX_EVERY_S).contains(&every) {
                    errors
                        .push(format!("every_s is {MIN_EVERY_S} to {MAX_EVERY_S}, it is {every}"));
                }
                if !self.days.is_empty() {
                    errors.push("days go with 'at', not with 'every_s'".into());
                }
            }
            (None, Some(at)) => {
                if minutes(at).is_none() {
                    let shown: String = at.chars().take(40).collect();
                    errors.push(format!("at: '{shown}' is no time like 03:30"));
                }
            }
            _ => errors.push("a schedule has either 'every_s' or 'at'".into()),
        }
        let mut days = self.days.clone();
        days.sort_unstable();
        days.dedup();
        if days.len() != self.days.len() {
            errors.push("days names a day twice".into());
        }
        if self.zone_minutes.unsigned_abs() > 14 * 60 {
            errors.push("zone_minutes is −840 to 840".into());
        }
    }
}

impl OnWebhook {
    fn check(&self, errors: &mut Vec<String>, playbook: &Playbook) {
        count(errors, "fields", self.fields.len(), MAX_FIELDS);
        let mut taken = std::collections::BTreeSet::new();
        for (field, variable) in self.fields.iter().take(MAX_FIELDS) {
            let length = field.chars().count();
            if field.is_empty() || length > MAX_TEXT_CHARS {
                errors.push(format!(
                    "fields: a name has 1 to {MAX_TEXT_CHARS} characters, one has {length}"
                ));
                continue;
            }
            let shown: String = variable.chars().take(64).collect();
            let known = playbook.playbook_variables.get(variable);
            if !is_name(variable) || !known.is_some_and(|it| it.external && !it.constant) {
                errors.push(format!("fields: '{shown}' is no external variable of the playbook"));
            }
            if !taken.insert(variable) {
                errors.push(format!("fields: '{shown}' gets its value from two fields"));
            }
        }
    }
}
