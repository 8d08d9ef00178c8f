//! The protocol between a node and its edges: length-prefixed JSON over a local socket (later TLS).
//!
//! A frame is a big-endian `u32` length followed by that many bytes of JSON, at most
//! [`MAX_FRAME_BYTES`]. The edge speaks first ([`FromEdge::Hello`]). Window batches are kept by the
//! edge until [`ToEdge::Ack`]; orders are repeated by the node until [`FromEdge::OrderDone`]; the
//! policy of a gateway is sent after the welcome and whenever it changes.

mod count;
mod net;
mod order;
mod policy;

use model::{Outcome, Timestamp};
use serde::{Deserialize, Serialize};

use crate::WindowBatch;

pub use count::{Count, Dropped, Judging, Reason, Totals};
pub use net::{Net, NotANet};
pub use order::{Direction, Flow, MAX_WHY_BYTES, Order, Standing, Verb};
pub use policy::{AllowEntry, AllowList, FailMode, GatewayPolicy, Mode};

/// Version of this protocol; a node refuses another one and says so. Version 1 knew only whole blocks
/// of a device, and neither modes nor reasons; version 2 no suspects and nothing of the judging of packets.
pub const PROTOCOL_VERSION: u16 = 3;
/// Largest frame either side accepts.
pub const MAX_FRAME_BYTES: usize = 4 << 20;

/// What an edge says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromEdge {
    /// First frame of a connection.
    Hello {
        /// [`PROTOCOL_VERSION`].
        protocol: u16,
        /// The edge's name.
        name: String,
        /// Proof of enrolment: the content of the node's `keys/edge.token`.
        token: String,
        /// The edge's software version.
        version: String,
        /// `None` when it can enforce, otherwise why not.
        not_enforcing: Option<String>,
        /// Where its packets come from.
        source: Source,
        /// Number of the source's current start.
        epoch: u64,
    },
    /// Windows to keep.
    Windows(WindowBatch),
    /// Forwarding counters since the edge started, per device; newest wins.
    Counters {
        /// Packet time of the reading.
        at: Timestamp,
        /// One line per device.
        devices: Vec<DeviceCounters>,
        /// Packets the capture itself had to drop (kernel ring full).
        capture_dropped: u64,
        /// All packets of the device side, and what became of them.
        totals: Totals,
        /// Orders in force.
        standing: Vec<Standing>,
        /// How it judges single packets; `None` where it does not.
        #[serde(default)]
        judging: Option<Judging>,
    },
    /// The policy that holds at the gateway from now on.
    PolicyTaken {
        /// Version of the policy.
        version: u64,
        /// Why it could not be put into effect; `None` when it holds.
        problem: Option<String>,
    },
    /// What became of an order.
    OrderDone {
        /// The order's key.
        key: String,
        /// What really happened.
        outcome: Outcome,
    },
    /// Where a replayed source stands.
    SourceState(SourceState),
}

/// What a node says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum ToEdge {
    /// The edge is welcome; it resends everything after `last_seq` of `epoch`.
    Welcome {
        /// The epoch the node knows.
        epoch: u64,
        /// The last batch taken in it.
        last_seq: Option<u64>,
    },
    /// The connection is refused; the edge logs the reason and tries again later.
    Refused {
        /// Why, in plain words.
        reason: String,
    },
    /// Everything up to this batch is durable.
    Ack {
        /// The epoch.
        epoch: u64,
        /// The batch.
        seq: u64,
    },
    /// An order to carry out; repeated until done.
    Order(Order),
    /// Control of a replayed source.
    Replay(ReplayControl),
    /// The policy that is to hold; the edge keeps it over restarts.
    Policy(GatewayPolicy),
}

/// Where packets come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// A live interface.
    Live {
        /// Its name.
        interface: String,
    },
    /// A recorded capture sent as real frames through the gateway.
    Replay {
        /// The capture's name and credit.
        capture: String,
        /// True when the frames really travel through this gateway, false when read from the file.
        through_gateway: bool,
    },
}

