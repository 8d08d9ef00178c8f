//! The two hellos of a handshake (RFC 8446, 4.1; RFC 5246, 7.4.1).

use super::ja4::Ja4;
use super::pieces::Pieces;

/// Extensions that are read.
const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
/// Longest name kept: that of a host (RFC 1035) or of a protocol (RFC 7301, 3.1).
const MAX_NAME_BYTES: usize = 255;
const RANDOM_BYTES: usize = 32;
const MAX_SESSION_BYTES: u8 = 32;
/// Random of a server hello that asks for another client hello (RFC 8446, 4.1.3), its first octets.
const RETRY: [u8; 8] = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11];

/// A name copied out of a hello, which may lie in two records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text {
    bytes: [u8; MAX_NAME_BYTES],
    len: u8,
}

impl Text {
    fn of(part: Pieces<'_>) -> Self {
        let mut text = Self { bytes: [0; MAX_NAME_BYTES], len: 0 };
        text.len = u8::try_from(part.copy_to(&mut text.bytes)).unwrap_or(0);
        text
    }

    /// Its octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// Values without meaning that clients mix in (RFC 8701).
pub(super) const fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// What a client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// Version in the old place; newer ones stand in an extension.
    pub legacy_version: u16,
    /// Octets of the session identifier.
    pub session_len: u8,
    ciphers: Pieces<'a>,
    extensions: Pieces<'a>,
}

/// Reads numbers of two octets.
fn numbers(mut part: Pieces<'_>) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || part.be16())
}

/// Reads extensions: type and contents.
fn extensions(mut part: Pieces<'_>) -> impl Iterator<Item = (u16, Pieces<'_>)> {
    std::iter::from_fn(move || {
        let (kind, len) = (part.be16()?, part.be16()?);
        Some((kind, part.part(usize::from(len))?))
    })
}

/// The extensions at the end of a hello; there may be none at all.
fn extensions_of<'a>(body: &mut Pieces<'a>) -> Option<Pieces<'a>> {
    if body.left() == 0 {
        return body.part(0);
    }
    let len = usize::from(body.be16()?);
    let part = body.part(len)?;
    let filled: usize = extensions(part).map(|(_, contents)| 4 + contents.left()).sum();
    (filled == len && body.left() == 0).then_some(part)
}

impl<'a> ClientHello<'a> {
    pub(super) fn read(mut body: Pieces<'a>) -> Option<Self> {
        let legacy_version = body.be16()?;
        body.skip(RANDOM_BYTES)?;
        let session_len = body.u8().filter(|len| *len <= MAX_SESSION_BYTES)?;
        body.skip(usize::from(session_len))?;
        let len = usize::from(body.be16()?);
        let ciphers = body.part(len).filter(|_| len % 2 == 0)?;
        let compressions = usize::from(body.u8()?);
        body.skip(compressions)?;
        let extensions = extensions_of(&mut body)?;
        Some(Self { legacy_version, session_len, ciphers, extensions })
    }

    /// Cipher suites in the client's order, with the values without meaning.
    pub fn ciphers(&self) -> impl Iterator<Item = u16> + use<'a> {
        numbers(self.ciphers)
    }

    /// Types of the extensions in the client's order, with those without meaning.
    pub fn extensions(&self) -> impl Iterator<Item = u16> + use<'a> {
        extensions(self.extensions).map(|(kind, _)| kind)
    }

    fn extension(&self, wanted: u16) -> Option<Pieces<'a>> {
        extensions(self.extensions).find(|(kind, _)| *kind == wanted).map(|(_, part)| part)
    }

    /// Host the client wants to speak with (RFC 6066, 3).
    #[must_use]
    pub fn server_name(&self) -> Option<Text> {
        let mut part = self.extension(SERVER_NAME)?;
        part.be16()?;
        let kind = part.u8()?;
        let len = usize::from(part.be16()?);
        part.part(len).filter(|_| kind == 0).map(Text::of)
    }

    /// Protocols for inside, the favourite first (RFC 7301).
    pub fn protocols(&self) -> impl Iterator<Item = Text> + use<'a> {
        let mut part = self.extension(ALPN);
        if let Some(part) = &mut part {
            part.be16();
        }
        std::iter::from_fn(move || {
            let part = part.as_mut()?;
            let len = part.u8()?;
            part.part(usize::from(len)).map(Text::of)
        })
    }

    /// Versions offered in the extension (RFC 8446, 4.2.1), with those without meaning.
    pub fn versions(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut part = self.extension(SUPPORTED_VERSIONS);
        if let Some(part) = &mut part {
            part.u8();
        }
        part.into_iter().flat_map(numbers)
    }

    /// Highest version offered.
    #[must_use]
    pub fn version(&self) -> u16 {
        let offered = self.versions().filter(|version| !is_grease(*version)).max();
        offered.unwrap_or(self.legacy_version)
    }

    /// Signature algorithms in the client's order.
    pub fn signatures(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut part = self.extension(SIGNATURE_ALGORITHMS);
        if let Some(part) = &mut part {
            part.be16();
        }
        part.into_iter().flat_map(numbers)
    }

    /// Fingerprint of the client program; `None` where a list is longer than any client's.
    #[must_use]
    pub fn ja4(&self) -> Option<Ja4> {
        Ja4::of(self)
    }
}

/// What a server chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerHello {
    /// Version chosen.
    pub version: u16,
    /// Cipher suite chosen.
    pub cipher: u16,
    /// Whether it asks for another client hello instead.
    pub retry: bool,
}

impl ServerHello {
    pub(super) fn read(mut body: Pieces<'_>) -> Option<Self> {
        let legacy_version = body.be16()?;
        let mut random = [0; RETRY.len()];
        body.part(RANDOM_BYTES)?.copy_to(&mut random);
        let session_len = body.u8().filter(|len| *len <= MAX_SESSION_BYTES)?;
        body.skip(usize::from(session_len))?;
        let cipher = body.be16()?;
        body.u8()?;
        let chosen = extensions(extensions_of(&mut body)?)
            .find(|(kind, _)| *kind == SUPPORTED_VERSIONS)
            .and_then(|(_, mut part)| part.be16());
        let version = chosen.unwrap_or(legacy_version);
        Some(Self { version, cipher, retry: random == RETRY })
    }
}
