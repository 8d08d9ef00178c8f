//! Which column means what: as the description names it, else by common names.

use std::collections::BTreeMap;

use super::table::Row;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A GOOSE message.
    Goose,
    /// An MMS message.
    Mms,
    /// A flow or packet between two addresses.
    Flow,
    /// Anything else with a time.
    Other,
}

/// Meaning and its usual names, lower case, letters and digits only.
const NAMES: &[(&str, &[&str])] = &[
    (
        "time",
        &[
            "ts",
            "time",
            "timestamp",
            "frametimeepoch",
            "starttime",
            "flowstart",
            "firstseen",
            "datefirstseen",
            "first",
            "tstart",
            "start",
            "datetime",
            "stime",
            "flowstartmilliseconds",
        ],
    ),
    ("duration", &["duration", "dur", "td", "flowduration", "durationseconds"]),
    (
        "src_ip",
        &[
            "srcip",
            "src",
            "sourceip",
            "ipsrc",
            "idorigh",
            "srcaddr",
            "sa",
            "saddr",
            "sourceipaddress",
            "ipv4srcaddr",
            "sourceipv4address",
            "srcipaddr",
        ],
    ),
    (
        "dst_ip",
        &[
            "dstip",
            "dst",
            "destinationip",
            "ipdst",
            "idresph",
            "dstaddr",
            "da",
            "daddr",
            "destinationipaddress",
            "ipv4dstaddr",
            "destinationipv4address",
            "destip",
            "dstipaddr",
        ],
    ),
    ("src_mac", &["srcmac", "macsrc", "sourcemac", "ethsrc", "smac", "macsrcgoose", "origl2addr"]),
    (
        "dst_mac",
        &["dstmac", "macdst", "destinationmac", "ethdst", "dmac", "macdstgoose", "respl2addr"],
    ),
    (
        "src_port",
        &[
            "srcport",
            "sourceport",
            "sport",
            "idorigp",
            "sp",
            "l4srcport",
            "tcpsrcport",
            "sourcetransportport",
        ],
    ),
    (
        "dst_port",
        &[
            "dstport",
            "destinationport",
            "dport",
            "idrespp",
            "dp",
            "l4dstport",
            "tcpdstport",
            "destport",
            "destinationtransportport",
        ],
    ),
    ("protocol", &["proto", "protocol", "ipproto", "pr", "protocolidentifier", "l4proto"]),
    (
        "packets",
        &[
            "packets",
            "pkts",
            "pktcount",
            "inpkts",
            "origpkts",
            "srcpkts",
            "spkts",
            "ipkt",
            "totfwdpkts",
            "packetdeltacount",
            "packetsout",
            "totpkts",
        ],
    ),
    (
        "bytes",
        &[
            "bytes",
            "bytecount",
            "octets",
            "inbytes",
            "origipbytes",
            "origbytes",
            "srcbytes",
            "sbytes",
            "ibyt",
            "length",
            "iplen",
            "octetdeltacount",
            "framelen",
            "totlenfwdpkts",
            "bytesout",
            "totbytes",
        ],
    ),
    (
        "packets_back",
        &[
            "outpkts",
            "resppkts",
            "dstpkts",
            "dpkts",
            "opkt",
            "totbwdpkts",
            "packetsin",
            "reversepackets",
        ],
    ),
    (
        "bytes_back",
        &[
            "outbytes",
            "respipbytes",
            "respbytes",
            "dstbytes",
            "dbytes",
            "obyt",
            "totlenbwdpkts",
            "bytesin",
            "reversebytes",
        ],
    ),
    ("state", &["state", "connstate", "flags", "tcpflags", "flg"]),
    ("group", &["run", "group"]),
    ("app_id", &["appidgoose", "appid"]),
    ("length", &["gooselength", "goosepdulength"]),
    ("control", &["gocbref"]),
    ("ttl", &["timeallowedtolive", "ttl", "tal"]),
    ("data_set", &["datset", "dataset"]),
    ("go_id", &["goid"]),
    ("state_time", &["t", "goosetime", "statetime", "utctime"]),
    ("state_number", &["stnum"]),
    ("sequence", &["sqnum"]),
    ("simulation", &["simulation", "test"]),
    ("conf_rev", &["confrev"]),
    ("needs_commissioning", &["ndscom"]),
    ("entries", &["numofdata", "numdatsetentries", "numdata"]),
    ("data", &["data", "alldata"]),
    ("pdu", &["mmstype", "mmspdu", "mmspdutype"]),
    ("service", &["mmsservice", "service"]),
    ("invoke", &["invokeid"]),
    ("domain", &["domainid"]),
    ("item", &["itemid"]),
    ("class", &["objectclass"]),
];

