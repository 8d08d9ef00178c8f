#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// The leaves of the well-known Certificate Transparency test vectors.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Their roots for 0 to 8 leaves.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// A tree in memory.
struct Tree {
    nodes: HashMap<Node, Hash>,
    edge: Edge,
}

impl Tree {
    fn of(leaves: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut tree = Self { nodes: HashMap::new(), edge: Edge::default() };
        for leaf in leaves {
            let hash = leaf_hash(&leaf);
            tree.nodes.insert(Node { last: tree.edge.size(), level: 0 }, hash);
            tree.nodes.extend(tree.edge.push(hash));
        }
        tree
    }
    fn numbered(size: u64) -> Self {
        Self::of((0..size).map(|n| n.to_be_bytes().to_vec()))
    }
    fn hash(&self, range: Range) -> Hash {
        fold(&range.nodes().iter().map(|node| self.nodes[node]).collect::<Vec<_>>())
    }
    fn root(&self, size: u64) -> Hash {
        self.hash(Range { start: 0, end: size })
    }
    fn path(&self, plan: Option<Vec<Range>>) -> Vec<Hash> {
        plan.unwrap().into_iter().map(|range| self.hash(range)).collect()
    }
}

/// MTH of RFC 9162 §2.1.1, word by word.
fn plain_root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => leaf_hash(one),
        more => {
            let (left, right) = more.split_at(split(more.len() as u64) as usize);
            node_hash(&plain_root(left), &plain_root(right))
        }
    }
}

fn vectors() -> Tree {
    Tree::of(LEAVES.iter().map(|leaf| hex::decode(leaf).unwrap()))
}

fn hexed(path: &[Hash]) -> Vec<String> {
    path.iter().map(hex::encode).collect()
}

#[test]
fn roots_of_the_test_vectors() {
    let tree = vectors();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(hex::encode(tree.root(size as u64)), *root, "{size} leaves");
    }
    assert_eq!(hex::encode(tree.edge.root()), ROOTS[8]);
}

#[test]
fn inclusion_proofs_of_the_test_vectors() {
    let check = |index, size, expected: &[&str]| {
        assert_eq!(hexed(&vectors().path(inclusion_plan(index, size))), expected, "{index}/{size}");
    };
    check(0, 1, &[]);
    check(
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    );
    check(
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    );
    check(2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]);
    check(
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    );
    assert_eq!(inclusion_plan(8, 8), None);
}

#[test]
fn consistency_proofs_of_the_test_vectors() {
    let check = |first, second, expected: &[&str]| {
        let path = vectors().path(consistency_plan(first, second));
        assert_eq!(hexed(&path), expected, "{first} in {second}");
    };
    check(1, 1, &[]);
    check(
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    );
    check(
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    );
    check(
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    );
    assert_eq!(consistency_plan(0, 3), None);
    assert_eq!(consistency_plan(4, 3), None);
}

proptest! {
    #[test]
    fn the_stored_tree_is_the_tree_of_the_rfc(leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..70)) {
        let tree = Tree::of(leaves.clone());
        prop_assert_eq!(tree.edge.root(), plain_root(&leaves));
        prop_assert_eq!(tree.root(leaves.len() as u64), plain_root(&leaves));
    }

    #[test]
    fn every_leaf_is_proven_and_nothing_else_is(size in 1_u64..200, pick in any::<u64>(), flip in any::<usize>()) {
        let tree = Tree::numbered(size);
        let index = pick % size;
        let leaf = leaf_hash(&index.to_be_bytes());
        let mut path = tree.path(inclusion_plan(index, size));
        let root = tree.root(size);
        prop_assert_eq!(root_of_inclusion(index, size, &leaf, &path), Some(root));
        let other = leaf_hash(&size.to_be_bytes());
        prop_assert_ne!(root_of_inclusion(index, size, &other, &path), Some(root));
        if size > 1 {
            prop_assert_ne!(root_of_inclusion((index + 1) % size, size, &leaf, &path), Some(root));
            let at = flip % path.len();
            path[at][flip % 32] ^= 1;
            prop_assert_ne!(root_of_inclusion(index, size, &leaf, &path), Some(root));
            path[at][flip % 32] ^= 1;
            path.pop();
            prop_assert_ne!(root_of_inclusion(index, size, &leaf, &path), Some(root));
        }
    }

    #[test]
    fn a_longer_tree_contains_the_shorter_one_or_is_caught(second in 1_u64..200, pick in any::<u64>(), flip in any::<usize>()) {
        let tree = Tree::numbered(second);
        let first = 1 + pick % second;
        let (old, new) = (tree.root(first), tree.root(second));
        let mut path = tree.path(consistency_plan(first, second));
        prop_assert!(is_consistent(first, second, &old, &new, &path));
        prop_assert!(!is_consistent(first, second, &leaf_hash(b"other"), &new, &path));
        prop_assert!(!is_consistent(first, second, &old, &leaf_hash(b"other"), &path));
        if let Some(at) = (!path.is_empty()).then(|| flip % path.len()) {
            path[at][flip % 32] ^= 1;
            prop_assert!(!is_consistent(first, second, &old, &new, &path));
        }
    }

    #[test]
    fn an_edge_goes_on_where_it_stopped(size in 0_u64..200) {
        let mut tree = Tree::numbered(size);
        let hashes = Range { start: 0, end: size }.nodes().iter().map(|node| tree.nodes[node]).collect();
        let mut resumed = Edge::resume(size, hashes).unwrap();
        resumed.push(leaf_hash(b"next"));
        tree.edge.push(leaf_hash(b"next"));
        prop_assert_eq!(resumed.root(), tree.edge.root());
    }
}
