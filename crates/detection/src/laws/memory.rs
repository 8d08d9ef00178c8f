//! The models of the two protocols, and their judges, behind one face.

use std::sync::Arc;

use analytics::goose::{GooseJudge, GooseLaw, GooseMemory, GooseModel, GooseReport, WEAK_LAWS};
use analytics::host::Host;
use analytics::laws::{LawLimits, LawReason, LawWindow};
use analytics::mms::{MmsJudge, MmsLaw, MmsMemory, MmsModel, MmsReport};
use analytics::operations::Report;
use analytics::windows::DEFAULT_WINDOW_US;
use serde::{Deserialize, Serialize};

/// Form of the stored models.
const FORM: &str = "sereno laws 1";
/// Characters of a foreign form that are told.
const MAX_FORM: usize = 40;
/// By so many windows the reports of a time may come after it.
pub(crate) const SETTLED_WINDOWS: i64 = 2;

/// Whose laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protocol {
    /// IEC 61850-8-1, publisher to subscribers.
    Goose,
    /// ISO 9506, client and server.
    Mms,
}

impl Protocol {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Goose, Self::Mms];

    /// The word in the database, in addresses, and the detector's name.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Goose => "goose",
            Self::Mms => "mms",
        }
    }

    /// From the word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// As people write it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Goose => "GOOSE",
            Self::Mms => "MMS",
        }
    }

    /// Role of stored reports to learn from.
    pub(crate) const fn train_role(self) -> &'static str {
        match self {
            Self::Goose => "goose_train",
            Self::Mms => "mms_train",
        }
    }

    /// Role of stored reports that wait for the model.
    pub(crate) const fn wait_role(self) -> &'static str {
        match self {
            Self::Goose => "goose_wait",
            Self::Mms => "mms_wait",
        }
    }

    /// Name, plain words and technique of a law.
    pub(crate) fn law(self, law: usize) -> (&'static str, &'static str, Option<&'static str>) {
        const UNKNOWN: (&str, &str, Option<&str>) = ("unknown", "an unknown law is broken", None);
        match self {
            Self::Goose => {
                GooseLaw::ALL.get(law).map_or(UNKNOWN, |it| (it.name(), it.words(), it.technique()))
            }
            Self::Mms => {
                MmsLaw::ALL.get(law).map_or(UNKNOWN, |it| (it.name(), it.words(), it.technique()))
            }
        }
    }
}

/// What is lawful.
#[derive(Clone, Debug)]
pub(crate) enum LawModel {
    Goose(Arc<GooseModel>),
    Mms(Arc<MmsModel>),
}

#[derive(Deserialize)]
struct Form {
    form: String,
}

/// The stored form of a model.
#[derive(Serialize, Deserialize)]
struct Stored<M> {
    form: String,
    model: M,
}

impl LawModel {
    /// The stored form.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let form = FORM.to_owned();
        match self {
            Self::Goose(model) => serde_json::to_vec(&Stored { form, model: model.as_ref() }),
            Self::Mms(model) => serde_json::to_vec(&Stored { form, model: model.as_ref() }),
        }
    }

    /// From the stored form.
    pub(crate) fn from_bytes(protocol: Protocol, bytes: &[u8]) -> Result<Self, String> {
        fn read<M: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<Arc<M>, String> {
            // The form first: a later one may hold another model.
            let Form { form } = serde_json::from_slice(bytes).map_err(|cause| cause.to_string())?;
            if form != FORM {
                let form: String = form.chars().take(MAX_FORM).collect();
                return Err(format!("its form is '{form}', this program reads '{FORM}'"));
            }
            let stored: Stored<M> =
                serde_json::from_slice(bytes).map_err(|cause| cause.to_string())?;
            Ok(Arc::new(stored.model))
        }
        Ok(match protocol {
            Protocol::Goose => Self::Goose(read(bytes)?),
            Protocol::Mms => Self::Mms(read(bytes)?),
        })
    }

    /// Whose laws.
    pub(crate) const fn protocol(&self) -> Protocol {
        match self {
            Self::Goose(_) => Protocol::Goose,
            Self::Mms(_) => Protocol::Mms,
        }
    }

    /// Messages learned from.
    pub(crate) fn messages(&self) -> u64 {
        match self {
            Self::Goose(model) => model.messages,
            Self::Mms(model) => model.messages,
        }
    }

    /// How often training broke each law.
    pub(crate) fn limits(&self) -> &LawLimits {
        match self {
            Self::Goose(model) => &model.limits,
            Self::Mms(model) => &model.limits,
        }
    }

    /// What found no place in the model and is not learned.
    pub(crate) fn beyond(&self) -> u64 {
        match self {
            Self::Goose(model) => model.beyond,
            Self::Mms(model) => model.beyond,
        }
    }

    /// Laws that inform and never alert alone.
    pub(crate) const fn weak(&self) -> &'static [usize] {
        match self {
            Self::Goose(_) => &WEAK_LAWS,
            Self::Mms(_) => &[],
        }
    }

    /// Control blocks, or kinds of messages between two ends.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Goose(model) => model.publishers.len(),
            Self::Mms(model) => model.kinds.len(),
        }
    }

    /// The broken laws of a window, strongest first.
    pub(crate) fn judge(&self, window: &LawWindow) -> Vec<LawReason> {
        self.limits().judge(&window.breaks, self.weak())
    }

    /// The control blocks of a device, by name.
    pub(crate) fn controls_of(&self, device: Host) -> Vec<&str> {
        match self {
            Self::Goose(model) => {
                let own = model.publishers.iter().filter(|(_, own)| own.device == device);
                own.map(|(control, _)| control.as_str()).collect()
            }
            Self::Mms(_) => vec![],
        }
    }
}

