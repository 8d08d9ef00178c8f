//! Learns associations from messages of a benign time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Kind, MAX_KINDS, MAX_NAMES, MmsJudge, MmsMessage, MmsModel, Use, pdu};
use crate::host::Host;
use crate::laws::LawLimits;

/// Messages a training keeps; further ones are counted and not learned.
pub const MAX_TRAINING_MESSAGES: usize = 1_000_000;

#[derive(Clone, Debug)]
struct Kept {
    message: MmsMessage<'static>,
    domain: Box<str>,
    item: Box<str>,
}

impl Kept {
    fn message(&self) -> MmsMessage<'_> {
        MmsMessage { domain: &self.domain, item: &self.item, ..self.message }
    }
}

/// Gathers messages and makes the model.
#[derive(Debug)]
pub struct MmsLearner {
    kept: Vec<Kept>,
    window_us: i64,
    beyond: u64,
}

impl MmsLearner {
    /// A learner; the limits are taken from windows of this length.
    #[must_use]
    pub const fn new(window_us: i64) -> Self {
        Self { kept: Vec::new(), window_us, beyond: 0 }
    }

    /// Takes a message, in the order of time.
    pub fn push(&mut self, message: &MmsMessage<'_>) {
        if self.kept.len() >= MAX_TRAINING_MESSAGES {
            self.beyond += 1;
            return;
        }
        let bare = MmsMessage {
            domain: "",
            item: "",
            ts_us: message.ts_us,
            from: message.from,
            to: message.to,
            channel: message.channel,
            pdu: message.pdu,
            service: message.service,
            invoke: message.invoke,
            class: message.class,
        };
        let (domain, item) = (message.domain.into(), message.item.into());
        self.kept.push(Kept { message: bare, domain, item });
    }

    /// Makes the model; `None` when there was no message.
    #[must_use]
    pub fn finish(self) -> Option<MmsModel> {
        let (first, last) = (self.kept.first()?.message.ts_us, self.kept.last()?.message.ts_us);
        let middle = first + (last - first) / 2;
        let mut model = MmsModel { beyond: self.beyond, ..MmsModel::default() };
        let mut opened: BTreeMap<(Host, Host, u64), i64> = BTreeMap::new();
        let (mut later, mut new) = (0_u64, 0_u64);
        for kept in &self.kept {
            let message = kept.message();
            let pair = pair_of(&message);
            if message.pdu == pdu::INITIATE {
                opened.insert(pair, message.ts_us);
            }
            let after = opened.get(&pair).map(|at| message.ts_us - at);
            let novel = model.learn(&message, after, message.ts_us >= middle);
            if message.ts_us >= middle {
                later += 1;
                new += u64::from(novel);
            }
        }
        model.messages = self.kept.len() as u64;
        model.forward_novelty = new as f64 / later.max(1) as f64;
        let limits = model.limits_from(&self.kept, self.window_us);
        model.limits = limits.0;
        model.most_messages = limits.1;
        Some(model)
    }
}

pub(super) fn pair_of(message: &MmsMessage<'_>) -> (Host, Host, u64) {
    let (a, b) = (message.from.min(message.to), message.from.max(message.to));
    (a, b, message.channel)
}

impl MmsModel {
    /// Learns one message; tells whether its kind or name was new.
    fn learn(&mut self, message: &MmsMessage<'_>, after_us: Option<i64>, late: bool) -> bool {
        let kind = Kind::of(message);
        let mut novel = false;
        if self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&kind) {
            let used = self.kinds.entry(kind).or_insert_with(|| {
                novel = true;
                Use { count: 0, in_rest: false, latest_us: 0 }
            });
            used.count += 1;
            // Without an opening, nothing says what belongs to the set-up.
            used.in_rest |= late || after_us.is_none();
            used.latest_us = used.latest_us.max(after_us.unwrap_or(0));
        } else {
            self.beyond += 1;
        }
        if !message.domain.is_empty() || !message.item.is_empty() {
            let name = (message.from, message.domain.to_owned(), message.item.to_owned());
            if self.names.len() < MAX_NAMES {
                novel |= self.names.insert(name);
            } else if !self.names.contains(&name) {
                self.beyond += 1;
            }
        }
        novel
    }

    fn limits_from(&self, kept: &[Kept], window_us: i64) -> (LawLimits, u64) {
        let mut judge = MmsJudge::new(Arc::new(self.clone()), window_us, None);
        for kept in kept {
            judge.push(&kept.message());
        }
        let (mut limits, mut most) = (LawLimits::default(), 0);
        for window in judge.finish() {
            limits.learn(&window);
            most = most.max(window.messages);
        }
        (limits, most)
    }
}
