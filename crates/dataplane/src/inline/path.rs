//! The way of a packet from the kernel's queue through the judge back to the kernel.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::time::TimeSpec;
use ports::edge::{Judging, Mode, Reason};

use super::cost::{Load, Mean, Mitigating, spacing_ns};
use super::devices::Neighbours;
use super::{
    Device, InlineSettings, LOOKED_AT_BYTES, MAX_WAITING, MAX_WAITING_BYTES, Packet, Scorer,
    install,
};
use crate::clock;
use crate::enforce::Shared;
use crate::nfqueue::{self, Heard, Queued, Verdicts};
use crate::nft::Form;
use crate::shaping::{Forwarder, Next};
use crate::sys::many::{self, MANY};

/// Bytes of one message: a packet, and what the kernel says about it.
const SLOT_BYTES: usize = LOOKED_AT_BYTES + 1_025;
/// How long the path sleeps at most, and how often it asks what has changed: mode, suspects, what was shed.
const IDLE: Duration = Duration::from_millis(100);
/// Packets that are handed on before the queue is looked at again, and for how long at most.
const RUN: usize = 256;
const RUN_NS: u64 = 1_000_000;
/// A judge that is quicker is not made to wait: putting a packet aside would cost more.
const LEAST_SPACING_NS: u64 = 10_000;
/// Fewest packets that may wait: what one call brings.
const LEAST_WAITING: usize = MANY;
/// Buffers kept for packets that wait.
const SPARE_BUFFERS: usize = 1_024;
/// Bytes of a link header, which the queue does not show and the table counts.
const LINK_HEADER_BYTES: u64 = 14;

/// Where the gateway stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) form: Form,
    /// The interface on the device side.
    pub(super) device_port: u32,
}

/// What is known of a packet while it waits.
#[derive(Clone, Copy, Debug)]
struct About {
    id: u32,
    device: Option<Device>,
    from_device: bool,
    length: u32,
}

struct Waiting {
    about: About,
    came_ns: u64,
    bytes: Vec<u8>,
}

/// The path of one queue.
pub(super) struct Path {
    socket: OwnedFd,
    place: Place,
    queue: u16,
    wait_ns: u64,
    spend_ns: u64,
    scorer: Box<dyn Scorer>,
    shared: Arc<Shared>,
    mode: Mode,
    verdicts: Verdicts,
    forwarder: Forwarder<Waiting>,
    waiting_bytes: usize,
    spare: Vec<Vec<u8>>,
    neighbours: Neighbours,
    mitigating: Mitigating,
    judging: Mean,
    besides: Mean,
    /// Time from one packet handed on to the next while some wait, and when the last one was.
    apart: Mean,
    handed_ns: Option<u64>,
    judged: u64,
    /// When the path last looked at the clock.
    now_ns: u64,
    asked_at: Duration,
}

fn now_ns() -> u64 {
    u64::try_from(clock::monotonic().as_nanos()).unwrap_or(u64::MAX)
}

