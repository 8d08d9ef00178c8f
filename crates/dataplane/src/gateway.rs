//! The gateway between a device port and the rest: sees, counts, enforces.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ports::edge::{ReplayControl, Source};
use protocols::packet::LinkType;

use crate::enforce::{Arms, Ask, Book, Enforcement, Protected, Shared};
use crate::frame_time::FrameTimes;
use crate::inline::InlineSettings;
use crate::lane::{GatewaySays, LaneEnd, ReplayerSays, readable};
use crate::link::{Link, NodeAddress};
use crate::nft::{Form, NftTable, TablePlace};
use crate::outbox::Outbox;
use crate::prove::{PROBE_PORT, Prove, WireProver};
use crate::sys::{self, Received};
use crate::watch::{DeviceSide, Watch};
use crate::{EdgeError, clock, inline};

/// Orders and controls that may wait.
const MAX_WAITING: usize = 256;
/// How long the gateway sleeps at most when nothing comes.
const IDLE: Duration = Duration::from_millis(25);
/// Frames taken in a row before anything else is looked at.
const BURST: usize = 256;
/// Longest frame taken whole; longer ones keep their length and lose their end.
const MAX_FRAME_BYTES: usize = 65_535 + 64;
/// How often the kernel is asked what it dropped.
const DROPS_EVERY: Duration = Duration::from_millis(200);

/// Where a gateway stands.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// The node.
    pub node: NodeAddress,
    /// Bridge or router.
    pub form: Form,
    /// Interface on the device side; of a bridge, its port there.
    pub device_port: String,
    /// Interface on the other side.
    pub rest_port: String,
    /// How packets are judged one by one, where they are, with the file of patterns that none may hold.
    pub inline: Option<(Option<PathBuf>, InlineSettings)>,
    /// File that keeps policy and orders over a restart.
    pub state: Option<PathBuf>,
    /// Addresses that no order may cut off, besides this host's own and its default router's.
    pub protect: Vec<IpAddr>,
    /// The same by MAC address.
    pub protect_macs: Vec<[u8; 6]>,
    /// MAC addresses of the devices; empty: whoever sends on the device side.
    pub device_macs: Vec<[u8; 6]>,
    /// The capture's name and credit, when a replayer feeds this gateway.
    pub credit: Option<String>,
}

/// The threads beside the watch.
pub(crate) struct Helpers {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) controls: Receiver<ReplayControl>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Helpers {
    pub(crate) fn start(
        node: NodeAddress,
        source: Source,
        arms: Result<Arms, String>,
        outbox: Arc<Outbox>,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, EdgeError> {
        let shared = Arc::new(Shared::default());
        let (ask_to, asks): (SyncSender<Ask>, _) = sync_channel(MAX_WAITING);
        let (control_to, controls) = sync_channel(MAX_WAITING);
        let not_enforcing = arms.as_ref().err().cloned();
        let mut enforcement = Enforcement::new(arms, shared.clone());
        let link = Link {
            node,
            source,
            not_enforcing,
            outbox: outbox.clone(),
            asks: ask_to,
            controls: control_to,
            stop: stop.clone(),
        };
        let (link_stop, link_outbox) = (stop.clone(), outbox.clone());
        let enforcing = std::thread::Builder::new()
            .name("enforce".into())
            .spawn(move || enforcement.run(&asks, &link_outbox, &link_stop))
            .map_err(EdgeError::system("starting a thread"))?;
        let linking = std::thread::Builder::new()
            .name("link".into())
            .spawn(move || link.run())
            .map_err(EdgeError::system("starting a thread"))?;
        let (stop, threads) = (stop.clone(), vec![enforcing, linking]);
        Ok(Self { outbox, shared, controls, stop, threads })
    }

    /// Ends the threads.
    pub(crate) fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.outbox.wake();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the gateway ended badly");
            }
        }
    }
}

struct Ports {
    device: u32,
    rest: u32,
}

