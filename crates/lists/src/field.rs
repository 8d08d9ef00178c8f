//! What a list can be asked and how it can be sorted, as a table that people and programs read.

/// One list: its read model and what can be asked of it.
#[derive(Debug)]
pub struct List {
    /// Its table; the row's number is its column `seq`.
    pub table: &'static str,
    /// The full text of its rows (FTS5, `rowid` is `seq`).
    pub text: &'static str,
    /// Several values of one row: columns `seq`, `kind`, `value`.
    pub marks: &'static str,
    /// What can be asked, in the order in which it is offered.
    pub fields: &'static [Field],
    /// How it can be sorted; the first is the usual way, from the largest down.
    pub sorts: &'static [Sort],
}

impl List {
    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The way of sorting of a name.
    #[must_use]
    pub fn sort(&self, name: &str) -> Option<&'static Sort> {
        self.sorts.iter().find(|sort| sort.name == name)
    }
}

/// One thing a list can be asked.
#[derive(Debug)]
pub struct Field {
    /// As it is written in a query.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Column of the read model; of [`Kind::Phrase`] the column of the full text, of [`Kind::Mark`] the kind of mark.
    pub column: &'static str,
    /// What it takes, in a few words: the help of the query bar.
    pub help: &'static str,
}

/// What a field takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// One of a few words, stored as they are.
    Word(&'static [&'static str]),
    /// One of a few words with an order; stored is the place in this list.
    Rank(&'static [&'static str]),
    /// A text, exactly; `none` stands for the empty one, and `me` for who asks.
    Exact,
    /// A value that a row may have several of, exactly.
    Mark,
    /// Words beside each other in a text; `*` at the end stands for any ending.
    Phrase,
    /// A number.
    Number,
    /// A time, stored in microseconds UTC.
    Time,
    /// A word that stands for a condition, written by the list itself.
    Flag(&'static [(&'static str, &'static str)]),
}

impl Kind {
    /// The kind as the description of a list names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Word(_) => "word",
            Self::Rank(_) => "rank",
            Self::Exact => "text",
            Self::Mark => "value",
            Self::Phrase => "phrase",
            Self::Number => "number",
            Self::Time => "time",
            Self::Flag(_) => "flag",
        }
    }

    /// Whether `<`, `<=`, `>`, `>=` and ranges make sense.
    #[must_use]
    pub const fn has_order(self) -> bool {
        matches!(self, Self::Rank(_) | Self::Number | Self::Time)
    }

    /// The words it takes; empty where any text will do.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Word(words) | Self::Rank(words) => words.to_vec(),
            Self::Flag(flags) => flags.iter().map(|(word, _)| *word).collect(),
            Self::Time => vec!["-1h", "-24h", "-7d", "-30d"],
            Self::Exact | Self::Mark | Self::Phrase | Self::Number => vec![],
        }
    }
}

/// One way of sorting; rows that are alike follow by their number.
#[derive(Debug)]
pub struct Sort {
    /// As the address of a page names it.
    pub name: &'static str,
    /// Column of the read model, never null, with an index together with `seq`.
    pub column: &'static str,
    /// The column holds a floating-point number.
    pub real: bool,
}
