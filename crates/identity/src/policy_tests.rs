#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use platform::http::Caller;
use serde_json::json;

use super::*;

/// Permissions of the node's routes, and who has each besides the administrator.
const TABLE: [(&str, &[&str]); 63] = [
    ("incidents.read", &["analyst", "operator", "assessor", "read-only"]),
    ("assets.read", &["analyst", "operator", "assessor", "read-only"]),
    ("detection.read", &["analyst", "operator", "assessor", "read-only"]),
    ("detection.feedback", &["analyst", "operator"]),
    ("detection.models", &["analyst"]),
    ("detection.write", &[]),
    ("gateway.read", &["analyst", "operator", "assessor", "read-only"]),
    ("playbooks.read", &["analyst", "operator", "assessor", "read-only"]),
    ("cti.read", &["analyst", "operator", "assessor", "read-only"]),
    ("knowledge.read", &["analyst", "operator", "assessor", "read-only"]),
    ("knowledge.import", &["analyst"]),
    ("feeds.read", &["analyst", "operator", "assessor", "read-only"]),
    ("feeds.write", &["analyst"]),
    ("federation.read", &["analyst", "operator", "assessor", "read-only"]),
    ("federation.share", &["analyst"]),
    ("federation.links", &["analyst"]),
    ("facts.federation", &["analyst"]),
    ("facts.communities", &["analyst"]),
    ("facts.webhooks", &["analyst"]),
    ("backups.list", &[]),
    ("backups.manage", &[]),
    ("federation.exchange", &["peer"]),
    ("communities.read", &["analyst"]),
    ("communities.manage", &[]),
    ("sharing.read", &["analyst"]),
    ("sharing.write", &[]),
    ("misp.read", &["analyst", "operator", "assessor", "read-only"]),
    ("misp.write", &["analyst"]),
    ("accountability.read", &["analyst", "operator", "assessor", "read-only"]),
    ("console.read", &["analyst", "operator", "assessor", "read-only"]),
    ("console.write", &["analyst", "operator", "assessor", "read-only"]),
    ("search.read", &["analyst", "operator", "assessor", "read-only"]),
    ("events.read", &["analyst", "operator", "assessor", "read-only"]),
    ("doctor.read", &["analyst", "operator", "assessor", "read-only"]),
    ("metrics.read", &["analyst"]),
    ("access.read", &["analyst", "operator", "assessor", "read-only"]),
    ("peers.read", &["analyst", "operator", "assessor", "read-only"]),
    ("taxii.read", &["analyst", "operator", "assessor", "read-only", "taxii", "peer"]),
    ("taxii.write", &["analyst", "taxii", "peer"]),
    ("incidents.write", &["analyst", "operator"]),
    ("incidents.acknowledge", &["analyst", "operator"]),
    ("cti.share", &["analyst"]),
    ("playbooks.run", &["analyst", "operator"]),
    ("playbooks.write", &[]),
    ("secrets.list", &[]),
    ("secrets.write", &[]),
    ("gateway.order", &["analyst", "operator"]),
    ("gateway.policy", &["analyst"]),
    ("gateway.replay", &["analyst", "operator"]),
    ("recovery.read", &["analyst", "operator", "assessor", "read-only"]),
    ("recovery.order", &["analyst", "operator"]),
    ("recovery.write", &["analyst"]),
    ("assets.write", &[]),
    ("situation.read", &["analyst", "operator", "assessor", "read-only"]),
    ("node.write", &[]),
    ("tokens.create", &[]),
    ("tokens.revoke", &[]),
    ("peers.invite", &[]),
    ("peers.join", &[]),
    ("peers.remove", &[]),
    ("peers.renew", &["peer"]),
    ("demo.remove", &[]),
    ("session.read", &[]),
];

fn policies() -> Policies {
    Policies::load(None).unwrap()
}

fn caller(role: &str) -> Caller {
    let mut caller = Caller::local_admin();
    caller.roles = vec![role.to_owned()];
    caller
}

