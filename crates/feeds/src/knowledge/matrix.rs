//! A matrix to draw: tactics as columns, techniques in them, sub-techniques under those.

use std::collections::{BTreeMap, HashMap};

use super::{Item, ItemKind, Knowledge};

/// A matrix with a number for each technique.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Matrix {
    /// Domain.
    pub domain: String,
    /// Name.
    pub name: String,
    /// Columns, in the order of the matrix.
    pub columns: Vec<Column>,
    /// Techniques without their sub-techniques, each once.
    pub techniques: usize,
    /// Sub-techniques, each once.
    pub sub_techniques: usize,
    /// Techniques and sub-techniques that have a number, each once.
    pub covered: usize,
    /// Identifiers that were given a number and are not in the matrix.
    pub not_placed: Vec<String>,
}

/// A tactic.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Column {
    /// Identifier, `TA0001`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Short name, `initial-access`.
    pub short_name: String,
    /// Techniques by name.
    pub cells: Vec<Cell>,
    /// Cells with a number of their own or under them.
    pub covered: usize,
}

/// A technique in a column.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Cell {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its own number.
    pub number: f64,
    /// Its own number and those of what stands under it.
    pub total: f64,
    /// Sub-techniques that have a number.
    pub covered: usize,
    /// Sub-techniques by identifier.
    pub below: Vec<Cell>,
}

impl Knowledge {
    /// The matrix of a domain with a number for each technique identifier; `None` where there is no
    /// such domain. Deprecated and revoked techniques have no place.
    #[must_use]
    pub fn matrix_of(&self, domain: &str, numbers: &BTreeMap<String, f64>) -> Option<Matrix> {
        let current = |deprecated: bool| {
            self.matrices.iter().find(|m| m.domain == domain && m.deprecated == deprecated)
        };
        let order = current(false).or_else(|| current(true))?;
        let number = |item: &Item| numbers.get(&item.id).copied().unwrap_or(0.0);
        let inside = |item: &&Item| {
            item.kind == ItemKind::Technique
                && item.is_current()
                && item.domains.iter().any(|known| known == domain)
        };
        let mut below: HashMap<&str, Vec<&Item>> = HashMap::new();
        let mut columns_of: HashMap<&str, Vec<&Item>> = HashMap::new();
        let (mut techniques, mut sub_techniques, mut covered) = (0, 0, 0);
        let mut not_placed: Vec<String> = numbers.keys().cloned().collect();
        not_placed.retain(|id| !self.get(id).is_some_and(|item| inside(&item)));
        for item in self.items.iter().filter(inside) {
            covered += usize::from(number(item) != 0.0);
            // A parent of ATT&CK in ATLAS is none that could be shown.
            let parent = item.parents.iter().find(|id| self.get(id).is_some_and(|p| inside(&p)));
            match parent {
                Some(parent) => {
                    sub_techniques += 1;
                    below.entry(parent).or_default().push(item);
                }
                None => {
                    techniques += 1;
                    for (tactic, _) in &item.tactics {
                        columns_of.entry(tactic).or_default().push(item);
                    }
                }
            }
        }
        let leaf = |item: &Item| Cell {
            id: item.id.clone(),
            name: item.name.clone(),
            number: number(item),
            total: number(item),
            covered: 0,
            below: Vec::new(),
        };
        let cell = |item: &Item| {
            let mut cell = leaf(item);
            let under = below.get(item.id.as_str()).into_iter().flatten();
            cell.below = under.map(|item| leaf(item)).collect();
            cell.below.sort_by(|a, b| a.id.cmp(&b.id));
            cell.total += cell.below.iter().map(|under| under.number).sum::<f64>();
            cell.covered = cell.below.iter().filter(|under| under.number != 0.0).count();
            cell
        };
        let column = |at: &usize| {
            let tactic = &self.items[*at];
            let short_name = tactic.short_name.clone().unwrap_or_default();
            let inside = columns_of.get(short_name.as_str()).into_iter().flatten();
            let mut cells: Vec<Cell> = inside.map(|item| cell(item)).collect();
            cells.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
            let filled = |cell: &&Cell| cell.number != 0.0 || cell.covered > 0;
            let covered = cells.iter().filter(filled).count();
            Column { id: tactic.id.clone(), name: tactic.name.clone(), short_name, cells, covered }
        };
        Some(Matrix {
            domain: domain.to_owned(),
            name: order.name.clone(),
            columns: order.tactics.iter().map(column).collect(),
            techniques,
            sub_techniques,
            covered,
            not_placed,
        })
    }
}
