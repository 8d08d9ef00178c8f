//! Playbooks that come with the program, each with when it starts by itself.

use model::Severity;

use crate::trigger::Trigger;

/// A playbook that comes with the program.
pub struct Shipped {
    /// The CACAO JSON.
    pub body: &'static str,
    /// When it starts by itself, until somebody changes that.
    pub trigger: Trigger,
}

/// All of them.
pub fn all() -> Vec<Shipped> {
    vec![Shipped {
        body: include_str!("../../../data/playbooks/contain-and-tell.json"),
        // Below that, an incident waits for a person before anything is blocked.
        trigger: Trigger::from_severity(Severity::High),
    }]
}
