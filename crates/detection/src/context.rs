//! What the context counts of a device remember, in a form that survives a restart.

use std::collections::VecDeque;

use analytics::features::{CONTEXT_US, ContextMemory, Values};
use analytics::metrics::{CONTEXTS, GATED, METRICS};
use serde::{Deserialize, Serialize};

/// Windows remembered: as many as fit into the context at the shortest window length.
const MAX_WINDOWS: usize = 300;

/// The context memory with the windows it was made of; feeding those again makes it again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    memory: ContextMemory,
    windows: VecDeque<Remembered>,
}

/// Start and end (microseconds, packet time) and the gated counts of a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Remembered(i64, i64, [f64; CONTEXTS]);

impl Context {
    /// Completes the values of a window by its context counts and remembers it.
    pub(crate) fn complete(&mut self, start_us: i64, end_us: i64, values: &mut Values) {
        let gated = GATED.map(|metric| values[metric.index()]);
        self.memory.complete(start_us, end_us, values);
        while self.windows.back().is_some_and(|last| last.0 > start_us) {
            self.windows.pop_back();
        }
        let horizon_us = end_us.saturating_sub(CONTEXT_US);
        while self.windows.front().is_some_and(|first| first.0 < horizon_us) {
            self.windows.pop_front();
        }
        if gated.iter().any(|count| *count != 0.0) {
            if self.windows.len() >= MAX_WINDOWS {
                self.windows.pop_front();
            }
            self.windows.push_back(Remembered(start_us, end_us, gated));
        }
    }

    /// The stored form.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&self.windows).unwrap_or_else(|_| "[]".into())
    }

    /// From the stored form; what cannot be read is an empty memory, as after a long pause.
    pub(crate) fn from_json(text: &str) -> Self {
        let windows: Vec<Remembered> = serde_json::from_str(text).unwrap_or_default();
        let mut context = Self::default();
        for Remembered(start_us, end_us, gated) in windows.into_iter().take(MAX_WINDOWS) {
            let mut values = [0.0; METRICS];
            for (metric, count) in GATED.iter().zip(gated) {
                values[metric.index()] = count;
            }
            context.complete(start_us, end_us, &mut values);
        }
        context
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use analytics::metrics::Metric;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Stored and read back at any moment, the memory gives the same counts from then on.
        #[test]
        fn a_restart_changes_no_count(
            steps in proptest::collection::vec((0i64..60, 0u8..5, 0u8..3, any::<bool>()), 1..120)
        ) {
            let (mut kept, mut stored) = (Context::default(), Context::default());
            let mut window = 0;
            for (step, syn, resets, restart) in steps {
                // Mostly forward; a large step may also lead back, as a restarted replay does.
                window = if step > 56 { window - 20 } else { window + step % 7 };
                if restart {
                    stored = Context::from_json(&stored.to_json());
                }
                let mut values = [0.0; METRICS];
                values[Metric::SynOut.index()] = f64::from(syn);
                values[Metric::Resets.index()] = f64::from(resets);
                let mut again = values;
                let (start_us, end_us) = (window * 10_000_000, (window + 1) * 10_000_000);
                kept.complete(start_us, end_us, &mut values);
                stored.complete(start_us, end_us, &mut again);
                prop_assert_eq!(values, again);
            }
        }
    }

    #[test]
    fn an_unreadable_memory_is_an_empty_one() {
        assert_eq!(Context::from_json("{").to_json(), "[]");
    }
}
