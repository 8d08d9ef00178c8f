//! How an operation, or a window of them, deviates from its pair.

use protocols::app::{Object, Operation, Role};

use super::finding::Deviation;
use super::model::{CommandModel, FunctionModel, PairModel, object_name};
use super::summarise::writes;
use super::summary::{Summary, functions};
use super::values::{PointValues, Verdict};

/// Operations a pair must have shown before its order is known.
pub(super) const KNOWN_ORDER: u64 = 500;
/// Rates may exceed the most learned by this factor and number: windows cut polls unevenly.
const RATE_FACTOR: f64 = 1.5;
const RATE_SLACK: f64 = 3.0;

/// Most of a function in a window that is still usual.
pub(super) fn rate_limit(function: &FunctionModel) -> f64 {
    f64::from(function.most_per_window).mul_add(RATE_FACTOR, RATE_SLACK).floor()
}

pub(super) fn too_often(model: &CommandModel, function: &FunctionModel, count: f64) -> Found {
    let (most, seconds) = (function.most_per_window, model.window_us as f64 / 1e6);
    Found { value: Some(count), expected: format!("at most {most} of them in {seconds} s") }
}

/// Rates, order and steps of a window against the model: function, time, kind and what about it.
pub(super) fn compared(
    model: &CommandModel,
    pair: &PairModel,
    summary: &Summary,
) -> Vec<(u16, i64, Deviation, Found)> {
    let mut found = Vec::new();
    for (code, count) in functions(summary) {
        let Some(function) = pair.function(code) else { continue };
        if count as f64 > rate_limit(function) {
            let what = too_often(model, function, count as f64);
            found.push((code, summary.start_us, Deviation::Rate, what));
        }
    }
    let operations: u64 = pair.functions.iter().map(|function| function.count).sum();
    for (code, last, ts_us) in &summary.order {
        let Some(function) = pair.function(*code) else { continue };
        if operations >= KNOWN_ORDER && !function.follows.contains(last) {
            found.push((*code, *ts_us, Deviation::Order, never_after(*last)));
        }
    }
    for step in &summary.steps {
        let function = pair.function(step.function);
        let learned = function.and_then(|function| function.values_of(step.space, step.point));
        let Some(learned) = learned else { continue };
        if learned.judge(step.value, Some(step.before)) == Verdict::Step {
            let what = misfit(step.point, learned, step.value);
            found.push((step.function, step.ts_us, Deviation::Step, what));
        }
    }
    found
}

fn never_after(last: u16) -> Found {
    Found { value: None, expected: format!("never after function {last}") }
}

fn misfit(point: u32, learned: &PointValues, value: f64) -> Found {
    Found { value: Some(value), expected: format!("point {point}: {}", learned.expected()) }
}

/// One deviation: the number it is about, and what was expected.
pub(super) struct Found {
    pub value: Option<f64>,
    pub expected: String,
}

/// Tells how an operation deviates from its pair, rate left out.
pub(super) fn deviations(
    pair: &PairModel,
    last: Option<u16>,
    operation: &Operation<'_>,
    before: &dyn Fn(u32, u32) -> Option<f64>,
    each: &mut dyn FnMut(Deviation, Found),
) {
    let plain = |expected: String| Found { value: None, expected };
    let Some(function) = pair.function(operation.function) else {
        let mut names: Vec<&str> = pair.functions.iter().map(|f| f.name.as_str()).collect();
        names.truncate(6);
        each(Deviation::Function, plain(format!("only {}", names.join(", "))));
        if operation.refused.is_some() {
            each(Deviation::Refused, plain("no refusals of this function".to_owned()));
        }
        return;
    };
    if let Some(code) = operation.refused.filter(|code| !function.refusals.contains(code)) {
        let usual: Vec<String> = function.refusals.iter().map(u16::to_string).collect();
        let expected = if usual.is_empty() {
            "no refusals of this function".to_owned()
        } else {
            format!("only refusals with code {}", usual.join(", "))
        };
        each(Deviation::Refused, Found { value: Some(f64::from(code)), expected });
    }
    let operations: u64 = pair.functions.iter().map(|function| function.count).sum();
    let unseen = last.filter(|last| !function.follows.contains(last));
    if let Some(last) = unseen.filter(|_| operations >= KNOWN_ORDER) {
        each(Deviation::Order, never_after(last));
    }
    if operation.role == Role::Response {
        return;
    }
    match operation.object {
        Object::None => {}
        Object::Name(_) | Object::Member { .. } => {
            if object_name(&operation.object).is_some_and(|name| !function.names.contains(&name)) {
                let expected = format!("one of {} known names", function.names.len());
                each(Deviation::Object, plain(expected));
            }
        }
        Object::Range { space, start, count } => {
            let last = start.saturating_add(count.max(1) - 1);
            match function.space(space) {
                Some(points) if points.holds(start, last) => {
                    judge_values(function, operation, (space, start), before, each);
                }
                Some(points) => each(Deviation::Object, plain(format!("points {points}"))),
                None => each(Deviation::Object, plain("no points of this space".to_owned())),
            }
        }
    }
}

fn judge_values(
    function: &FunctionModel,
    operation: &Operation<'_>,
    (space, start): (u32, u32),
    before: &dyn Fn(u32, u32) -> Option<f64>,
    each: &mut dyn FnMut(Deviation, Found),
) {
    if !writes(operation.role, operation.effect) {
        return;
    }
    for (point, value) in (start..).zip(operation.values.iter()) {
        let Some(learned) = function.values_of(space, point) else { continue };
        let kind = match learned.judge(value, before(space, point)) {
            Verdict::Usual => continue,
            Verdict::Value => Deviation::Value,
            Verdict::Step => Deviation::Step,
        };
        each(kind, misfit(point, learned, value));
    }
}
