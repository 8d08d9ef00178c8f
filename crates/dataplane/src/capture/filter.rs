//! Filter expressions in the language of pcap-filter(7), as far as the edge needs it.
//!
//! `tcp`, `udp`, `icmp`, `icmp6`, `arp`, `ip`, `ip6`, `ether proto N`; `host A`, `net A/L`,
//! `port N`, `portrange N-M`, `ether host M`, each after `src` or `dst` where one direction is
//! meant and after `tcp` or `udp` where one transport is; `less N`, `greater N`; `and`, `or`,
//! `not`, parentheses. As there, `and` and `or` bind equally and join from the left. Frames are
//! judged as the kernel shows them: a VLAN tag that it took off is not seen.

use std::net::IpAddr;

use super::generate::{ARP, Direction, IPV4, IPV6, SCTP, TCP, Tree, UDP, generate};
use super::program::{Builder, MAX_INSTRUCTIONS, passes};
use crate::sys::ring::Instruction;

/// Bytes of an expression at most.
pub const MAX_EXPRESSION_BYTES: usize = 4_096;
/// Parentheses and negations within each other at most.
pub const MAX_DEPTH: usize = 32;

/// Why an expression is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, character {at}: {what}")]
pub struct FilterError {
    /// Place in the expression, characters from 1.
    pub at: usize,
    /// What is wrong there and what would be right.
    pub what: String,
}

/// A compiled filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    program: Vec<Instruction>,
}

impl Filter {
    /// Compiles an expression; an empty one takes everything.
    ///
    /// # Errors
    /// When it is not in the language, with the place.
    pub fn compile(expression: &str) -> Result<Self, FilterError> {
        if expression.len() > MAX_EXPRESSION_BYTES {
            let what = format!("longer than {MAX_EXPRESSION_BYTES} bytes: simplify it");
            return Err(FilterError { at: MAX_EXPRESSION_BYTES + 1, what });
        }
        let tokens = tokens(expression);
        if tokens.is_empty() {
            return Ok(Self::default());
        }
        let mut parser = Parser { tokens, at: 0, end: expression.chars().count() + 1 };
        let tree = parser.expression(0)?;
        if parser.peek().is_some() {
            return Err(parser.error("expected `and`, `or` or the end"));
        }
        let mut builder = Builder::default();
        let (pass, drop) = (builder.label(), builder.label());
        generate(&mut builder, &tree, pass, drop);
        let program = builder.finish(pass, drop).ok_or_else(|| FilterError {
            at: 1,
            what: format!("needs more than {MAX_INSTRUCTIONS} instructions: simplify it"),
        })?;
        Ok(Self { program })
    }

    /// Whether a frame passes, judged here as the kernel would.
    #[must_use]
    pub fn passes(&self, frame: &[u8], wire_len: u32) -> bool {
        self.program.is_empty() || passes(&self.program, frame, wire_len)
    }

    pub(crate) fn program(&self) -> &[Instruction] {
        &self.program
    }
}

fn both(left: Tree, right: Tree) -> Tree {
    Tree::And(Box::new(left), Box::new(right))
}

fn either(left: Tree, right: Tree) -> Tree {
    Tree::Or(Box::new(left), Box::new(right))
}

struct Token<'a> {
    at: usize,
    text: &'a str,
}

