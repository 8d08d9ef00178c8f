//! Reading a pattern: recursive descent over the grammar of OASIS, bounded, with positioned errors.

use super::ast::{Comparison, Constant, Expression, Op, Path, Pattern, Qualifier, Step, Test};
use super::lex::{Lexer, Token};
use crate::hash;

/// Longest pattern that is read, in bytes.
pub const MAX_PATTERN_BYTES: usize = 256 * 1024;
/// Brackets inside each other.
pub const MAX_DEPTH: usize = 64;
/// Comparisons, constants and expressions of one pattern.
pub const MAX_NODES: usize = 20_000;

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct PatternError {
    /// Bytes before the place.
    pub byte: usize,
    /// Line, from 1.
    pub line: usize,
    /// Character within the line, from 1.
    pub column: usize,
    /// What is there and what is expected.
    pub message: String,
}

impl PatternError {
    /// An error at a byte of the text.
    pub(super) fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = &text[..text.floor_char_boundary(byte.min(text.len()))];
        let line = 1 + before.bytes().filter(|b| *b == b'\n').count();
        let column = 1 + before.rsplit('\n').next().unwrap_or(before).chars().count();
        Self { byte, line, column, message: message.into() }
    }
}

impl Pattern {
    /// Reads what the grammar accepts.
    ///
    /// # Errors
    /// [`PatternError`] with the place and what is expected there.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::read(text).map(|(pattern, _)| pattern)
    }

    /// Reads a pattern that is sound beyond its grammar too: hashes have the form of their algorithm, and
    /// one observation carries each qualifier once.
    ///
    /// # Errors
    /// [`PatternError`] with the place and what is expected there.
    pub fn check(text: &str) -> Result<Self, PatternError> {
        match Self::read(text)? {
            (pattern, None) => Ok(pattern),
            (_, Some(fault)) => Err(fault),
        }
    }

    fn read(text: &str) -> Result<(Self, Option<PatternError>), PatternError> {
        let mut parser = Parser::new(text)?;
        let root = parser.followed_by()?;
        if parser.token != Token::End {
            return Err(parser.expected("AND, OR, FOLLOWEDBY, a qualifier or the end"));
        }
        Ok((Self { root }, parser.fault))
    }
}

impl Comparison {
    /// Reads a comparison expression by itself, without the brackets of an observation: for conditions over values that are not
    /// observed, as those of CACAO playbooks.
    ///
    /// # Errors
    /// [`PatternError`] with the place and what is expected there.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parser = Parser::new(text)?;
        let comparison = parser.comparison()?;
        if parser.token != Token::End {
            return Err(parser.expected("AND, OR or the end"));
        }
        Ok(comparison)
    }
}

struct Parser<'p> {
    text: &'p str,
    lexer: Lexer<'p>,
    /// Where the word at hand begins.
    start: usize,
    token: Token<'p>,
    depth: usize,
    nodes: usize,
    /// The first thing that the grammar accepts and the standard does not.
    fault: Option<PatternError>,
}

impl<'p> Parser<'p> {
    fn new(text: &'p str) -> Result<Self, PatternError> {
        if text.len() > MAX_PATTERN_BYTES {
            let message = format!(
                "the pattern has {} bytes, the limit is {MAX_PATTERN_BYTES}; split it into several",
                text.len()
            );
            return Err(PatternError::at(text, 0, message));
        }
        let mut lexer = Lexer::new(text);
        let (start, token) = lexer.next()?;
        Ok(Parser { text, lexer, start, token, depth: 0, nodes: 0, fault: None })
    }

    fn advance(&mut self) -> Result<Token<'p>, PatternError> {
        let (start, token) = self.lexer.next()?;
        self.start = start;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn expected(&self, what: &str) -> PatternError {
        self.error_here(format!("expected {what}, found {}", self.token.shown()))
    }

    fn error_here(&self, message: impl Into<String>) -> PatternError {
        PatternError::at(self.text, self.start, message)
    }

