//! Follows associations and notes broken laws.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::learn::pair_of;
use super::{Kind, MmsLaw, MmsMessage, MmsModel, OPEN_US, pdu};
use crate::host::Host;
use crate::laws::{BLIND_US, LawWindow, LawWindows};

/// Associations followed at once; the one longest silent is given up beyond.
const MAX_ASSOCIATIONS: usize = 16_384;
/// Questions of one association that wait for an answer; beyond, the oldest are forgotten.
const MAX_WAITING: usize = 1_024;
/// Time after which a stream has begun long enough for every answer to have a question.
const WARM_UP_US: i64 = 60_000_000;
/// Numbers an association may skip and still go on.
const MAX_SKIPPED: u32 = 64;
/// Messages in a window beyond this many times the most learned break [`MmsLaw::Rate`].
const RATE_FACTOR: u64 = 2;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Association {
    first_us: i64,
    last_us: i64,
    /// When it was opened by an initiate that was in place.
    opened_us: Option<i64>,
    concluded: bool,
    /// Invoke identifiers that stood when it was opened over itself: it is taken over until they
    /// go on.
    taken_over: Option<HashMap<Host, u32>>,
    #[serde(with = "crate::as_list")]
    waiting: HashMap<(Host, u32), Waiting>,
    last_invoke: HashMap<Host, u32>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Waiting {
    ts_us: i64,
    broke: bool,
}

/// What a judge remembers from message to message. It may be stored and gone on with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MmsMemory {
    windows: LawWindows,
    #[serde(with = "crate::as_list")]
    associations: HashMap<(Host, Host, u64), Association>,
    last_us: i64,
}

impl MmsMemory {
    /// Nothing remembered; windows of this length, of a run where rows name one.
    #[must_use]
    pub fn new(window_us: i64, group: Option<Arc<str>>) -> Self {
        let windows = LawWindows::new(window_us, group);
        Self { windows, associations: HashMap::new(), last_us: i64::MIN }
    }
}

/// Judges messages in the order of time.
#[derive(Debug)]
pub struct MmsJudge {
    model: Arc<MmsModel>,
    memory: MmsMemory,
}

impl MmsJudge {
    /// A judge.
    #[must_use]
    pub fn new(model: Arc<MmsModel>, window_us: i64, group: Option<Arc<str>>) -> Self {
        Self { model, memory: MmsMemory::new(window_us, group) }
    }

    /// A judge that goes on where another stopped.
    #[must_use]
    pub const fn resume(model: Arc<MmsModel>, memory: MmsMemory) -> Self {
        Self { model, memory }
    }

    /// What it remembers.
    #[must_use]
    pub fn into_memory(self) -> MmsMemory {
        self.memory
    }

    /// Takes the next message.
    pub fn push(&mut self, message: &MmsMessage<'_>) {
        let own = &mut self.memory;
        if own.last_us.saturating_sub(message.ts_us) > BLIND_US {
            // The clock was set back: what was followed lies in another time.
            own.associations.clear();
            own.last_us = message.ts_us;
        }
        own.last_us = own.last_us.max(message.ts_us);
        for device in [message.from, message.to] {
            own.windows.message(device, message.ts_us);
        }
        let pair = pair_of(message);
        if !own.associations.contains_key(&pair) && own.associations.len() >= MAX_ASSOCIATIONS {
            let oldest = own.associations.iter().min_by_key(|(_, found)| found.last_us);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                own.associations.remove(&oldest);
            }
        }
        let known = own.associations.contains_key(&pair);
        let association = own.associations.entry(pair).or_insert_with(|| Association {
            first_us: message.ts_us,
            last_us: message.ts_us,
            opened_us: None,
            concluded: false,
            taken_over: None,
            waiting: HashMap::new(),
            last_invoke: HashMap::new(),
        });
        let mut laws = Vec::new();
        association.open(message, known);
        association.take_over(message, &mut laws);
        association.kind(&self.model, message, &mut laws);
        association.invoke(message, &mut laws);
        association.last_us = message.ts_us;
        association.concluded = message.pdu == pdu::CONCLUDE;
        for law in laws {
            for device in [message.from, message.to] {
                own.windows.note(device, message.ts_us, law as usize);
            }
        }
    }

    /// Windows that ended before the last message, or as much earlier as `grace_us` says.
    pub fn ready(&mut self, grace_us: i64) -> Vec<LawWindow> {
        let own = &mut self.memory;
        if own.last_us == i64::MIN {
            return Vec::new();
        }
        let windows = own.windows.close_before(own.last_us.saturating_sub(grace_us));
        self.rated(windows)
    }

    /// Time passed: associations long silent are forgotten.
    pub fn advance(&mut self, now_us: i64) {
        let own = &mut self.memory;
        if own.last_us == i64::MIN {
            return;
        }
        own.last_us = own.last_us.max(now_us);
        own.associations.retain(|_, kept| now_us.saturating_sub(kept.last_us) <= BLIND_US);
    }

    /// The source began anew, perhaps in another time: gives the windows that are open, and follows
    /// every association from its next message on.
    pub fn begin_anew(&mut self) -> Vec<LawWindow> {
        self.memory.last_us = i64::MIN;
        self.finish()
    }

    /// Ends the stream.
    pub fn finish(&mut self) -> Vec<LawWindow> {
        self.memory.associations.clear();
        let windows = self.memory.windows.close_all();
        self.rated(windows)
    }

    fn rated(&self, mut windows: Vec<LawWindow>) -> Vec<LawWindow> {
        let most = self.model.most_messages;
        for window in &mut windows {
            if most > 0 && window.messages > most.saturating_mul(RATE_FACTOR) {
                window.breaks[MmsLaw::Rate as usize] += 1;
            }
        }
        windows
    }
}