fn tokens(expression: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start: Option<(usize, usize)> = None;
    for (place, (byte, letter)) in expression.char_indices().enumerate() {
        let sign = matches!(letter, '(' | ')' | '!');
        if (sign || letter.is_whitespace())
            && let Some((from, at)) = start.take()
        {
            tokens.push(Token { at, text: &expression[from..byte] });
        }
        if sign {
            tokens.push(Token { at: place + 1, text: &expression[byte..byte + 1] });
        } else if !letter.is_whitespace() {
            start.get_or_insert((byte, place + 1));
        }
    }
    if let Some((from, at)) = start {
        tokens.push(Token { at, text: &expression[from..] });
    }
    tokens
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(|token| token.text)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.peek() == Some(text);
        self.at += usize::from(found);
        found
    }

    fn error(&self, what: impl Into<String>) -> FilterError {
        let at = self.tokens.get(self.at).map_or(self.end, |token| token.at);
        FilterError { at, what: what.into() }
    }

    fn word<T>(
        &mut self,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, FilterError> {
        let value = self.peek().and_then(read);
        let value = value.ok_or_else(|| self.error(format!("expected {what}")))?;
        self.at += 1;
        Ok(value)
    }

    fn expression(&mut self, depth: usize) -> Result<Tree, FilterError> {
        let mut tree = self.unary(depth)?;
        loop {
            if self.take("and") || self.take("&&") {
                tree = both(tree, self.unary(depth)?);
            } else if self.take("or") || self.take("||") {
                tree = either(tree, self.unary(depth)?);
            } else {
                return Ok(tree);
            }
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Tree, FilterError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH}: simplify it")));
        }
        if self.take("not") || self.take("!") {
            return Ok(Tree::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.take("(") {
            let tree = self.expression(depth + 1)?;
            return if self.take(")") { Ok(tree) } else { Err(self.error("expected `)`")) };
        }
        self.primitive()
    }

    fn primitive(&mut self) -> Result<Tree, FilterError> {
        if self.take("ether") {
            return self.ether();
        }
        if self.take("less") {
            let length = self.word("a length in bytes", |text| text.parse().ok())?;
            return Ok(Tree::Not(Box::new(Tree::LongerThan(length))));
        }
        if self.take("greater") {
            let length: u32 = self.word("a length in bytes", |text| text.parse().ok())?;
            return Ok(length.checked_sub(1).map_or_else(
                || Tree::Not(Box::new(Tree::LongerThan(u32::MAX))),
                Tree::LongerThan,
            ));
        }
        let protocol = ["tcp", "udp", "icmp", "icmp6", "arp", "ip", "ip6"]
            .into_iter()
            .find(|name| self.peek() == Some(name));
        self.at += usize::from(protocol.is_some());
        let direction = self.direction();
        let transports: &'static [u32] = match protocol {
            Some("tcp") => &[TCP],
            Some("udp") => &[UDP],
            _ => &[TCP, UDP, SCTP],
        };
        let subject = self.subject(direction, transports)?;
        let protocol = protocol.map(protocol_tree);
        match (protocol, subject) {
            (Some(protocol), Some(subject)) => Ok(both(protocol, subject)),
            (Some(tree), None) | (None, Some(tree)) => Ok(tree),
            (None, None) => Err(self.error(
                "expected tcp, udp, icmp, icmp6, arp, ip, ip6, ether, host, net, port, portrange, \
                 src, dst, less, greater, not or `(`",
            )),
        }
    }

    fn direction(&mut self) -> Option<Direction> {
        if self.take("src") {
            Some(Direction::Source)
        } else if self.take("dst") {
            Some(Direction::Destination)
        } else {
            None
        }
    }

    /// What stands after protocol and direction; a direction alone means a host.
    fn subject(
        &mut self,
        direction: Option<Direction>,
        transports: &'static [u32],
    ) -> Result<Option<Tree>, FilterError> {
        let side = direction.unwrap_or(Direction::Either);
        if self.take("port") {
            let port = self.word("a port number", |text| text.parse().ok())?;
            return Ok(Some(Tree::Ports(side, transports, port, port)));
        }
        if self.take("portrange") {
            let (low, high) = self.word("a range of ports such as 20-23", |text| {
                let (low, high) = text.split_once('-')?;
                let (low, high): (u16, u16) = (low.parse().ok()?, high.parse().ok()?);
                (low <= high).then_some((low, high))
            })?;
            return Ok(Some(Tree::Ports(side, transports, low, high)));
        }
        if self.take("net") {
            let (address, length) =
                self.word("a network such as 10.0.0.0/8 or fd00::/8", |text| {
                    let (address, length) = text.split_once('/')?;
                    let (address, length): (IpAddr, u8) =
                        (address.parse().ok()?, length.parse().ok()?);
                    let most = if address.is_ipv4() { 32 } else { 128 };
                    (length <= most).then_some((address, length))
                })?;
            return Ok(Some(Tree::Net(side, address, length)));
        }
        if self.take("host") || direction.is_some() {
            let address: IpAddr = self.word("an address", |text| text.parse().ok())?;
            let length = if address.is_ipv4() { 32 } else { 128 };
            return Ok(Some(Tree::Net(side, address, length)));
        }
        Ok(None)
    }

    fn ether(&mut self) -> Result<Tree, FilterError> {
        if self.take("proto") {
            let kind = self.word("an EtherType such as 0x88b8", |text| {
                text.strip_prefix("0x")
                    .map_or_else(|| text.parse().ok(), |hex| u16::from_str_radix(hex, 16).ok())
            })?;
            return Ok(Tree::EtherType(u32::from(kind)));
        }
        let side = self.direction();
        if !self.take("host") && side.is_none() {
            return Err(self.error("expected host, src, dst or proto after `ether`"));
        }
        let mac = self.word("a MAC address", analytics::host::parse_mac)?;
        Ok(Tree::EtherHost(side.unwrap_or(Direction::Either), mac))
    }
}

fn protocol_tree(name: &str) -> Tree {
    match name {
        "tcp" => Tree::IpProtocol(TCP),
        "udp" => Tree::IpProtocol(UDP),
        "icmp" => both(Tree::EtherType(IPV4), Tree::IpProtocol(1)),
        "icmp6" => both(Tree::EtherType(IPV6), Tree::IpProtocol(58)),
        "arp" => Tree::EtherType(ARP),
        "ip" => Tree::EtherType(IPV4),
        _ => Tree::EtherType(IPV6),
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
