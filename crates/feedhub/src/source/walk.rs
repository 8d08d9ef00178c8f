//! Where the reading of a TAXII collection stands, and how it goes on after a page (TAXII 2.1 §3.4, §3.5).

use serde::{Deserialize, Serialize};
use stix::Timestamp;

/// Entries asked for at once, at most: what a server without `next` may have under one date.
pub(crate) const MAX_TIED: u32 = 10_000;
/// Empty pages in a row that say more follows.
const MAX_EMPTY: u32 = 5;

/// The place up to which a collection was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// `added_after` of the requests.
    pub(crate) after: Option<String>,
    /// Where the server says the next page begins.
    pub(crate) next: Option<String>,
    /// The latest date of what came.
    last: Option<String>,
    /// `last` when this walk began.
    begun: Option<String>,
    /// Whether the server names another place for each page. One that names the same for all keeps the place itself, and
    /// a page that got lost on the way is lost there: then only dates tell where to go on.
    #[serde(default)]
    varied: bool,
    #[serde(skip)]
    page: u64,
    #[serde(skip)]
    empty: u32,
    #[serde(skip)]
    told: usize,
}

/// What a page said about the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) more: bool,
    pub(crate) next: Option<String>,
    /// `X-TAXII-Date-Added-Last`.
    pub(crate) last: Option<String>,
    pub(crate) count: usize,
    /// Tells pages apart.
    pub(crate) page: u64,
}

/// How to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All that is there was read.
    Done,
    /// There is another page.
    On,
    /// There is another page, which must be asked for with so many entries.
    Larger(u32),
    /// There is another page; entries of the date just read may have been passed over, because the server tells no place.
    Past,
}

fn us(text: &str) -> Option<i64> {
    Timestamp::parse(text).ok().map(Timestamp::unix_us)
}

/// A microsecond earlier: what was added at the same time as the last one comes again rather than never.
fn just_before(text: &str) -> Option<String> {
    Some(Timestamp::from_unix_us(us(text)?.checked_sub(1)?).to_string())
}

impl Walk {
    /// From this date on.
    pub(crate) fn from(after: Option<String>) -> Self {
        Self { after, ..Self::default() }
    }

    /// Whether the place is kept by the server and moves with every request.
    pub(crate) fn is_fragile(&self) -> bool {
        self.next.is_some() && !self.varied
    }

    /// The server no longer knows the place: as far as the dates tell.
    pub(crate) fn fall_back(&mut self) {
        self.next = None;
        self.varied = false;
        if let Some(before) = self.last.as_deref().and_then(just_before)
            && self.after.as_deref().and_then(us) < us(&before)
        {
            self.after = Some(before);
        }
    }

    /// Goes on after a page of at most `limit` entries.
    pub(crate) fn step(&mut self, told: Told, limit: u32) -> Result<Step, String> {
        let latest = told.last.filter(|last| us(last).is_some());
        if let Some(last) = &latest
            && self.last.as_deref().and_then(us) < us(last)
        {
            self.last = Some(last.clone());
        }
        self.empty = if told.count == 0 { self.empty + 1 } else { 0 };
        if !told.more {
            self.end();
            return Ok(Step::Done);
        }
        if self.empty > MAX_EMPTY {
            return Err(format!("{MAX_EMPTY} pages were empty and said that more follows"));
        }
        if let Some(next) = told.next {
            let again = self.next.as_ref() == Some(&next);
            if again && told.count > 0 && told.page == self.page {
                return Err("the server gives the same page again as the next one".to_owned());
            }
            self.varied = self.next.is_some() && !again;
            self.page = told.page;
            self.next = Some(next);
            return Ok(Step::On);
        }
        self.by_date(latest, told.count, limit)
    }

    /// The server says that more follows, not where: its dates tell, as TAXII 2.1 §3.4 has it.
    fn by_date(&mut self, last: Option<String>, count: usize, limit: u32) -> Result<Step, String> {
        self.next = None;
        let Some((before, last)) = last.and_then(|last| Some((just_before(&last)?, last))) else {
            let text = "the server says that more follows, neither where nor since when";
            return Err(text.to_owned());
        };
        if self.after.as_deref().and_then(us) < us(&before) {
            self.after = Some(before);
            self.told = 0;
            return Ok(Step::On);
        }
        // The whole page has one date, and so has what was asked after.
        if count > self.told && limit < MAX_TIED {
            self.told = count;
            return Ok(Step::Larger(limit.saturating_mul(4).min(MAX_TIED)));
        }
        if self.after.as_deref().and_then(us) >= us(&last) {
            return Err("the server gives what was added before the date asked for".to_owned());
        }
        self.after = Some(last);
        self.told = 0;
        Ok(Step::Past)
    }

