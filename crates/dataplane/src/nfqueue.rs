//! The messages of the kernel's packet queue (linux/netfilter/nfnetlink_queue.h), built and read by hand.
//!
//! Why not a library: the one that is kept (`nfq`) takes one message and gives one verdict a call. Here a run of
//! packets that may pass costs one verdict (`NFQNL_MSG_VERDICT_BATCH`: this packet and all before it), those that may
//! not cost one each, and all of them one call.

/// Header of a netlink message, bytes.
const HEADER: usize = 16;
/// `NFNL_SUBSYS_QUEUE`, as the upper byte of a type.
const SUBSYSTEM: u16 = 3 << 8;
const PACKET: u16 = SUBSYSTEM;
const VERDICT: u16 = SUBSYSTEM | 1;
const CONFIG: u16 = SUBSYSTEM | 2;
const VERDICT_BATCH: u16 = SUBSYSTEM | 3;
/// `NLMSG_ERROR`: an error, or a confirmation with error 0.
const ERROR: u16 = 2;
const REQUEST: u16 = 1;
const CONFIRM: u16 = 4;
/// Verdicts of netfilter.
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
/// Flags of a queue.
const FAIL_OPEN: u32 = 1;
const WHOLE_SEGMENTS: u32 = 4;

/// A packet that waits for its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Queued<'a> {
    /// Number of the packet; grows, and begins again after the last one.
    pub(crate) id: u32,
    /// Interface it came in by; of a bridge, the port.
    pub(crate) from: u32,
    /// Interface it leaves by; of a bridge, the port.
    pub(crate) to: u32,
    /// MAC address of who sent it on this link.
    pub(crate) mac: Option<[u8; 6]>,
    /// Bytes of the packet, from its internet header on.
    pub(crate) length: u32,
    /// Its first bytes.
    pub(crate) bytes: &'a [u8],
}

/// What the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard<'a> {
    /// A packet waits.
    Packet(Queued<'a>),
    /// The answer to a request: 0, or an error number.
    Answer(i32),
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn big(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.first_chunk()?))
}

const fn aligned(length: usize) -> usize {
    (length + 3) & !3
}

/// Hands each message of a datagram to `each`; stops where one contradicts itself.
pub(crate) fn read<'a>(mut datagram: &'a [u8], mut each: impl FnMut(Heard<'a>)) {
    while let (Some(length), Some(kind)) = (word(datagram, 0), half(datagram, 4)) {
        let Some(message) = datagram.get(HEADER..length as usize) else { return };
        let heard = match kind {
            PACKET => message.get(4..).and_then(queued).map(Heard::Packet),
            ERROR => word(message, 0).map(|error| Heard::Answer(-(error as i32))),
            _ => None,
        };
        if let Some(heard) = heard {
            each(heard);
        }
        datagram = datagram.get(aligned(length as usize)..).unwrap_or_default();
    }
}

/// The packet of a message's attributes.
fn queued(mut rest: &[u8]) -> Option<Queued<'_>> {
    let mut found = Queued { id: 0, from: 0, to: 0, mac: None, length: 0, bytes: &[] };
    let (mut has_id, mut whole, mut ports) = (false, None, (None, None));
    while let (Some(length), Some(kind)) = (half(rest, 0), half(rest, 2)) {
        let Some(value) = rest.get(4..usize::from(length)) else { break };
        // The upper two bits are flags.
        match kind & 0x3fff {
            1 => (found.id, has_id) = (big(value)?, true),
            5 => found.from = big(value)?,
            6 => found.to = big(value)?,
            7 => ports.0 = big(value),
            8 => ports.1 = big(value),
            // Length, padding, address.
            9 if value.first_chunk() == Some(&[0, 6]) => {
                found.mac = value.get(4..).and_then(<[u8]>::first_chunk).copied();
            }
            10 => found.bytes = value,
            13 => whole = big(value),
            _ => {}
        }
        rest = rest.get(aligned(usize::from(length))..).unwrap_or_default();
    }
    found.from = ports.0.unwrap_or(found.from);
    found.to = ports.1.unwrap_or(found.to);
    found.length = whole.unwrap_or(u32::try_from(found.bytes.len()).unwrap_or(u32::MAX));
    has_id.then_some(found)
}