/// Columns by meaning.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    by_meaning: BTreeMap<&'static str, usize>,
    count: usize,
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

impl Columns {
    /// Finds the columns: `named` gives meaning → name and goes first.
    ///
    /// # Errors
    /// A meaning that does not exist, or a name that no column has, in plain words.
    pub fn find(columns: &[String], named: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut by_meaning = BTreeMap::new();
        for (meaning, name) in named {
            let Some((known, _)) = NAMES.iter().find(|(known, _)| known == meaning) else {
                let all: Vec<&str> = NAMES.iter().map(|(known, _)| *known).collect();
                return Err(format!("[rows] {meaning} means nothing: use {}", all.join(", ")));
            };
            let Some(place) = columns.iter().position(|column| column.trim() == name) else {
                return Err(format!("[rows] {meaning} names column `{name}`, which is not there"));
            };
            by_meaning.insert(*known, place);
        }
        let simple: Vec<String> = columns.iter().map(|name| plain(name)).collect();
        for (meaning, names) in NAMES {
            // The order of the names is the order of preference.
            let found = names.iter().find_map(|name| simple.iter().position(|have| have == name));
            if let Some(place) = found {
                by_meaning.entry(*meaning).or_insert(place);
            }
        }
        if !by_meaning.contains_key("time") {
            return Err(format!(
                "no column holds the time of a row: name it in [rows] time = \"…\"; there are {}",
                columns.iter().take(40).map(String::as_str).collect::<Vec<_>>().join(", ")
            ));
        }
        Ok(Self { by_meaning, count: columns.len() })
    }

    /// Place of a meaning.
    #[must_use]
    pub fn place(&self, meaning: &str) -> Option<usize> {
        self.by_meaning.get(meaning).copied()
    }

    /// Text of a meaning in a row; empty where there is none.
    #[must_use]
    pub fn text<'r>(&self, row: &'r Row, meaning: &str) -> &'r str {
        row.at(self.place(meaning))
    }

    /// Places that mean nothing known: time, addresses and group are left out.
    pub fn free(&self) -> impl Iterator<Item = usize> + '_ {
        const TAKEN: [&str; 6] = ["time", "src_ip", "dst_ip", "src_mac", "dst_mac", "group"];
        let taken = move |place: &usize| TAKEN.iter().any(|name| self.place(name) == Some(*place));
        (0..self.count).filter(move |place| !taken(place))
    }

    /// What the rows are.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let has = |names: &[&str]| names.iter().all(|name| self.place(name).is_some());
        if has(&["state_number", "sequence", "data"]) {
            Shape::Goose
        } else if has(&["pdu", "invoke", "src_ip", "dst_ip"]) {
            Shape::Mms
        } else if has(&["src_ip", "dst_ip"])
            && (has(&["packets"]) || has(&["bytes"]) || has(&["dst_port"]))
        {
            Shape::Flow
        } else {
            Shape::Other
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn columns(names: &[&str]) -> Result<Columns, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Columns::find(&names, &BTreeMap::new())
    }

    #[test]
    fn common_names_are_recognised() {
        let zeek = columns(&[
            "ts",
            "uid",
            "id.orig_h",
            "id.orig_p",
            "id.resp_h",
            "id.resp_p",
            "proto",
            "service",
            "duration",
            "orig_bytes",
            "resp_bytes",
            "conn_state",
        ])
        .unwrap();
        assert_eq!(zeek.shape(), Shape::Flow);
        assert_eq!(zeek.place("dst_port"), Some(5));
        assert_eq!(zeek.place("bytes_back"), Some(10));
        let other = columns(&["time", "temperature"]).unwrap();
        assert_eq!(other.shape(), Shape::Other);
        assert_eq!(other.free().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_table_without_time_says_what_to_do() {
        assert!(columns(&["a", "b"]).unwrap_err().contains("[rows] time"));
        let named = BTreeMap::from([("time".to_owned(), "c".to_owned())]);
        assert!(Columns::find(&["a".to_owned()], &named).unwrap_err().contains("`c`"));
    }
}
