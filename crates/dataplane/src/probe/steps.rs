//! What a probe does over and over, and at its end.

use std::io::{self, Write};
use std::time::Duration;

use ports::edge::{self, FromEdge};
use protocols::packet::LinkType;

use super::{FolderIntake, Intake, Probe, ProbeSummary, Report};
use crate::capture::Filter;
use crate::folder::{FolderFrame, Taken, Told};
use crate::watch::Watch;
use crate::{EdgeError, clock};

/// How long the probe sleeps at most when nothing comes.
const IDLE: Duration = Duration::from_millis(100);
/// How often the kernel is asked what it dropped.
const DROPS_EVERY: Duration = Duration::from_millis(200);
/// How long a probe that ends waits for the node to take what is left.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(5);
/// How many times what waits in the socket of flow export is taken at the end.
const LAST_TURNS: u32 = 64;
/// How often it is noted how far a folder is told.
const KEEP_EVERY: Duration = Duration::from_millis(200);
/// And how many times as long as it took last: the state of 100,000 captures is long.
const KEEP_SHARE: u32 = 10;

impl Probe {
    /// Takes what is there; true when there was nothing.
    pub(super) fn step(&mut self) -> Result<bool, EdgeError> {
        let watch = &mut self.watch;
        let idle = match &mut self.intake {
            Intake::Live(live) => {
                let taken = live.take(|frame| {
                    let (at, bytes) = (frame.arrival_ns, frame.bytes);
                    watch.frame(at, LinkType::ETHERNET, bytes, frame.wire_len, true);
                });
                if !taken {
                    // Frames up to one idle span ago have all been handed on.
                    watch.advance(clock::realtime_ns() - IDLE.as_nanos() as i64);
                    live.wait(IDLE)?;
                }
                !taken
            }
            Intake::Folder(_) if self.outbox.full() => {
                std::thread::sleep(IDLE / 4);
                false
            }
            Intake::Folder(intake) => {
                let taken = intake.read(&self.filter, watch);
                if taken == Taken::Nothing {
                    std::thread::sleep(IDLE);
                }
                taken == Taken::Nothing
            }
            Intake::Flows(flows) => {
                let taken = flows.take()?;
                if let Some((records, complete_us)) = flows.ready() {
                    watch.windows(records, complete_us);
                }
                if !taken {
                    std::thread::sleep(IDLE / 10);
                }
                !taken
            }
        };
        self.watch.settle();
        self.deliver()?;
        self.keep(KEEP_EVERY)?;
        self.tell_drops()?;
        Ok(idle)
    }

    /// Notes how far a folder is told, at most every so often. A source that is always ahead of the
    /// node has always something on the way: what was handed over at one moment is noted when the
    /// node has taken it.
    fn keep(&mut self, every: Duration) -> Result<(), EdgeError> {
        let Intake::Folder(intake) = &mut self.intake else { return Ok(()) };
        let now = clock::monotonic();
        let every = if every.is_zero() { every } else { every.max(intake.kept_in * KEEP_SHARE) };
        let due = now.saturating_sub(intake.kept_at) >= every;
        let known = !intake.folder.is_resuming();
        if intake.next.is_none() && due && known && self.watch.all_told() {
            let ((epoch, next_seq), closed_us) =
                (self.outbox.position(), self.watch.open_since_us());
            let told = Told { closed_us, epoch, next_seq, out_bytes: None };
            intake.next = Some((intake.marks.first(), told));
        }
        let taken = |(_, told): &mut (_, Told)| self.outbox.is_acked_before(told.next_seq);
        let Some((first, mut told)) = intake.next.take_if(taken) else { return Ok(()) };
        if let (Report::File(file), true) = (&mut self.report, intake.folder.is_kept()) {
            // All that was handed over is in the file at once, and nothing more.
            let failed = EdgeError::system::<io::Error>;
            file.flush().map_err(failed("writing the windows"))?;
            file.get_ref().sync_data().map_err(failed("writing the windows"))?;
            let length = file.get_ref().metadata().map_err(failed("writing the windows"))?.len();
            told.out_bytes = Some(length);
        }
        intake.folder.keep(first, told)?;
        intake.kept_at = clock::monotonic();
        intake.kept_in = intake.kept_at.saturating_sub(now);
        Ok(())
    }

    pub(super) fn intake_done(&self) -> bool {
        matches!(&self.intake, Intake::Folder(intake) if intake.folder.done())
    }

    /// Without a node, the windows go where they were asked to.
    fn deliver(&mut self) -> Result<(), EdgeError> {
        if matches!(self.report, Report::Node(_)) {
            return Ok(());
        }
        while let Some(mut frame) = self.outbox.next(Duration::ZERO) {
            let Ok(Some(FromEdge::Windows(batch))) = edge::decode::<FromEdge>(&mut frame) else {
                continue;
            };
            if let (Report::File(file), Some(records)) =
                (&mut self.report, batch.records.as_array())
            {
                for record in records {
                    writeln!(file, "{record}").map_err(EdgeError::system("writing the windows"))?;
                }
            }
            self.outbox.ack(batch.epoch, batch.seq);
        }
        Ok(())
    }

