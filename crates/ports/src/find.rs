//! Search over everything: each room finds its own things for whoever asks.
//!
//! Invariants: an answer is bounded by [`Wanted::limit`] and made from indexes or from a bounded number of rows; nothing
//! beyond the asker's sight is found, counted or hinted at.

use async_trait::async_trait;
use model::{Timestamp, Tlp};

use crate::PortError;

/// Characters of a question; the rest is not looked at.
pub const MAX_QUESTION_CHARS: usize = 200;
/// Words of a question that are looked for; further ones are not.
pub const MAX_WORDS: usize = 8;
/// Things of one kind in an answer.
pub const MAX_FOUND: u32 = 50;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The question without space around it, at most [`MAX_QUESTION_CHARS`] characters.
    pub text: String,
    /// Things wanted, at most [`MAX_FOUND`].
    pub limit: u32,
    /// Labels beyond the asker's sight.
    pub beyond: Vec<Tlp>,
}

impl Wanted {
    /// A question, cut to the bounds.
    #[must_use]
    pub fn new(text: &str, limit: u32, beyond: Vec<Tlp>) -> Self {
        let text: String = text.trim().chars().take(MAX_QUESTION_CHARS).collect();
        Self { text: text.trim().to_owned(), limit: limit.clamp(1, MAX_FOUND), beyond }
    }

    /// The words of the question: runs of letters and digits, in small letters.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let words =
            self.text.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).take(MAX_WORDS).collect()
    }

    /// As an expression of SQLite's FTS5: every word stands there, the last one may be begun. `None` without a word.
    #[must_use]
    pub fn match_expression(&self) -> Option<String> {
        let words = self.words();
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        (!quoted.is_empty()).then(|| format!("{}*", quoted.join(" AND ")))
    }

    /// As a pattern for `LIKE … ESCAPE '\'`: the question stands somewhere in it.
    #[must_use]
    pub fn like(&self) -> String {
        let mut pattern = String::from("%");
        for one in self.text.chars() {
            if matches!(one, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(one);
        }
        pattern.push('%');
        pattern
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What tells it from others of that name; may be empty.
    pub detail: String,
    /// Its page in the console, e.g. `/incidents/ID`.
    pub path: String,
    /// When it was recorded, where that says something.
    pub at: Option<Timestamp>,
}

/// Finds things of one kind.
#[async_trait]
pub trait Find: Send + Sync {
    /// `incidents`, `findings`, `devices`, …
    fn kind(&self) -> &'static str;

    /// What one must be allowed to do to be answered, `room.verb`.
    fn permission(&self) -> &'static str;

    /// The best or newest, at most [`Wanted::limit`].
    ///
    /// # Errors
    /// The store cannot be read.
    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_bounded_and_says_nothing_to_the_database() {
        let wanted = Wanted::new("  Tram \"stop\" OR 100%_ ", 900, vec![]);
        assert_eq!(wanted.limit, MAX_FOUND);
        assert_eq!(
            wanted.match_expression().as_deref(),
            Some("\"tram\" AND \"stop\" AND \"or\" AND \"100\"*")
        );
        assert_eq!(wanted.like(), "%Tram \"stop\" OR 100\\%\\_%");
        assert_eq!(Wanted::new("  *** ", 5, vec![]).match_expression(), None);
        let long = Wanted::new(&"ab ".repeat(5_000), 5, vec![]);
        assert!(long.text.chars().count() <= MAX_QUESTION_CHARS);
        assert_eq!(long.words().len(), MAX_WORDS);
    }
}
