//! HTTP for rooms: problems (RFC 9457), callers, permissions, lists.
//!
//! A room builds its routes with [`RoomRouter`]; each route names its [`Permission`], so that no
//! endpoint exists without one and the access matrix can be printed.

mod caller;
mod page;
mod problem;
mod router;

pub use caller::{Beyond, Caller, CallerKind, Gate};
pub use page::{DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS, Page, PageQuery, decode_cursor, encode_cursor};
pub use problem::{Json, Problem};
/// Where pages live that a secret link opens: the path itself is the credential, so nothing else is looked at, and no
/// log or fact repeats it.
pub const LINK_PATH: &str = "/answer/";

pub use router::{AccessRule, Permission, RoomRouter};