/// What is not yet told to the replayer.
#[derive(Default)]
struct Told {
    seen: u64,
    hold: bool,
    controls: Vec<ReplayControl>,
}

struct Gateway {
    capture: OwnedFd,
    ports: Ports,
    watch: Watch,
    helpers: Helpers,
    lane: Option<LaneEnd>,
    times: FrameTimes,
    tick: Option<i64>,
    seen: u64,
    dropped: u64,
    drops_read_at: Duration,
    told: Told,
    without_time: u64,
}

fn interface(name: &str) -> Result<u32, EdgeError> {
    nix::net::if_::if_nametoindex(name).map_err(|_| {
        EdgeError::Network(format!("there is no interface {name} here: see `ip link`"))
    })
}

/// Runs the gateway until `stop` is set or the replayer is gone.
///
/// # Errors
/// It cannot work here (no interface, no right to capture, no nft); with a replayer, that was told
/// before, so that the same loop can run from the file.
pub fn run(
    settings: GatewaySettings,
    lane: Option<OwnedFd>,
    stop: &Arc<AtomicBool>,
) -> Result<(), EdgeError> {
    let lane = lane.map(LaneEnd::new);
    match build(settings, stop) {
        Ok(mut gateway) => {
            gateway.lane = lane;
            if let Some(lane) = &gateway.lane {
                lane.say(&GatewaySays::Ready).map_err(EdgeError::system("the lane"))?;
            }
            let result = gateway.run(stop);
            gateway.helpers.end();
            match result {
                Err(EdgeError::Gone(who)) => {
                    tracing::info!("{who} has ended; so does the gateway");
                    Ok(())
                }
                result => result,
            }
        }
        Err(error) => {
            if let Some(lane) = lane {
                let _ = lane.say(&GatewaySays::Unable(error.to_string()));
            }
            Err(error)
        }
    }
}

/// Table, self-test, and what an earlier process left.
fn arms(settings: &GatewaySettings) -> Result<Arms, String> {
    let prover: Result<Box<dyn Prove>, String> = match settings.form {
        Form::Bridge => WireProver::on_bridge(&settings.device_port),
        Form::Router => WireProver::at_router(),
    }
    .map(|prover| Box::new(prover) as _);
    if let Err(reason) = &prover {
        tracing::warn!(reason, "blocks are read back, not proven by a frame");
    }
    let book = Book::open(settings.state.clone())?;
    let place = TablePlace {
        form: settings.form,
        device_port: settings.device_port.clone(),
        rest_port: settings.rest_port.clone(),
        probe_port: prover.is_ok().then(|| PROBE_PORT.to_owned()),
    };
    let (table, before) = NftTable::create(place, &book.policy)?;
    let mut protected = Protected::of_this_host();
    protected.add(&settings.protect, &settings.protect_macs, "is not to be cut off (--protect)");
    protected.add(&book.policy.protect, &[], "is named by the node as not to be cut off");
    Ok(Arms { table: Box::new(table), prover, protected, book, before })
}

