//! `elastic` (§5.4): a query of Elasticsearch, as JSON or as ES|QL.

use serde_json::{Value, json};

use super::{Asked, CommandType, Item};
use crate::cacao::variables::{Values, fill_json, references};

/// The actuator's name.
pub(crate) const NAME: &str = "elastic";

pub(crate) const TYPE: CommandType = CommandType {
    kind: "elastic",
    actuator: Some(NAME),
    for_each_target: false,
    lacks: |asked| asked.text().err(),
    item,
};

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let text = asked.text()?;
    let (verb, query) = match serde_json::from_str::<Value>(&text) {
        Ok(json @ Value::Object(_)) => {
            ("search", fill_json(&json, values).map_err(|cause| cause.to_string())?)
        }
        _ => ("esql", esql(&text, values)?),
    };
    Ok(Item {
        actuator: NAME.to_owned(),
        verb: verb.to_owned(),
        shown: json!({ "query": query }),
        arguments: [("query".to_owned(), query)].into(),
        manual: false,
    })
}

/// ES|QL with its values as named parameters: they are never part of the text.
fn esql(text: &str, values: &Values) -> Result<Value, String> {
    let (mut query, mut parameters) = (text.to_owned(), Vec::new());
    let mut names = references(text);
    names.sort_unstable();
    names.dedup();
    // Longest first: no name is replaced inside a longer one.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for (index, name) in names.into_iter().enumerate() {
        let before = text.split(&format!("{name}:value")).next().unwrap_or_default();
        if before.matches('"').count() % 2 == 1 {
            return Err(format!(
                "{name} stands inside quotes in ES|QL, where it would be text; take the quotes away"
            ));
        }
        let value = values.get(name).ok_or_else(|| format!("variable {name} has no value"))?;
        let parameter = format!("v{index}");
        query = query.replace(&format!("{name}:value"), &format!("?{parameter}"));
        parameters.push(json!({ parameter: value }));
    }
    Ok(json!({ "query": query, "params": parameters }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parameters() {
        let values: Values = [("__v__".to_owned(), "x\" | DROP".to_owned())].into();
        let made = esql("FROM logs | WHERE ip == __v__:value", &values);
        let expected = json!({ "query": "FROM logs | WHERE ip == ?v0",
            "params": [{ "v0": "x\" | DROP" }] });
        assert_eq!(made, Ok(expected));
        let quoted = esql("FROM logs | WHERE ip == \"__v__:value\"", &values);
        assert!(quoted.is_err_and(|why| why.contains("take the quotes away")));
    }
}
