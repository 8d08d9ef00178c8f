//! What a pattern says.

/// A whole pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Its outermost observation expression.
    pub root: Expression,
}

/// An observation expression (§9.4).
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `[…]`: one observation.
    Test(Comparison),
    /// `a AND b`: different observations, in any order.
    And(Vec<Expression>),
    /// `a OR b`
    Or(Vec<Expression>),
    /// `a FOLLOWEDBY b`: different observations, none later than those after it.
    FollowedBy(Vec<Expression>),
    /// `a QUALIFIER`
    Qualified(Box<Expression>, Qualifier),
}

/// A qualifier (§9.4.1).
#[derive(Clone, Debug, PartialEq)]
pub enum Qualifier {
    /// `START t'…' STOP t'…'`: from the first, before the second; as written.
    StartStop {
        /// RFC 3339 text.
        start: String,
        /// RFC 3339 text.
        stop: String,
    },
    /// `WITHIN n SECONDS`
    Within {
        /// Above 0.
        seconds: f64,
    },
    /// `REPEATS n TIMES`
    Repeats {
        /// From 1.
        times: u64,
    },
}

/// What is said about one observation (§9.5).
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// One comparison.
    Test(Test),
    /// All hold for the same object.
    And(Vec<Comparison>),
    /// One holds.
    Or(Vec<Comparison>),
}

/// One comparison of what an object path leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Where to look.
    pub path: Path,
    /// Whether `NOT` stands before the operator.
    pub negated: bool,
    /// The operator with what it compares to.
    pub op: Op,
}

/// An operator with its operand (§9.5.1).
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `=`
    Equal(Constant),
    /// `!=`
    NotEqual(Constant),
    /// `<`
    Less(Constant),
    /// `<=`
    LessOrEqual(Constant),
    /// `>`
    Greater(Constant),
    /// `>=`
    GreaterOrEqual(Constant),
    /// `IN (…)`
    In(Vec<Constant>),
    /// `LIKE '…'` with `%` and `_`
    Like(String),
    /// `MATCHES '…'`, a regular expression
    Matches(String),
    /// `ISSUBSET '…'`, an address or range
    IsSubset(String),
    /// `ISSUPERSET '…'`
    IsSuperset(String),
    /// `EXISTS`
    Exists,
}

/// A constant (§9.3).
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// A whole number; beyond 64 bits it is read as a float.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// `'…'`, escapes resolved.
    Text(String),
    /// `true` or `false`
    Boolean(bool),
    /// `b'…'`, decoded.
    Binary(Vec<u8>),
    /// `h'…'`, decoded.
    Hex(Vec<u8>),
    /// `t'…'`, as written.
    Timestamp(String),
}

/// An object path (§9.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Type of the object.
    pub kind: String,
    /// The way into it, at least one step.
    pub steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A property or a key.
    Key(String),
    /// `[n]`
    Index(i64),
    /// `[*]`
    Any,
}
