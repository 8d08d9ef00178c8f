//! A netlink socket to the kernel's packet queue, and many of its messages with one call.

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, setsockopt, socket, sockopt,
};

use super::ring;

/// Messages taken with one call.
pub(crate) const MANY: usize = 64;
/// Bytes of receive queue asked of the kernel.
const QUEUE_BYTES: usize = 16 << 20;

/// Opens a socket to the kernel's netfilter. What finds its receive queue full is counted by the packet queue, and
/// not told as an error here.
pub(crate) fn open_netfilter() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let protocol = SockProtocol::NetlinkNetFilter;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
    let on: libc::c_int = 1;
    ring::set(&fd, libc::SOL_NETLINK, libc::NETLINK_NO_ENOBUFS, &on)?;
    // Beyond the system's limit only with rights in the first user namespace; less is fine.
    if setsockopt(&fd, sockopt::RcvBufForce, &QUEUE_BYTES).is_err() {
        setsockopt(&fd, sockopt::RcvBuf, &QUEUE_BYTES)?;
    }
    Ok(fd)
}

/// Takes what has come, at most [`MANY`] messages of `slot` bytes each, into `buffer`; gives their number and
/// writes their lengths. Does not wait.
pub(crate) fn receive_many(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    slot: usize,
    lengths: &mut [usize; MANY],
) -> io::Result<usize> {
    // SAFETY: all-zero bytes are valid values of these plain C structs: no pointer is followed at length 0.
    let (mut headers, mut parts): ([libc::mmsghdr; MANY], [libc::iovec; MANY]) =
        unsafe { (zeroed(), zeroed()) };
    let mut count = 0;
    for (piece, (header, part)) in
        buffer.chunks_exact_mut(slot.max(1)).zip(headers.iter_mut().zip(&mut parts))
    {
        part.iov_base = piece.as_mut_ptr().cast();
        part.iov_len = piece.len();
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    // SAFETY: the first `count` headers lead to live parts, each to a piece of `buffer` of its own with its true
    // length; all of them outlive the call, which does not wait.
    let taken = unsafe {
        libc::recvmmsg(
            fd.as_raw_fd(),
            headers.as_mut_ptr(),
            count,
            libc::MSG_DONTWAIT,
            std::ptr::null_mut(),
        )
    };
    let Ok(taken) = usize::try_from(taken) else {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
            _ => Err(error),
        };
    };
    for (length, header) in lengths.iter_mut().zip(&headers[..taken]) {
        *length = (header.msg_len as usize).min(slot);
    }
    Ok(taken)
}
