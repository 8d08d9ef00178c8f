//! What a file is, by its bytes alone: names and declared types are not looked at.

use serde_json::Value;

/// Largest GeoJSON layer, bytes: it is read whole by every browser.
pub(crate) const MAX_GEOJSON_BYTES: usize = 8 << 20;
/// Positions in a GeoJSON layer.
pub(crate) const MAX_POSITIONS: usize = 400_000;
/// Largest plan, bytes.
pub(crate) const MAX_PLAN_BYTES: usize = 16 << 20;
/// Longest side of a plan, pixels: a browser needs four bytes for each pixel.
pub(crate) const MAX_PLAN_PIXELS: u32 = 12_000;
/// Header of PMTiles 3, bytes (<https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md>).
const PMTILES_HEADER_BYTES: usize = 127;
/// Geometries within geometries.
const MAX_DEPTH: usize = 8;

/// A file that may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sniffed {
    /// `geojson`, `pmtiles` or `plan`.
    pub(crate) form: &'static str,
    /// Media type to serve it with.
    pub(crate) media: &'static str,
    /// Pixels of a plan.
    pub(crate) size: Option<(u32, u32)>,
}

/// Judges a file.
///
/// # Errors
/// One sentence: what it is or where it breaks, and what would do.
pub(crate) fn sniff(bytes: &[u8]) -> Result<Sniffed, String> {
    if bytes.starts_with(b"PMTiles") {
        return pmtiles(bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        return plan(bytes, "image/png", png_size(rest));
    }
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return plan(bytes, "image/jpeg", jpeg_size(bytes));
    }
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let start = bytes.get(start..).unwrap_or_default();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    match start.first() {
        Some(b'{') => geojson(bytes),
        Some(b'<') => Err(
            "SVG and other markup may carry programs and are refused; save the plan as PNG or JPEG"
                .into(),
        ),
        _ => Err("this is neither GeoJSON, PMTiles (version 3), PNG nor JPEG".into()),
    }
}

fn pmtiles(bytes: &[u8]) -> Result<Sniffed, String> {
    let header = bytes
        .get(..PMTILES_HEADER_BYTES)
        .ok_or_else(|| "the PMTiles file breaks off within its header".to_owned())?;
    if header[7] != 3 {
        return Err(format!(
            "PMTiles of version {}; this node serves version 3 (`pmtiles convert`)",
            header[7]
        ));
    }
    let number = |at: usize| {
        let eight = header.get(at..at + 8).and_then(|eight| eight.try_into().ok());
        eight.map_or(0, u64::from_le_bytes)
    };
    let whole = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    // Root directory, metadata, leaf directories, tiles: offset and length of each.
    for (name, at) in
        [("root directory", 8), ("metadata", 24), ("leaf directories", 40), ("tiles", 56)]
    {
        let end = number(at).checked_add(number(at + 8));
        if end.is_none_or(|end| end > whole) {
            return Err(format!(
                "the PMTiles file is not whole: its {name} end beyond its {whole} bytes"
            ));
        }
    }
    Ok(Sniffed { form: "pmtiles", media: "application/vnd.pmtiles", size: None })
}

fn plan(bytes: &[u8], media: &'static str, size: Option<(u32, u32)>) -> Result<Sniffed, String> {
    if bytes.len() > MAX_PLAN_BYTES {
        return Err(format!(
            "the image has {} bytes, the limit is {MAX_PLAN_BYTES}; make it smaller",
            bytes.len()
        ));
    }
    match size {
        Some((width, height))
            if (1..=MAX_PLAN_PIXELS).contains(&width)
                && (1..=MAX_PLAN_PIXELS).contains(&height) =>
        {
            Ok(Sniffed { form: "plan", media, size })
        }
        Some((width, height)) => Err(format!(
            "the image has {width} × {height} pixels, the limit is {MAX_PLAN_PIXELS} a side; make it smaller"
        )),
        None => Err("the image breaks off before it says its size; save it again".into()),
    }
}

/// Width and height stand at the beginning of the first chunk (PNG, 11.2.2).
fn png_size(rest: &[u8]) -> Option<(u32, u32)> {
    let body = rest.get(4..)?.strip_prefix(b"IHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?));
    Some((number(0)?, number(4)?))
}

/// Height and width stand in the first start-of-frame segment (ITU-T T.81, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xff, marker] = *bytes.get(at..at + 2)? else { return None };
        // Fill bytes before a marker.
        if marker == 0xff {
            at += 1;
            continue;
        }
        let length = bytes.get(at + 2..at + 4)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if frame {
            let size = bytes.get(at + 5..at + 9)?;
            let pair = |place: usize| u32::from(u16::from_be_bytes([size[place], size[place + 1]]));
            return Some((pair(2), pair(0)));
        }
        if length < 2 {
            return None;
        }
        at += 2 + length;
    }
}