    fn tell_drops(&mut self) -> Result<(), EdgeError> {
        let now = clock::monotonic();
        if self.health.is_due(now) {
            let trouble = self.trouble()?;
            self.health.tell(&trouble);
        }
        if let (Intake::Live(live), Report::Node(helpers)) = (&mut self.intake, &self.report)
            && now.saturating_sub(self.drops_read_at) >= DROPS_EVERY
        {
            self.drops_read_at = now;
            let counts = live.counts()?;
            helpers.shared.capture_dropped(counts.dropped + counts.interface_dropped);
            if let Some(at) = self.watch.at() {
                helpers.shared.reached(at);
            }
        }
        Ok(())
    }

    /// What was counted and should not be, by name.
    fn trouble(&mut self) -> Result<Vec<(&'static str, u64)>, EdgeError> {
        let watch = self.watch.stats();
        let mut trouble = vec![
            ("frames undecodable", watch.undecodable),
            ("windows refused by a full outbox", watch.refused),
            ("packets of devices beyond the bound", watch.devices_refused),
            ("steps of the packets' clock", watch.clock_steps),
            ("operations untold", watch.operations_untold),
        ];
        match &mut self.intake {
            Intake::Live(live) => {
                let counts = live.counts()?;
                trouble.extend([
                    ("frames dropped: the ring was full", counts.dropped),
                    ("frames dropped by the interface", counts.interface_dropped),
                    ("interruptions of the interface", counts.interruptions),
                ]);
            }
            Intake::Folder(intake) => {
                let counts = intake.folder.counts();
                trouble.extend([
                    ("captures damaged", counts.damaged),
                    ("captures gone before they were read", counts.gone),
                    ("files beyond the bound", counts.beyond),
                    ("looks at the folder that failed", counts.unreadable),
                ]);
            }
            Intake::Flows(flows) => {
                let counts = flows.counts();
                trouble.extend([
                    ("datagrams malformed", counts.read.malformed),
                    ("sets without their template", counts.read.without_template),
                    ("templates refused", counts.read.templates_refused),
                    ("flows lost", counts.read.lost),
                    ("datagrams lost", counts.read.lost_datagrams),
                    ("restarts of exporters", counts.read.restarts),
                    ("flows ahead of their export", counts.read.ahead_of_export),
                    ("flows late", counts.late),
                    ("windows closed early", counts.windows_closed_early),
                ]);
            }
        }
        Ok(trouble)
    }

    pub(super) fn end(mut self) -> Result<ProbeSummary, EdgeError> {
        let mut summary = ProbeSummary::default();
        let done = self.intake_done();
        let watch = &mut self.watch;
        match &mut self.intake {
            Intake::Live(live) => {
                summary.capture = Some(live.finish(|frame| {
                    let (at, bytes) = (frame.arrival_ns, frame.bytes);
                    watch.frame(at, LinkType::ETHERNET, bytes, frame.wire_len, true);
                })?);
                watch.finish();
            }
            // What is open is told after the next start, together with what comes then.
            Intake::Folder(intake) if intake.folder.is_kept() && !done => watch.tell_all(),
            Intake::Folder(intake) => {
                intake.marks.clear();
                watch.finish();
            }
            Intake::Flows(flows) => {
                // What has arrived and waits in the socket; more may come for ever.
                let mut turns = 0..LAST_TURNS;
                while turns.next().is_some() && flows.take()? {}
                let (records, end_us) = flows.finish();
                if let Some(end_us) = end_us {
                    watch.windows(records, end_us);
                }
                summary.flows = Some(flows.counts());
                watch.finish();
            }
        }
        self.deliver()?;
        summary.watch = self.watch.stats();
        let until = clock::monotonic() + LAST_WORDS_WITHIN;
        while self.outbox.unacked().0 > 0 && clock::monotonic() < until {
            std::thread::sleep(IDLE / 4);
        }
        let left = self.outbox.unacked();
        if left.0 > 0 {
            tracing::warn!(batches = left.0, packets = left.1, "the node did not take these");
        }
        // What was on the way, and what came after it.
        self.keep(Duration::ZERO)?;
        self.keep(Duration::ZERO)?;
        if let Intake::Folder(intake) = &self.intake {
            summary.folder = Some(intake.folder.counts());
        }
        match self.report {
            Report::Node(helpers) => helpers.end(),
            Report::File(mut file) => {
                file.flush().map_err(EdgeError::system("writing the windows"))?;
            }
            Report::Nobody => {}
        }
        Ok(summary)
    }
}

impl FolderIntake {
    /// Hands the next frames of the folder to the windows.
    fn read(&mut self, filter: &Filter, watch: &mut Watch) -> Taken {
        let marks = &mut self.marks;
        let taken = self.folder.read(|FolderFrame { frame, place, fresh }| {
            if filter.passes(frame.captured, frame.wire_len) {
                if fresh {
                    marks.note(frame.ts_ns, place);
                }
                watch.quiet(!fresh);
                watch.frame(frame.ts_ns, frame.link, frame.captured, frame.wire_len, true);
                if let Some(since_us) = watch.open_since_us() {
                    marks.close_before(since_us);
                }
            }
        });
        if taken == Taken::Capture {
            watch.tell_all();
        }
        taken
    }
}
