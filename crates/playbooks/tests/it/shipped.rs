//! The playbooks that come with the program.

use playbooks::{abilities, explain, shipped, validate};
use serde_json::Value;

#[test]
fn shipped_playbooks_are_valid_without_a_warning_and_run_here() {
    for shipped in shipped::all() {
        let playbook: Value = serde_json::from_str(shipped.body).unwrap();
        let report = validate(&playbook, &abilities::standard());
        assert!(report.valid && report.runnable.ok, "{report:#?}");
        assert!(report.warnings.is_empty(), "{:#?}", report.warnings);
        let words = explain(&serde_json::from_value(playbook).unwrap());
        assert!(words.contains("ask gateway to block (address: ‹device address›"), "{words}");
    }
}
