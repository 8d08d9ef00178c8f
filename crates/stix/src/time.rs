//! Timestamps (STIX 2.1 §2.16): RFC 3339 in UTC with the zone `Z`.

use std::fmt;

use time::OffsetDateTime;

/// A STIX timestamp as microseconds since 1970-01-01T00:00:00Z. Digits beyond the sixth of a
/// second are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_us: i64,
}

/// Why a text is not a STIX timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not `YYYY-MM-DDThh:mm:ss[.s+]Z`.
    #[error("not of the form YYYY-MM-DDThh:mm:ss[.s+]Z with a literal `T` and `Z`")]
    Form,
    /// The form is right, the day or the time of day does not exist.
    #[error("no such day or time of day")]
    Value,
}

/// Digits after the seconds that are read; more are refused as no clock gives them.
const MAX_FRACTION_DIGITS: usize = 30;

impl Timestamp {
    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_us(unix_us: i64) -> Self {
        Self { unix_us }
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_us(self) -> i64 {
        self.unix_us
    }

    /// Cut to whole milliseconds, the least precision of `created` and `modified` (STIX 2.1 §3.2) and
    /// the one in which they are written here.
    #[must_use]
    pub const fn to_millis(self) -> Self {
        Self { unix_us: self.unix_us.div_euclid(1000) * 1000 }
    }

    /// Reads the text form. A leap second (`:60`) reads as the last microsecond of its minute.
    ///
    /// # Errors
    /// [`TimestampError`].
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let bytes = text.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if bytes.len() < 20 || !text.is_ascii() || marks.iter().any(|&(at, mark)| bytes[at] != mark)
        {
            return Err(TimestampError::Form);
        }
        let rest = text[19..].strip_suffix('Z').ok_or(TimestampError::Form)?;
        let fraction_us = fraction_us(rest)?;
        let year = i64::from(number(&bytes[0..4])?);
        let (month, day) = (number(&bytes[5..7])?, number(&bytes[8..10])?);
        let (hour, minute, second) =
            (number(&bytes[11..13])?, number(&bytes[14..16])?, number(&bytes[17..19])?);
        if day == 0 || day > days_of(year, month) || hour > 23 || minute > 59 || second > 60 {
            return Err(TimestampError::Value);
        }
        let (second, fraction_us) =
            if second == 60 { (59, 999_999) } else { (second, fraction_us) };
        let seconds = days_since_epoch(year, i64::from(month), i64::from(day)) * 86_400
            + i64::from(hour * 3600 + minute * 60 + second);
        Ok(Self { unix_us: seconds * 1_000_000 + i64::from(fraction_us) })
    }
}

/// A point in time as exact as its text says: the order of versions, of which two may differ behind the
/// sixth digit. `.5Z` and `.500Z` are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact<'t> {
    whole: Timestamp,
    /// A leap second lies behind the last microsecond that it reads as.
    leap: bool,
    /// The digits that `whole` does not hold, without zeros at the end: digits of one length of time
    /// compare as texts do.
    finer: &'t str,
}

impl<'t> Exact<'t> {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`TimestampError`].
    pub fn parse(text: &'t str) -> Result<Self, TimestampError> {
        let whole = Timestamp::parse(text)?;
        let leap = text.get(17..19) == Some("60");
        let kept = if leap { 0 } else { 6 };
        let digits = text.get(20..).unwrap_or_default().trim_end_matches('Z');
        let finer = digits.get(kept..).unwrap_or_default().trim_end_matches('0');
        Ok(Self { whole, leap, finer })
    }
}

/// Days of a month of the Gregorian calendar; 0 for no month.
const fn days_of(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// Days from 1970-01-01 of the proleptic Gregorian calendar; years count from March, so that the
/// leap day is the last of its year.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Digits after the seconds in a well-formed timestamp.
pub(crate) const fn fraction_digits(text: &str) -> usize {
    text.len().saturating_sub("2016-01-20T12:31:12.Z".len())
}

fn fraction_us(rest: &str) -> Result<u32, TimestampError> {
    if rest.is_empty() {
        return Ok(0);
    }
    let digits = rest.strip_prefix('.').ok_or(TimestampError::Form)?;
    let sound = !digits.is_empty()
        && digits.len() <= MAX_FRACTION_DIGITS
        && digits.bytes().all(|b| b.is_ascii_digit());
    if !sound {
        return Err(TimestampError::Form);
    }
    let six = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    Ok(six.fold(0, |sum, b| sum * 10 + u32::from(b - b'0')))
}

fn number(digits: &[u8]) -> Result<u32, TimestampError> {
    digits.iter().try_fold(0u32, |sum, b| match b {
        b'0'..=b'9' => Ok(sum * 10 + u32::from(b - b'0')),
        _ => Err(TimestampError::Form),
    })
}

impl fmt::Display for Timestamp {
    /// At least three digits after the seconds, six where the value needs them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.unix_us) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )?;
        let us = at.microsecond();
        if us.is_multiple_of(1000) { write!(f, "{:03}Z", us / 1000) } else { write!(f, "{us:06}Z") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_forms_of_the_standard() {
        for (text, us) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.123Z", 123_000),
            ("1970-01-01T00:00:00.1234567Z", 123_456),
            ("2016-01-20T12:31:12.12345Z", 1_453_293_072_123_450),
            ("2016-12-31T23:59:60Z", 1_483_228_799_999_999),
            ("1969-12-31T23:59:59.999Z", -1000),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().unix_us(), us, "{text}");
        }
        for text in [
            "",
            "2016-01-20",
            "2016-01-20t12:31:12Z",
            "2016-01-20T12:31:12z",
            "2016-01-20T12:31:12+00:00",
            "2016-01-20T12:31:12.Z",
            "2016-01-20 12:31:12Z",
            "2016-1-20T12:31:12.000Z",
            "２016-01-20T12:31:12Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimestampError::Form), "{text}");
        }
        for text in ["2015-02-29T00:00:00Z", "2016-13-01T00:00:00Z", "2016-01-01T24:00:00Z"] {
            assert_eq!(Timestamp::parse(text), Err(TimestampError::Value), "{text}");
        }
    }

    #[test]
    fn versions_differ_behind_the_microsecond() {
        let sorted = [
            "2016-12-31T23:59:59.9Z",
            "2016-12-31T23:59:59.999999Z",
            "2016-12-31T23:59:59.99999901Z",
            "2016-12-31T23:59:59.9999991Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.25Z",
            "2017-01-01T00:00:00Z",
        ];
        assert!(sorted.iter().map(|text| Exact::parse(text).unwrap()).is_sorted_by(|a, b| a < b));
        let same = ["2016-01-01T00:00:00.5Z", "2016-01-01T00:00:00.500000000Z"];
        assert_eq!(Exact::parse(same[0]), Exact::parse(same[1]));
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(us in -62_135_596_800_000_000_i64..253_402_300_799_000_000) {
            let at = Timestamp::from_unix_us(us);
            prop_assert_eq!(Timestamp::parse(&at.to_string()).unwrap(), at);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = Timestamp::parse(&text);
        }
    }
}
