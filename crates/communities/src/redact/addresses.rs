//! Addresses of own networks inside texts: found in every form people write them, replaced by pseudonyms.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ports::{Pseudonymiser, pseudonyms};

use super::macs;
use super::names::{self, Domain};
use super::network::{Network, masked};

/// Keys tried for a recipient until pseudonyms fall outside of the own networks.
const MAX_TRIES: u32 = 64;
/// What stands between the numbers of an IPv4 address, defanged forms among them.
const DOTS: [&str; 6] = ["[.]", "(.)", "{.}", "[dot]", "(dot)", "."];

/// Bytes of a run that an IPv6 address is looked for in: the longest address has 45.
const MAX_RUN: usize = 200;

/// What was found where a run begins.
enum Run {
    /// No IPv6 address.
    No,
    /// None of ours; nothing else is in it up to here.
    Skip(usize),
    /// One of ours, from where to where, and what stands instead.
    Hidden(usize, usize, String),
}

/// The IPv6 address in a run: where it begins, how long it is. Words may stand before it (`ip:fd00::1`), marks after.
fn address_in(run: &str) -> Option<(usize, usize, Ipv6Addr)> {
    if run.matches(':').count() < 2 {
        return None;
    }
    let starts = std::iter::once(0).chain(run.match_indices(':').map(|(at, _)| at + 1));
    for from in starts {
        let mut core = &run[from..];
        loop {
            if let Ok(address) = core.parse() {
                return Some((from, core.len(), address));
            }
            match core.strip_suffix(['.', ':']) {
                Some(shorter) => core = shorter,
                None => break,
            }
        }
    }
    None
}

/// Replaces addresses of own networks for one recipient.
pub(crate) struct Hiding<'a> {
    own: &'a [Network],
    with: &'a dyn Pseudonymiser,
    /// Under which name of the recipient pseudonyms of IPv4 and IPv6 are made.
    names: [String; 2],
    domains: &'a [Domain],
    recipient: &'a str,
    /// Whether pseudonyms never fall into an own network: then a second pass changes nothing.
    pub(crate) apart: bool,
}

impl<'a> Hiding<'a> {
    /// For a recipient, by its node id.
    pub(crate) fn new(
        own: &'a [Network],
        domains: &'a [Domain],
        with: &'a dyn Pseudonymiser,
        recipient: &'a str,
    ) -> Self {
        let (four, a) = apart(own, with, recipient, true);
        let (six, b) = apart(own, with, recipient, false);
        Self { own, with, names: [four, six], domains, recipient, apart: a && b }
    }

    /// The pseudonym of an address of an own network.
    pub(crate) fn address(&self, address: IpAddr) -> Option<IpAddr> {
        if let IpAddr::V6(v6) = address
            && let Some(v4) = v6.to_ipv4_mapped()
        {
            return match self.address(v4.into())? {
                IpAddr::V4(hidden) => Some(hidden.to_ipv6_mapped().into()),
                IpAddr::V6(hidden) => Some(hidden.into()),
            };
        }
        let own = self.own.iter().any(|network| network.contains(address));
        own.then(|| self.with.pseudonym(&self.names[usize::from(address.is_ipv6())], address))
    }

    /// The text with all that tells of the house replaced: addresses of own networks, MAC addresses, names under own
    /// domains; `None` when there is nothing. Once a text: what stands for a MAC address or a name looks like one.
    pub(crate) fn all(&self, text: &str) -> Option<String> {
        let mut now = self.text(text);
        let mac = |mac| pseudonyms::mac(self.with, self.recipient, mac);
        now = macs::replaced(now.as_deref().unwrap_or(text), mac).or(now);
        let names = now.as_deref().unwrap_or(text);
        names::replaced(names, self.domains, self.with, self.recipient).or(now)
    }

    /// The text with every address of an own network replaced; `None` when there is none.
    pub(crate) fn text(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut kept = 0;
        let mut at = 0;
        while at < text.len() {
            let found = match self.six(text, at) {
                Run::Hidden(from, end, hidden) => Some((from, end, hidden)),
                Run::Skip(end) => {
                    at = end;
                    continue;
                }
                Run::No => self.four(text, at).map(|(end, hidden)| (at, end, hidden)),
            };
            match found {
                Some((from, end, hidden)) => {
                    out.push_str(&text[kept..from]);
                    out.push_str(&hidden);
                    (at, kept) = (end, end);
                }
                None => at += 1,
            }
        }
        (kept > 0).then(|| {
            out.push_str(&text[kept..]);
            out
        })
    }