/// Appends a message with its attributes.
fn message(out: &mut Vec<u8>, kind: u16, flags: u16, queue: u16, attributes: &[(u16, &[u8])]) {
    let begun = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&(REQUEST | flags).to_ne_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&queue.to_be_bytes());
    for (kind, value) in attributes {
        out.extend_from_slice(&(4 + value.len() as u16).to_ne_bytes());
        out.extend_from_slice(&kind.to_ne_bytes());
        out.extend_from_slice(value);
        out.resize(aligned(out.len() - begun) + begun, 0);
    }
    let length = (out.len() - begun) as u32;
    out[begun..begun + 4].copy_from_slice(&length.to_ne_bytes());
}

/// The requests that open a queue; each is answered.
pub(crate) fn opening(queue: u16, copied: u32, waiting: u32) -> [Vec<u8>; 4] {
    let mut mode = copied.to_be_bytes().to_vec();
    mode.push(2);
    let request = |attributes: &[(u16, &[u8])]| {
        let mut out = Vec::new();
        message(&mut out, CONFIG, CONFIRM, queue, attributes);
        out
    };
    [
        request(&[(1, &[1, 0, 0, 0])]),
        request(&[(3, &waiting.to_be_bytes())]),
        // Whole segments: counted here as in the table, and no checksum is computed for us.
        request(&[(4, &WHOLE_SEGMENTS.to_be_bytes()), (5, &WHOLE_SEGMENTS.to_be_bytes())]),
        // Last: from now on packets come.
        request(&[(2, &mode)]),
    ]
}

/// Whether the kernel lets pass what finds the queue full.
pub(crate) fn fail_open(queue: u16, open: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let flags = if open { FAIL_OPEN } else { 0 };
    let attributes: [(u16, &[u8]); 2] = [(4, &FAIL_OPEN.to_be_bytes()), (5, &flags.to_be_bytes())];
    message(&mut out, CONFIG, 0, queue, &attributes);
    out
}

/// Verdicts that go to the kernel with one call.
#[derive(Debug)]
pub(crate) struct Verdicts {
    queue: u16,
    out: Vec<u8>,
    up_to: Option<u32>,
}

impl Verdicts {
    pub(crate) const fn new(queue: u16) -> Self {
        Self { queue, out: Vec::new(), up_to: None }
    }

    fn one(&mut self, kind: u16, verdict: u32, id: u32) {
        let mut value = [0; 8];
        value[..4].copy_from_slice(&verdict.to_be_bytes());
        value[4..].copy_from_slice(&id.to_be_bytes());
        message(&mut self.out, kind, 0, self.queue, &[(2, &value)]);
    }

    /// This packet is dropped.
    pub(crate) fn drop(&mut self, id: u32) {
        self.one(VERDICT, NF_DROP, id);
    }

    /// This packet passes, whatever waits before it.
    pub(crate) fn pass(&mut self, id: u32) {
        self.one(VERDICT, NF_ACCEPT, id);
    }

    /// This packet passes, and every one before it that was not dropped: none of them may wait.
    pub(crate) fn pass_up_to(&mut self, id: u32) {
        self.up_to = Some(id);
    }

    /// What is to be sent; the verdict on the run comes last, when those that are dropped are gone.
    pub(crate) fn take(&mut self) -> Option<&[u8]> {
        if let Some(id) = self.up_to.take() {
            self.one(VERDICT_BATCH, NF_ACCEPT, id);
        }
        (!self.out.is_empty()).then_some(&self.out)
    }

    /// It was sent.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
    }
}

#[cfg(test)]
#[path = "nfqueue_tests.rs"]
mod tests;
