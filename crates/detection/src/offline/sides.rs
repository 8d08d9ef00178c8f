//! Judges that stand beside the windows of counts: commands to machines, and the laws of GOOSE and
//! MMS. What they say of a window is joined into the row of its device, and told in rows of their own
//! where they are asked for by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use analytics::commands::CommandModel;
use analytics::host::Host;
use analytics::laws::LawWindow;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use protocols::flow::Sighting;

use super::laws::{LawWatch, Speakers, scored};
use super::operations::{self, CommandWatch};
use super::score::{Alerts, LawsScored};
use super::scored::ScoredWindow;
use super::singles::Names;
use super::store::ENSEMBLE;
use crate::laws::memory::{LawModel, Protocol};

/// Windows that may wait for what belongs to them; the oldest are given up beyond it.
const MAX_WAITING: usize = 65_536;

/// Where lines and alerts go.
pub(super) struct Sink<'a> {
    pub(super) lines: &'a mut Vec<u8>,
    pub(super) alerts: &'a mut Alerts,
}

impl Sink<'_> {
    /// Writes a row of a detector that was asked for by itself.
    fn own_row(&mut self, device: Host, row: &ScoredWindow) {
        row.append_line(self.lines);
        if row.alert {
            self.alerts.count(device, row.start_us, row.score);
        }
    }
}

/// Commands to machines, beside the windows.
pub(super) struct CommandSide {
    watch: CommandWatch,
    names: Names,
    /// Ended windows that wait for the record of the same device and time.
    waiting: BTreeMap<(i64, Host), ScoredWindow>,
    /// Whether the detector is asked for by itself, with lines of its own.
    pub(super) own: bool,
    pub(super) written: u64,
}

impl CommandSide {
    pub(super) fn new(model: CommandModel, window_us: i64, own: bool) -> Self {
        Self {
            watch: CommandWatch::new(Arc::new(model), window_us),
            names: Names::default(),
            waiting: BTreeMap::new(),
            own,
            written: 0,
        }
    }

    /// Takes a message between machines.
    pub(super) fn message(&mut self, sighting: &Sighting<'_>) {
        self.watch.message(sighting);
    }

    /// Takes over the windows that ended before a time.
    pub(super) fn close(&mut self, until_us: i64, sink: &mut Sink<'_>) {
        for window in self.watch.close_before(until_us) {
            let line = operations::scored(self.names.of(window.device), &window);
            if self.own {
                sink.own_row(window.device, &line);
                self.written += 1;
            }
            if self.waiting.len() >= MAX_WAITING {
                self.waiting.pop_first();
            }
            self.waiting.insert((window.start_us, window.device), line);
        }
    }

    /// What the commands of a record's device say of its window.
    pub(super) fn window(
        &mut self,
        record: &WindowRecord,
        sink: &mut Sink<'_>,
    ) -> Option<ScoredWindow> {
        self.close(record.end_us, sink);
        self.waiting.remove(&(record.start_us, record.device))
    }
}

/// A row that waits until the laws of its window are judged.
pub(super) struct Held {
    /// The line as it is without them, with its line feed.
    pub(super) line: Vec<u8>,
    pub(super) window: ScoredWindow,
}

/// The laws of GOOSE and MMS, beside the windows.
pub(super) struct LawSide {
    watch: LawWatch,
    names: Names,
    speakers: Speakers,
    /// Whether the joint detector waits for them.
    joined: bool,
    /// Protocols that are asked for by themselves, with the lines written.
    own: Vec<(Protocol, u64)>,
    /// What laws say of windows whose row waits.
    laws: BTreeMap<(i64, Host), ScoredWindow>,
    held: BTreeMap<(i64, Host), Vec<Held>>,
    held_count: usize,
    /// Rows of the joint detector that exist by laws alone.
    alone: u64,
}

impl LawSide {
    pub(super) fn new(
        models: Vec<LawModel>,
        window_us: i64,
        policy: DevicePolicy,
        (joined, own): (bool, Vec<Protocol>),
    ) -> Self {
        Self {
            watch: LawWatch::new(models, window_us),
            names: Names::default(),
            speakers: Speakers::new(policy),
            joined,
            own: own.into_iter().map(|protocol| (protocol, 0)).collect(),
            laws: BTreeMap::new(),
            held: BTreeMap::new(),
            held_count: 0,
            alone: 0,
        }
    }

