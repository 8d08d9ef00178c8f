//! Moments of a schedule. They depend on the schedule alone, never on when it was looked at: a clock that jumps back meets
//! the same moments again, and those have started what they start.

use model::Timestamp;

use super::{Day, OnSchedule};
use crate::automation::minutes;

const DAY_US: i64 = 86_400_000_000;
const MINUTE_US: i64 = 60_000_000;
/// Missed moments counted one by one; a schedule of days has fewer in ten years.
const MAX_COUNTED: i64 = 4_000;

impl OnSchedule {
    /// The first moment after a time; `None` for a schedule that has none.
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let us = after.as_micros();
        if let Some(every) = self.every_s {
            let step = i64::from(every.max(1)) * 1_000_000;
            let next = us.div_euclid(step).checked_add(1)?.checked_mul(step)?;
            return Some(Timestamp::from_micros(next));
        }
        let minute = minutes(self.at.as_deref()?)?;
        let ahead = i64::from(self.zone_minutes) * MINUTE_US;
        let today = (us.checked_add(ahead)?).div_euclid(DAY_US);
        (today..=today + 7)
            .filter(|day| self.days.is_empty() || self.days.contains(&weekday(*day)))
            .map(|day| day * DAY_US + minute * MINUTE_US - ahead)
            .find(|moment| *moment > us)
            .map(Timestamp::from_micros)
    }

    /// How many moments lie after `moment`, up to `now`.
    pub(crate) fn passed(&self, moment: Timestamp, now: Timestamp) -> i64 {
        if let Some(every) = self.every_s {
            let step = i64::from(every.max(1)) * 1_000_000;
            return (now.micros_since(moment) / step).max(0);
        }
        let mut last = moment;
        let mut passed = 0;
        while passed < MAX_COUNTED {
            match self.next_after(last).filter(|next| *next <= now) {
                Some(next) => last = next,
                None => break,
            }
            passed += 1;
        }
        passed
    }
}

/// The day of the week of a day since 1970-01-01, which was a Thursday.
fn weekday(day: i64) -> Day {
    match (day + 3).rem_euclid(7) {
        0 => Day::Mon,
        1 => Day::Tue,
        2 => Day::Wed,
        3 => Day::Thu,
        4 => Day::Fri,
        5 => Day::Sat,
        _ => Day::Sun,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::triggers::CatchUp;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily(time: &str, days: &[Day], zone_minutes: i16) -> OnSchedule {
        OnSchedule {
            every_s: None,
            at: Some(time.into()),
            days: days.into(),
            zone_minutes,
            catch_up: CatchUp::Once,
            overlap: false,
            level: None,
        }
    }

    #[test]
    fn a_time_of_the_day_is_met_on_the_days_of_its_own_clock() {
        // 2026-11-30 is a Monday.
        let next = |it: &OnSchedule, from: &str| it.next_after(at(from)).unwrap().to_string();
        let every_day = daily("03:30", &[], 0);
        assert!(next(&every_day, "2026-11-30T03:29:59Z").starts_with("2026-11-30T03:30:00"));
        assert!(next(&every_day, "2026-11-30T03:30:00Z").starts_with("2026-12-01T03:30:00"));
        let monday = daily("00:30", &[Day::Mon], 60);
        // Half past midnight on Monday, one hour ahead of UTC, is Sunday night.
        assert!(next(&monday, "2026-11-25T12:00:00Z").starts_with("2026-11-29T23:30:00"));
        assert!(next(&monday, "2026-11-29T23:30:00Z").starts_with("2026-12-06T23:30:00"));
        let behind = daily("23:30", &[Day::Mon], -300);
        assert!(next(&behind, "2026-11-30T12:00:00Z").starts_with("2026-12-01T04:30:00"));
        assert_eq!(daily("25:00", &[], 0).next_after(at("2026-11-30T00:00:00Z")), None);
    }

    #[test]
    fn moments_do_not_depend_on_when_one_looks() {
        let hourly = OnSchedule { every_s: Some(3_600), at: None, ..daily("", &[], 0) };
        let first = hourly.next_after(at("2026-11-30T10:00:01Z")).unwrap();
        assert_eq!(Some(first), hourly.next_after(at("2026-11-30T10:59:59Z")));
        assert!(first.to_string().starts_with("2026-11-30T11:00:00"));
        assert_eq!(hourly.passed(first, at("2026-11-30T10:30:00Z")), 0, "the clock went back");
        assert_eq!(hourly.passed(first, at("2026-11-30T13:59:00Z")), 2);
        let daily = daily("03:30", &[Day::Sat, Day::Sun], 0);
        assert_eq!(daily.passed(at("2026-11-28T03:30:00Z"), at("2026-12-06T03:30:00Z")), 3);
        assert_eq!(daily.passed(at("1990-11-28T03:30:00Z"), at("2026-12-06T03:30:00Z")), 3_760);
    }
}
