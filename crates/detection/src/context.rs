//! What the metrics that look back remember of a device, in a form that survives a restart.

use analytics::features::{ContextMemory, Values};
use analytics::metrics::Metric;
use analytics::novelty::Usual;
use analytics::record::{KeyCount, WindowRecord};

/// The context memory of one device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context(ContextMemory);

impl Context {
    /// Completes the values of a window by those that look back, and remembers the window. `usual`
    /// tells the most a conversation did in training, or `None` if it is not known.
    pub(crate) fn complete(
        &mut self,
        record: &WindowRecord,
        values: &mut Values,
        usual: impl FnMut(&KeyCount) -> Option<Usual>,
    ) {
        self.0.complete(record, values, usual);
    }

    /// What people are told of the newest window beside what is judged.
    pub(crate) fn told(&self, record: &WindowRecord) -> Vec<(Metric, u64)> {
        self.0.told(record)
    }

    /// The stored form.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".into())
    }

    /// From the stored form; what cannot be read is an empty memory, as after a long pause.
    pub(crate) fn from_json(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use analytics::host::Host;
    use analytics::metrics::{COUNTS, METRICS, Metric};
    use analytics::pace::Pace;
    use analytics::record::RECORD_VERSION;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Stored and read back at any moment, the memory gives the same counts from then on.
        #[test]
        fn a_restart_changes_no_count(
            steps in proptest::collection::vec((0i64..60, 0u32..5, 0u8..3, any::<bool>()), 1..120)
        ) {
            let (mut kept, mut stored) = (Context::default(), Context::default());
            let mut window = 0;
            for (step, failed, last, restart) in steps {
                // Mostly forward; a large step may also lead back, as a restarted replay does.
                window = if step > 56 { window - 20 } else { window + step % 7 };
                if restart {
                    stored = Context::from_json(&stored.to_json());
                }
                let peer = Host::v4([192, 0, 2, last].into());
                let record = WindowRecord {
                    version: RECORD_VERSION,
                    device: Host::v4([10, 0, 0, 1].into()),
                    mac: None,
                    start_us: window * 10_000_000,
                    end_us: (window + 1) * 10_000_000,
                    counts: [0; COUNTS],
                    keys: vec![KeyCount { failed, ..KeyCount::new(peer, 6, 80, 5) }],
                    overflow_packets: 0,
                    pace: Pace::default(),
                    talk: None,
                };
                let mut values = [0.0; METRICS];
                values[Metric::SynFailed.index()] = f64::from(failed);
                let mut again = values;
                kept.complete(&record, &mut values, |_| None);
                stored.complete(&record, &mut again, |_| None);
                prop_assert_eq!(values, again);
            }
        }
    }

    #[test]
    fn an_unreadable_memory_is_an_empty_one() {
        assert_eq!(Context::from_json("{").to_json(), Context::default().to_json());
    }
}
