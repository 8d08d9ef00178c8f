//! A capture ring shared with the kernel (TPACKET_V3, Documentation/networking/packet_mmap.rst).
//!
//! The kernel fills blocks in order and hands each over when it is full or [`RETIRE_MS`] old; we
//! read its frames where they lie and give the block back. What finds no free block is dropped and
//! counted by the kernel.

use std::io;
use std::mem::{offset_of, size_of, size_of_val, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::{NonNull, from_mut, null_mut};
use std::slice::from_raw_parts;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::{DOT1Q, STATUS_VLAN_TPID_VALID, STATUS_VLAN_VALID};

/// Age at which the kernel hands over a block that is not full, milliseconds.
pub(crate) const RETIRE_MS: u32 = 10;
/// Bytes of a block: whole pages, and room for the longest frame with its header.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;
const ETH_P_ALL: u16 = 0x0003;

/// One instruction of a classic BPF program (linux/filter.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) if_true: u8,
    pub(crate) if_false: u8,
    pub(crate) k: u32,
}

/// A frame in the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingFrame<'a> {
    /// Captured bytes, without a VLAN tag the kernel took off.
    pub(crate) bytes: &'a [u8],
    /// Bytes on the wire, likewise.
    pub(crate) wire_len: u32,
    /// Kernel arrival time, nanoseconds since 1970.
    pub(crate) arrival_ns: i64,
    /// The VLAN tag (TPID, TCI) the kernel took off, where there was one.
    pub(crate) vlan: Option<(u16, u16)>,
}

/// What the kernel counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RingCounts {
    /// Frames that passed the filter: those in the ring and those dropped.
    pub(crate) passed: u64,
    /// Frames for which there was no room.
    pub(crate) dropped: u64,
}

/// The ring of one interface.
pub(crate) struct Ring {
    socket: OwnedFd,
    map: NonNull<u8>,
    blocks: usize,
    next: usize,
}

// SAFETY: the mapping belongs to this value alone and every access goes through `&mut self`.
unsafe impl Send for Ring {}

