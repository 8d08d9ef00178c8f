//! Laws over generated captures and frames.

use proptest::collection::vec;
use proptest::prelude::*;
use protocols::capture::{
    ByteOrder, CaptureReader, CaptureStream, CaptureWriter, Resolution, WriteError, WriterOptions,
};
use protocols::packet::{LinkType, decode};

use crate::links::{ethernet, udp4};
use crate::ng::Builder;

fn options() -> impl Strategy<Value = WriterOptions> {
    let order = prop_oneof![Just(ByteOrder::Little), Just(ByteOrder::Big)];
    let resolution = prop_oneof![Just(Resolution::Micro), Just(Resolution::Nano)];
    let link =
        prop_oneof![Just(LinkType::ETHERNET), Just(LinkType::RAW), any::<u16>().prop_map(LinkType)];
    (order, resolution, link).prop_map(|(byte_order, resolution, link)| WriterOptions {
        byte_order,
        resolution,
        link,
    })
}

/// Time within what the format holds, bytes, bytes the capture cut off.
fn frames() -> impl Strategy<Value = Vec<(i64, Vec<u8>, u16)>> {
    vec((0..=4_294_967_295_999_999_999_i64, vec(any::<u8>(), 0..200), any::<u16>()), 0..20)
}

proptest! {
    #[test]
    fn what_is_written_is_read(options in options(), frames in frames()) {
        let mut writer = CaptureWriter::new(Vec::new(), options).unwrap();
        for (ts_ns, bytes, cut) in &frames {
            writer.write(*ts_ns, bytes, bytes.len() as u32 + u32::from(*cut)).unwrap();
        }
        let file = writer.finish().unwrap();
        let unit = if options.resolution == Resolution::Micro { 1000 } else { 1 };
        let mut reader = CaptureReader::new(&file);
        for (index, (ts_ns, bytes, cut)) in frames.iter().enumerate() {
            let frame = reader.next().unwrap().unwrap();
            prop_assert_eq!(frame.ts_ns, ts_ns / unit * unit);
            prop_assert_eq!(frame.captured, bytes.as_slice());
            prop_assert_eq!(frame.wire_len, bytes.len() as u32 + u32::from(*cut));
            prop_assert_eq!(frame.link, options.link);
            prop_assert_eq!(frame.index, index as u64);
        }
        prop_assert!(reader.next().is_none());
        prop_assert_eq!(reader.position(), file.len());
    }

    #[test]
    fn pcapng_frames_come_back(big: bool, frames in vec((any::<u32>(), vec(any::<u8>(), 0..99)), 0..20)) {
        let mut file = Builder::new(big);
        file.interface(1, 0, &[(9, &[9])]);
        for (time, bytes) in &frames {
            file.enhanced(0, u64::from(*time) << 20, bytes);
        }
        let read: Vec<_> =
            CaptureReader::new(&file.bytes).map(|f| f.map(|f| (f.ts_ns >> 20, f.captured.to_vec())).unwrap()).collect();
        let written: Vec<_> = frames.iter().map(|(time, bytes)| (i64::from(*time), bytes.clone())).collect();
        prop_assert_eq!(read, written);
    }

    /// A damaged capture never panics, and both readers tell the same of it.
    #[test]
    fn damage_is_told_alike(
        options in options(),
        frames in frames(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        ng: bool,
    ) {
        let mut file = if ng {
            let mut file = Builder::new(options.byte_order == ByteOrder::Big);
            file.interface(1, 0, &[]);
            frames.iter().for_each(|(ts_ns, bytes, _)| { file.enhanced(0, *ts_ns as u64, bytes); });
            file.bytes
        } else {
            let mut writer = CaptureWriter::new(Vec::new(), options).unwrap();
            for (ts_ns, bytes, _) in &frames {
                writer.write(*ts_ns, bytes, bytes.len() as u32).unwrap();
            }
            writer.finish().unwrap()
        };
        for (place, byte) in &damage {
            let place = place.index(file.len());
            file[place] = *byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        protocols::fuzz::capture(&file);
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..400)) {
        protocols::fuzz::capture(&bytes);
        protocols::fuzz::packet(&bytes);
    }

    /// Damage to a sound frame, cut anywhere: nothing panics, the payload stays inside.
    #[test]
    fn damaged_frames_are_survived(
        damage in vec((0..47_usize, any::<u8>()), 0..6),
        cut in 0..=47_usize,
        wire in any::<u32>(),
    ) {
        let mut frame = ethernet(0x0800, &udp4());
        for (place, byte) in damage {
            frame[place] = byte;
        }
        frame.truncate(cut);
        if let Ok(view) = decode(LinkType::ETHERNET, &frame, wire) {
            prop_assert!(view.payload.len() <= frame.len());
            prop_assert!(view.wire_len >= frame.len() as u32);
        }
    }

    /// Padding behind a packet changes nothing but the length of the frame.
    #[test]
    fn padding_is_not_payload(padding in vec(any::<u8>(), 0..40)) {
        let mut frame = ethernet(0x0800, &udp4());
        frame.extend(&padding);
        let view = decode(LinkType::ETHERNET, &frame, frame.len() as u32).unwrap();
        prop_assert_eq!(view.payload, b"hello".as_slice());
        prop_assert_eq!(view.payload_len, 5);
    }

    #[test]
    fn times_classic_pcap_cannot_hold_are_refused(ts_ns in prop_oneof![i64::MIN..0, 4_294_967_296_000_000_000..=i64::MAX]) {
        let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
        let refused = matches!(writer.write(ts_ns, b"x", 1), Err(WriteError::Time { .. }));
        prop_assert!(refused);
        // What was refused left no trace.
        prop_assert_eq!(writer.finish().unwrap().len(), 24);
    }
}

#[test]
fn a_frame_over_the_limit_is_not_written() {
    let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
    let frame = vec![0; protocols::capture::MAX_FRAME_BYTES as usize + 1];
    let refused = writer.write(0, &frame, 1);
    assert!(matches!(refused, Err(WriteError::FrameTooLong { .. })));
    assert_eq!(writer.finish().unwrap().len(), 24);
}

#[test]
fn a_stream_of_nothing_is_no_capture() {
    let mut stream = CaptureStream::new(std::io::empty());
    assert!(stream.next_frame().unwrap().unwrap_err().to_string().contains("empty"));
}
