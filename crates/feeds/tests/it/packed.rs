//! Packed feeds, bombs among them.

use std::io::{Read, Write};

use feeds::unpack::{DEFAULT_PACK_LIMITS, PackLimits, UnpackError, files, open};
use flate2::{Compression, Crc, write::DeflateEncoder, write::GzEncoder};
use proptest::prelude::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A zip archive as APPNOTE describes it, written by hand.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, body) in entries {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::best());
        packer.write_all(body).unwrap();
        let packed = packer.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(body);
        let mut common = Vec::new();
        for value in [20_u16, 0, 8, 0, 0] {
            common.extend(value.to_le_bytes());
        }
        for value in [crc.sum(), packed.len() as u32, body.len() as u32] {
            common.extend(value.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        let place = out.len() as u32;
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(place.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, length) = (out.len() as u32, directory.len() as u32);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend((entries.len() as u16).to_le_bytes());
    }
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn unpacked(bytes: &[u8], file: Option<&str>, limits: PackLimits) -> Result<Vec<u8>, String> {
    let mut reader = open(bytes, file, limits).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    reader.read_to_end(&mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

#[test]
fn bombs_are_stopped() {
    let bomb = vec![0_u8; 16 << 20];
    let small = PackLimits { max_unpacked: 4 << 20, max_ratio: 100_000, ..DEFAULT_PACK_LIMITS };
    for packed in [gzip(&bomb), zip(&[("a", &bomb)])] {
        let error = unpacked(&packed, None, DEFAULT_PACK_LIMITS).unwrap_err();
        assert!(error.contains("max_ratio"), "{error}");
        let error = unpacked(&packed, None, small).unwrap_err();
        assert!(error.contains("max_unpacked"), "{error}");
    }
    let few = PackLimits { max_packed: 100, ..DEFAULT_PACK_LIMITS };
    let archive = zip(&[("a", &[7; 300]), ("b", b"x")]);
    assert!(matches!(open(&*archive, None, few), Err(UnpackError::TooLarge(100))));
    let few = PackLimits { max_files: 1, ..DEFAULT_PACK_LIMITS };
    assert!(matches!(open(&*archive, None, few), Err(UnpackError::TooManyFiles(2, 1))));
}

#[test]
fn files_of_an_archive_are_named() {
    let archive = zip(&[("one.txt", b"1"), ("folder/", b""), ("two.txt", b"22")]);
    let names: Vec<_> =
        files(&archive, DEFAULT_PACK_LIMITS).unwrap().into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["one.txt", "two.txt"]);
    assert_eq!(unpacked(&archive, Some("two.txt"), DEFAULT_PACK_LIMITS).unwrap(), b"22");
    assert!(unpacked(&archive, None, DEFAULT_PACK_LIMITS).unwrap_err().contains("name the one"));
    assert!(unpacked(&archive, Some("x"), DEFAULT_PACK_LIMITS).unwrap_err().contains("no file"));
    let mut damaged = zip(&[("a", b"abcdefgh")]);
    damaged[14] ^= 1; // checksum in the local header: not read
    assert!(unpacked(&damaged, None, DEFAULT_PACK_LIMITS).is_ok());
    let directory = damaged.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    damaged[directory + 16] ^= 1;
    assert!(unpacked(&damaged, None, DEFAULT_PACK_LIMITS).unwrap_err().contains("checksum"));
}

proptest! {
    #[test]
    fn what_is_packed_comes_out(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let plain = !bytes.starts_with(&[0x1f, 0x8b]) && !bytes.starts_with(b"PK");
        for packed in [gzip(&bytes), zip(&[("a", &bytes)])] {
            prop_assert_eq!(unpacked(&packed, None, DEFAULT_PACK_LIMITS).unwrap(), bytes.clone());
        }
        let mut twice = gzip(&bytes);
        twice.extend(gzip(&bytes));
        prop_assert_eq!(unpacked(&twice, None, DEFAULT_PACK_LIMITS).unwrap(), [&bytes[..], &bytes[..]].concat());
        if plain {
            prop_assert_eq!(unpacked(&bytes, None, DEFAULT_PACK_LIMITS).unwrap(), bytes);
        }
    }
}
