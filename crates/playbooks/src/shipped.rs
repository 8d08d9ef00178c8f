//! Playbooks that come with the program, each with when it starts by itself, and the key that signed them.

use model::Severity;

use crate::triggers::Trigger;

/// A playbook that comes with the program.
pub struct Shipped {
    /// The CACAO JSON.
    pub body: &'static str,
    /// When it starts by itself, until somebody changes that; none: people start it.
    pub trigger: Option<Trigger>,
}

/// The public key of the project, PEM: every shipped playbook is signed with it. Its private half is in no repository.
pub const PROJECT_KEY: &str = include_str!("../../../data/playbooks/sereno-project.pub.pem");
/// Whose key it is.
pub const PROJECT: &str = "Sereno project";

/// All of them.
pub fn all() -> Vec<Shipped> {
    let by_hand = |body| Shipped { body, trigger: None };
    vec![
        Shipped {
            body: include_str!("../../../data/playbooks/contain-and-tell.json"),
            // Below that, an incident waits for a person before anything is blocked.
            trigger: Some(Trigger::from_severity(Severity::High)),
        },
        by_hand(include_str!("../../../data/playbooks/compromised-camera.json")),
        by_hand(include_str!("../../../data/playbooks/false-modbus-command.json")),
        by_hand(include_str!("../../../data/playbooks/flooded-tram-stop-detector.json")),
        by_hand(include_str!("../../../data/playbooks/charging-station-takeover.json")),
        by_hand(include_str!("../../../data/playbooks/poisoned-shuttle-telemetry.json")),
        by_hand(include_str!("../../../data/playbooks/ransomware-next-to-ot.json")),
        by_hand(include_str!("../../../data/playbooks/credential-stuffing.json")),
        by_hand(include_str!("../../../data/playbooks/data-leak.json")),
    ]
}
