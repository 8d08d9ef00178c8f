//! What lists have in common towards the outside.

use lists::{Asker, Kind, List, Query, Sort};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::{DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS, Problem, decode_cursor};

/// What is wanted of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct ListQuery {
    /// The query, e.g. `severity>=high -owner:me "tram stop"`; `/fields` of the list describes the language's fields.
    pub q: Option<String>,
    /// The order: a name of `/fields`, with `-` before it for the largest first.
    pub sort: Option<String>,
    /// Items wanted, 1 to 500; 50 when absent.
    pub limit: Option<u32>,
    /// Where to go on, from `next`; made by the same query and order.
    pub cursor: Option<String>,
    /// Count all as well.
    pub count: Option<bool>,
}

impl ListQuery {
    /// The limit within its bounds.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_PAGE_ITEMS).clamp(1, MAX_PAGE_ITEMS)
    }

    /// The order, and whether the largest comes first.
    ///
    /// # Errors
    /// There is no such order.
    pub fn order(&self, list: &'static List) -> Result<(&'static Sort, bool), Problem> {
        let wrong = |said: &str| {
            let said: String = said.chars().take(40).collect();
            let names: Vec<&str> = list.sorts.iter().map(|sort| sort.name).collect();
            Problem::bad_request(format!("the list cannot be sorted by `{said}`"))
                .remedy(format!("Use {}, with `-` for the largest first.", names.join(", ")))
        };
        let Some(said) = self.sort.as_deref() else {
            return list.sorts.first().map(|sort| (sort, true)).ok_or_else(|| wrong(""));
        };
        let (name, down) = said.strip_prefix('-').map_or((said, false), |name| (name, true));
        list.sort(name).map(|sort| (sort, down)).ok_or_else(|| wrong(name))
    }

    /// The place of the cursor: key and number of the row.
    ///
    /// # Errors
    /// The cursor was made by another list or another order.
    pub fn place(&self, sort: &Sort, down: bool) -> Result<Option<(String, i64)>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let text = decode_cursor(cursor)?;
        let mut parts = text.splitn(4, ' ');
        let mut next = || parts.next().unwrap_or_default();
        let (name, way, seq, key) = (next(), next(), next(), next());
        let number =
            if sort.real { key.parse::<f64>().is_ok() } else { key.parse::<i64>().is_ok() };
        match seq.parse() {
            Ok(seq) if name == sort.name && way == direction(down) && number => {
                Ok(Some((key.to_owned(), seq)))
            }
            _ => Err(Problem::bad_request("the cursor was not made by this list in this order")
                .remedy("Use `next` of the page before, unchanged, with the same `q` and `sort`.")),
        }
    }
}

const fn direction(down: bool) -> &'static str {
    if down { "d" } else { "u" }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListPage<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page; absent on the last one.
    pub next: Option<String>,
    /// How many there are in all, where asked for.
    pub total: Option<u64>,
    /// There are more than `total`: counting stopped there.
    pub more_than_total: bool,
}

impl<T> ListPage<T> {
    /// The cursor behind the last of `hits`, where more than `limit` were found.
    #[must_use]
    pub fn next(hits: &[super::Hit], limit: u32, sort: &Sort, down: bool) -> Option<String> {
        let last = hits.get((limit as usize).checked_sub(1)?)?;
        let key = format!("{} {} {} {}", sort.name, direction(down), last.seq, last.key);
        (hits.len() > limit as usize).then(|| crate::http::encode_cursor(&key))
    }
}

/// Which facets.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct FacetsQuery {
    /// The query.
    pub q: Option<String>,
    /// The fields, with commas between them.
    pub fields: String,
}

/// One thing a list can be asked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldView {
    /// As it is written in a query.
    pub name: String,
    /// `word`, `rank`, `text`, `value`, `phrase`, `number`, `time` or `flag`.
    pub kind: String,
    /// What it takes, in a few words.
    pub help: String,
    /// The words it takes; empty where any text will do.
    pub words: Vec<String>,
    /// Whether `<`, `<=`, `>`, `>=` and `..` make sense.
    pub has_order: bool,
    /// Whether its values can be counted with `/facets`.
    pub facet: bool,
}

/// One way of sorting.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SortView {
    /// As `sort` takes it.
    pub name: String,
}

/// What a list can be asked, and how it can be sorted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListView {
    /// The fields.
    pub fields: Vec<FieldView>,
    /// The orders; the first, the largest first, is the usual one.
    pub sorts: Vec<SortView>,
}

/// The description of a list.
#[must_use]
pub fn view(list: &'static List) -> ListView {
    let field = |field: &lists::Field| FieldView {
        name: field.name.into(),
        kind: field.kind.name().into(),
        help: field.help.into(),
        words: field.kind.words().into_iter().map(str::to_owned).collect(),
        has_order: field.kind.has_order(),
        facet: matches!(field.kind, Kind::Word(_) | Kind::Rank(_) | Kind::Exact | Kind::Mark),
    };
    ListView {
        fields: list.fields.iter().map(field).collect(),
        sorts: list.sorts.iter().map(|sort| SortView { name: sort.name.into() }).collect(),
    }
}

/// Reads a query.
///
/// # Errors
/// It cannot be read; the problem says where and how to put it right.
pub fn read_query(
    text: Option<&str>,
    list: &'static List,
    asker: Asker<'_>,
) -> Result<Query, Problem> {
    lists::parse(text.unwrap_or_default(), list, asker).map_err(|error| {
        Problem::bad_request(format!(
            "the query cannot be read at character {}: {}",
            error.at, error.what
        ))
        .remedy(format!("{}.", error.remedy))
    })
}
