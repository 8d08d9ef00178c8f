//! The streaming reader: the same frames through a small buffer, and its own failures.

use std::io::{self, Read};

use protocols::capture::{
    CaptureError, CaptureReader, CaptureStream, CaptureWriter, MAX_BLOCK_BYTES, MAX_FRAME_BYTES,
    WriterOptions,
};

use crate::ng::Builder;

/// Gives a few bytes at a time and is interrupted now and then.
struct Slow<'a>(&'a [u8], u32);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = (self.1 as usize % 61).min(self.0.len()).min(buffer.len());
        let count = if self.0.is_empty() { 0 } else { count.max(1) };
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Time, bytes and number of a frame.
type Seen = Result<(i64, Vec<u8>, u64), CaptureError>;

fn owned<R: Read>(mut stream: CaptureStream<R>) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(item) = stream.next_frame() {
        seen.push(item.map(|f| (f.ts_ns, f.captured.to_vec(), f.index)));
    }
    seen
}

#[test]
fn a_slow_source_gives_the_same_frames() {
    let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
    for index in 0..300_u32 {
        let frame = vec![index as u8; (index * 7) as usize];
        writer.write(i64::from(index) * 1_000_000, &frame, index * 7).unwrap();
    }
    writer.write(1, &vec![1; MAX_FRAME_BYTES as usize], MAX_FRAME_BYTES).unwrap();
    let mut bytes = writer.finish().unwrap();
    bytes.extend([1, 2, 3]);
    let expected: Vec<_> = CaptureReader::new(&bytes)
        .map(|item| item.map(|f| (f.ts_ns, f.captured.to_vec(), f.index)))
        .collect();
    assert_eq!(expected.len(), 302);
    assert_eq!(owned(CaptureStream::new(Slow(&bytes, 0))), expected);
}

#[test]
fn a_block_longer_than_the_buffer_is_passed_over_without_being_held() {
    let mut file = Builder::new(false);
    file.block(10, &vec![0; MAX_BLOCK_BYTES as usize * 3]);
    file.interface(1, 0, &[]).enhanced(0, 1, b"behind");
    let seen = owned(CaptureStream::new(file.bytes.as_slice()));
    assert_eq!(seen, [Ok((1000, b"behind".to_vec(), 0))]);
    // Cut inside the long block.
    let cut = &file.bytes[..MAX_BLOCK_BYTES as usize];
    let seen = owned(CaptureStream::new(cut));
    let [Err(CaptureError::Truncated { offset: 28, available, .. })] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    assert_eq!(*available, cut.len() as u64 - 28);
}

#[test]
fn a_failing_source_is_told_with_its_place() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable is out"))
        }
    }
    let bytes = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap().finish().unwrap();
    let mut stream = CaptureStream::new(bytes.as_slice().chain(Broken));
    let error = stream.next_frame().unwrap().unwrap_err();
    assert!(matches!(error, CaptureError::Io { offset: 24, .. }), "{error:?}");
    assert!(error.to_string().contains("the cable is out"));
    assert!(stream.next_frame().is_none());
}
