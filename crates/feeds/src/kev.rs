//! The catalogue of known exploited vulnerabilities of CISA (JSON).

use std::io::Read;

use serde::{Deserialize, Serialize};

use crate::json::stream;
use crate::record::{Limits, Reason, Sink, Summary};
use crate::value::{Kind, Observable};

/// One vulnerability that is known to be exploited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownExploited {
    /// CVE identifier in upper case.
    #[serde(rename = "cveID")]
    pub cve: String,
    /// Vendor or project.
    #[serde(default)]
    pub vendor_project: String,
    /// Product.
    #[serde(default)]
    pub product: String,
    /// Name of the vulnerability.
    #[serde(default)]
    pub vulnerability_name: String,
    /// Day on which it was added, `YYYY-MM-DD`.
    pub date_added: String,
    /// What it is.
    #[serde(default)]
    pub short_description: String,
    /// What federal agencies must do.
    #[serde(default)]
    pub required_action: String,
    /// Until when, `YYYY-MM-DD`.
    #[serde(default)]
    pub due_date: String,
    /// `Known` or `Unknown`.
    #[serde(default)]
    pub known_ransomware_campaign_use: String,
    /// References.
    #[serde(default)]
    pub notes: String,
    /// Weaknesses, `CWE-n`.
    #[serde(default)]
    pub cwes: Vec<String>,
}

impl KnownExploited {
    /// Whether ransomware campaigns are known to use it.
    #[must_use]
    pub fn used_by_ransomware(&self) -> bool {
        self.known_ransomware_campaign_use == "Known"
    }
}

/// Reads the catalogue.
pub fn read(reader: impl Read, limits: Limits, sink: &mut Sink<'_, KnownExploited>) -> Summary {
    stream(reader, "/vulnerabilities/*", limits, sink, |place, value, emit| {
        let text = value.to_string();
        match serde_json::from_value::<KnownExploited>(value) {
            Err(error) => emit.reject(place, Reason::Format(error.to_string()), text.as_bytes()),
            Ok(mut entry) => match Observable::of_kind(Kind::Cve, &entry.cve) {
                Ok(cve) => {
                    entry.cve = cve.into_parts().1;
                    if is_day(&entry.date_added) {
                        emit.record(entry)
                    } else {
                        let reason = Reason::MissingField("dateAdded (YYYY-MM-DD)".into());
                        emit.reject(place, reason, text.as_bytes())
                    }
                }
                Err(why) => emit.reject(place, why.into(), text.as_bytes()),
            },
        }
    })
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        })
}
