//! "Learn it": the unusual commands of a finding become part of the model.

use std::collections::BTreeSet;

use analytics::commands::{
    About, CommandModel, FunctionModel, Intervals, PairModel, PointValues, SpacePoints,
};
use model::FindingId;
use protocols::app::Role;

use super::edit::EditError;
use super::evidence::UnusualCommand;
use super::versions::no_machine;
use crate::Detection;
use crate::error::DetectionError;
use crate::store;

/// Writes that a person's word on a value stands for.
const CHOICE_WORTH: u64 = 4;

impl Detection {
    /// Adds what a finding calls unusual to the model of an edge, as a new version; gives its number.
    pub(crate) async fn teach_machine(
        &self,
        edge: &str,
        finding: FindingId,
        (by, reason): (&str, &str),
    ) -> Result<i64, EditError> {
        let (commands, beyond) = {
            let mut connection =
                self.inner.platform.db.read().await.map_err(DetectionError::from)?;
            store::findings::commands(&mut connection, finding).await?
        };
        if commands.is_empty() {
            let what = format!("an unusual command in finding '{finding}'");
            return Err(DetectionError::NotFound(what).into());
        }
        let (in_use, version) = {
            let engine = self.engine().await?;
            let machine = engine.machine(edge).ok_or_else(|| no_machine(edge))?;
            (machine.in_use.clone(), machine.row.version)
        };
        let in_use = in_use.ok_or_else(|| {
            DetectionError::Conflict(format!("{edge} has no model in use that could learn"))
        })?;
        let mut model = (*in_use.model).clone();
        let learned = commands.iter().filter(|one| learn(&mut model, one)).count();
        if learned == 0 {
            return Err(DetectionError::Conflict(
                "none of its commands can be learned by a word: edit the text of the model".into(),
            )
            .into());
        }
        let text = model.to_text().map_err(EditError::Text)?;
        let left = commands.len() as u64 - learned as u64 + beyond;
        let left = if left > 0 { format!(", {left} not") } else { String::new() };
        let reason = format!("{reason} ({learned} commands of finding {finding}{left})");
        let made = ("taught", by, reason.as_str());
        Ok(self.edit_machine(edge, &text, version, made).await?.0)
    }
}

/// Makes one command normal; `false` when what was kept of it does not tell how.
fn learn(model: &mut CommandModel, one: &UnusualCommand) -> bool {
    let Some(entry) = &one.entry else { return false };
    let Some(pair) = pair_of(model, one) else { return false };
    if !pair.functions.iter().any(|function| function.code == one.function) {
        pair.functions.push(FunctionModel {
            code: one.function,
            name: one.name.clone(),
            effect: one.effect.clone(),
            count: 0,
            most_per_window: 0,
            follows: BTreeSet::new(),
            refusals: BTreeSet::new(),
            names: BTreeSet::new(),
            points: vec![],
            values: vec![],
        });
        pair.functions.sort_by_key(|function| function.code);
    }
    // Its order is not known: it may follow whatever this pair does, and be followed by it.
    let codes: BTreeSet<u16> = pair.functions.iter().map(|have| have.code).collect();
    for function in &mut pair.functions {
        if function.code == one.function {
            function.follows.extend(&codes);
        } else {
            function.follows.insert(one.function);
        }
    }
    let known = pair.functions.iter_mut().find(|function| function.code == one.function);
    let Some(function) = known else { return false };
    function.count = function.count.saturating_add(one.count);
    let count = u32::try_from(one.count).unwrap_or(u32::MAX);
    function.most_per_window = function.most_per_window.max(count);
    function.refusals.extend(entry.refused);
    function.follows.extend(one.after);
    if one.role() != Role::Response {
        learn_object(function, &entry.about, &entry.values);
    }
    if let Some((space, point, change)) = one.step
        && let Some(values) = values_of(function, space, point)
    {
        values.step = values.step.max(change);
    }
    true
}

