//! Units and services of MMS by number (ISO 9506-2).

use super::super::operation::Effect;

/// Kind of protocol data unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Pdu {
    /// A service is asked for.
    ConfirmedRequest,
    /// It was done.
    ConfirmedResponse,
    /// It was not.
    ConfirmedError,
    /// Told without being asked.
    Unconfirmed,
    /// A unit could not be read or accepted.
    Reject,
    /// A request is to be cancelled.
    CancelRequest,
    /// It was cancelled.
    CancelResponse,
    /// It was not.
    CancelError,
    /// The association opens.
    InitiateRequest,
    /// It is open.
    InitiateResponse,
    /// It does not open.
    InitiateError,
    /// The association closes.
    ConcludeRequest,
    /// It is closed.
    ConcludeResponse,
    /// It stays open.
    ConcludeError,
}

impl Pdu {
    /// Every kind, in the order of the tags.
    pub const ALL: [Self; 14] = [
        Self::ConfirmedRequest,
        Self::ConfirmedResponse,
        Self::ConfirmedError,
        Self::Unconfirmed,
        Self::Reject,
        Self::CancelRequest,
        Self::CancelResponse,
        Self::CancelError,
        Self::InitiateRequest,
        Self::InitiateResponse,
        Self::InitiateError,
        Self::ConcludeRequest,
        Self::ConcludeResponse,
        Self::ConcludeError,
    ];

    /// The kind with this leading byte; the units that hold one number are primitive.
    pub(super) fn of(tag: u8) -> Option<Self> {
        let kind = *Self::ALL.get(usize::from(tag & 0x1f))?;
        let primitive = matches!(
            kind,
            Self::CancelRequest
                | Self::CancelResponse
                | Self::ConcludeRequest
                | Self::ConcludeResponse
        );
        (tag & 0xe0 == if primitive { 0x80 } else { 0xa0 }).then_some(kind)
    }

    /// Name in the words of the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfirmedRequest => "confirmed request",
            Self::ConfirmedResponse => "confirmed response",
            Self::ConfirmedError => "confirmed error",
            Self::Unconfirmed => "unconfirmed",
            Self::Reject => "reject",
            Self::CancelRequest => "cancel request",
            Self::CancelResponse => "cancel response",
            Self::CancelError => "cancel error",
            Self::InitiateRequest => "initiate request",
            Self::InitiateResponse => "initiate response",
            Self::InitiateError => "initiate error",
            Self::ConcludeRequest => "conclude request",
            Self::ConcludeResponse => "conclude response",
            Self::ConcludeError => "conclude error",
        }
    }
}

/// Highest number of a confirmed service.
pub(super) const LAST: u32 = 78;

/// A confirmed service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Service(pub u8);

impl Service {
    pub(super) const GET_NAME_LIST: u8 = 1;
    pub(super) const READ: u8 = 4;
    pub(super) const WRITE: u8 = 5;

    /// Name in the words of the standard.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("unknown service")
    }

    /// What it does to the machine.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self.0 {
            4 | 63 | 64 | 67 | 73 => Effect::Read,
            5 | 17 | 18 | 66 => Effect::Write,
            19 | 20 | 39..=44 | 52 | 62 => Effect::Control,
            3
            | 7
            | 8
            | 10
            | 11
            | 13
            | 14
            | 16
            | 21
            | 22
            | 26..=36
            | 38
            | 46..=48
            | 51
            | 53
            | 54
            | 57..=59
            | 65
            | 69
            | 70
            | 75
            | 76 => Effect::Configure,
            _ => Effect::Diagnose,
        }
    }
}

/// Names of the confirmed services.
const NAMES: [&str; LAST as usize + 1] = [
    "status",
    "get name list",
    "identify",
    "rename",
    "read",
    "write",
    "get variable access attributes",
    "define named variable",
    "define scattered access",
    "get scattered access attributes",
    "delete variable access",
    "define named variable list",
    "get named variable list attributes",
    "delete named variable list",
    "define named type",
    "get named type attributes",
    "delete named type",
    "input",
    "output",
    "take control",
    "relinquish control",
    "define semaphore",
    "delete semaphore",
    "report semaphore status",
    "report pool semaphore status",
    "report semaphore entry status",
    "initiate download sequence",
    "download segment",
    "terminate download sequence",
    "initiate upload sequence",
    "upload segment",
    "terminate upload sequence",
    "request domain download",
    "request domain upload",
    "load domain content",
    "store domain content",
    "delete domain",
    "get domain attributes",
    "create program invocation",
    "delete program invocation",
    "start",
    "stop",
    "resume",
    "reset",
    "kill",
    "get program invocation attributes",
    "obtain file",
    "define event condition",
    "delete event condition",
    "get event condition attributes",
    "report event condition status",
    "alter event condition monitoring",
    "trigger event",
    "define event action",
    "delete event action",
    "get event action attributes",
    "report event action status",
    "define event enrollment",
    "delete event enrollment",
    "alter event enrollment",
    "report event enrollment status",
    "get event enrollment attributes",
    "acknowledge event notification",
    "get alarm summary",
    "get alarm enrollment summary",
    "initialize journal",
    "write journal",
    "read journal",
    "report journal status",
    "create journal",
    "delete journal",
    "get capability list",
    "file open",
    "file read",
    "file close",
    "file rename",
    "file delete",
    "file directory",
    "additional service",
];

/// Names of the unconfirmed services.
pub(super) const fn unconfirmed(number: u8) -> &'static str {
    match number {
        0 => "information report",
        1 => "unsolicited status",
        2 => "event notification",
        _ => "unknown unconfirmed service",
    }
}