#[test]
fn every_permission_for_every_role() {
    let policies = policies();
    let ask = |caller: &Caller, permission: &str| {
        policies.decide(&caller.question(permission, "Endpoint", "/x", BTreeMap::new()))
    };
    for (permission, holders) in TABLE {
        for role in ROLES.into_iter().chain(["peer", "edge", "no such role"]) {
            let mut caller = caller(role);
            if role == "peer" {
                let (peer, node) = (
                    "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
                    "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap(),
                );
                caller.kind = platform::http::CallerKind::Peer { peer, node };
            }
            let decision = ask(&caller, permission);
            let session = permission.starts_with("session.") && role != "peer";
            let expected = role == "administrator" || holders.contains(&role) || session;
            assert_eq!(decision.allowed, expected, "{role} {permission}: {}", decision.reason);
            assert_eq!(decision.policies.is_empty(), !expected, "{role} {permission}");
        }
        let nobody = ask(&Caller::anonymous(), permission);
        assert!(!nobody.allowed, "anonymous {permission}");
        assert!(nobody.reason.contains("no policy allows"), "{}", nobody.reason);
    }
}

#[test]
fn a_question_about_something_unknown_is_a_no() {
    let nonsense = [("Castle", "share"), ("Incident", "burn"), ("Incident", "call")];
    for (kind, action) in nonsense {
        let mut question = Caller::anonymous().question(action, kind, "x", BTreeMap::new());
        question.principal_kind = "Peer".into();
        let decision = policies().decide(&question);
        assert!(!decision.allowed, "{kind} {action}");
    }
    let mut question = caller("administrator").question("x.read", "Endpoint", "x", BTreeMap::new());
    question.principal_kind = "Not a kind!".into();
    assert!(!policies().decide(&question).allowed);
}

#[test]
fn the_data_folder_adds_and_replaces_policies_and_mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.cedar");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write(
        "@id(\"see.read-only\") @reason(\"nobody else reads this week\") forbid (principal, action == Action::\"see\", resource);\n\
         @id(\"own\") @reason(\"own rule\") permit (principal in Role::\"assessor\", action == Action::\"call\", resource is Endpoint) when { resource.room == \"assets\" };",
    );
    let own = Policies::load(Some(folder.path())).unwrap();
    assert_eq!(own.count(), policies().count() + 1);
    let question = caller("assessor").question("assets.write", "Endpoint", "/x", BTreeMap::new());
    assert!(own.decide(&question).reason.contains("own rule"));
    for (text, words) in [
        ("permit (principal, action, resource", "own.cedar"),
        ("permit (principal, action, resource);", "@id"),
        (
            "@id(\"x\") @reason(\"y\") permit (principal, action == Action::\"see\", resource) when { resource.colour == \"red\" };",
            "colour",
        ),
        (
            "@id(\"share.cert\") @reason(\"y\") forbid (principal, action == Action::\"share\", resource);",
            "sereno policy put",
        ),
    ] {
        write(text);
        let refused = Policies::load(Some(folder.path())).err().unwrap().to_string();
        assert!(refused.contains(words), "{refused}");
    }
}

/// How many TLP labels, from clear on, each role may read.
#[test]
fn every_label_for_every_role() {
    let policies = policies();
    let labels = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"];
    for (role, most) in [
        ("administrator", 5),
        ("analyst", 5),
        ("operator", 4),
        ("assessor", 3),
        ("read-only", 2),
        ("taxii", 0),
        ("peer", 0),
        ("nobody", 0),
    ] {
        for (at, label) in labels.iter().enumerate() {
            let attributes = BTreeMap::from([("tlp".to_owned(), json!(label))]);
            let question = caller(role).question("see", "Intel", label, attributes);
            let decision = policies.decide(&question);
            assert_eq!(decision.allowed, at < most, "{role} {label}: {}", decision.reason);
        }
    }
    let anonymous = Caller::anonymous().question("see", "Intel", "TLP:CLEAR", BTreeMap::new());
    assert!(!policies.decide(&anonymous).allowed, "strangers read nothing");
}
