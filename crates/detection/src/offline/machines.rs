//! What machines say to each other in captures: every conversation is followed once, and commands
//! and the laws of GOOSE and MMS are learned from it together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analytics::commands::{CommandLearner, CommandModel, each_command};
use analytics::goose::MAX_TRAINING_MESSAGES;
use analytics::operations::{Gatherer, Report};
use protocols::flow::{Limits, Sighting, Tracker};
use protocols::packet::{PacketView, decode};

use super::input::read_frames;
use super::{OfflineError, OfflineProgress};
use crate::laws::learn::learn;
use crate::laws::memory::{LawModel, Protocol};

/// Below this time of training laws are said to be learned from little, microseconds.
const ENOUGH_US: i64 = 600_000_000;

/// Follows the conversations of one capture.
struct Conversations(Tracker);

impl Conversations {
    fn new() -> Self {
        Self(Tracker::new(Limits::default()))
    }

    /// Takes a packet and tells each message between machines that it completes.
    fn push(&mut self, ts_ns: i64, packet: &PacketView<'_>, each: &mut dyn FnMut(&Sighting<'_>)) {
        self.0.push(ts_ns, packet, &mut |sighting| {
            if sighting.protocol.is_industrial() {
                each(sighting);
            }
        });
    }
}

/// What a pass over a capture tells.
pub(super) enum Heard<'a, 's> {
    /// A message between machines.
    Message(&'a Sighting<'s>),
    /// A frame of this time, microseconds, is read; its messages are told after it.
    Time(i64),
}

/// Every message between machines in a capture, and the time that passes.
pub(super) fn listen(path: &Path, mut each: impl FnMut(Heard<'_, '_>)) -> Result<(), OfflineError> {
    let mut conversations = Conversations::new();
    read_frames(
        path,
        |_: OfflineProgress| {},
        |frame| {
            each(Heard::Time(frame.ts_ns.div_euclid(1_000)));
            if let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) {
                conversations
                    .push(frame.ts_ns, &packet, &mut |sighting| each(Heard::Message(sighting)));
            }
            Ok::<(), OfflineError>(())
        },
    )?;
    Ok(())
}

/// The laws of one protocol, and what they rest on.
#[derive(Clone, Debug)]
pub(super) struct LearnedLaws {
    pub(super) model: LawModel,
    /// Time that was listened to, microseconds: of every capture from its first to its last message.
    pub(super) span_us: i64,
    /// Messages that were not learned: too many in one window, or in all.
    pub(super) untold: u64,
}

impl LearnedLaws {
    fn doubts(&self) -> Vec<String> {
        let (model, protocol) = (&self.model, self.model.protocol());
        let name = protocol.word();
        let mut doubts = Vec::new();
        if self.span_us < ENOUGH_US {
            doubts.push(format!(
                "{name}: learned from {} messages over {:.1} minutes; with less than {} minutes, \
                 what is lawful and rare may alert",
                model.messages(),
                self.span_us as f64 / 60e6,
                ENOUGH_US / 60_000_000
            ));
        }
        let not_learned = self.untold + model.beyond();
        if not_learned > 0 {
            doubts.push(format!("{name}: {not_learned} messages or names found no place"));
        }
        let limits = model.limits();
        let broken = limits.broken.iter().enumerate();
        let broken = broken.filter(|(law, windows)| **windows > 0 && !model.weak().contains(law));
        for (law, windows) in broken {
            let (metric, words, _) = protocol.law(law);
            let largest = limits.largest.get(law).copied().unwrap_or(0);
            doubts.push(format!(
                "{name}: {windows} of {} training windows break `{metric}` ({words}), up to \
                 {largest} times; as often it will not alert. Is the training benign, and complete?",
                limits.windows
            ));
        }
        doubts
    }
}

/// The models of what machines say to each other.
#[derive(Clone, Debug, Default)]
pub(super) struct MachineModels {
    pub(super) commands: Option<Arc<CommandModel>>,
    /// GOOSE before MMS; none of a protocol that was not heard.
    pub(super) laws: Vec<LearnedLaws>,
    /// Messages of control blocks and associations beyond the bound of a window: not learned.
    pub(super) untold: u64,
}

