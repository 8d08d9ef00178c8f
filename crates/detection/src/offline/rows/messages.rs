//! Rows → messages of their protocol.

use analytics::goose::{Entry, GooseMessage};
use analytics::mms::MmsMessage;
use analytics::rows::{Cell, FlowRow};

use super::columns::Columns;
use super::parse::{data, digest, host, time_us, truth, whole, whole32};
use super::table::Row;

/// A GOOSE message of a row.
#[derive(Debug, Default)]
pub struct GooseRow {
    entries: Vec<Entry>,
}

impl GooseRow {
    /// The message of a row; its memory is reused.
    ///
    /// # Errors
    /// What the row lacks.
    pub fn read<'r>(
        &'r mut self,
        columns: &Columns,
        row: &'r Row,
    ) -> Result<GooseMessage<'r>, &'static str> {
        let text = |meaning| columns.text(row, meaning);
        data(text("data"), &mut self.entries);
        let number = |meaning| whole32(text(meaning)).unwrap_or(0);
        let src = host(text("src_mac")).or_else(|| host(text("src_ip"))).ok_or("no source")?;
        let ts_us = time_us(text("time")).ok_or("no time")?;
        Ok(GooseMessage {
            ts_us,
            src,
            dst: host(text("dst_mac")).or_else(|| host(text("dst_ip"))).unwrap_or(src),
            app_id: number("app_id"),
            length: number("length"),
            control: text("control"),
            ttl_ms: number("ttl"),
            data_set: text("data_set"),
            go_id: text("go_id"),
            t_us: time_us(text("state_time")).unwrap_or(ts_us),
            state: whole32(text("state_number")).ok_or("no state number")?,
            sequence: whole32(text("sequence")).ok_or("no sequence number")?,
            simulation: truth(text("simulation")),
            conf_rev: number("conf_rev"),
            needs_commissioning: truth(text("needs_commissioning")),
            entries: whole32(text("entries"))
                .unwrap_or_else(|| u32::try_from(self.entries.len()).unwrap_or(u32::MAX)),
            data: &self.entries,
        })
    }
}

/// An MMS message of a row.
pub struct MmsRow;

impl MmsRow {
    /// The message of a row.
    ///
    /// # Errors
    /// What the row lacks.
    pub fn read<'r>(columns: &Columns, row: &'r Row) -> Result<MmsMessage<'r>, &'static str> {
        let text = |meaning| columns.text(row, meaning);
        let port = |meaning| whole(text(meaning)).unwrap_or(0);
        let (a, b) = (port("src_port"), port("dst_port"));
        Ok(MmsMessage {
            ts_us: time_us(text("time")).ok_or("no time")?,
            from: host(text("src_ip")).ok_or("no source address")?,
            to: host(text("dst_ip")).ok_or("no destination address")?,
            channel: a.min(b) << 16 | a.max(b),
            pdu: whole(text("pdu"))
                .and_then(|pdu| u8::try_from(pdu).ok())
                .ok_or("no type of message")?,
            service: whole32(text("service")),
            invoke: whole32(text("invoke")),
            class: whole32(text("class")),
            domain: text("domain"),
            item: text("item"),
        })
    }
}

/// The flow of a row; rows of messages count as one packet.
pub(super) fn flow(columns: &Columns, row: &Row) -> Result<FlowRow, &'static str> {
    let text = |meaning| columns.text(row, meaning);
    let number = |meaning| whole(text(meaning)).unwrap_or(0);
    let port = |meaning| whole(text(meaning)).and_then(|p| u16::try_from(p).ok()).unwrap_or(0);
    let (from_mac, to_mac) = (host(text("src_mac")), host(text("dst_mac")));
    let protocol = protocol(text("protocol"), columns);
    let packets = if columns.place("packets").is_some() { number("packets") } else { 1 };
    let (packets_back, bytes_back) = (number("packets_back"), number("bytes_back"));
    let state = text("state");
    let bytes = if columns.place("bytes").is_some() { number("bytes") } else { number("length") };
    let two_way = columns.place("packets_back").is_some() || columns.place("bytes_back").is_some();
    let unanswered = two_way && packets_back == 0 && bytes_back == 0;
    let opened = protocol == 6 && opens(state, two_way);
    Ok(FlowRow {
        ts_us: time_us(text("time")).ok_or("no time")?,
        from: host(text("src_ip")).or(from_mac).ok_or("no source address")?,
        to: host(text("dst_ip")).or(to_mac).ok_or("no destination address")?,
        from_mac: from_mac.filter(|mac| mac.as_mac().is_some()),
        protocol,
        from_port: port("src_port"),
        to_port: port("dst_port"),
        packets: packets.max(u64::from(!two_way)),
        bytes,
        // Records with bytes but no packets of the answer still had an answer.
        packets_back: packets_back.max(u64::from(bytes_back > 0)),
        bytes_back,
        opened,
        failed: opened && (fails(state) || (state.is_empty() && unanswered)),
        reset: resets(state),
    })
}

fn protocol(text: &str, columns: &Columns) -> u8 {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        "icmp6" | "ipv6-icmp" => 58,
        // Ports without a protocol: records of TCP services, as MMS.
        "" if columns.place("dst_port").is_some() => 6,
        other => other.parse().unwrap_or(analytics::record::PROTOCOL_LINK),
    }
}

/// Whether a record of TCP shows its opening: Zeek states tell, flag letters with S, and two-way
/// records without a state begin with it.
fn opens(state: &str, two_way: bool) -> bool {
    match state {
        "" => two_way,
        "OTH" | "SHR" | "RSTRH" => false,
        _ if is_flags(state) => state.contains(['S', 's']),
        _ => true,
    }
}

fn fails(state: &str) -> bool {
    let flags = is_flags(state).then(|| state.replace(['.', '-', '_'], ""));
    matches!(state, "S0" | "REJ" | "SH" | "RSTOS0" | "REQ") || flags.as_deref() == Some("S")
}

fn resets(state: &str) -> bool {
    matches!(state, "REJ" | "RSTO" | "RSTR" | "RSTOS0" | "RSTRH" | "RST")
        || (is_flags(state) && state.contains(['R', 'r']))
}

/// Letters of TCP flags as nfdump and argus write them, with dots for those not set.
fn is_flags(state: &str) -> bool {
    const LETTERS: &str = "UAPRSFECuaprsfec.-_";
    !state.is_empty()
        && !matches!(state, "SF" | "REJ" | "S0" | "S1" | "S2" | "S3" | "SH" | "SHR")
        && !state.starts_with("RST")
        && state.chars().all(|letter| LETTERS.contains(letter))
}

/// The fields of a row of unknown meaning.
pub(super) fn cells(columns: &[usize], row: &Row, cells: &mut Vec<Cell>) {
    cells.clear();
    cells.extend(columns.iter().map(|place| {
        let text = row.get(*place);
        match text.parse::<f64>() {
            _ if text.is_empty() => Cell::Empty,
            Ok(number) if number.is_finite() => Cell::Number(number),
            _ => Cell::Text(digest(text)),
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_tell_openings_failures_and_resets() {
        for (state, opened, failed, reset) in [
            ("SF", true, false, false),
            ("S0", true, true, false),
            ("REJ", true, true, true),
            ("OTH", false, false, false),
            ("....S.", true, true, false),
            (".AP.SF", true, false, false),
            (".A.RS.", true, false, true),
            (".AP...", false, false, false),
        ] {
            assert_eq!(opens(state, false), opened, "{state}");
            assert_eq!(fails(state) && opens(state, false), failed, "{state}");
            assert_eq!(resets(state), reset, "{state}");
        }
    }
}