    /// Takes a message between machines.
    pub(super) fn message(&mut self, sighting: &Sighting<'_>) {
        self.speakers.hear(sighting);
        self.watch.message(sighting);
    }

    /// Learns whose MAC address is whose.
    pub(super) fn see(&mut self, record: &WindowRecord) {
        self.speakers.see(record);
    }

    /// Keeps a row of the joint detector until the laws of its window are judged.
    pub(super) fn hold(&mut self, record: &WindowRecord, held: Held, sink: &mut Sink<'_>) {
        if self.held_count >= MAX_WAITING
            && let Some(((start_us, device), rows)) = self.held.pop_first()
        {
            self.held_count -= rows.len();
            self.write((start_us, device), rows, None, sink);
        }
        self.held_count += 1;
        self.held.entry((record.start_us, record.device)).or_default().push(held);
    }

    /// A frame of this time is read, and every record that was ready is held.
    pub(super) fn time(&mut self, ts_us: i64, sink: &mut Sink<'_>) {
        let mut told = Vec::new();
        let mut put = |model: &LawModel, window: &LawWindow| {
            told.push((model.clone(), window.clone()));
        };
        let Some(until_us) = self.watch.time(ts_us, &mut put) else { return };
        told.iter().for_each(|(model, window)| self.told(model, window, sink));
        self.release(until_us, sink);
    }

    /// The capture ends, and every record is held.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) {
        let mut told = Vec::new();
        self.watch.finish(&mut |model, window| told.push((model.clone(), window.clone())));
        told.iter().for_each(|(model, window)| self.told(model, window, sink));
        self.release(i64::MAX, sink);
    }

    fn told(&mut self, model: &LawModel, window: &LawWindow, sink: &mut Sink<'_>) {
        let device = self.speakers.device(window.device);
        let row = scored(self.names.of(device), window, model);
        // Whoever is no device gets a row where he breaks a law.
        if !row.alert && !self.speakers.is_device(device) {
            return;
        }
        if let Some((_, written)) = self.own.iter_mut().find(|own| own.0 == model.protocol()) {
            sink.own_row(device, &row);
            *written += 1;
        }
        if !self.joined {
            return;
        }
        match self.laws.get_mut(&(row.start_us, device)) {
            Some(known) => known.join(&row),
            None => {
                self.laws.insert((row.start_us, device), row);
            }
        }
    }

    /// Writes every row whose window ended by a time, in the order of time.
    fn release(&mut self, until_us: i64, sink: &mut Sink<'_>) {
        loop {
            let held = self.held.first_key_value().map(|(key, rows)| {
                (*key, rows.first().map_or(i64::MIN, |held| held.window.end_us))
            });
            let law = self.laws.first_key_value().map(|(key, law)| (*key, law.end_us));
            let next = match (held, law) {
                (Some(held), Some(law)) => held.min(law),
                (held, law) => match held.or(law) {
                    Some(next) => next,
                    None => return,
                },
            };
            let (key, end_us) = next;
            if end_us > until_us {
                return;
            }
            let rows = self.held.remove(&key).unwrap_or_default();
            self.held_count -= rows.len();
            let law = self.laws.remove(&key);
            self.write(key, rows, law, sink);
        }
    }

    fn write(
        &mut self,
        (start_us, device): (i64, Host),
        rows: Vec<Held>,
        law: Option<ScoredWindow>,
        sink: &mut Sink<'_>,
    ) {
        if rows.is_empty() {
            // Nothing that is counted was sent.
            let Some(law) = law else { return };
            self.alone += 1;
            sink.own_row(device, &ScoredWindow { detector: ENSEMBLE, ..law });
            return;
        }
        let mut law = law;
        for mut held in rows {
            // A clock that was set back gives a window twice: one of them is joined.
            let stronger = law.take().filter(|law| law.score > held.window.score);
            match stronger {
                Some(law) => {
                    held.window.join(&law);
                    held.window.detector = ENSEMBLE;
                    held.window.append_line(sink.lines);
                }
                None => sink.lines.extend_from_slice(&held.line),
            }
            if held.window.score > 1.0 {
                sink.alerts.count(device, start_us, held.window.score);
            }
        }
    }

    /// Lines written by protocol, for those asked for.
    pub(super) fn written(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.own.iter().map(|(protocol, written)| (protocol.word(), *written))
    }

    /// What was done.
    pub(super) fn counts(&self) -> LawsScored {
        LawsScored { alone: self.alone, untold: self.watch.untold(), late: self.watch.late() }
    }
}