/// Sends a request and waits for its answer.
fn request(socket: &OwnedFd, queue: u16, text: &[u8]) -> io::Result<()> {
    send(socket.as_raw_fd(), text, MsgFlags::empty())?;
    let (mut buffer, mut lengths) = (vec![0; SLOT_BYTES], [0; MANY]);
    for _ in 0..MANY {
        wait(socket, IDLE)?;
        if many::receive_many(socket.as_fd(), &mut buffer, SLOT_BYTES, &mut lengths)? == 0 {
            continue;
        }
        let (mut answer, mut early) = (None, Verdicts::new(queue));
        nfqueue::read(&buffer[..lengths[0]], |heard| match heard {
            Heard::Answer(error) => answer = Some(error),
            // The rule of an earlier process sends them already.
            Heard::Packet(packet) => early.pass(packet.id),
        });
        if let Some(text) = early.take() {
            send(socket.as_raw_fd(), text, MsgFlags::empty())?;
        }
        match answer {
            Some(0) => return Ok(()),
            Some(error) => return Err(io::Error::from_raw_os_error(error)),
            None => {}
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the kernel does not answer"))
}

fn wait(socket: &OwnedFd, longest: Duration) -> io::Result<()> {
    let mut polled = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    match ppoll(&mut polled, Some(TimeSpec::from_duration(longest)), None) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn load(forwarder: &Forwarder<Waiting>, shared: &Shared, packet_ns: u64) -> Load {
    Load {
        now_ns: now_ns(),
        waiting: forwarder.waiting(),
        limit: forwarder.limit(),
        shed: shared.inline.shed(),
        packet_ns,
    }
}

impl Path {
    pub(super) fn open(
        settings: &InlineSettings,
        place: Place,
        scorer: Box<dyn Scorer>,
        shared: Arc<Shared>,
    ) -> io::Result<Self> {
        let socket = many::open_netfilter()?;
        let queue = settings.queue;
        for text in nfqueue::opening(queue, LOOKED_AT_BYTES as u32, MAX_WAITING) {
            request(&socket, queue, &text)?;
        }
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Ok(Self {
            socket,
            place,
            queue,
            wait_ns: nanoseconds(settings.wait),
            spend_ns: nanoseconds(settings.spend),
            scorer,
            shared,
            mode: Mode::Enforce,
            verdicts: Verdicts::new(queue),
            forwarder: Forwarder::new(LEAST_WAITING, 0),
            waiting_bytes: 0,
            spare: Vec::new(),
            neighbours: Neighbours::default(),
            mitigating: Mitigating::new(settings.flood_window, settings.flood_loss),
            judging: Mean::default(),
            besides: Mean::default(),
            apart: Mean::default(),
            handed_ns: None,
            judged: 0,
            now_ns: 0,
            asked_at: Duration::ZERO,
        })
    }

    /// Judges until it is told to stop.
    pub(super) fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let (mut buffer, mut lengths) = (vec![0; MANY * SLOT_BYTES], [0; MANY]);
        while !stop.load(Ordering::Relaxed) {
            self.ask()?;
            let begun = now_ns();
            self.now_ns = begun;
            let (mut spent, judged) = (0, self.judged);
            let came =
                many::receive_many(self.socket.as_fd(), &mut buffer, SLOT_BYTES, &mut lengths)?;
            for (slot, length) in buffer.chunks_exact(SLOT_BYTES).zip(lengths).take(came) {
                nfqueue::read(&slot[..length], |heard| {
                    // What the kernel answers to a verdict: the packet is gone already.
                    if let Heard::Packet(packet) = heard {
                        spent += self.came(&packet);
                    }
                });
            }
            spent += self.hand_on();
            self.send()?;
            if came > 0 || self.judged > judged {
                let whole = now_ns().saturating_sub(begun);
                let packets = (came as u64).max(self.judged - judged).max(1);
                self.besides.took(whole.saturating_sub(spent) / packets);
            }
            if came == 0 {
                self.rest()?;
            }
        }
        Ok(())
    }

    /// Nothing has come: sleeps until something does or the next packet is due.
    fn rest(&self) -> io::Result<()> {
        let longest = match self.forwarder.due_ns() {
            Some(due) => Duration::from_nanos(due.saturating_sub(now_ns())).min(IDLE),
            None => IDLE,
        };
        if longest.is_zero() { Ok(()) } else { wait(&self.socket, longest) }
    }

    /// Now and then: the mode, what the kernel shed, how long the queue may be.
    fn ask(&mut self) -> io::Result<()> {
        let now = clock::monotonic();
        if now.saturating_sub(self.asked_at) < IDLE {
            return Ok(());
        }
        self.asked_at = now;
        let mode = self.shared.mode();
        if mode != self.mode {
            self.mode = mode;
            // Where nothing is to be dropped, a full queue is no reason either.
            let text = nfqueue::fail_open(self.queue, mode != Mode::Enforce);
            send(self.socket.as_raw_fd(), &text, MsgFlags::empty())?;
        }
        if let Some(shed) = install::shed_by_kernel(self.queue) {
            self.shared.inline.set_shed_by_kernel(shed);
        }
        let load = load(&self.forwarder, &self.shared, self.packet_ns());
        self.mitigating.look(&load);
        let suspects = self.shared.inline.suspects();
        self.scorer.suspects(&suspects, load.now_ns);
        let (flood, floods, batch) = self.mitigating.state();
        self.shared.inline.set_judging(Judging {
            judged: self.judged,
            packet_ns: load.packet_ns,
            waiting: u32::try_from(load.waiting).unwrap_or(u32::MAX),
            may_wait: u32::try_from(load.limit).unwrap_or(u32::MAX),
            flood,
            floods,
            batch,
            suspects: u32::try_from(suspects.len()).unwrap_or(u32::MAX),
        });
        Ok(())
    }

    const fn packet_ns(&self) -> u64 {
        self.judging.ns() + self.besides.ns()
    }

    /// A packet has come: it is judged, or waits, or is dropped. Gives the nanoseconds spent on judging.
    fn came(&mut self, packet: &Queued<'_>) -> u64 {
        let from_device = packet.from == self.place.device_port;
        if !from_device && packet.to != self.place.device_port {
            // Neither from nor to the device side: none of ours, as in the table.
            self.pass(packet.id);
            return 0;
        }
        let device = self.neighbours.device(self.place.form, from_device, packet);
        let about = About { id: packet.id, device, from_device, length: packet.length };
        let (forwarder, shared, packet_ns) = (&self.forwarder, &self.shared, self.packet_ns());
        let load = || load(forwarder, shared, packet_ns);
        if self.mitigating.came((from_device, device), load) == Next::Drop {
            self.give(about, Reason::Shaping);
            return 0;
        }
        if self.forwarder.at_once(self.now_ns) {
            return self.judge(about, packet.bytes);
        }
        // A flood takes no more than half of the places, so that others still find one.
        let crowded = self.forwarder.waiting() * 2 >= self.forwarder.limit()
            && self.mitigating.floods((from_device, device));
        if crowded || self.waiting_bytes + packet.bytes.len() > MAX_WAITING_BYTES {
            self.give(about, Reason::Shaping);
            return 0;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.extend_from_slice(packet.bytes);
        match self.forwarder.push(Waiting { about, came_ns: self.now_ns, bytes }) {
            Ok(()) => self.waiting_bytes += packet.bytes.len(),
            Err(shed) => {
                self.keep(shed.bytes);
                self.give(about, Reason::Shaping);
            }
        }
        0
    }

    /// Hands on what is due.
    fn hand_on(&mut self) -> u64 {
        self.now_ns = now_ns();
        let (begun, mut spent) = (self.now_ns, 0);
        for _ in 0..RUN {
            let Some(Waiting { about, came_ns, bytes }) = self.forwarder.release(self.now_ns)
            else {
                break;
            };
            self.waiting_bytes -= bytes.len();
            if self.now_ns.saturating_sub(came_ns) > self.wait_ns.saturating_mul(2) {
                // This process had to stand still meanwhile: late is as bad as lost, for all behind it too.
                self.give(about, Reason::Shaping);
            } else {
                spent += self.judge(about, &bytes);
                if let Some(before) = self.handed_ns.replace(self.now_ns) {
                    self.apart.took(self.now_ns.saturating_sub(before));
                }
            }
            self.keep(bytes);
            if self.now_ns.saturating_sub(begun) > RUN_NS {
                break;
            }
        }
        if self.forwarder.waiting() == 0 {
            self.handed_ns = None;
        }
        spent
    }

    fn keep(&mut self, mut bytes: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    /// Judges a packet; gives the nanoseconds that took.
    fn judge(&mut self, about: About, bytes: &[u8]) -> u64 {
        let begun = now_ns();
        let About { device, from_device, .. } = about;
        let passes = self.scorer.passes(&Packet { device, from_device, now_ns: begun, bytes });
        self.now_ns = now_ns();
        while self.now_ns.saturating_sub(begun) < self.spend_ns {
            std::hint::spin_loop();
            self.now_ns = now_ns();
        }
        let spent = self.now_ns.saturating_sub(begun);
        self.judging.took(spent);
        self.adjust();
        self.judged += 1;
        // All before it have their verdict: what waits, waits in order.
        if passes {
            self.verdicts.pass_up_to(about.id);
        } else {
            self.give(about, Reason::Verdict);
        }
        spent
    }

    /// No packet is to wait longer than the settings say.
    fn adjust(&mut self) {
        let spacing = spacing_ns(self.judging.ns());
        let apart = spacing.max(self.apart.ns()).max(1);
        let limit = usize::try_from(self.wait_ns / apart).unwrap_or(usize::MAX);
        let spacing = if spacing < LEAST_SPACING_NS { 0 } else { spacing };
        self.forwarder.adjust(limit.clamp(LEAST_WAITING, MAX_WAITING as usize), spacing);
    }

    /// Gives the verdict that the mode makes of a packet that should not pass.
    fn give(&mut self, about: About, reason: Reason) {
        let really = self.mode == Mode::Enforce;
        if self.mode != Mode::Watch {
            let bytes = u64::from(about.length) + LINK_HEADER_BYTES;
            self.shared.inline.dropped(reason, about.device, bytes, really);
        }
        if really {
            self.verdicts.drop(about.id);
        } else {
            self.pass(about.id);
        }
    }

    /// While others wait, the verdict on a run would reach them too.
    fn pass(&mut self, id: u32) {
        if self.forwarder.waiting() == 0 {
            self.verdicts.pass_up_to(id);
        } else {
            self.verdicts.pass(id);
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if let Some(text) = self.verdicts.take() {
            match send(self.socket.as_raw_fd(), text, MsgFlags::empty()) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.verdicts.clear();
        Ok(())
    }
}