fn build(settings: GatewaySettings, stop: &Arc<AtomicBool>) -> Result<Gateway, EdgeError> {
    let ports =
        Ports { device: interface(&settings.device_port)?, rest: interface(&settings.rest_port)? };
    let capture = sys::open_capture().map_err(|error| {
        EdgeError::Network(format!(
            "packets cannot be captured here: {error}: CAP_NET_RAW is needed"
        ))
    })?;
    let arms = arms(&settings).map_err(EdgeError::Network)?;
    let judge = settings.inline.as_ref().map(|(path, how)| {
        let patterns = path.as_deref().map(inline::Patterns::read).transpose();
        let judges = inline::Judges::new(patterns.map_err(EdgeError::Settings)?, how.usual_after);
        Ok::<_, EdgeError>((Box::new(judges), how.clone()))
    });
    let judge = judge.transpose()?;
    let replayed = settings.credit.is_some();
    let source = match settings.credit {
        Some(capture) => Source::Replay { capture, through_gateway: true },
        None => Source::Live { interface: settings.device_port.clone() },
    };
    let outbox = Arc::new(Outbox::default());
    if !replayed {
        outbox.start_epoch(u64::try_from(clock::realtime_ns() / 1_000_000_000).unwrap_or(0));
    }
    let macs = settings.device_macs.into_iter().collect();
    let side = if replayed { DeviceSide::Listed(macs) } else { DeviceSide::Learned(macs) };
    let name = settings.node.name.clone();
    let helpers = Helpers::start(settings.node, source, Ok(arms), outbox.clone(), stop)?;
    if let Some((scorer, how)) = judge {
        inline::start(&how, settings.form, ports.device, scorer, &helpers.shared, stop)?;
    }
    let watch = Watch::new(&name, outbox, helpers.shared.clone(), side, replayed)?;
    Ok(Gateway {
        capture,
        ports,
        watch,
        helpers,
        lane: None,
        times: FrameTimes::default(),
        tick: None,
        seen: 0,
        dropped: 0,
        drops_read_at: Duration::ZERO,
        told: Told::default(),
        without_time: 0,
    })
}

impl Gateway {
    fn run(&mut self, stop: &AtomicBool) -> Result<(), EdgeError> {
        let mut buffer = vec![0; MAX_FRAME_BYTES];
        while !stop.load(Ordering::Relaxed) {
            self.helpers.shared.turned();
            self.hear()?;
            let emptied = self.take_frames(&mut buffer)?;
            if emptied && let Some(at_ns) = self.tick.take() {
                // Nothing is on the way when a tick is said, and the queue is empty.
                self.watch.advance(at_ns);
            } else if emptied && self.lane.is_none() {
                self.watch.advance(clock::realtime_ns().saturating_sub(IDLE.as_nanos() as i64));
            }
            self.watch.settle();
            if let Some(at) = self.watch.at() {
                self.helpers.shared.reached(at);
            }
            self.read_drops()?;
            self.tell()?;
            if emptied {
                self.wait()?;
            }
        }
        let stats = self.watch.stats();
        tracing::info!(?stats, without_time = self.without_time, "the gateway ends");
        Ok(())
    }

    fn wait(&self) -> Result<(), EdgeError> {
        let capture = self.capture.as_fd();
        let waited = match &self.lane {
            Some(lane) => readable(&[capture, lane.as_fd()], IDLE),
            None => readable(&[capture], IDLE),
        };
        waited.map_err(EdgeError::system("waiting for frames"))
    }

    /// True when the queue was found empty.
    fn take_frames(&mut self, buffer: &mut [u8]) -> Result<bool, EdgeError> {
        for _ in 0..BURST {
            // Room in front for a tag the kernel took off.
            let Some(received) = sys::receive(self.capture.as_fd(), &mut buffer[4..])
                .map_err(EdgeError::system("capturing"))?
            else {
                return Ok(true);
            };
            let from_device = received.interface == self.ports.device;
            if received.outgoing || !(from_device || received.interface == self.ports.rest) {
                continue;
            }
            self.seen += 1;
            // The frame's mark was said before the frame was sent.
            self.hear()?;
            let Some(at_ns) = self.packet_time(&received) else {
                self.without_time += 1;
                continue;
            };
            let (frame, wire_len) = with_tag(buffer, &received);
            self.watch.frame(at_ns, LinkType::ETHERNET, frame, wire_len, from_device);
        }
        Ok(false)
    }

    fn packet_time(&self, received: &Received) -> Option<i64> {
        match &self.lane {
            Some(_) => self.times.packet_time(received.arrival_ns),
            None => Some(received.arrival_ns),
        }
    }

