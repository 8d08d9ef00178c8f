//! What goes wrong while a probe runs is said in the log when it grows, not only in the counts at
//! the end.

use std::time::Duration;

/// How often at most.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Health {
    due: Duration,
    said: Vec<(&'static str, u64)>,
}

impl Health {
    /// Whether it is time to look.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        now >= self.due
    }

    /// Says which counts have grown since the last time; returns it.
    pub(super) fn tell(&mut self, trouble: &[(&'static str, u64)]) -> Option<String> {
        self.due = crate::clock::monotonic() + TELL_EVERY;
        let before = |name: &str| {
            self.said.iter().find(|(said, _)| *said == name).map_or(0, |(_, count)| *count)
        };
        let grown: Vec<String> = trouble
            .iter()
            .filter(|(name, count)| *count > before(name))
            .map(|(name, count)| format!("{name}: {count} (+{})", count - before(name)))
            .collect();
        self.said = trouble.to_vec();
        if grown.is_empty() {
            return None;
        }
        let words = grown.join("; ");
        tracing::warn!("since the last minute: {words}");
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_grown_is_said() {
        let mut health = Health::default();
        assert_eq!(health.tell(&[("lost", 0), ("late", 2)]).as_deref(), Some("late: 2 (+2)"));
        assert_eq!(health.tell(&[("lost", 0), ("late", 2)]), None);
        let grown = health.tell(&[("lost", 3), ("late", 7)]);
        assert_eq!(grown.as_deref(), Some("lost: 3 (+3); late: 7 (+5)"));
    }
}
