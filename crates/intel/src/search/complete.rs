//! What could come next while a query is being written.

use stix::Tlp;

use super::parse::{FIELDS, Field};

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Replaces the text from `from` to the cursor.
    pub text: String,
    /// What it means.
    pub hint: String,
    /// Characters before the place where it goes.
    pub from: usize,
}

/// Suggestions offered at most.
const MAX_SUGGESTIONS: usize = 20;

/// Ways to go on at the cursor (characters from the start). `types` and `sources` are what the store holds.
#[must_use]
pub fn complete(
    text: &str,
    cursor: usize,
    types: &[String],
    sources: &[String],
) -> Vec<Suggestion> {
    let before: Vec<char> = text.chars().take(cursor).collect();
    let quoted = before.iter().filter(|c| **c == '"').count() % 2 == 1;
    let start = before
        .iter()
        .rposition(|c| c.is_whitespace() || matches!(c, '(' | ')'))
        .map_or(0, |at| at + 1);
    let mut word: String = before[start..].iter().collect();
    let mut from = start;
    if let Some(rest) = word.strip_prefix('-') {
        word = rest.to_owned();
        from += 1;
    }
    let sign = word.find([':', '=', '<', '>']);
    let Some(sign) = sign else {
        if quoted {
            return vec![];
        }
        return fields(&word, from);
    };
    let name = word[..sign].to_ascii_lowercase();
    let value_at = sign + word[sign..].chars().take_while(|c| ":=<>".contains(*c)).count();
    let typed = word[value_at..].trim_start_matches('"').to_lowercase();
    let from = from + word[..value_at].chars().count();
    let Some((_, field, hint)) = FIELDS.iter().find(|(known, _, _)| *known == name) else {
        return vec![];
    };
    let values: Vec<String> = match field {
        Field::Type => types.to_vec(),
        Field::Source => sources.iter().map(|source| quote(source)).collect(),
        Field::Tlp => Tlp::ALL.iter().map(|tlp| tlp.value().to_owned()).collect(),
        Field::Is => vec!["revoked".into(), "custom".into()],
        Field::Created | Field::Modified | Field::Known => {
            ["-1h", "-24h", "-7d", "-30d"].map(str::to_owned).to_vec()
        }
        _ => vec![],
    };
    values
        .into_iter()
        .filter(|value| value.trim_start_matches('"').to_lowercase().starts_with(&typed))
        .take(MAX_SUGGESTIONS)
        .map(|text| Suggestion { text, hint: (*hint).to_owned(), from })
        .collect()
}

/// Whether a type is being written at the cursor: only then are the types of the store needed.
#[must_use]
pub fn completes_type(text: &str, cursor: usize) -> bool {
    let before: String = text.chars().take(cursor).collect();
    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | ')')).next();
    let word = word.unwrap_or_default().trim_start_matches('-').to_ascii_lowercase();
    word.strip_prefix("type").is_some_and(|rest| rest.starts_with([':', '=']))
}

fn fields(word: &str, from: usize) -> Vec<Suggestion> {
    let lower = word.to_ascii_lowercase();
    FIELDS
        .iter()
        .filter(|(name, _, _)| name.starts_with(&lower))
        .map(|(name, _, hint)| Suggestion {
            text: format!("{name}:"),
            hint: (*hint).to_owned(),
            from,
        })
        .collect()
}

fn quote(text: &str) -> String {
    if text.contains(|c: char| c.is_whitespace() || "():<>=\"".contains(c)) {
        format!("\"{}\"", text.replace('"', ""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let types = ["indicator".to_owned(), "identity".to_owned(), "tool".to_owned()];
        let sources = ["Harbour CERT".to_owned()];
        let found = complete(text, text.chars().count(), &types, &sources);
        let found: Vec<&str> = found.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn offers_what_fits() {
        check("x t", &["type:", "technique:", "tlp:"]);
        check("-ty", &["type:"]);
        check("(type:i", &["indicator", "identity"]);
        check("tlp<=a", &["amber", "amber+strict"]);
        check("source:h", &["\"Harbour CERT\""]);
        check("\"in quotes t", &[]);
        check("nonsense:x", &[]);
    }
}
