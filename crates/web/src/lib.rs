//! The built console, embedded in the binary.
//!
//! Invariants: depends on no other crate, so it is compiled again only when `web/dist` changes;
//! a build without Node embeds nothing and serves one plain page that says how to build it.
//! Entry points: [`index`], [`asset`], [`asset_for`], [`built`].

/// One embedded file with everything needed to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The body.
    pub bytes: &'static [u8],
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, with its quotation marks; differs per encoding (RFC 9110 §8.8.3.3).
    pub etag: &'static str,
    /// The value of `Content-Encoding`; `None` when the bytes are as they are.
    pub encoding: Option<&'static str>,
    /// True when the name holds a digest of the content, so that it may be cached for ever.
    pub immutable: bool,
}

struct File {
    path: &'static str,
    /// Of the plain, the Brotli and the gzip form.
    tags: [&'static str; 3],
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/table.rs"));

const NOT_BUILT: &str = include_str!("not_built.html");

/// What a browser must be told so that a page loads nothing from elsewhere. Styles may stand in
/// the page because the component library sets sizes that way; scripts may not.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
     connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// True when the console was built before this binary.
pub fn built() -> bool {
    find("index.html").is_some()
}

/// The page every address of the console starts from, uncompressed.
pub fn index() -> Asset {
    index_for("")
}

/// The page every address of the console starts from, in the best encoding that
/// `accept_encoding` (the request's header) allows.
pub fn index_for(accept_encoding: &str) -> Asset {
    asset_for("index.html", accept_encoding).unwrap_or(Asset {
        bytes: NOT_BUILT.as_bytes(),
        content_type: "text/html; charset=utf-8",
        etag: "\"not-built\"",
        encoding: None,
        immutable: false,
    })
}

/// The file at `path` (with or without a leading `/`), uncompressed; `None` when there is none.
pub fn asset(path: &str) -> Option<Asset> {
    asset_for(path, "")
}

/// The file at `path` in the best encoding that `accept_encoding` allows: Brotli, then gzip, then none.
/// The answer depends on the header: send `Vary: Accept-Encoding`.
pub fn asset_for(path: &str, accept_encoding: &str) -> Option<Asset> {
    let file = find(path.strip_prefix('/').unwrap_or(path))?;
    let (bytes, encoding) = match (file.brotli, file.gzip) {
        (Some(bytes), _) if accepts(accept_encoding, "br") => (bytes, Some("br")),
        (_, Some(bytes)) if accepts(accept_encoding, "gzip") => (bytes, Some("gzip")),
        _ => (file.plain, None),
    };
    Some(Asset {
        bytes,
        content_type: content_type(file.path),
        etag: etag(file, encoding),
        encoding,
        immutable: file.path.starts_with("assets/"),
    })
}

/// The names of all embedded files, for tests and for `sereno doctor`.
pub fn paths() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|file| file.path)
}

fn find(path: &str) -> Option<&'static File> {
    // The table is written in the order of its names.
    FILES.binary_search_by(|file| file.path.cmp(path)).ok().map(|at| &FILES[at])
}

/// True when the header names the coding without `q=0` (RFC 9110 §12.5.3).
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.and_then(|weight| weight.parse::<f32>().ok()) == Some(0.0)
        });
        named && !refused
    })
}

fn etag(file: &'static File, encoding: Option<&str>) -> &'static str {
    match encoding {
        Some("br") => file.tags[1],
        Some(_) => file.tags[2],
        None => file.tags[0],
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn there_is_always_a_page() {
        let page = index();
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        let text = std::str::from_utf8(page.bytes).unwrap();
        assert!(text.starts_with("<!doctype html>"), "{text}");
        assert!(built() || text.contains("make console"), "the plain page must say how to build");
    }

    #[test]
    fn unknown_paths_and_climbing_paths_are_none() {
        for path in ["", "/", "nope.js", "../Cargo.toml", "assets/../index.html", "stamp.txt"] {
            assert_eq!(asset(path), None, "{path}");
        }
    }

    #[test]
    fn a_coding_is_sent_only_to_who_accepts_it() {
        assert!(accepts("gzip, deflate, br;q=0.9", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("gzip, br; q=0.000", "br"));
        assert!(!accepts("", "gzip"));
        assert!(!accepts("x-gzip", "gzip"));
    }

    #[test]
    fn every_embedded_file_is_found_under_its_name_with_one_tag_per_encoding() {
        for path in paths() {
            let plain = asset(&format!("/{path}")).unwrap();
            assert_eq!(plain.encoding, None);
            assert_ne!(plain.content_type, "application/octet-stream", "type of {path}");
            let packed = asset_for(path, "gzip, br").unwrap();
            if packed.encoding.is_some() {
                assert_ne!(packed.etag, plain.etag);
                assert!(packed.bytes.len() < plain.bytes.len(), "{path} grew");
            }
        }
    }
}