    /// Takes everything the replayer has said.
    fn hear(&mut self) -> Result<(), EdgeError> {
        loop {
            let Some(lane) = &mut self.lane else { return Ok(()) };
            let gone = |error: io::Error| match error.kind() {
                io::ErrorKind::UnexpectedEof => EdgeError::Gone("the replayer"),
                _ => EdgeError::System { what: "the lane", source: error },
            };
            let Some(said) = lane.try_hear().map_err(gone)? else { return Ok(()) };
            match said {
                ReplayerSays::Mark(sent_ns, packet_ns) => {
                    self.tick = None;
                    self.times.mark(sent_ns, packet_ns);
                }
                ReplayerSays::Tick(packet_ns) => self.tick = Some(packet_ns),
                ReplayerSays::Started(epoch) => {
                    self.tick = None;
                    self.times.clear();
                    self.watch.start(epoch)?;
                    self.helpers.shared.restart();
                }
                ReplayerSays::State(state) => self.helpers.outbox.state(state),
                ReplayerSays::Finished => self.watch.finish(),
            }
        }
    }

    fn read_drops(&mut self) -> Result<(), EdgeError> {
        let now = clock::monotonic();
        if now.saturating_sub(self.drops_read_at) >= DROPS_EVERY {
            self.drops_read_at = now;
            self.dropped += sys::dropped(self.capture.as_fd())
                .map_err(EdgeError::system("reading what the capture dropped"))?;
            self.helpers.shared.capture_dropped(self.dropped + self.without_time);
        }
        Ok(())
    }

    /// Tells the replayer what it should know; what finds no room is told next time.
    fn tell(&mut self) -> Result<(), EdgeError> {
        self.told.controls.extend(self.helpers.controls.try_iter().take(MAX_WAITING));
        let Some(lane) = &self.lane else {
            self.told.controls.clear();
            return Ok(());
        };
        let gone = |_| EdgeError::Gone("the replayer");
        let seen = self.seen + self.dropped;
        if seen != self.told.seen && lane.try_say(&GatewaySays::Seen(seen)).map_err(gone)? {
            self.told.seen = seen;
        }
        let hold = self.helpers.outbox.full();
        if hold != self.told.hold && lane.try_say(&GatewaySays::Hold(hold)).map_err(gone)? {
            self.told.hold = hold;
        }
        while let Some(control) = self.told.controls.first() {
            if !lane.try_say(&GatewaySays::Control(*control)).map_err(gone)? {
                break;
            }
            self.told.controls.remove(0);
        }
        Ok(())
    }
}

/// The frame as it was on the wire: a VLAN tag that the kernel took off is put back.
fn with_tag<'a>(buffer: &'a mut [u8], received: &Received) -> (&'a [u8], u32) {
    let end = 4 + received.captured;
    let wire_len = u32::try_from(received.wire_len).unwrap_or(u32::MAX);
    match received.vlan {
        Some((kind, control)) if received.captured >= 14 => {
            buffer.copy_within(4..16, 0);
            buffer[12..14].copy_from_slice(&kind.to_be_bytes());
            buffer[14..16].copy_from_slice(&control.to_be_bytes());
            (&buffer[..end], wire_len.saturating_add(4))
        }
        _ => (&buffer[4..end], wire_len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_taken_off_is_put_back_between_the_addresses_and_the_type() {
        let mut buffer = vec![0_u8; 64];
        let frame: Vec<u8> = (0..20).collect();
        buffer[4..24].copy_from_slice(&frame);
        let mut received = Received {
            captured: 20,
            wire_len: 20,
            interface: 1,
            outgoing: false,
            arrival_ns: 0,
            vlan: None,
        };
        assert_eq!(with_tag(&mut buffer, &received), (&frame[..], 20));
        received.vlan = Some((0x8100, 0x0005));
        let (tagged, wire_len) = with_tag(&mut buffer, &received);
        assert_eq!(wire_len, 24);
        assert_eq!(&tagged[..12], &frame[..12]);
        assert_eq!(&tagged[12..16], &[0x81, 0x00, 0x00, 0x05]);
        assert_eq!(&tagged[16..], &frame[12..]);
    }
}
