//! Published playbooks: of OASIS (tests only, not shipped) and of SOARCA.

use cacao::{Playbook, explain, validate_bytes};

use crate::kit::{abilities, data};

/// Name, valid, runnable here, a word of the first error.
type Expect = (&'static str, bool, bool, &'static str);

const EXPECTED: [Expect; 10] = [
    ("oasis-examples/basic-example-1.json", true, false, ""),
    ("oasis-examples/spec-3.1-example.json", true, true, ""),
    ("oasis-examples/identity-object.json", false, false, "spec_version"),
    ("oasis-examples/locky-bart-mbc-examples.json", false, false, "target"),
    ("oasis-examples/playbook--aa1898b6-5251-49b4-aeb7-fd5e912583ff.json", false, false, "missing"),
    ("soarca-examples/fin-playbook.json", false, false, "agent"),
    ("soarca-examples/http-playbook.json", true, true, ""),
    ("soarca-examples/manual-playbook.json", true, true, ""),
    ("soarca-examples/openc2-playbook.json", true, false, ""),
    ("soarca-examples/ssh-playbook.json", true, false, ""),
];

#[test]
fn published_examples_are_judged_as_they_deserve() {
    for (name, valid, runnable, word) in EXPECTED {
        let Some(path) = data(&format!("cti/cacao/{name}")) else {
            println!("skipped: {name} (SERENO_TEST_DATA)");
            continue;
        };
        let bytes = std::fs::read(path).unwrap();
        let report = validate_bytes(&bytes, &abilities());
        assert_eq!((report.valid, report.runnable.ok), (valid, runnable), "{name}: {report:#?}");
        assert!(report.errors.join(" ").contains(word), "{name}: {:#?}", report.errors);
        if report.valid {
            let text = String::from_utf8(bytes).unwrap();
            let playbook = Playbook::parse(&text).unwrap();
            assert!(explain(&playbook).contains("Start."), "{name}");
            // What is not known here is kept.
            let before: serde_json::Value = serde_json::from_str(&text).unwrap();
            let after = serde_json::to_value(&playbook).unwrap();
            for key in before.as_object().unwrap().keys() {
                let default = before[key] == serde_json::json!(false);
                assert!(default || after.get(key).is_some(), "{name}: {key} was lost");
            }
        }
    }
}