    /// The end: where something came, its last date is asked for once more the next time, since others may be added under it.
    fn end(&mut self) {
        self.next = None;
        self.varied = false;
        if let Some(last) = self.last.clone() {
            let came = self.last != self.begun;
            self.after = if came { just_before(&last) } else { Some(last) };
            self.begun = self.last.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const T1: &str = "2026-01-01T00:00:00.000001Z";

    fn told(more: bool, next: Option<&str>, last: Option<&str>, count: usize) -> Told {
        Told { more, next: next.map(str::to_owned), last: last.map(str::to_owned), count, page: 7 }
    }

    #[test]
    fn the_last_date_is_asked_for_once_more_and_then_left() {
        let mut walk = Walk::default();
        assert_eq!(walk.step(told(false, None, Some(T1), 3), 10), Ok(Step::Done));
        assert_eq!(walk.after.as_deref(), Some("2026-01-01T00:00:00.000Z"), "a microsecond before");
        assert_eq!(walk.step(told(false, None, Some(T1), 3), 10), Ok(Step::Done));
        assert_eq!(walk.after.as_deref(), Some(T1));
        assert_eq!(walk.step(told(false, None, None, 0), 10), Ok(Step::Done));
        assert_eq!(walk.after.as_deref(), Some(T1));
    }

    #[test]
    fn without_next_tied_dates_are_asked_for_in_larger_pages() {
        let mut walk = Walk::default();
        assert_eq!(walk.step(told(true, None, Some(T1), 10), 10), Ok(Step::On));
        assert_eq!(walk.step(told(true, None, Some(T1), 10), 10), Ok(Step::Larger(40)));
        assert_eq!(walk.step(told(true, None, Some(T1), 40), 40), Ok(Step::Larger(160)));
        // the server gives no more than forty whatever is asked
        assert_eq!(walk.step(told(true, None, Some(T1), 40), 160), Ok(Step::Past));
        assert_eq!(walk.after.as_deref(), Some(T1));
        assert_eq!(walk.step(told(true, None, Some(T1), 40), 160), Ok(Step::Larger(640)));
        assert!(walk.step(told(true, None, Some(T1), 40), 640).is_err(), "it repeats itself");
    }

    #[test]
    fn a_server_that_goes_in_circles_is_left() {
        let mut walk = Walk::default();
        assert_eq!(walk.step(told(true, Some("a"), None, 1), 10), Ok(Step::On));
        assert!(walk.step(told(true, Some("a"), None, 1), 10).is_err());
        assert!(Walk::default().step(told(true, None, None, 1), 10).is_err());
        let mut walk = Walk::default();
        let pages = (0..100).map(|n| walk.step(told(true, Some(&n.to_string()), None, 0), 10));
        assert!(pages.collect::<Result<Vec<_>, _>>().is_err());
    }

    #[test]
    fn a_server_that_keeps_the_place_itself_is_fragile() {
        let page = |n, next| Told { page: n, ..told(true, Some(next), Some(T1), 1) };
        let mut walk = Walk::default();
        walk.step(page(1, "session"), 10).unwrap();
        assert!(walk.is_fragile(), "nobody knows yet");
        walk.step(page(2, "session"), 10).unwrap();
        assert!(walk.is_fragile());
        walk.step(page(3, "other"), 10).unwrap();
        assert!(!walk.is_fragile());
    }

    #[test]
    fn a_forgotten_place_goes_on_by_date() {
        let mut walk = Walk::from(Some("2020-01-01T00:00:00Z".into()));
        walk.step(told(true, Some("a"), Some(T1), 1), 10).unwrap();
        walk.fall_back();
        assert_eq!(
            (walk.next.as_deref(), walk.after.as_deref()),
            (None, Some("2026-01-01T00:00:00.000Z"))
        );
    }
}