    /// What begins here, if it is a run of hexadecimal digits, colons and dots that an IPv6 address stands in.
    fn six(&self, text: &str, at: usize) -> Run {
        let bytes = text.as_bytes();
        let part = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
        let inside = at.checked_sub(1).is_some_and(|before| part(bytes[before]));
        if inside || !part(bytes[at]) {
            return Run::No;
        }
        let length = bytes[at..].iter().take(MAX_RUN).take_while(|b| part(**b)).count();
        let run = &text[at..at + length];
        let Some((from, core, address)) = address_in(run) else { return Run::No };
        match self.address(address.into()) {
            Some(hidden) => {
                let (end, hidden) =
                    self.with_prefix(text, at + from + core, hidden, |hidden| hidden.to_string());
                Run::Hidden(at + from, end, hidden)
            }
            // An IPv4 address may stand at its end, and has a word of its own.
            None if run.contains('.') => Run::No,
            None => Run::Skip(at + length),
        }
    }

    /// An own IPv4 address that begins here.
    fn four(&self, text: &str, at: usize) -> Option<(usize, String)> {
        let bytes = text.as_bytes();
        let digit_before = at.checked_sub(1).is_some_and(|place| bytes[place].is_ascii_digit());
        if !bytes[at].is_ascii_digit() || digit_before {
            return None;
        }
        let mut numbers = [0_u8; 4];
        let mut dots = ["."; 3];
        let mut end = at;
        for place in 0..4 {
            if place > 0 {
                let rest = &bytes[end..];
                let dot = DOTS.into_iter().find(|dot| {
                    rest.len() >= dot.len()
                        && rest[..dot.len()].eq_ignore_ascii_case(dot.as_bytes())
                })?;
                dots[place - 1] = dot;
                end += dot.len();
            }
            let digits = bytes[end..].iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 || digits > 3 {
                return None;
            }
            numbers[place] = text[end..end + digits].parse().ok()?;
            end += digits;
        }
        let hidden = self.address(Ipv4Addr::from(numbers).into())?;
        Some(self.with_prefix(text, end, hidden, |hidden| match hidden {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                format!("{a}{}{b}{}{c}{}{d}", dots[0], dots[1], dots[2])
            }
            IpAddr::V6(v6) => v6.to_string(),
        }))
    }

    /// A network (`/24` after the address) keeps the zeros of its end.
    fn with_prefix(
        &self,
        text: &str,
        end: usize,
        hidden: IpAddr,
        write: impl Fn(IpAddr) -> String,
    ) -> (usize, String) {
        let digits: String =
            text[end..].strip_prefix('/').unwrap_or_default().chars().take(3).collect();
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        let hidden = digits.parse().map_or(hidden, |bits| masked(hidden, bits));
        (end, write(hidden))
    }
}

/// The names under which pseudonyms of IPv4 and IPv6 addresses are made for a recipient, by its id.
pub(crate) fn names(own: &[Network], with: &dyn Pseudonymiser, recipient: &str) -> [String; 2] {
    [true, false].map(|four| apart(own, with, recipient, four).0)
}

/// The first name of a recipient under which no pseudonym of an own network lies in an own network. Pseudonyms keep
/// prefixes, so that whole networks move. Where none is found the recipient's own name stays.
fn apart(own: &[Network], with: &dyn Pseudonymiser, recipient: &str, four: bool) -> (String, bool) {
    let of_family: Vec<&Network> = own.iter().filter(|n| n.first().is_ipv4() == four).collect();
    for round in 0..MAX_TRIES {
        let name = if round == 0 { recipient.to_owned() } else { format!("{recipient}#{round}") };
        let meets = |network: &&Network| {
            let image = network.around(with.pseudonym(&name, network.first()));
            own.iter().any(|other| other.overlaps(&image))
        };
        if !of_family.iter().any(meets) {
            return (name, true);
        }
    }
    (recipient.to_owned(), false)
}

#[cfg(test)]
#[path = "addresses_tests.rs"]
mod tests;