impl MachineModels {
    /// Learns from captures; what they do not hold has no model.
    pub(super) fn learn(paths: &[PathBuf], window_us: i64) -> Result<Self, OfflineError> {
        let mut commands = CommandLearner::new(window_us);
        let mut lessons = Protocol::ALL.map(Lesson::new);
        let mut untold = 0;
        for path in paths {
            let mut gatherer = Gatherer::new(window_us);
            lessons.iter_mut().for_each(Lesson::begin);
            listen(path, |heard| match heard {
                Heard::Message(sighting) => {
                    each_command(sighting, &mut |command| commands.push(&command));
                    gatherer.message(sighting);
                }
                Heard::Time(ts_us) => {
                    // One window of patience with frames that come out of order.
                    let ended_us = ts_us.saturating_sub(window_us);
                    if gatherer.has_ended(ended_us) {
                        take(&mut lessons, gatherer.close_before(ended_us));
                    }
                }
            })?;
            take(&mut lessons, gatherer.finish());
            untold += gatherer.stats().beyond;
        }
        let commands = commands.finish().filter(|model| !model.pairs.is_empty()).map(Arc::new);
        let laws = lessons.into_iter().filter_map(|lesson| lesson.finish(window_us)).collect();
        Ok(Self { commands, laws, untold })
    }

    /// The laws of a protocol.
    pub(super) fn law(&self, protocol: Protocol) -> Option<&LawModel> {
        self.laws.iter().map(|learned| &learned.model).find(|one| one.protocol() == protocol)
    }

    /// What speaks against the training of laws: too short, broken by itself, cut short.
    pub(super) fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<String> = self.laws.iter().flat_map(LearnedLaws::doubts).collect();
        if self.untold > 0 {
            doubts.push(format!(
                "{} messages of GOOSE or MMS were not learned: too many control blocks or \
                 associations in one window",
                self.untold
            ));
        }
        doubts
    }

    /// Every model of laws.
    pub(super) fn law_models(&self) -> Vec<LawModel> {
        self.laws.iter().map(|learned| learned.model.clone()).collect()
    }
}

fn take(lessons: &mut [Lesson], reports: Vec<Report>) {
    for report in reports {
        let own = match &report {
            Report::Commands(_) => continue,
            Report::Goose(_) => Protocol::Goose,
            Report::Mms(_) => Protocol::Mms,
        };
        if let Some(lesson) = lessons.iter_mut().find(|lesson| lesson.protocol == own) {
            lesson.take(report);
        }
    }
}

/// What was heard of one protocol, capture by capture.
struct Lesson {
    protocol: Protocol,
    recordings: Vec<Vec<Report>>,
    kept: u64,
    untold: u64,
}

impl Lesson {
    const fn new(protocol: Protocol) -> Self {
        Self { protocol, recordings: Vec::new(), kept: 0, untold: 0 }
    }

    fn begin(&mut self) {
        self.recordings.push(Vec::new());
    }

    fn take(&mut self, report: Report) {
        self.untold += report.untold();
        if self.kept >= MAX_TRAINING_MESSAGES as u64 {
            self.untold += report.count();
            return;
        }
        self.kept += report.count();
        if let Some(recording) = self.recordings.last_mut() {
            recording.push(report);
        }
    }

    fn finish(self, window_us: i64) -> Option<LearnedLaws> {
        let span = |reports: &Vec<Report>| {
            let times = || reports.iter().filter_map(Report::first_us);
            let last = times().max().unwrap_or(0).saturating_add(window_us);
            times().min().map_or(0, |first| last.saturating_sub(first))
        };
        let span_us = self.recordings.iter().map(span).sum();
        let model = learn(self.protocol, self.recordings, window_us)?;
        Some(LearnedLaws { model, span_us, untold: self.untold })
    }
}
