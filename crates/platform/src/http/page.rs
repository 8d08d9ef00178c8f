//! Lists by the page: an opaque cursor and a limit.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;

/// Items on a page when the caller does not say.
pub const DEFAULT_PAGE_ITEMS: u32 = 50;
/// Items on a page at most.
pub const MAX_PAGE_ITEMS: u32 = 500;

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page; absent on the last one.
    pub next: Option<String>,
    /// How many there are in all, where it is cheap to know.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// A list that is complete on one page.
    pub fn whole(items: Vec<T>) -> Self {
        let total = Some(items.len() as u64);
        Self { items, next: None, total }
    }

    /// From up to `limit + 1` rows: the surplus row says that there is a next page, whose cursor
    /// `key` makes from the last item shown.
    pub fn from_surplus(mut items: Vec<T>, limit: u32, key: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = if more { items.last().map(|item| encode_cursor(&key(item))) } else { None };
        Self { items, next, total: None }
    }
}

/// Query of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct PageQuery {
    /// Items wanted, 1 to 500; 50 when absent.
    pub limit: Option<u32>,
    /// Where to go on, from `next`.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// The limit within its bounds.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_PAGE_ITEMS).clamp(1, MAX_PAGE_ITEMS)
    }

    /// The key inside the cursor.
    ///
    /// # Errors
    /// The cursor was not made by this API.
    pub fn after(&self) -> Result<Option<String>, Problem> {
        self.cursor.as_deref().map(decode_cursor).transpose()
    }
}

/// An opaque cursor around a key.
pub fn encode_cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key inside a cursor.
///
/// # Errors
/// The cursor was not made by [`encode_cursor`].
pub fn decode_cursor(cursor: &str) -> Result<String, Problem> {
    URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(
        || {
            Problem::bad_request("the cursor was not made by this list")
                .remedy("Use `next` of the page before, unchanged.")
        },
    )
}
