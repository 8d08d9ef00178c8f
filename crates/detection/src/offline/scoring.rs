//! A scoring at work: records, messages between machines and the time that passes go in, lines come
//! out.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use analytics::detector::Detector;
use analytics::record::WindowRecord;
use analytics::windows::Windower;
use protocols::flow::Tracker;
use protocols::packet::PacketView;

use super::CaptureSummary;
use super::jsonl::append_verdict;
use super::operations::COMMANDS;
use super::score::{Alerts, ScoreSummary};
use super::scored::ScoredWindow;
use super::sides::{CommandSide, Held, LawSide, Sink};
use super::singles::{Singles, SinglesJudge};
use super::store::ENSEMBLE;

/// Bytes of output gathered before they are written.
const WRITE_BYTES: usize = 128 * 1024;

/// A scoring at work.
pub(super) struct Scoring<'a> {
    detector: Option<Detector>,
    judges: Vec<(&'static str, SinglesJudge<'a>, u64)>,
    conversations: Tracker,
    commands: Option<CommandSide>,
    laws: Option<LawSide>,
    alerts: Alerts,
    buffer: Vec<u8>,
    lines: File,
    written: std::io::Result<()>,
}

impl<'a> Scoring<'a> {
    pub(super) fn new(
        lines: File,
        detector: Option<Detector>,
        others: &'a [Singles],
        (commands, laws): (Option<CommandSide>, Option<LawSide>),
    ) -> Self {
        let judge = |singles: &'a Singles| (singles.name(), SinglesJudge::new(singles), 0);
        Self {
            detector,
            judges: others.iter().map(judge).collect(),
            conversations: Tracker::default(),
            commands,
            laws,
            alerts: Alerts::default(),
            buffer: Vec::with_capacity(WRITE_BYTES + 4_096),
            lines,
            written: Ok(()),
        }
    }

    /// Takes a packet that is counted in its windows: the messages it completes are counted as an edge
    /// counts them, and those between machines are judged.
    pub(super) fn packet(&mut self, ts_ns: i64, packet: &PacketView<'_>, windower: &mut Windower) {
        let (commands, laws) = (&mut self.commands, &mut self.laws);
        self.conversations.push(ts_ns, packet, &mut |sighting| {
            windower.hear(sighting);
            if !sighting.protocol.is_industrial() {
                return;
            }
            if let Some(commands) = commands {
                commands.message(sighting);
            }
            if let Some(laws) = laws {
                laws.message(sighting);
            }
        });
    }

    /// A frame of this time is read, and the records that were ready are judged.
    pub(super) fn time(&mut self, ts_ns: i64) {
        if let Some(laws) = &mut self.laws {
            let mut sink = Sink { lines: &mut self.buffer, alerts: &mut self.alerts };
            laws.time(ts_ns.div_euclid(1_000), &mut sink);
            self.write_if_full();
        }
    }

    /// Judges a window of counts with every detector asked for.
    pub(super) fn judge(&mut self, record: &WindowRecord) {
        let mut sink = Sink { lines: &mut self.buffer, alerts: &mut self.alerts };
        if let Some(laws) = &mut self.laws {
            laws.see(record);
        }
        let command =
            self.commands.as_mut().and_then(|commands| commands.window(record, &mut sink));
        if let Some(detector) = &mut self.detector {
            let verdict = detector.judge(record);
            let command = command.filter(|command| command.score > verdict.judgement.score);
            let window = (command.is_some() || self.laws.is_some()).then(|| {
                let device: Arc<str> = record.device.to_string().into();
                let mut window = ScoredWindow::of_verdict(device, record, &verdict);
                if let Some(command) = &command {
                    window.join(command);
                    window.detector = ENSEMBLE;
                }
                window
            });
            let score = window.as_ref().map_or(verdict.judgement.score, |window| window.score);
            let append = |out: &mut Vec<u8>| match (&command, &window) {
                (Some(_), Some(joined)) => joined.append_line(out),
                _ => append_verdict(out, record, &verdict),
            };
            match (&mut self.laws, &window) {
                (Some(laws), Some(window)) => {
                    let mut line = Vec::new();
                    append(&mut line);
                    laws.hold(record, Held { line, window: window.clone() }, &mut sink);
                }
                _ => {
                    append(sink.lines);
                    if score > 1.0 {
                        sink.alerts.count(record.device, record.start_us, score);
                    }
                }
            }
        }
        for (_, judge, written) in &mut self.judges {
            let Some(window) = judge.judge(record) else { continue };
            if window.alert {
                self.alerts.count(record.device, record.start_us, window.score);
            }
            window.append_line(&mut self.buffer);
            *written += 1;
        }
        self.write_if_full();
    }

    fn write_if_full(&mut self) {
        if self.buffer.len() >= WRITE_BYTES && self.written.is_ok() {
            self.written = self.lines.write_all(&self.buffer);
            self.buffer.clear();
        }
    }

    /// What became of the writing so far; an error is told once.
    pub(super) fn written(&mut self) -> std::io::Result<()> {
        std::mem::replace(&mut self.written, Ok(()))
    }

    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        let mut sink = Sink { lines: &mut self.buffer, alerts: &mut self.alerts };
        if let Some(commands) = &mut self.commands {
            commands.close(i64::MAX, &mut sink);
        }
        if let Some(laws) = &mut self.laws {
            laws.finish(&mut sink);
        }
        self.written()?;
        self.lines.write_all(&self.buffer)?;
        self.lines.flush()
    }

    pub(super) fn summary(
        self,
        capture: CaptureSummary,
        signed_by: Option<String>,
    ) -> ScoreSummary {
        let shipped = self.detector.is_some();
        let judged = self.detector.map(|detector| detector.stats()).unwrap_or_default();
        let counts = self.laws.as_ref().map(LawSide::counts);
        let alone = counts.map_or(0, |counts| counts.alone);
        let joint = judged.own + judged.pooled + judged.without_model + alone;
        let shipped = shipped.then(|| (ENSEMBLE.to_owned(), joint));
        let commands = self.commands.filter(|commands| commands.own);
        let commands = commands.map(|commands| (COMMANDS.to_owned(), commands.written));
        let laws = self.laws.iter().flat_map(LawSide::written);
        let laws = laws.map(|(name, written)| (name.to_owned(), written));
        let singles = self.judges.iter().map(|(name, _, written)| ((*name).to_owned(), *written));
        ScoreSummary {
            capture,
            judged,
            detectors: shipped.into_iter().chain(commands).chain(laws).chain(singles).collect(),
            laws: counts,
            signed_by,
            alerts: self.alerts.total,
            devices: self.alerts.named(),
        }
    }
}
