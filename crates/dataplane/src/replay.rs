//! Sends the frames of recorded captures in order, faster than real time, under control.
//!
//! The replay knows nothing of where frames go: a [`Lane`] takes them, through a real gateway or
//! straight into the windows.

mod pace;

use std::path::PathBuf;
use std::time::Duration;

use model::Timestamp;
use ports::edge::{ReplayControl, SourceState};
use protocols::capture::Frame;

use crate::captures::{self, Summary};
use crate::{EdgeError, clock};
use pace::{Pace, PaceChange};

pub use pace::{LONGEST_WAIT, SPEEDS};

/// How often the state of the replay is told.
pub const STATE_EVERY: Duration = Duration::from_millis(250);
/// How often the packet time is told while no frame is due.
pub const TICK_EVERY: Duration = Duration::from_millis(50);

/// What is replayed and how fast.
#[derive(Clone, Debug)]
pub struct ReplaySettings {
    /// Captures in order; where there are several, the first is the training time.
    pub captures: Vec<PathBuf>,
    /// How many times faster than real time, within [`SPEEDS`].
    pub speed: f64,
    /// Speed of the first capture, where it differs.
    pub train_speed: Option<f64>,
    /// The capture's name and credit, for people.
    pub credit: String,
}

/// What the replay can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// By a person.
    Control(ReplayControl),
    /// By the gateway: stand still (true) while nothing more can be kept, go on (false).
    Hold(bool),
    /// For good.
    Stop,
}

/// Takes the frames of a replay.
pub trait Lane {
    /// A new start from the first packet, under a number that grows.
    ///
    /// # Errors
    /// The lane is gone.
    fn started(&mut self, epoch: u64) -> Result<(), EdgeError>;
    /// One frame; `false` when it cannot be sent and was left out.
    ///
    /// # Errors
    /// The lane is gone.
    fn send(&mut self, frame: &Frame<'_>) -> Result<bool, EdgeError>;
    /// Packet time has come this far (nanoseconds) without a frame.
    ///
    /// # Errors
    /// The lane is gone.
    fn tick(&mut self, packet_ns: i64) -> Result<(), EdgeError>;
    /// Where the replay stands.
    ///
    /// # Errors
    /// The lane is gone.
    fn state(&mut self, state: &SourceState) -> Result<(), EdgeError>;
    /// All frames were sent.
    ///
    /// # Errors
    /// The lane is gone.
    fn finished(&mut self) -> Result<(), EdgeError>;
    /// Waits at most `wait` for a command.
    ///
    /// # Errors
    /// The lane is gone.
    fn command(&mut self, wait: Duration) -> Result<Option<Command>, EdgeError>;
}

/// Why a run through the captures ended.
enum Ended {
    Finished,
    Restart,
    Stop,
}

/// What to do about a command.
enum Go {
    On,
    Ended(Ended),
}

/// The replay.
#[derive(Debug)]
pub struct Replay {
    settings: ReplaySettings,
    pace: Pace,
    state: SourceState,
    left_out: u64,
    told_at: Duration,
    ticked_at: Duration,
}

impl Replay {
    /// A replay of captures whose span is known.
    ///
    /// # Errors
    /// A speed is out of bounds.
    pub fn new(settings: ReplaySettings, summary: &Summary) -> Result<Self, EdgeError> {
        let pace = Pace::new(settings.speed, settings.train_speed)?;
        let state = SourceState {
            start: Some(summary.start),
            end: Some(summary.end),
            total: summary.total,
            ..SourceState::default()
        };
        let none = Duration::ZERO;
        Ok(Self { settings, pace, state, left_out: 0, told_at: none, ticked_at: none })
    }

    /// Plays until told to stop; a finished replay waits for a restart.
    ///
    /// # Errors
    /// A capture cannot be opened or the lane is gone.
    pub fn run(&mut self, lane: &mut dyn Lane) -> Result<(), EdgeError> {
        loop {
            let wall_s = u64::try_from(clock::realtime_ns() / 1_000_000_000).unwrap_or(0);
            // Wall seconds grow over restarts of the edge; one more where two starts share one.
            self.state.epoch = wall_s.max(self.state.epoch + 1);
            (self.state.sent, self.state.at, self.state.finished) = (0, None, false);
            self.left_out = 0;
            self.pace.go_on();
            lane.started(self.state.epoch)?;
            let ended = match self.play(lane)? {
                Ended::Finished => self.rest(lane)?,
                ended => ended,
            };
            if matches!(ended, Ended::Stop) {
                return Ok(());
            }
        }
    }