/// The pair of a command, a new one where there is none.
fn pair_of<'m>(model: &'m mut CommandModel, one: &UnusualCommand) -> Option<&'m mut PairModel> {
    let own = |pair: &PairModel| {
        (pair.from, pair.to, pair.protocol.as_str(), pair.unit, pair.role.as_str())
            == (one.from, one.to, one.protocol.as_str(), one.unit, one.role.as_str())
    };
    let place = model.pairs.iter().position(own).unwrap_or_else(|| {
        model.pairs.push(PairModel {
            from: one.from,
            to: one.to,
            protocol: one.protocol.clone(),
            unit: one.unit,
            role: one.role.clone(),
            functions: vec![],
        });
        model.pairs.len() - 1
    });
    model.pairs.get_mut(place)
}

fn values_of(function: &mut FunctionModel, space: u32, point: u32) -> Option<&mut PointValues> {
    function.values.iter_mut().find(|values| (values.space, values.point) == (space, point))
}

/// Points, names and values of a command.
fn learn_object(function: &mut FunctionModel, about: &About, written: &[f64]) {
    let (space, start, count) = match about {
        About::Nothing => return,
        About::Name(name) => {
            function.names.insert(name.clone());
            return;
        }
        About::Member(domain, name) => {
            function.names.insert(format!("{domain}/{name}"));
            return;
        }
        About::Points(space, start, count) => (*space, *start, *count),
    };
    let last = start.saturating_add(count.max(1) - 1);
    match function.points.iter_mut().find(|points| points.space == space) {
        Some(points) => {
            points.ranges.add(start, last);
        }
        None => {
            let mut ranges = Intervals::default();
            ranges.add(start, last);
            function.points.push(SpacePoints { space, ranges });
        }
    }
    function.points.sort_by_key(|points| points.space);
    for (point, value) in (start..).zip(written.iter().copied().filter(|it| it.is_finite())) {
        match values_of(function, space, point) {
            Some(known) => {
                // A person's word is worth as much as all of training: the choice stays a choice.
                let writes = known.writes;
                known.learn(value, None);
                known.writes = writes.saturating_add(CHOICE_WORTH);
            }
            None => function.values.push(PointValues::new(space, point, value)),
        }
    }
    function.values.sort_by_key(|values| (values.space, values.point));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::sync::Arc;

    use analytics::commands::{CommandJudge, CommandLearner, Summary};

    use super::*;

    fn report(window: i64, values: &[f64]) -> Summary {
        let start_us = window * 10_000_000;
        let entries: Vec<_> = values
            .iter()
            .zip(1_i64..)
            .map(|(value, place)| {
                serde_json::json!({
                    "function": 6, "name": "write single register", "effect": "write",
                    "about": {"points": [4, 12, 1]}, "values": [value], "count": 1,
                    "first_us": start_us + place, "last_us": start_us + place,
                })
            })
            .collect();
        serde_json::from_value(serde_json::json!({
            "from": "10.0.0.5", "to": "10.0.0.9", "protocol": "modbus", "unit": 1,
            "role": "request", "start_us": start_us, "end_us": start_us + 10_000_000,
            "entries": entries,
        }))
        .unwrap()
    }

    #[test]
    fn what_was_learned_by_a_word_is_normal_and_its_neighbour_is_not() {
        let mut learner = CommandLearner::new(10_000_000);
        (0..200).for_each(|window| learner.take(&report(window, &[7.0; 6])).unwrap());
        let mut model = learner.finish().unwrap();
        let unusual = |model: &CommandModel, report: &Summary| {
            let mut found = Vec::new();
            CommandJudge::new(Arc::new(model.clone()))
                .judge(report, &mut |one| found.push(UnusualCommand::new(one, report)))
                .unwrap();
            found
        };
        let strange = report(300, &[999.0]);
        let found = unusual(&model, &strange);
        assert_eq!((found.len(), found[0].kind), (1, analytics::commands::Deviation::Value));
        assert!(found[0].line().contains("999") && found[0].line().contains("always 7"));
        assert!(found.iter().all(|one| learn(&mut model, one)));
        let model = CommandModel::from_text(&model.to_text().unwrap()).unwrap();
        assert!(unusual(&model, &strange).is_empty());
        assert_eq!(unusual(&model, &report(301, &[998.0])).len(), 1);
    }
}