impl Association {
    fn open(&mut self, message: &MmsMessage<'_>, known: bool) {
        if message.pdu != pdu::INITIATE {
            return;
        }
        let open =
            known && !self.concluded && message.ts_us.saturating_sub(self.last_us) <= OPEN_US;
        if open {
            self.taken_over = Some(std::mem::take(&mut self.last_invoke));
        } else {
            self.taken_over = None;
            self.opened_us = Some(message.ts_us);
            self.first_us = message.ts_us;
            self.waiting.clear();
            self.last_invoke.clear();
        }
    }

    /// Messages of an association opened over an open one, until the old numbers go on.
    fn take_over(&mut self, message: &MmsMessage<'_>, laws: &mut Vec<MmsLaw>) {
        let Some(before) = &self.taken_over else { return };
        let goes_on = message.pdu == pdu::REQUEST
            && message.invoke.is_some_and(|invoke| {
                before
                    .get(&message.from)
                    .is_some_and(|last| invoke > *last && invoke - last <= MAX_SKIPPED)
            });
        // Reports carry no number: they belong to either.
        let numbered = message.invoke.is_some() || message.pdu == pdu::INITIATE;
        if goes_on || self.concluded {
            self.taken_over = None;
        } else if numbered {
            laws.push(MmsLaw::Reopened);
        }
    }

    fn kind(&self, model: &MmsModel, message: &MmsMessage<'_>, laws: &mut Vec<MmsLaw>) {
        let kind = Kind::of(message);
        let Some(used) = model.kinds.get(&kind) else {
            let spoke = |kind: &Kind| {
                let (a, b) = (message.from, message.to);
                (kind.from, kind.to) == (a, b) || (kind.from, kind.to) == (b, a)
            };
            let pair = model.kinds.keys().any(spoke);
            laws.push(if pair { MmsLaw::UnknownKind } else { MmsLaw::UnknownPair });
            return;
        };
        // An opening is part of the set-up by itself; opening twice is a law of its own.
        let opening = matches!(message.pdu, pdu::INITIATE..=10);
        if !used.in_rest && !opening {
            let since = self.opened_us.map(|at| message.ts_us.saturating_sub(at));
            let limit = used.latest_us.saturating_add(used.latest_us / 2);
            if since.is_none_or(|since| since > limit) {
                laws.push(MmsLaw::OutOfPhase);
            }
        }
        if !message.domain.is_empty() || !message.item.is_empty() {
            let name = (message.from, message.domain.to_owned(), message.item.to_owned());
            if !model.names.contains(&name) {
                laws.push(MmsLaw::NewName);
            }
        }
    }

    fn invoke(&mut self, message: &MmsMessage<'_>, laws: &mut Vec<MmsLaw>) {
        let Some(invoke) = message.invoke else { return };
        match message.pdu {
            pdu::REQUEST => {
                let last = self.last_invoke.insert(message.from, invoke);
                let waits = self.waiting.contains_key(&(message.from, invoke));
                // Half of the range is a wrap, not a fall.
                let falls = last.is_some_and(|last| invoke < last && last - invoke < u32::MAX / 2);
                if waits || falls {
                    laws.push(MmsLaw::Invoke);
                }
                if self.waiting.len() >= MAX_WAITING {
                    let oldest = self.waiting.iter().min_by_key(|(_, waiting)| waiting.ts_us);
                    if let Some(oldest) = oldest.map(|(key, _)| *key) {
                        self.waiting.remove(&oldest);
                    }
                }
                let waiting = Waiting { ts_us: message.ts_us, broke: !laws.is_empty() };
                self.waiting.insert((message.from, invoke), waiting);
            }
            pdu::RESPONSE | pdu::ERROR => match self.waiting.remove(&(message.to, invoke)) {
                Some(waiting) if waiting.broke => laws.push(MmsLaw::AnswersBreak),
                Some(_) => {}
                None if message.ts_us.saturating_sub(self.first_us) > WARM_UP_US => {
                    laws.push(MmsLaw::Unasked);
                }
                None => {}
            },
            _ => {}
        }
    }
}
