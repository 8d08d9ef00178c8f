//! Attribute types and categories, as PyMISP's `describeTypes.json` lists them.

use std::collections::HashMap;
use std::sync::OnceLock;

/// The categories, in MISP's order.
pub const CATEGORIES: [&str; 16] = [
    "Internal reference",
    "Targeting data",
    "Antivirus detection",
    "Payload delivery",
    "Artifacts dropped",
    "Payload installation",
    "Persistence mechanism",
    "Network activity",
    "Payload type",
    "Attribution",
    "External analysis",
    "Financial fraud",
    "Support Tool",
    "Social network",
    "Person",
    "Other",
];

/// One attribute type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeType {
    /// Its name, like `ip-dst|port`.
    pub name: &'static str,
    /// The category that is meant where none is given.
    pub default_category: &'static str,
    /// Whether it is for detection where nothing is said.
    pub to_ids: bool,
    /// The categories in which it may stand.
    pub categories: Vec<&'static str>,
}

/// All attribute types.
#[must_use]
pub fn attribute_types() -> &'static [AttributeType] {
    static TYPES: OnceLock<Vec<AttributeType>> = OnceLock::new();
    TYPES.get_or_init(|| include_str!("../data/types.tsv").lines().filter_map(row).collect())
}

fn row(line: &'static str) -> Option<AttributeType> {
    let mut cells = line.split('\t');
    let category = |text: &str| CATEGORIES.get(text.parse::<usize>().ok()?).copied();
    Some(AttributeType {
        name: cells.next()?,
        default_category: category(cells.next()?)?,
        to_ids: cells.next()? == "1",
        categories: cells.next()?.split(',').filter_map(category).collect(),
    })
}

/// The type of this name.
#[must_use]
pub fn attribute_type(name: &str) -> Option<&'static AttributeType> {
    static BY_NAME: OnceLock<HashMap<&'static str, &'static AttributeType>> = OnceLock::new();
    BY_NAME
        .get_or_init(|| attribute_types().iter().map(|kind| (kind.name, kind)).collect())
        .get(name)
        .copied()
}

/// Whether an attribute of type `name` may stand in `category`.
#[must_use]
pub fn may_stand(name: &str, category: &str) -> bool {
    attribute_type(name).is_some_and(|kind| kind.categories.contains(&category))
}

/// Whether values of this type consist of two, with `|` between.
#[must_use]
pub fn is_composite(name: &str) -> bool {
    name.contains('|') || name == "malware-sample"
}