    fn play(&mut self, lane: &mut dyn Lane) -> Result<Ended, EdgeError> {
        let several = self.settings.captures.len() > 1;
        for (place, path) in self.settings.captures.clone().iter().enumerate() {
            self.pace.training(several && place == 0);
            let mut stream = captures::open(path)?;
            while let Some(frame) = stream.next_frame() {
                let frame = match frame {
                    Ok(frame) => frame,
                    Err(error) => {
                        tracing::warn!(capture = %path.display(), %error, "capture ends early");
                        break;
                    }
                };
                if let Go::Ended(ended) = self.wait_for(frame.ts_ns, lane)? {
                    return Ok(ended);
                }
                if lane.send(&frame)? {
                    self.state.sent += 1;
                } else {
                    self.left_out += 1;
                }
                let at = Timestamp::from_nanos(frame.ts_ns);
                self.state.at = self.state.at.max(Some(at));
            }
        }
        lane.finished()?;
        self.state.finished = true;
        if self.left_out > 0 {
            tracing::warn!(packets = self.left_out, "packets that cannot be sent were left out");
        }
        self.tell(lane)?;
        Ok(Ended::Finished)
    }

    /// Waits until a frame is due, telling time and state, heeding commands.
    fn wait_for(&mut self, packet_ns: i64, lane: &mut dyn Lane) -> Result<Go, EdgeError> {
        self.pace.meet(packet_ns, clock::monotonic());
        // A frame that is due still lets one command through, so that no speed is beyond control.
        let mut wait = self.pace.wait(packet_ns, clock::monotonic()).min(TICK_EVERY);
        loop {
            if let Some(command) = lane.command(wait)?
                && let Go::Ended(ended) = self.obey(command)
            {
                return Ok(Go::Ended(ended));
            }
            let now = clock::monotonic();
            if now.saturating_sub(self.told_at) >= STATE_EVERY {
                self.tell(lane)?;
            }
            if !self.pace.stands() {
                wait = self.pace.wait(packet_ns, now);
                if wait.is_zero() {
                    return Ok(Go::On);
                }
                if now.saturating_sub(self.ticked_at) >= TICK_EVERY {
                    self.ticked_at = now;
                    lane.tick(self.pace.packet_time(now).min(packet_ns))?;
                }
            } else {
                wait = TICK_EVERY;
            }
            wait = wait.min(TICK_EVERY);
        }
    }

    /// After the last frame: keeps telling the state until there is a new start.
    fn rest(&mut self, lane: &mut dyn Lane) -> Result<Ended, EdgeError> {
        loop {
            if let Some(command) = lane.command(STATE_EVERY)?
                && let Go::Ended(ended) = self.obey(command)
            {
                return Ok(ended);
            }
            if clock::monotonic().saturating_sub(self.told_at) >= STATE_EVERY {
                self.tell(lane)?;
            }
        }
    }

    fn obey(&mut self, command: Command) -> Go {
        let change = match command {
            Command::Control(ReplayControl::Pause) => PaceChange::Pause(true),
            Command::Control(ReplayControl::Resume) => PaceChange::Pause(false),
            Command::Control(ReplayControl::Restart) => return Go::Ended(Ended::Restart),
            Command::Control(ReplayControl::Speed { factor }) => PaceChange::Speed(factor),
            Command::Hold(hold) => PaceChange::Hold(hold),
            Command::Stop => return Go::Ended(Ended::Stop),
        };
        self.told_at = Duration::ZERO;
        self.pace.change(clock::monotonic(), change);
        Go::On
    }

    fn tell(&mut self, lane: &mut dyn Lane) -> Result<(), EdgeError> {
        self.told_at = clock::monotonic();
        self.state.speed = self.pace.speed();
        self.state.paused = self.pace.paused();
        lane.state(&self.state)
    }
}
