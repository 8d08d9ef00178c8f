//! One line of JSON per window and device: the output contract of `sereno detect score`.
//!
//! `{"device","start","end","score","alert","detector","model","judges":{"range","network"},
//! "why":[{"metric","measured","expected","judge","ratio"}]}`; times in Unix seconds. `judges` tells
//! what each judge measured, also one that has no vote.

use std::io::Write;
use std::net::IpAddr;

use analytics::detector::Verdict;
use analytics::host::Host;
use analytics::model::Reason;
use analytics::record::WindowRecord;

/// Ten thousandths: further decimals of a score say nothing and cost bytes.
const ROUNDING: i64 = 10_000;
/// Decimals of [`ROUNDING`].
const DECIMALS: usize = 4;
/// Reasons a line tells, strongest first.
const REASONS: usize = 3;

/// Appends the line of one judged window, with its line feed.
pub fn append_verdict(out: &mut Vec<u8>, record: &WindowRecord, verdict: &Verdict) {
    out.extend_from_slice(b"{\"device\":\"");
    append_host(out, record.device);
    out.extend_from_slice(b"\",\"start\":");
    append_seconds(out, record.start_us);
    out.extend_from_slice(b",\"end\":");
    append_seconds(out, record.end_us);
    out.extend_from_slice(b",\"score\":");
    append_number(out, verdict.judgement.score);
    out.extend_from_slice(if verdict.judgement.alert() {
        b",\"alert\":true"
    } else {
        b",\"alert\":false"
    });
    out.extend_from_slice(b",\"detector\":\"");
    out.extend_from_slice(verdict.detector.as_bytes());
    out.extend_from_slice(b"\",\"model\":\"");
    out.extend_from_slice(verdict.basis.name().as_bytes());
    out.extend_from_slice(b"\",\"judges\":{\"range\":");
    append_number(out, verdict.judgement.range);
    if let Some(network) = verdict.judgement.network {
        out.extend_from_slice(b",\"network\":");
        append_number(out, network);
    }
    out.extend_from_slice(b"},\"why\":[");
    for (place, reason) in verdict.judgement.reasons().take(REASONS).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        append_reason(out, reason);
    }
    out.extend_from_slice(b"]}\n");
}

/// The same line as a JSON value, for callers that hold one window only.
#[must_use]
pub fn verdict_json(record: &WindowRecord, verdict: &Verdict) -> serde_json::Value {
    let mut line = Vec::new();
    append_verdict(&mut line, record, verdict);
    serde_json::from_slice(&line).unwrap_or(serde_json::Value::Null)
}

fn append_reason(out: &mut Vec<u8>, reason: &Reason) {
    out.extend_from_slice(b"{\"metric\":\"");
    out.extend_from_slice(reason.metric.name().as_bytes());
    out.extend_from_slice(b"\",\"measured\":");
    append_number(out, reason.measured);
    out.extend_from_slice(b",\"expected\":");
    append_number(out, reason.expected);
    out.extend_from_slice(b",\"judge\":\"");
    out.extend_from_slice(reason.judge.name().as_bytes());
    out.extend_from_slice(b"\",\"ratio\":");
    append_number(out, reason.ratio);
    out.push(b'}');
}

/// Microseconds as Unix seconds: whole where they are whole.
pub(super) fn append_seconds(out: &mut Vec<u8>, time_us: i64) {
    let (whole, rest) = (time_us.div_euclid(1_000_000), time_us.rem_euclid(1_000_000));
    if whole >= 0 && rest == 0 {
        append_unsigned(out, whole.unsigned_abs());
    } else {
        append_number(out, time_us as f64 / 1e6);
    }
}

fn append_unsigned(out: &mut Vec<u8>, value: u64) {
    if value < 10 {
        out.push(b'0' + value as u8);
        return;
    }
    let mut digits = [0_u8; 20];
    let mut place = digits.len();
    let mut rest = value;
    loop {
        place -= 1;
        digits[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[place..]);
}

/// A number with at most four decimals; JSON has no infinity, so what is not finite becomes `null`.
pub(super) fn append_number(out: &mut Vec<u8>, value: f64) {
    let scaled = value * ROUNDING as f64;
    if scaled.abs() < 9e15 {
        // Rounds half away from zero; the cast cuts towards zero.
        let scaled = (scaled + 0.5_f64.copysign(scaled)) as i64;
        if scaled < 0 {
            out.push(b'-');
        }
        let scaled = scaled.unsigned_abs();
        append_unsigned(out, scaled / ROUNDING.unsigned_abs());
        append_decimals(out, scaled % ROUNDING.unsigned_abs());
    } else {
        // Too large for decimals, or not finite: the general way.
        let _ = serde_json::to_writer(out, &value);
    }
}

fn append_decimals(out: &mut Vec<u8>, mut fraction: u64) {
    if fraction == 0 {
        return;
    }
    let mut digits = [b'.'; DECIMALS + 1];
    for digit in digits[1..].iter_mut().rev() {
        *digit = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    let end = digits.iter().rposition(|digit| *digit != b'0').unwrap_or(0);
    out.extend_from_slice(&digits[..=end]);
}

/// An address, without the detour through the formatter for the common kind.
fn append_host(out: &mut Vec<u8>, host: Host) {
    if let Some(IpAddr::V4(address)) = host.ip() {
        for (place, octet) in address.octets().into_iter().enumerate() {
            if place > 0 {
                out.push(b'.');
            }
            append_unsigned(out, u64::from(octet));
        }
    } else {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{host}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        append_number(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.5, "-0.5"),
            (0.1, "0.1"),
            (12.000_1, "12.0001"),
            (0.25, "0.25"),
            (-0.000_01, "0"),
            (1e300, "1e+300"),
            (f64::NAN, "null"),
        ] {
            assert_eq!(text(value), expected);
        }
        let mut out = Vec::new();
        append_seconds(&mut out, -1_500_000);
        assert_eq!(out, b"-1.5");
    }

    proptest! {
        #[test]
        fn numbers_read_back(value in -1e15..1e15_f64, small in -10.0..10.0_f64) {
            for value in [value, small] {
                let back: f64 = text(value).parse().unwrap();
                prop_assert!((back - value).abs() <= 0.500_1e-4 + value.abs() * 1e-12, "{value} {back}");
            }
        }

        #[test]
        fn integers_read_back(value in any::<u64>()) {
            let mut out = Vec::new();
            append_unsigned(&mut out, value);
            prop_assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }

        #[test]
        fn addresses_read_as_displayed(bits in any::<u32>(), six in any::<u128>()) {
            for host in [Host::v4(bits.into()), Host::v6(six.into())] {
                let mut out = Vec::new();
                append_host(&mut out, host);
                prop_assert_eq!(String::from_utf8(out).unwrap(), host.to_string());
            }
        }
    }
}