    fn fault(&mut self, place: usize, message: impl Into<String>) {
        let text = self.text;
        self.fault.get_or_insert_with(|| PatternError::at(text, place, message));
    }

    fn is_keyword(&self, word: &str) -> bool {
        matches!(self.token, Token::Keyword(found) if found == word)
    }

    fn take_keyword(&mut self, word: &str) -> Result<bool, PatternError> {
        let found = self.is_keyword(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn sign(&mut self, sign: char) -> Result<(), PatternError> {
        if self.token == Token::Sign(sign) {
            self.advance()?;
            return Ok(());
        }
        Err(self.expected(&format!("`{sign}`")))
    }

    fn node(&mut self) -> Result<(), PatternError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("more than {MAX_NODES} parts; split the pattern into several");
            return Err(self.error_here(message));
        }
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), PatternError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(
                self.error_here(format!("more than {MAX_DEPTH} brackets inside each other"))
            );
        }
        Ok(())
    }

    fn followed_by(&mut self) -> Result<Expression, PatternError> {
        let mut all = vec![self.or()?];
        while self.take_keyword("FOLLOWEDBY")? {
            all.push(self.or()?);
        }
        Ok(one_or(all, Expression::FollowedBy))
    }

    fn or(&mut self) -> Result<Expression, PatternError> {
        let mut all = vec![self.and()?];
        while self.take_keyword("OR")? {
            all.push(self.and()?);
        }
        Ok(one_or(all, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, PatternError> {
        let mut all = vec![self.qualified()?];
        while self.take_keyword("AND")? {
            all.push(self.qualified()?);
        }
        Ok(one_or(all, Expression::And))
    }

    fn qualified(&mut self) -> Result<Expression, PatternError> {
        self.node()?;
        let simple = self.token == Token::Sign('[');
        let mut expression = if simple {
            self.advance()?;
            let comparison = self.comparison()?;
            self.sign(']')?;
            Expression::Test(comparison)
        } else if self.token == Token::Sign('(') {
            self.deeper()?;
            self.advance()?;
            let inner = self.followed_by()?;
            self.sign(')')?;
            self.depth -= 1;
            inner
        } else {
            return Err(self.expected("`[` or `(`"));
        };
        let mut seen = [false; 3];
        loop {
            let place = self.start;
            let (which, qualifier) = match self.token {
                Token::Keyword("START") => (0, self.start_stop()?),
                Token::Keyword("WITHIN") => (1, self.within()?),
                Token::Keyword("REPEATS") => (2, self.repeats()?),
                _ => return Ok(expression),
            };
            self.node()?;
            // A group in brackets may be qualified again and again, one observation only once each.
            if simple && std::mem::replace(&mut seen[which], true) {
                let message = "this qualifier stands twice on one observation; use brackets";
                self.fault(place, message);
            }
            expression = Expression::Qualified(Box::new(expression), qualifier);
        }
    }

    fn start_stop(&mut self) -> Result<Qualifier, PatternError> {
        self.advance()?;
        let start = self.timestamp()?;
        if !self.take_keyword("STOP")? {
            return Err(self.expected("STOP"));
        }
        Ok(Qualifier::StartStop { start, stop: self.timestamp()? })
    }

    fn timestamp(&mut self) -> Result<String, PatternError> {
        match self.token {
            Token::Timestamp(text) => {
                self.advance()?;
                Ok(text.to_owned())
            }
            _ => Err(self.expected("a timestamp constant t'…'")),
        }
    }

    fn within(&mut self) -> Result<Qualifier, PatternError> {
        self.advance()?;
        let seconds = match self.token {
            Token::Integer { text, negative: false } | Token::Float { text, negative: false } => {
                text.parse::<f64>().unwrap_or(f64::INFINITY)
            }
            _ => return Err(self.expected("a number of seconds above 0")),
        };
        if !(seconds > 0.0 && seconds.is_finite()) {
            return Err(self.expected("a number of seconds above 0"));
        }
        self.advance()?;
        if !self.take_keyword("SECONDS")? {
            return Err(self.expected("SECONDS, the only unit of WITHIN"));
        }
        Ok(Qualifier::Within { seconds })
    }

    fn repeats(&mut self) -> Result<Qualifier, PatternError> {
        self.advance()?;
        let times = match self.token {
            Token::Integer { text, negative: false } => {
                text.trim_start_matches('+').parse::<u64>().unwrap_or(u64::MAX)
            }
            _ => 0,
        };
        if times == 0 {
            return Err(self.expected("a whole number of times above 0"));
        }
        self.advance()?;
        if !self.take_keyword("TIMES")? {
            return Err(self.expected("TIMES"));
        }
        Ok(Qualifier::Repeats { times })
    }

    fn comparison(&mut self) -> Result<Comparison, PatternError> {
        let mut any = vec![self.comparison_and()?];
        while self.take_keyword("OR")? {
            any.push(self.comparison_and()?);
        }
        Ok(one_or(any, Comparison::Or))
    }

    fn comparison_and(&mut self) -> Result<Comparison, PatternError> {
        let mut all = vec![self.test()?];
        while self.take_keyword("AND")? {
            all.push(self.test()?);
        }
        Ok(one_or(all, Comparison::And))
    }

    fn test(&mut self) -> Result<Comparison, PatternError> {
        self.node()?;
        if self.token == Token::Sign('(') {
            self.deeper()?;
            self.advance()?;
            let inner = self.comparison()?;
            self.sign(')')?;
            self.depth -= 1;
            return Ok(inner);
        }
        let not_first = self.take_keyword("NOT")?;
        if self.take_keyword("EXISTS")? {
            let path = self.path()?;
            return Ok(Comparison::Test(Test { path, negated: not_first, op: Op::Exists }));
        }
        if not_first {
            return Err(self.expected("EXISTS; before other operators NOT stands behind the path"));
        }
        let path = self.path()?;
        let negated = self.take_keyword("NOT")?;
        let place = self.start;
        let op = self.operator()?;
        let test = Test { path, negated, op };
        if let Err(message) = check_hash(&test) {
            self.fault(place, message);
        }
        Ok(Comparison::Test(test))
    }

    fn operator(&mut self) -> Result<Op, PatternError> {
        let wrong = "an operator: = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET";
        match self.token {
            Token::Operator(sign) => {
                self.advance()?;
                let constant = self.constant()?;
                if matches!(constant, Constant::Boolean(_)) && !matches!(sign, "=" | "!=") {
                    return Err(self.error_here("true and false have no order; use = or !="));
                }
                Ok(match sign {
                    "=" => Op::Equal(constant),
                    "!=" => Op::NotEqual(constant),
                    "<" => Op::Less(constant),
                    "<=" => Op::LessOrEqual(constant),
                    ">" => Op::Greater(constant),
                    _ => Op::GreaterOrEqual(constant),
                })
            }
            Token::Keyword("IN") => {
                self.advance()?;
                Ok(Op::In(self.set()?))
            }
            Token::Keyword(word @ ("LIKE" | "MATCHES" | "ISSUBSET" | "ISSUPERSET")) => {
                self.advance()?;
                let Token::Text(text) = &mut self.token else {
                    return Err(self.expected("a text in quotes"));
                };
                let text = std::mem::take(text);
                self.advance()?;
                Ok(match word {
                    "LIKE" => Op::Like(text),
                    "MATCHES" => Op::Matches(text),
                    "ISSUBSET" => Op::IsSubset(text),
                    _ => Op::IsSuperset(text),
                })
            }
            _ => Err(self.expected(wrong)),
        }
    }

    fn set(&mut self) -> Result<Vec<Constant>, PatternError> {
        self.sign('(')?;
        let mut set = Vec::new();
        if self.token == Token::Sign(')') {
            self.advance()?;
            return Ok(set);
        }
        loop {
            set.push(self.constant()?);
            if self.token != Token::Sign(',') {
                self.sign(')')?;
                return Ok(set);
            }
            self.advance()?;
        }
    }

    fn constant(&mut self) -> Result<Constant, PatternError> {
        self.node()?;
        let constant = match &mut self.token {
            Token::Integer { text, .. } => match text.parse::<i64>() {
                Ok(number) => Constant::Integer(number),
                Err(_) => Constant::Float(text.parse().unwrap_or(f64::INFINITY)),
            },
            Token::Float { text, .. } => Constant::Float(text.parse().unwrap_or(f64::INFINITY)),
            Token::Text(text) => Constant::Text(std::mem::take(text)),
            Token::Boolean(value) => Constant::Boolean(*value),
            Token::Binary(bytes) => Constant::Binary(std::mem::take(bytes)),
            Token::Hex(bytes) => Constant::Hex(std::mem::take(bytes)),
            Token::Timestamp(text) => Constant::Timestamp((*text).to_owned()),
            _ => {
                return Err(self.expected(
                    "a constant: a number, a text in quotes, true, false, b'', h'' or t''",
                ));
            }
        };
        if matches!(constant, Constant::Float(number) if !number.is_finite()) {
            return Err(self.error_here("the number is too large"));
        }
        self.advance()?;
        Ok(constant)
    }

    fn path(&mut self) -> Result<Path, PatternError> {
        let kind = match self.token {
            Token::Name(name) | Token::Hyphenated(name) => name.to_owned(),
            _ => return Err(self.expected("an object path such as ipv4-addr:value")),
        };
        self.advance()?;
        self.sign(':')?;
        let mut steps = vec![self.key()?];
        loop {
            self.node()?;
            if self.token == Token::Sign('.') {
                self.advance()?;
                steps.push(self.key()?);
            } else if self.token == Token::Sign('[') {
                self.advance()?;
                let step = match self.token {
                    Token::Sign('*') => Step::Any,
                    Token::Integer { text, .. } => Step::Index(text.parse().unwrap_or(i64::MAX)),
                    _ => return Err(self.expected("a whole number or `*`")),
                };
                self.advance()?;
                self.sign(']')?;
                steps.push(step);
            } else {
                return Ok(Path { kind, steps });
            }
        }
    }

    fn key(&mut self) -> Result<Step, PatternError> {
        let key = match &mut self.token {
            Token::Name(name) => (*name).to_owned(),
            Token::Text(text) => std::mem::take(text),
            Token::Hyphenated(name) => {
                let message = format!("a property with a hyphen stands in quotes: '{name}'");
                return Err(self.error_here(message));
            }
            _ => return Err(self.expected("the name of a property")),
        };
        self.advance()?;
        Ok(Step::Key(key))
    }
}

fn one_or<T>(mut all: Vec<T>, many: impl FnOnce(Vec<T>) -> T) -> T {
    if all.len() == 1 { all.remove(0) } else { many(all) }
}

/// A hash that cannot be one: the pattern would never match (§2.7 with §10.4).
fn check_hash(test: &Test) -> Result<(), String> {
    let [.., Step::Key(hashes), Step::Key(name)] = test.path.steps.as_slice() else {
        return Ok(());
    };
    if hashes != "hashes" {
        return Ok(());
    }
    let Some(digits) = hash::digits_loosely(name) else { return Ok(()) };
    let constants: &[Constant] = match &test.op {
        Op::Equal(constant) | Op::NotEqual(constant) => std::slice::from_ref(constant),
        Op::In(set) => set,
        _ => return Ok(()),
    };
    for constant in constants {
        if let Constant::Text(text) = constant
            && (text.len() != digits || !text.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            let clip: String = text.chars().take(80).collect();
            return Err(format!("'{clip}' is no {name} hash: it has {digits} hexadecimal digits"));
        }
    }
    Ok(())
}
