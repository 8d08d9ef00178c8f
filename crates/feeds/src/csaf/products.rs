//! The product tree (§3.2.2), flattened: every product id with its name, its branch and what names
//! it to machines.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Problems;

/// Names of a product that machines compare (§3.1.3.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Helper {
    /// CPE 2.2 or 2.3.
    pub cpe: Option<String>,
    /// Package URL.
    pub purl: Option<String>,
    /// Model numbers, perhaps with wildcards.
    pub model_numbers: Vec<String>,
    /// Serial numbers, perhaps with wildcards.
    pub serial_numbers: Vec<String>,
    /// Stock keeping units.
    pub skus: Vec<String>,
}

/// A product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Identifier inside the document.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Branch of category `vendor` above it.
    pub vendor: Option<String>,
    /// Branch of category `product_name` above it.
    pub product: Option<String>,
    /// Branch of category `product_version` or `product_version_range` above it.
    pub version: Option<String>,
    /// Whether `version` is a range.
    pub version_is_range: bool,
    /// Names for machines.
    pub helper: Helper,
    /// For a product made by a relationship: category, this product, that product (§3.2.2.4).
    pub relation: Option<(String, String, String)>,
}

/// All products and groups of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Products {
    list: Vec<Product>,
    by_id: HashMap<String, usize>,
    /// Groups by product.
    groups: HashMap<String, Vec<String>>,
}

impl Products {
    /// All products, in the order of the document.
    #[must_use]
    pub fn all(&self) -> &[Product] {
        &self.list
    }

    /// The product of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Product> {
        self.by_id.get(id).map(|at| &self.list[*at])
    }

    /// The groups that a product belongs to.
    #[must_use]
    pub fn groups_of(&self, id: &str) -> &[String] {
        self.groups.get(id).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, product: Product, pointer: String, problems: &mut Problems) {
        if self.by_id.contains_key(&product.id) {
            let text = format!("product id `{}` is defined twice (§6.1.2)", product.id);
            problems.add(pointer, text);
            return;
        }
        self.by_id.insert(product.id.clone(), self.list.len());
        self.list.push(product);
    }
}

#[derive(Deserialize)]
struct FullName {
    name: String,
    product_id: String,
    #[serde(default)]
    product_identification_helper: Helper,
}

/// What the branches above a place say.
#[derive(Clone, Default)]
struct Above {
    vendor: Option<String>,
    product: Option<String>,
    version: Option<String>,
    range: bool,
}

pub(super) fn flatten(tree: Option<&Value>, problems: &mut Problems) -> Products {
    let mut products = Products::default();
    let Some(tree) = tree else { return products };
    branches(tree, &mut products, problems);
    for (index, value) in items(tree, "full_product_names") {
        let pointer = format!("/product_tree/full_product_names/{index}");
        named(value, &Above::default(), pointer, &mut products, problems);
    }
    relationships(tree, &mut products, problems);
    for (index, group) in items(tree, "product_groups") {
        match text(group, "group_id") {
            Some(name) => {
                for id in items(group, "product_ids").filter_map(|(_, id)| id.as_str()) {
                    products.groups.entry(id.to_owned()).or_default().push(name.clone());
                }
            }
            None => {
                let pointer = format!("/product_tree/product_groups/{index}");
                problems.add(pointer, "a group without group_id (§3.2.2.3)");
            }
        }
    }
    products
}

/// Walks the branches with a stack of its own; the depth of the document bounds it.
fn branches(tree: &Value, products: &mut Products, problems: &mut Problems) {
    let root = Value::Null;
    let mut stack = vec![(tree, &root, Above::default(), String::from("/product_tree"))];
    while let Some((node, branch, above, pointer)) = stack.pop() {
        if let Some(product) = branch.get("product") {
            named(product, &above, format!("{pointer}/product"), products, problems);
        }
        let mut below: Vec<_> = items(node, "branches")
            .map(|(index, branch)| {
                let mut under = above.clone();
                let name = text(branch, "name");
                match branch.get("category").and_then(Value::as_str) {
                    Some("vendor") => under.vendor = name,
                    Some("product_name") => under.product = name,
                    Some(category @ ("product_version" | "product_version_range")) => {
                        under.version = name;
                        under.range = category.ends_with("range");
                    }
                    _ => {}
                }
                (branch, branch, under, format!("{pointer}/branches/{index}"))
            })
            .collect();
        below.reverse();
        stack.append(&mut below);
    }
}

fn named(
    value: &Value,
    above: &Above,
    pointer: String,
    products: &mut Products,
    problems: &mut Problems,
) {
    match FullName::deserialize(value) {
        Ok(full) => {
            let product = Product {
                id: full.product_id,
                name: full.name,
                vendor: above.vendor.clone(),
                product: above.product.clone(),
                version: above.version.clone(),
                version_is_range: above.range,
                helper: full.product_identification_helper,
                relation: None,
            };
            products.add(product, pointer, problems);
        }
        Err(error) => problems.add(pointer, format!("{error} (§3.1.3)")),
    }
}

fn relationships(tree: &Value, products: &mut Products, problems: &mut Problems) {
    for (index, value) in items(tree, "relationships") {
        let pointer = format!("/product_tree/relationships/{index}");
        let full = value.get("full_product_name").unwrap_or(&Value::Null);
        let parts = (
            FullName::deserialize(full),
            text(value, "category"),
            text(value, "product_reference"),
            text(value, "relates_to_product_reference"),
        );
        let (Ok(full), Some(category), Some(this), Some(that)) = parts else {
            problems.add(pointer, "a relationship without name, category or products (§3.2.2.4)");
            continue;
        };
        // Vendor, product and version are those of the component.
        let component = products.get(&this).cloned().unwrap_or_default();
        let product = Product {
            id: full.product_id,
            name: full.name,
            helper: full.product_identification_helper,
            relation: Some((category, this, that)),
            ..component
        };
        products.add(product, pointer, problems);
    }
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    value.get(name).and_then(Value::as_array).into_iter().flatten().enumerate()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}