fn geojson(bytes: &[u8]) -> Result<Sniffed, String> {
    if bytes.len() > MAX_GEOJSON_BYTES {
        return Err(format!(
            "GeoJSON of {} bytes, the limit is {MAX_GEOJSON_BYTES}; simplify it, or make PMTiles of it",
            bytes.len()
        ));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        format!("no JSON at line {}, column {}: {error}", error.line(), error.column())
    })?;
    let mut positions = 0;
    match value["type"].as_str() {
        Some("FeatureCollection") => {
            let features = value["features"].as_array().ok_or("`features` is not a list")?;
            for (number, feature) in features.iter().enumerate() {
                let geometry = &feature["geometry"];
                if feature["type"] != "Feature" {
                    return Err(format!("feature {}: `type` is not `Feature`", number + 1));
                }
                measure(geometry, &mut positions, 0)
                    .map_err(|fault| format!("feature {}: {fault}", number + 1))?;
            }
        }
        Some("Feature") => measure(&value["geometry"], &mut positions, 0)?,
        Some(_) => measure(&value, &mut positions, 0)?,
        None => return Err("no GeoJSON: `type` is missing (RFC 7946)".into()),
    }
    Ok(Sniffed { form: "geojson", media: "application/geo+json", size: None })
}

/// Counts positions; a geometry that is none is named.
fn measure(geometry: &Value, positions: &mut usize, depth: usize) -> Result<(), String> {
    if geometry.is_null() {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(format!("geometries within geometries deeper than {MAX_DEPTH}"));
    }
    let nested = match geometry["type"].as_str() {
        Some("Point") => 0,
        Some("MultiPoint" | "LineString") => 1,
        Some("MultiLineString" | "Polygon") => 2,
        Some("MultiPolygon") => 3,
        Some("GeometryCollection") => {
            let parts = geometry["geometries"].as_array().ok_or("`geometries` is not a list")?;
            return parts.iter().try_for_each(|part| measure(part, positions, depth + 1));
        }
        other => {
            let other: String = other.unwrap_or("nothing").chars().take(40).collect();
            return Err(format!("`{other}` is no geometry of GeoJSON (RFC 7946, 3.1)"));
        }
    };
    count(&geometry["coordinates"], nested, positions)
}

fn count(value: &Value, nested: usize, positions: &mut usize) -> Result<(), String> {
    let list = value.as_array().ok_or("`coordinates` are not lists of numbers")?;
    if nested > 0 {
        return list.iter().try_for_each(|part| count(part, nested - 1, positions));
    }
    *positions += 1;
    if *positions > MAX_POSITIONS {
        return Err(format!(
            "more than {MAX_POSITIONS} positions; simplify it, or make PMTiles of it"
        ));
    }
    let inside = |at: usize, most: f64| {
        list.get(at).and_then(Value::as_f64).is_some_and(|number| number.abs() <= most)
    };
    if (2..=4).contains(&list.len()) && inside(0, 540.0) && inside(1, 90.0) {
        Ok(())
    } else {
        Err("a position is [longitude, latitude] in degrees (WGS 84)".into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    #[test]
    fn files_are_told_by_their_bytes_and_refused_with_a_way_out() {
        assert_eq!(sniff(&png(640, 480)).unwrap().size, Some((640, 480)));
        let jpeg =
            [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0x01, 0xe0, 0x02, 0x80];
        let found = sniff(&jpeg).unwrap();
        assert_eq!((found.media, found.size), ("image/jpeg", Some((640, 480))));
        let mut tiles = b"PMTiles\x03".to_vec();
        tiles.resize(PMTILES_HEADER_BYTES, 0);
        assert_eq!(sniff(&tiles).unwrap().form, "pmtiles");
        let line = br#"{"type":"LineString","coordinates":[[2.1,41.3],[2.2,41.4]]}"#;
        assert_eq!(sniff(line).unwrap().form, "geojson");
        let mut beyond = tiles.clone();
        beyond[56..64].copy_from_slice(&u64::MAX.to_le_bytes());
        tiles[7] = 2;
        for (bytes, words) in [
            (b"<svg onload='x()'/>".to_vec(), "PNG or JPEG"),
            (b"  <?xml version='1.0'?>".to_vec(), "PNG or JPEG"),
            (b"GIF89a".to_vec(), "neither"),
            (vec![], "neither"),
            (png(20_000, 10), "12000"),
            (png(1, 0), "pixels"),
            (b"\x89PNG\r\n\x1a\n".to_vec(), "breaks off"),
            (tiles, "version 2"),
            (beyond, "not whole"),
            (b"PMTiles\x03".to_vec(), "breaks off"),
            (br#"{"type":"Point","coordinates":[41.3,912]}"#.to_vec(), "degrees"),
            (br#"{"type":"Polygon","coordinates":[1]}"#.to_vec(), "lists"),
            (br#"{"type":"Circle"}"#.to_vec(), "`Circle`"),
            (br#"{"features":[]}"#.to_vec(), "`type`"),
            (b"{".to_vec(), "line 1"),
        ] {
            let refused = sniff(&bytes).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
        let deep =
            "{\"type\":\"GeometryCollection\",\"geometries\":[".repeat(20) + &"]}".repeat(20);
        assert!(sniff(deep.as_bytes()).unwrap_err().contains("deeper"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(head in 0_usize..5, mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let heads: [&[u8]; 5] = [b"", b"PMTiles\x03", b"\x89PNG\r\n\x1a\n", &[0xff, 0xd8, 0xff], b"{"];
            bytes.splice(0..0, heads[head].iter().copied());
            let _ = sniff(&bytes);
        }
    }
}