/// What a judge remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LawMemory {
    Goose(GooseMemory),
    Mms(MmsMemory),
}

impl LawMemory {
    /// Nothing.
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self::with_windows(protocol, DEFAULT_WINDOW_US)
    }

    /// Nothing; windows of this length.
    pub(crate) fn with_windows(protocol: Protocol, window_us: i64) -> Self {
        match protocol {
            Protocol::Goose => Self::Goose(GooseMemory::new(window_us, None)),
            Protocol::Mms => Self::Mms(MmsMemory::new(window_us, None)),
        }
    }

    /// From the stored form; what cannot be read, or is of another protocol, is nothing remembered.
    pub(crate) fn from_json(protocol: Protocol, text: &str) -> Self {
        match (protocol, serde_json::from_str(text)) {
            (Protocol::Goose, Ok(memory @ Self::Goose(_)))
            | (Protocol::Mms, Ok(memory @ Self::Mms(_))) => memory,
            _ => Self::new(protocol),
        }
    }

    /// The stored form.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".into())
    }
}

/// How far time has come when reports are judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// The source started again.
    pub(crate) anew: bool,
    /// Up to where everything was looked at, packet time.
    pub(crate) settled_us: i64,
    /// A window is given this long after its end, so that what is told later of it counts.
    pub(crate) grace_us: i64,
}

impl Turn {
    /// In operation: by the packet time of a batch.
    pub(crate) const fn of_batch(anew: bool, at_us: i64) -> Self {
        let settled_us = at_us.saturating_sub(SETTLED_WINDOWS * DEFAULT_WINDOW_US);
        Self { anew, settled_us, grace_us: DEFAULT_WINDOW_US }
    }
}

/// Judges reports and goes on where the memory stopped; gives the windows that are complete and what
/// is remembered then.
pub(crate) fn judge(
    model: &LawModel,
    memory: LawMemory,
    reports: &[Report],
    turn: Turn,
) -> (Vec<LawWindow>, LawMemory) {
    match (model, memory) {
        (LawModel::Goose(model), LawMemory::Goose(memory)) => {
            let mut judge = GooseJudge::resume(Arc::clone(model), memory);
            let mut windows = if turn.anew { judge.begin_anew() } else { vec![] };
            let all = reports.iter().filter_map(goose).flat_map(GooseReport::messages);
            let mut messages: Vec<_> = all.collect();
            messages.sort_by_key(|message| message.ts_us);
            messages.iter().for_each(|message| judge.push(message));
            judge.advance(turn.settled_us);
            windows.extend(judge.ready(turn.grace_us));
            (windows, LawMemory::Goose(judge.into_memory()))
        }
        (LawModel::Mms(model), LawMemory::Mms(memory)) => {
            let mut judge = MmsJudge::resume(Arc::clone(model), memory);
            let mut windows = if turn.anew { judge.begin_anew() } else { vec![] };
            let all = reports.iter().filter_map(mms).flat_map(MmsReport::messages);
            let mut messages: Vec<_> = all.collect();
            messages.sort_by_key(|message| message.ts_us);
            messages.iter().for_each(|message| judge.push(message));
            judge.advance(turn.settled_us);
            windows.extend(judge.ready(turn.grace_us));
            (windows, LawMemory::Mms(judge.into_memory()))
        }
        // A memory is always made for its model.
        (model, _) => (vec![], LawMemory::new(model.protocol())),
    }
}

/// The source ends: every window that is left, with the silence up to its last message.
pub(crate) fn finish(model: &LawModel, memory: LawMemory) -> Vec<LawWindow> {
    match (model, memory) {
        (LawModel::Goose(model), LawMemory::Goose(memory)) => {
            GooseJudge::resume(Arc::clone(model), memory).finish()
        }
        (LawModel::Mms(model), LawMemory::Mms(memory)) => {
            MmsJudge::resume(Arc::clone(model), memory).finish()
        }
        _ => vec![],
    }
}

const fn goose(report: &Report) -> Option<&GooseReport> {
    match report {
        Report::Goose(report) => Some(report),
        _ => None,
    }
}

const fn mms(report: &Report) -> Option<&MmsReport> {
    match report {
        Report::Mms(report) => Some(report),
        _ => None,
    }
}
