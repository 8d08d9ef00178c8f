//! The one extended attribute that an overlay's upper layer speaks in: "this folder hides what lies below it".
//!
//! Sound: every pointer is a NUL-terminated string or a buffer that outlives the call, with its true size.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The attribute for mounts by the system's administrator, and for mounts in user namespaces (`userxattr`).
const OPAQUE: [&CStr; 2] = [c"trusted.overlay.opaque", c"user.overlay.opaque"];

fn text(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Does the folder hide what lies below it?
pub(crate) fn is_opaque(path: &Path) -> bool {
    let Ok(path) = text(path) else { return false };
    OPAQUE.iter().any(|name| {
        let mut value = [0_u8; 1];
        // SAFETY: two NUL-terminated strings and a buffer of one byte, as is said.
        let read = unsafe {
            libc::lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len())
        };
        read == 1 && value[0] == b'y'
    })
}

/// Makes the folder hide what lies below it, under whichever name the system allows.
pub(crate) fn set_opaque(path: &Path) -> io::Result<()> {
    let path = text(path)?;
    let mut last = io::Error::from(io::ErrorKind::Unsupported);
    for name in OPAQUE {
        // SAFETY: two NUL-terminated strings and one byte that outlives the call.
        let done =
            unsafe { libc::lsetxattr(path.as_ptr(), name.as_ptr(), b"y".as_ptr().cast(), 1, 0) };
        if done == 0 {
            return Ok(());
        }
        last = io::Error::last_os_error();
    }
    Err(last)
}