/// Where a replay stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// Number of the source's current start.
    pub epoch: u64,
    /// Packet time reached.
    pub at: Option<Timestamp>,
    /// Packet time of the first packet.
    pub start: Option<Timestamp>,
    /// Packet time of the last packet.
    pub end: Option<Timestamp>,
    /// Packets sent so far.
    pub sent: u64,
    /// Packets in the capture.
    pub total: u64,
    /// How many times faster than real time.
    pub speed: f64,
    /// Standing still on request.
    pub paused: bool,
    /// All packets were sent.
    pub finished: bool,
}

/// Control of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum ReplayControl {
    /// Stand still.
    Pause,
    /// Go on.
    Resume,
    /// From the first packet, as a new epoch; blocks are lifted.
    Restart,
    /// How many times faster than real time, 1 to 100,000.
    Speed {
        /// The factor.
        factor: f64,
    },
}

/// Counters of one device at a gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceCounters {
    /// MAC address in lower-case colon form; at a router, where devices of other links have none, the
    /// internet address.
    pub mac: String,
    /// Packets forwarded from and to the device.
    pub forwarded_packets: u64,
    /// Bytes of these.
    pub forwarded_bytes: u64,
    /// Packets dropped, for whatever reason.
    pub dropped_packets: u64,
    /// Bytes of these.
    pub dropped_bytes: u64,
    /// Is a block of the whole device in force now?
    pub blocked: bool,
    /// What was dropped, by reason: adds up to `dropped_packets`.
    #[serde(default)]
    pub reasons: Dropped,
}

/// A frame that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Longer than allowed.
    #[error("frame of {size} bytes exceeds the limit of {MAX_FRAME_BYTES}")]
    TooLong {
        /// Its length.
        size: usize,
    },
    /// Not the JSON we speak.
    #[error("frame is not a message of protocol version {PROTOCOL_VERSION}: {0}")]
    NotAMessage(#[from] serde_json::Error),
}

/// Appends one frame to `out`.
///
/// # Errors
/// The message is too long or cannot be written as JSON; `out` is unchanged.
pub fn encode<M: Serialize>(message: &M, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let body = serde_json::to_vec(message)?;
    if body.len() > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong { size: body.len() });
    }
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

/// Takes one whole frame from the front of `buffer`; `None` when more bytes are needed.
///
/// # Errors
/// The frame is too long or not a message; the connection should be closed.
pub fn decode<M: for<'de> Deserialize<'de>>(buffer: &mut Vec<u8>) -> Result<Option<M>, FrameError> {
    let Some(head) = buffer.first_chunk::<4>() else { return Ok(None) };
    let size = u32::from_be_bytes(*head) as usize;
    if size > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong { size });
    }
    if buffer.len() < 4 + size {
        return Ok(None);
    }
    let message = serde_json::from_slice(&buffer[4..4 + size])?;
    buffer.drain(..4 + size);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use model::BlockTarget;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<FromEdge>(&mut bytes);
        }

        #[test]
        fn frames_round_trip_at_any_cut(key in ".{0,40}", cut in 0usize..64) {
            let order = ToEdge::Order(Order {
                key,
                verb: Verb::Block { timeout_s: 60 },
                target: BlockTarget { mac: Some("b8:27:eb:00:00:01".into()), addresses: vec![] },
                flow: None,
                why: String::new(),
            });
            let mut wire = Vec::new();
            encode(&order, &mut wire).unwrap();
            let cut = cut.min(wire.len() - 1);
            let mut partial = wire[..cut].to_vec();
            prop_assert!(decode::<ToEdge>(&mut partial).unwrap().is_none());
            partial.extend_from_slice(&wire[cut..]);
            prop_assert_eq!(decode::<ToEdge>(&mut partial).unwrap(), Some(order));
            prop_assert!(partial.is_empty());
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_is_read() {
        let mut wire = u32::MAX.to_be_bytes().to_vec();
        assert!(matches!(decode::<ToEdge>(&mut wire), Err(FrameError::TooLong { .. })));
    }
}
