//! The Merkle tree of RFC 9162 §2.1 with SHA-256: roots, inclusion and consistency proofs.
//!
//! Pure: where hashes come from is the caller's business. A proof is first planned as a list of
//! leaf ranges, each range is the fold of complete subtrees ([`Node`]), and those are what a store
//! keeps.

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Prefix of a leaf's hash input (RFC 9162 §2.1.1).
const LEAF_PREFIX: u8 = 0x00;
/// Prefix of an inner node's hash input (RFC 9162 §2.1.1).
const NODE_PREFIX: u8 = 0x01;

/// The hash of a leaf.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update([LEAF_PREFIX]).chain_update(data).finalize().into()
}

/// The hash of an inner node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([NODE_PREFIX])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root of the tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A complete subtree: the `2^level` leaves that end with leaf `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Index of its last leaf.
    pub last: u64,
    /// Its height; 0 is the leaf itself.
    pub level: u32,
}

/// Leaves `start..end`, where `start` is a multiple of the largest power of two below the length,
/// as every subtree of the RFC is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First leaf.
    pub start: u64,
    /// One after the last leaf.
    pub end: u64,
}

impl Range {
    /// The complete subtrees that make up the range, left to right.
    pub fn nodes(self) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut start = self.start;
        while start < self.end {
            let level = (self.end - start).ilog2();
            start += 1 << level;
            nodes.push(Node { last: start - 1, level });
        }
        nodes
    }
}

/// The root over neighbouring complete subtrees, left to right, as of [`Range::nodes`].
pub fn fold(hashes: &[Hash]) -> Hash {
    let Some((last, rest)) = hashes.split_last() else { return empty_root() };
    rest.iter().rev().fold(*last, |right, left| node_hash(left, &right))
}

/// The subtrees that become complete with leaf `index`, above the leaf itself, lowest first:
/// each is the parent of the one before it and of its left neighbour ([`left_of`]).
pub fn completed_by(index: u64) -> impl Iterator<Item = Node> {
    (1..=index.trailing_ones()).map(move |level| Node { last: index, level })
}

/// The left neighbour of a node's right half, i.e. the left child of `node`.
pub const fn left_of(node: Node) -> Node {
    Node { last: node.last - (1 << (node.level - 1)), level: node.level - 1 }
}

/// Largest power of two smaller than `count`; `count` is at least 2.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The ranges of the inclusion proof of leaf `index` in the tree of `size` leaves, lowest first
/// (RFC 9162 §2.1.3.1). `None` when the tree has no such leaf.
pub fn inclusion_plan(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let mut path = Vec::new();
    let mut part = Range { start: 0, end: size };
    while part.end - part.start > 1 {
        let middle = part.start + split(part.end - part.start);
        let (left, right) =
            (Range { start: part.start, end: middle }, Range { start: middle, end: part.end });
        let (own, other) = if index < middle { (left, right) } else { (right, left) };
        path.push(other);
        part = own;
    }
    path.reverse();
    Some(path)
}

/// The ranges of the proof that the tree of `first` leaves is the beginning of the tree of `second`
/// leaves (RFC 9162 §2.1.4.1). `None` unless `0 < first <= second`.
pub fn consistency_plan(first: u64, second: u64) -> Option<Vec<Range>> {
    if first == 0 || first > second {
        return None;
    }
    let mut path = Vec::new();
    let mut part = Range { start: 0, end: second };
    let mut whole = true;
    while first < part.end {
        let middle = part.start + split(part.end - part.start);
        let (left, right) =
            (Range { start: part.start, end: middle }, Range { start: middle, end: part.end });
        if first <= middle {
            path.push(right);
            part = left;
        } else {
            path.push(left);
            part = right;
            whole = false;
        }
    }
    if !whole {
        path.push(part);
    }
    path.reverse();
    Some(path)
}

/// The root that an inclusion proof leads to (RFC 9162 §2.1.3.2); `None` when the proof has the
/// wrong length. The proof holds when this is the root that was signed.
pub fn root_of_inclusion(index: u64, size: u64, leaf: &Hash, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut position, mut last) = (index, size - 1);
    let mut root = *leaf;
    for hash in path {
        if last == 0 {
            return None;
        }
        if position & 1 == 1 || position == last {
            root = node_hash(hash, &root);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, hash);
        }
        position >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// True when the proof shows that the tree of `first` leaves with root `old` is the beginning of the
/// tree of `second` leaves with root `new` (RFC 9162 §2.1.4.2).
pub fn is_consistent(first: u64, second: u64, old: &Hash, new: &Hash, path: &[Hash]) -> bool {
    if first == 0 || first > second {
        return false;
    }
    if first == second {
        return path.is_empty() && old == new;
    }
    let mut hashes = path.iter();
    let start = if first.is_power_of_two() { Some(old) } else { hashes.next() };
    let Some(start) = start else { return false };
    let (mut position, mut last) = (first - 1, second - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (mut from_first, mut from_second) = (*start, *start);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            from_first = node_hash(hash, &from_first);
            from_second = node_hash(hash, &from_second);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            from_second = node_hash(&from_second, hash);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && from_first == *old && from_second == *new
}

/// The right edge of a growing tree: its complete subtrees, largest first.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    size: u64,
    hashes: Vec<Hash>,
}

impl Edge {
    /// The edge of a tree of `size` leaves whose complete subtrees have these hashes; `None` when
    /// their number is wrong.
    pub fn resume(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { size, hashes })
    }

    /// Adds a leaf; returns the subtrees of two leaves and more that it completed, lowest first.
    pub fn push(&mut self, leaf: Hash) -> Vec<(Node, Hash)> {
        let mut hash = leaf;
        let mut completed = Vec::new();
        for node in completed_by(self.size) {
            // One complete subtree stands on the edge for each trailing one bit of the size.
            if let Some(left) = self.hashes.pop() {
                hash = node_hash(&left, &hash);
                completed.push((node, hash));
            }
        }
        self.hashes.push(hash);
        self.size += 1;
        completed
    }

    /// Leaves so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree as it stands.
    pub fn root(&self) -> Hash {
        fold(&self.hashes)
    }
}

#[cfg(test)]
#[path = "merkle_tests.rs"]
mod tests;
