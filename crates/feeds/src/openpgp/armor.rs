//! ASCII armor (RFC 9580 §6.2). Its checksum is not looked at: the signature is the check.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN PGP ";
const END: &str = "-----END PGP ";

/// The packets of a file: of all its armored blocks, or the file itself when it is binary.
pub(super) fn open(file: &[u8]) -> Result<Vec<u8>, &'static str> {
    if file.first().is_some_and(|first| first & 0x80 != 0) && !file.starts_with(b"\xef\xbb\xbf") {
        return Ok(file.to_vec());
    }
    let text = std::str::from_utf8(file).map_err(|_| "it is no OpenPGP file")?;
    let (mut out, mut lines) = (Vec::new(), text.lines().map(str::trim));
    let mut blocks = 0;
    while let Some(line) = lines.next() {
        if !line.trim_start_matches('\u{feff}').starts_with(BEGIN) {
            continue;
        }
        blocks += 1;
        let mut body = String::new();
        // Headers end at an empty line.
        let mut in_headers = true;
        let mut ended = false;
        for line in lines.by_ref() {
            if line.starts_with(END) {
                ended = true;
                break;
            }
            if in_headers {
                in_headers = !line.is_empty();
            } else if !line.starts_with('=') {
                body.push_str(line);
            }
        }
        if !ended {
            return Err("its armor has no end");
        }
        out.extend(STANDARD.decode(&body).map_err(|_| "its armor is broken")?);
    }
    if blocks == 0 { Err("it is no OpenPGP file") } else { Ok(out) }
}
