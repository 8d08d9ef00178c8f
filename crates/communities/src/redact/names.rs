//! Host names under own domains inside texts. Each label below the domain is replaced, so that depth and what two names
//! have in common stay; the domain itself stays, it says who we are and not what we have.

use ports::Pseudonymiser;

/// What stands between labels: as it is, defanged, and escaped in expressions.
const DOTS: [&str; 8] = ["[.]", "(.)", "{.}", "[dot]", "(dot)", "\\\\.", "\\.", "."];
/// Labels of a name at most: the longest name has 253 letters (RFC 1035 §2.3.4).
const MAX_LABELS: usize = 127;

/// A domain of this organisation, its labels in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(Vec<String>);

impl Domain {
    /// Reads `harbour.example`; a name that could be no domain is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('.').to_lowercase();
        let sound =
            |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(is_letter);
        let labels: Vec<String> = text.split('.').map(str::to_owned).collect();
        let whole = labels.len() <= MAX_LABELS && labels.iter().all(|label| sound(label));
        whole.then_some(Self(labels))
    }

    /// How many labels stand below it in a name, if it is a name under it.
    fn below(&self, labels: &[String]) -> Option<usize> {
        let below = labels.len().checked_sub(self.0.len())?;
        (labels[below..] == self.0[..]).then_some(below)
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// A name in a text: labels in lower case with where each begins and ends.
struct Name {
    labels: Vec<String>,
    places: Vec<(usize, usize)>,
    end: usize,
}

/// The name that begins here.
fn name(text: &str, at: usize) -> Name {
    let mut name = Name { labels: vec![], places: vec![], end: at };
    let mut from = at;
    loop {
        let length: usize =
            text[from..].chars().take_while(|c| is_letter(*c)).map(char::len_utf8).sum();
        if length == 0 || name.labels.len() >= MAX_LABELS {
            return name;
        }
        name.labels.push(text[from..from + length].to_lowercase());
        name.places.push((from, from + length));
        name.end = from + length;
        let rest = &text[name.end..];
        let dot = DOTS
            .into_iter()
            .find(|dot| rest.get(..dot.len()).is_some_and(|start| start.eq_ignore_ascii_case(dot)));
        let Some(dot) = dot else { return name };
        from = name.end + dot.len();
    }
}

/// The text with every name under one of the domains replaced for a recipient; `None` when there is none.
pub(crate) fn replaced(
    text: &str,
    own: &[Domain],
    with: &dyn Pseudonymiser,
    recipient: &str,
) -> Option<String> {
    if own.is_empty() {
        return None;
    }
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while at < text.len() {
        let Some(first) = text[at..].chars().next() else { break };
        if !is_letter(first) {
            at += first.len_utf8();
            continue;
        }
        let name = name(text, at);
        at = name.end;
        // The narrowest own domain counts: what stands above it is known of us anyway.
        let below = own.iter().filter_map(|domain| domain.below(&name.labels)).min();
        for place in 0..below.unwrap_or(0) {
            let above = name.labels[place + 1..].join(".");
            let (from, end) = name.places[place];
            out.push_str(&text[kept..from]);
            out.push_str(&with.label(recipient, &above, &name.labels[place]));
            kept = end;
        }
    }
    (kept > 0).then(|| out + &text[kept..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ports::fake::FakePseudonymiser;
    use proptest::prelude::*;

    use super::*;

    fn hidden(text: &str) -> Option<String> {
        let own = ["harbour.example", "Plant.Harbour.Example."].map(|d| Domain::parse(d).unwrap());
        replaced(text, &own, &FakePseudonymiser, "r")
    }

    fn check(text: &str, expect: &str) {
        let got = hidden(text);
        assert_eq!(got.as_deref().unwrap_or(text), expect, "{text}");
        assert_eq!(got.is_some(), text != expect, "told only when something changed");
    }

    #[test]
    fn names_of_the_house_are_found_in_every_form() {
        // the fake turns labels around and says how long the domain above is
        check("srv1.harbour.example", "p15-1vrs.harbour.example");
        check("SRV1.Harbour.EXAMPLE", "p15-1vrs.Harbour.EXAMPLE");
        check("a.db.harbour.example,", "p18-a.p15-bd.harbour.example,");
        check("see b.db.harbour.example.", "see p18-b.p15-bd.harbour.example.");
        check("https://srv1.harbour.example:8443/x", "https://p15-1vrs.harbour.example:8443/x");
        check("ops@mail.harbour.example", "ops@p15-liam.harbour.example");
        check("srv1[.]harbour[.]example", "p15-1vrs[.]harbour[.]example");
        check(
            "[domain-name:value = 'srv1.harbour.example']",
            "[domain-name:value = 'p15-1vrs.harbour.example']",
        );
        check(
            "MATCHES 'srv1\\\\.harbour\\\\.example'",
            "MATCHES 'p15-1vrs\\\\.harbour\\\\.example'",
        );
        check("cam.plant.harbour.example", "p21-mac.plant.harbour.example");
        check("größe.harbour.example é", "p15-eßörg.harbour.example é");
    }

    #[test]
    fn other_names_and_the_domain_itself_stay() {
        for text in [
            "",
            "harbour.example",
            "ops@harbour.example",
            "srv1.harbour.example.org", // somebody who pretends to be us is news
            "srv1.otherharbour.example",
            "harbour.example.evil.example",
            "example",
            "...harbour..example",
            "1.2.3.4",
        ] {
            check(text, text);
        }
        for wrong in ["", ".", "a..b", "a b.c", &"x".repeat(64)] {
            assert_eq!(Domain::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_label_of_ours_is_left(label in "[a-z]{6}[0-9]", before in "[ -~]{0,8}[ (=/@]", after in "[ ,)/:].{0,8}") {
            let out = hidden(&format!("{before}{label}.harbour.example{after}")).unwrap();
            prop_assert!(!out.contains(&format!("{label}.harbour")), "{}", out);
            let own = [Domain::parse("harbour.example").unwrap()];
            let _ = replaced(&after, &own, &FakePseudonymiser, "r");
        }
    }
}
