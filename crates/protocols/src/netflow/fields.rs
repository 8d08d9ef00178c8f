//! Information elements that make a flow (IANA registry "IPFIX Information Elements"; the same
//! numbers name the fields of NetFlow 9).

pub(super) const OCTETS: u16 = 1;
pub(super) const PACKETS: u16 = 2;
pub(super) const PROTOCOL: u16 = 4;
pub(super) const TCP_FLAGS: u16 = 6;
pub(super) const SRC_PORT: u16 = 7;
pub(super) const SRC_V4: u16 = 8;
pub(super) const DST_PORT: u16 = 11;
pub(super) const DST_V4: u16 = 12;
pub(super) const LAST_UPTIME: u16 = 21;
pub(super) const FIRST_UPTIME: u16 = 22;
pub(super) const SRC_V6: u16 = 27;
pub(super) const DST_V6: u16 = 28;
pub(super) const SAMPLING: u16 = 34;
pub(super) const SRC_MAC: u16 = 56;
pub(super) const DST_MAC: u16 = 80;
pub(super) const OCTETS_TOTAL: u16 = 85;
pub(super) const PACKETS_TOTAL: u16 = 86;
pub(super) const START_SECONDS: u16 = 150;
pub(super) const END_SECONDS: u16 = 151;
pub(super) const START_MS: u16 = 152;
pub(super) const END_MS: u16 = 153;
pub(super) const START_US: u16 = 154;
pub(super) const END_US: u16 = 155;
pub(super) const START_NS: u16 = 156;
pub(super) const END_NS: u16 = 157;
pub(super) const START_BEFORE_US: u16 = 158;
pub(super) const END_BEFORE_US: u16 = 159;
