//! "This command is normal here": which commands a person's word covers.

use analytics::commands::Deviation;
use analytics::host::Host;
use serde::{Deserialize, Serialize};

use super::evidence::UnusualCommand;

/// Points or names one word covers; a word on more covers all of the function.
const MAX_OBJECTS: usize = 64;
/// How much more often than called normal a command may come.
const RATE_ROOM: f64 = 1.5;

/// Commands of one function between two machines that deviate in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommandScope {
    from: Host,
    to: Host,
    protocol: String,
    unit: u32,
    role: String,
    function: u16,
    name: String,
    kind: Deviation,
    /// The objects; none for all.
    objects: Vec<String>,
    /// The values; none for any.
    low: Option<f64>,
    high: Option<f64>,
}

impl CommandScope {
    /// The scopes that cover these commands and nothing else.
    pub(crate) fn of(commands: &[UnusualCommand]) -> Vec<Self> {
        let mut scopes: Vec<Self> = Vec::new();
        for one in commands {
            let known = scopes.iter_mut().find(|own| own.is_about(one));
            let scope = match known {
                Some(scope) => scope,
                None => {
                    scopes.push(Self {
                        from: one.from,
                        to: one.to,
                        protocol: one.protocol.clone(),
                        unit: one.unit,
                        role: one.role.clone(),
                        function: one.function,
                        name: one.name.clone(),
                        kind: one.kind,
                        objects: vec![],
                        low: None,
                        high: None,
                    });
                    let last = scopes.len() - 1;
                    &mut scopes[last]
                }
            };
            if !one.object.is_empty() && !scope.objects.contains(&one.object) {
                scope.objects.push(one.object.clone());
            }
            if let Some(value) = one.value.filter(|_| scope.has_values()) {
                scope.low = Some(scope.low.map_or(value, |low| low.min(value)));
                scope.high = Some(scope.high.map_or(value, |high| high.max(value)));
            }
        }
        for scope in &mut scopes {
            if scope.objects.len() > MAX_OBJECTS || scope.kind == Deviation::Rate {
                scope.objects.clear();
            }
        }
        scopes
    }

    const fn has_values(&self) -> bool {
        matches!(
            self.kind,
            Deviation::Value | Deviation::Step | Deviation::Rate | Deviation::Refused
        )
    }

    fn is_about(&self, one: &UnusualCommand) -> bool {
        self.kind == one.kind && self.is_same_function(one)
    }

    fn is_same_function(&self, one: &UnusualCommand) -> bool {
        let own = (self.from, self.to, self.protocol.as_str(), self.unit, self.role.as_str());
        own == (one.from, one.to, one.protocol.as_str(), one.unit, one.role.as_str())
            && self.function == one.function
    }

    /// Whether a command is covered.
    pub(crate) fn covers(&self, one: &UnusualCommand) -> bool {
        let object = self.objects.is_empty() || self.objects.contains(&one.object);
        let value = match (self.low, self.high, one.value) {
            (Some(low), Some(high), Some(value)) if self.kind != Deviation::Rate => {
                (low..=high).contains(&value)
            }
            (_, Some(high), Some(value)) => value <= high * RATE_ROOM,
            _ => true,
        };
        // What is normal may come after anything.
        let order = one.kind == Deviation::Order && self.is_same_function(one);
        order || (self.is_about(one) && object && value)
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        let mut text = format!(
            "command {} (function {}) from {} to {} over {}",
            self.name, self.function, self.from, self.to, self.protocol
        );
        if !self.objects.is_empty() {
            text.push_str(&format!(", {}", self.objects.join("; ")));
        }
        if let (Some(low), Some(high)) = (self.low, self.high) {
            text.push_str(&format!(", values {low} to {high}"));
        }
        text.push_str(&format!(", as {}", self.kind.name()));
        text
    }
}
