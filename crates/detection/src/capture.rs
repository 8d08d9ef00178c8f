//! The packets of a finding: a small slice of a capture, kept as a blob.

use std::io::Read;

use analytics::host::Host;
use analytics::windows::Segment;
use model::{FindingId, Timestamp};
use platform::blobs::Blobs;
use platform::db::DbError;
use protocols::capture::{CaptureReader, CaptureStream, CaptureWriter, Resolution, WriterOptions};
use protocols::packet::decode;

use crate::Detection;
use crate::error::DetectionError;
use crate::store;
use crate::store::groups::CaptureRow;

/// Packets of a slice at most; the first ones tell most.
pub const MAX_SLICE_PACKETS: u64 = 2_000;
/// Bytes of a slice at most.
pub const MAX_SLICE_BYTES: usize = 1 << 20;
/// Time before the first and after the last window that belongs to a slice.
const MARGIN_NS: i64 = 5_000_000_000;

/// What of a capture belongs to a finding.
#[derive(Clone, Debug)]
pub struct SliceRequest {
    /// The device, by its address…
    pub device: Option<Host>,
    /// …or its MAC address.
    pub mac: Option<Host>,
    /// Only packets with these parties; all when empty.
    pub peers: Vec<Host>,
    /// Packet time of the first alerting window's start.
    pub from: Timestamp,
    /// Packet time of the last alerting window's end.
    pub to: Timestamp,
}

/// A slice.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// Classic pcap, nanoseconds.
    pub pcap: Vec<u8>,
    /// Packets in it.
    pub packets: u64,
    /// Packets that belong to the finding and found no place.
    pub beyond: u64,
}

/// Cuts the packets of a finding out of a capture (pcap or pcapng).
///
/// # Errors
/// The capture cannot be read at all, or holds several link types.
pub fn slice(capture: impl Read, request: &SliceRequest) -> Result<Slice, String> {
    let mut stream = CaptureStream::new(capture);
    let (mut writer, mut packets, mut beyond) = (None, 0, 0);
    let mut bytes = 0;
    let from = request.from.as_micros().saturating_mul(1_000).saturating_sub(MARGIN_NS);
    let to = request.to.as_micros().saturating_mul(1_000).saturating_add(MARGIN_NS);
    while let Some(frame) = stream.next_frame() {
        // What was read before a cut is used.
        let Ok(frame) = frame else { break };
        if !(from..=to).contains(&frame.ts_ns) {
            continue;
        }
        let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) else { continue };
        if !belongs(&Segment::from(&packet), request) {
            continue;
        }
        if packets >= MAX_SLICE_PACKETS || bytes + frame.captured.len() + 16 > MAX_SLICE_BYTES {
            beyond += 1;
            continue;
        }
        let (link, own) = match writer.take() {
            Some(open) => open,
            None => {
                let options = WriterOptions {
                    resolution: Resolution::Nano,
                    link: frame.link,
                    ..WriterOptions::default()
                };
                let own = CaptureWriter::new(Vec::new(), options);
                (frame.link, own.map_err(|cause| cause.to_string())?)
            }
        };
        if link != frame.link {
            return Err("the capture holds several link types; cut it by interface first".into());
        }
        let mut own: CaptureWriter<Vec<u8>> = own;
        own.write(frame.ts_ns, frame.captured, frame.wire_len)
            .map_err(|cause| cause.to_string())?;
        bytes += frame.captured.len() + 16;
        packets += 1;
        writer = Some((link, own));
    }
    let pcap = match writer {
        Some((_, own)) => own.finish().map_err(|cause| cause.to_string())?,
        None => Vec::new(),
    };
    Ok(Slice { pcap, packets, beyond })
}

fn belongs(segment: &Segment, request: &SliceRequest) -> bool {
    let is = |host: Option<Host>, mac: Option<[u8; 6]>| {
        (host.is_some() && host == request.device)
            || (mac.is_some() && mac == request.mac.and_then(Host::as_mac))
    };
    let with = |host: Option<Host>| {
        request.peers.is_empty() || host.is_some_and(|host| request.peers.contains(&host))
    };
    (is(segment.src, segment.src_mac) && with(segment.dst))
        || (is(segment.dst, segment.dst_mac) && with(segment.src))
}

impl Detection {
    /// Keeps the packets of a finding, in place of those before. `source` says where they come from.
    ///
    /// # Errors
    /// No such finding, not a capture, too large, or the database said no.
    pub async fn attach_capture(
        &self,
        finding: FindingId,
        pcap: &[u8],
        source: &str,
    ) -> Result<u64, DetectionError> {
        if pcap.len() > MAX_SLICE_BYTES + 1_024 {
            return Err(DetectionError::Invalid(format!(
                "{} bytes, the limit of a finding's packets is {MAX_SLICE_BYTES}; cut the capture",
                pcap.len()
            )));
        }
        let (mut packets, mut first, mut last) = (0_u64, i64::MAX, i64::MIN);
        for frame in CaptureReader::new(pcap) {
            let frame = frame.map_err(|cause| {
                DetectionError::Invalid(format!("not a capture that can be read: {cause}"))
            })?;
            packets += 1;
            (first, last) = (first.min(frame.ts_ns), last.max(frame.ts_ns));
        }
        if packets == 0 {
            return Err(DetectionError::Invalid("the capture holds no packet".into()));
        }
        let platform = &self.inner.platform;
        {
            let mut connection = platform.db.read().await?;
            if store::findings::one(&mut connection, finding).await?.is_none() {
                return Err(DetectionError::NotFound(format!("finding '{finding}'")));
            }
        }
        let row = CaptureRow {
            blob: Blobs::new(&platform.data).put(pcap).await?,
            bytes: i64::try_from(pcap.len()).unwrap_or(i64::MAX),
            packets: i64::try_from(packets).unwrap_or(i64::MAX),
            from: Timestamp::from_nanos(first),
            to: Timestamp::from_nanos(last),
            source: source.to_owned(),
        };
        let done: Result<(), DbError> = platform
            .db
            .write(move |tx| {
                Box::pin(async move { store::groups::put_capture(tx, finding, &row).await })
            })
            .await;
        done?;
        Ok(packets)
    }
}