impl Ring {
    /// Captures on `interface` what passes `filter` (empty: everything), promiscuously, into
    /// `blocks` blocks of [`BLOCK_BYTES`].
    pub(crate) fn open(interface: u32, filter: &[Instruction], blocks: usize) -> io::Result<Self> {
        // Protocol 0: nothing is captured until the socket is bound, when all is set up.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
        let version: libc::c_int = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
        set(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        if !filter.is_empty() {
            attach(&socket, filter)?;
        }
        let blocks = blocks.max(2);
        let request = libc::tpacket_req3 {
            tp_block_size: BLOCK_BYTES as u32,
            tp_block_nr: u32::try_from(blocks).map_err(io::Error::other)?,
            tp_frame_size: 2_048,
            tp_frame_nr: u32::try_from(blocks * (BLOCK_BYTES / 2_048)).map_err(io::Error::other)?,
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        set(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        // SAFETY: a fresh shared mapping of the ring just made; the kernel checks the length.
        let map = unsafe {
            libc::mmap(
                null_mut(),
                blocks * BLOCK_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if map == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let map = NonNull::new(map.cast::<u8>()).ok_or_else(|| io::Error::other("mapped at 0"))?;
        let ring = Self { socket, map, blocks, next: 0 };
        promiscuous(&ring.socket, interface)?;
        bind(&ring.socket, interface)?;
        Ok(ring)
    }

    /// The descriptor that becomes readable when a block is ready.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Hands each frame of the next block to `each` and gives the block back. `None`: none is ready.
    pub(crate) fn next_block(&mut self, mut each: impl FnMut(RingFrame<'_>)) -> Option<u32> {
        let base = self.next * BLOCK_BYTES;
        // SAFETY: `next < blocks`, so the block lies inside the mapping.
        let block = unsafe { self.map.as_ptr().add(base) };
        let status_at = offset_of!(libc::tpacket_block_desc, hdr)
            + offset_of!(libc::tpacket_hdr_v1, block_status);
        // SAFETY: the status word lies in the block's header, is aligned (blocks are whole pages),
        // lives as long as the mapping, and both sides use it atomically.
        let status = unsafe { AtomicU32::from_ptr(block.add(status_at).cast::<u32>()) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the block is ours until its status is set back; the kernel does not write to it,
        // so a shared slice over it is sound for that long.
        let bytes = unsafe { from_raw_parts(block, BLOCK_BYTES) };
        let header = offset_of!(libc::tpacket_block_desc, hdr);
        let count = word(bytes, header + offset_of!(libc::tpacket_hdr_v1, num_pkts));
        let mut at =
            word(bytes, header + offset_of!(libc::tpacket_hdr_v1, offset_to_first_pkt)) as usize;
        for _ in 0..count {
            let Some(frame) = frame(bytes, at) else { break };
            each(frame);
            at += word(bytes, at + offset_of!(libc::tpacket3_hdr, tp_next_offset)) as usize;
        }
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
        Some(count)
    }

    /// What the kernel counted since the last call.
    pub(crate) fn counts(&self) -> io::Result<RingCounts> {
        // SAFETY: all-zero bytes are a valid `tpacket_stats_v3`.
        let mut stats: libc::tpacket_stats_v3 = unsafe { zeroed() };
        let mut size = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
        // SAFETY: pointer and size describe `stats`; the kernel writes at most `size` bytes.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                from_mut(&mut stats).cast(),
                &raw mut size,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(RingCounts { passed: u64::from(stats.tp_packets), dropped: u64::from(stats.tp_drops) })
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this address and length and is not used after this.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.blocks * BLOCK_BYTES) };
    }
}

/// The frame whose header starts at `at`; `None` where the block contradicts itself.
fn frame(block: &[u8], at: usize) -> Option<RingFrame<'_>> {
    let header = block.get(at..at.checked_add(size_of::<libc::tpacket3_hdr>())?)?;
    let field = |offset: usize| word(header, offset);
    let captured = field(offset_of!(libc::tpacket3_hdr, tp_snaplen)) as usize;
    let mac = offset_of!(libc::tpacket3_hdr, tp_mac);
    let start = at + usize::from(u16::from_ne_bytes([header[mac], header[mac + 1]]));
    let status = field(offset_of!(libc::tpacket3_hdr, tp_status));
    let seconds = i64::from(field(offset_of!(libc::tpacket3_hdr, tp_sec)));
    let nanos = i64::from(field(offset_of!(libc::tpacket3_hdr, tp_nsec)));
    let variant = offset_of!(libc::tpacket3_hdr, hv1);
    let tci = field(variant + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tci)) as u16;
    let tpid_at = variant + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tpid);
    let tpid = u16::from_ne_bytes([header[tpid_at], header[tpid_at + 1]]);
    let vlan = (status & STATUS_VLAN_VALID != 0)
        .then_some((if status & STATUS_VLAN_TPID_VALID != 0 { tpid } else { DOT1Q }, tci));
    Some(RingFrame {
        bytes: block.get(start..start.checked_add(captured)?)?,
        wire_len: field(offset_of!(libc::tpacket3_hdr, tp_len)),
        arrival_ns: seconds * 1_000_000_000 + nanos,
        vlan,
    })
}

/// A word in the order of this machine; 0 beyond the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |word| u32::from_ne_bytes(*word))
}

/// Sets an option of a socket; `T` must be plain old data, as the kernel defines it for `name`.
pub(super) fn set<T>(
    socket: &OwnedFd,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> io::Result<()> {
    // SAFETY: pointer and size describe `value`, plain old data that outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            size_of_val(value) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn attach(socket: &OwnedFd, filter: &[Instruction]) -> io::Result<()> {
    const {
        assert!(size_of::<Instruction>() == size_of::<libc::sock_filter>());
    }
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(io::Error::other)?,
        // The kernel only reads; the layouts are the same (checked above).
        filter: filter.as_ptr().cast_mut().cast::<libc::sock_filter>(),
    };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn promiscuous(socket: &OwnedFd, interface: u32) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid `packet_mreq`.
    let mut request: libc::packet_mreq = unsafe { zeroed() };
    request.mr_ifindex = i32::try_from(interface).map_err(io::Error::other)?;
    request.mr_type = libc::PACKET_MR_PROMISC as u16;
    set(socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
}

fn bind(socket: &OwnedFd, interface: u32) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = ETH_P_ALL.to_be();
    address.sll_ifindex = i32::try_from(interface).map_err(io::Error::other)?;
    // SAFETY: pointer and size describe `address`, which outlives the call.
    let result = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
