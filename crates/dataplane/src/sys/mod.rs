//! Packet sockets (packet(7)) and, in [`xattr`], two calls for overlays: the only unsafe code of the repository.
//!
//! Why it is needed: `sockaddr_ll`, the statistics and the auxiliary data of packet sockets have no
//! safe wrapper in the libraries used, and the ring of [`ring`] is memory shared with the kernel. Why
//! it is sound: every call hands the kernel a pointer to a
//! value that lives on this stack (or a caller's slice) together with its true size; every value
//! read back is plain old data, initialised before the call; descriptors stay owned by `OwnedFd`;
//! control messages are walked with the C library's own macros over a buffer of known length.
#![allow(unsafe_code)]

pub(crate) mod many;
pub(crate) mod ring;
pub(crate) mod xattr;

use std::io;
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::from_mut;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, setsockopt, socket, sockopt,
};

/// Bytes of receive queue asked of the kernel for a capture.
const CAPTURE_QUEUE_BYTES: usize = 8 << 20;
/// Room for the control messages of one frame: a time and the auxiliary data, with slack.
const CONTROL_BYTES: usize = 256;
/// The kernel's flags of `tpacket_auxdata::tp_status` (linux/if_packet.h).
const STATUS_VLAN_VALID: u32 = 1 << 4;
const STATUS_VLAN_TPID_VALID: u32 = 1 << 6;
/// linux/if_packet.h.
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;
const DOT1Q: u16 = 0x8100;

/// What the kernel says about one received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes in the buffer.
    pub(crate) captured: usize,
    /// Bytes of the frame on the wire, without a VLAN tag that was taken off.
    pub(crate) wire_len: usize,
    /// Interface it came in (or went out) by.
    pub(crate) interface: u32,
    /// True when it leaves this host.
    pub(crate) outgoing: bool,
    /// Kernel arrival time, nanoseconds since 1970.
    pub(crate) arrival_ns: i64,
    /// The VLAN tag (TPID, TCI) the kernel took off, where there was one.
    pub(crate) vlan: Option<(u16, u16)>,
}

/// A socket that receives every frame of this network namespace with its arrival time.
pub(crate) fn open_capture() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
    setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
    // Beyond the system's limit only with rights in the first user namespace; less is fine.
    if setsockopt(&fd, sockopt::RcvBufForce, &CAPTURE_QUEUE_BYTES).is_err() {
        setsockopt(&fd, sockopt::RcvBuf, &CAPTURE_QUEUE_BYTES)?;
    }
    let on: libc::c_int = 1;
    ring::set(&fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, &on)?;
    // Frames that leave were seen when they came in. Kernels before 4.20 show them all the same.
    let _ = ring::set(&fd, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, &on);
    Ok(fd)
}

/// A socket that sends whole frames out of one interface and receives none.
pub(crate) fn open_sender(interface: u32) -> io::Result<OwnedFd> {
    bound(interface, SockFlag::SOCK_CLOEXEC, 0)
}

/// A socket that receives the frames of one interface, for [`receive`].
pub(crate) fn open_receiver(interface: u32) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    bound(interface, flags, (libc::ETH_P_ALL as u16).to_be())
}

/// A socket of one interface that receives frames of this kind (in the byte order of the wire), 0: none.
fn bound(interface: u32, flags: SockFlag, protocol: u16) -> io::Result<OwnedFd> {
    let fd = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
    // SAFETY: all-zero bytes are a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol;
    address.sll_ifindex = i32::try_from(interface).map_err(io::Error::other)?;
    // SAFETY: pointer and size describe `address`, which outlives the call.
    let result = unsafe {
        libc::bind(
            fd.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(fd) } else { Err(io::Error::last_os_error()) }
}

/// As [`open_sender`], and frames go to the driver at once, past the queue of the interface.
pub(crate) fn open_flooder(interface: u32) -> io::Result<OwnedFd> {
    let fd = open_sender(interface)?;
    let on: libc::c_int = 1;
    ring::set(&fd, libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, &on)?;
    Ok(fd)
}

/// Takes one frame from the queue; `None` when it is empty.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Option<Received>> {
    // SAFETY: all-zero bytes are valid values of these plain C structs.
    let (mut address, mut message): (libc::sockaddr_ll, libc::msghdr) =
        unsafe { (zeroed(), zeroed()) };
    let mut control = [0_u64; CONTROL_BYTES / 8];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    message.msg_name = from_mut(&mut address).cast();
    message.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: every pointer in `message` leads to a live local (or the caller's slice) of the size
    // given beside it.
    let length = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, libc::MSG_TRUNC) };
    let Ok(wire_len) = usize::try_from(length) else {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        };
    };
    let mut received = Received {
        captured: wire_len.min(buffer.len()),
        wire_len,
        interface: u32::try_from(address.sll_ifindex).unwrap_or(0),
        outgoing: address.sll_pkttype == libc::PACKET_OUTGOING,
        arrival_ns: 0,
        vlan: None,
    };
    read_control(&message, &mut received);
    Ok(Some(received))
}

fn read_control(message: &libc::msghdr, received: &mut Received) {
    // SAFETY: `message` was filled by recvmsg; its control buffer is alive in the caller and the
    // macros stay within `msg_controllen`. Data is read unaligned, and only where the control
    // message is long enough to hold it.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while let Some(control) = header.as_ref() {
            let data = libc::CMSG_DATA(control);
            let length = control
                .cmsg_len
                .saturating_sub(data as usize - std::ptr::from_ref(control) as usize);
            match (control.cmsg_level, control.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS)
                    if length >= size_of::<libc::timespec>() =>
                {
                    let at = data.cast::<libc::timespec>().read_unaligned();
                    received.arrival_ns = at.tv_sec * 1_000_000_000 + at.tv_nsec;
                }
                (libc::SOL_PACKET, libc::PACKET_AUXDATA)
                    if length >= size_of::<libc::tpacket_auxdata>() =>
                {
                    let about = data.cast::<libc::tpacket_auxdata>().read_unaligned();
                    if about.tp_status & STATUS_VLAN_VALID != 0 {
                        let kind = if about.tp_status & STATUS_VLAN_TPID_VALID != 0 {
                            about.tp_vlan_tpid
                        } else {
                            DOT1Q
                        };
                        received.vlan = Some((kind, about.tp_vlan_tci));
                    }
                }
                _ => {}
            }
            header = libc::CMSG_NXTHDR(message, control);
        }
    }
}

/// Frames the kernel dropped because the queue was full, since the last call.
pub(crate) fn dropped(fd: BorrowedFd<'_>) -> io::Result<u64> {
    // SAFETY: all-zero bytes are a valid `tpacket_stats`.
    let mut stats: libc::tpacket_stats = unsafe { zeroed() };
    let mut size = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    // SAFETY: pointer and size describe `stats`; the kernel writes at most `size` bytes.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            from_mut(&mut stats).cast(),
            &raw mut size,
        )
    };
    if result == 0 { Ok(u64::from(stats.tp_drops)) } else { Err(io::Error::last_os_error()) }
}
