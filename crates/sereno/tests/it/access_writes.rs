//! Every method that changes something, by the node's own description, under every role and under none: who may not is
//! told the same whatever is asked for, and nothing is changed; who may learns nothing of what is out of sight.

use std::collections::BTreeMap;

use crate::access_ground::{Asker, Ground, plain};
use crate::access_kit::{Act, at_rest, changed, tables};
use crate::sight::{LABELS, NOBODY};

/// What may be done to whom: acts of the roles that see less than everything, by name. Whoever gives one of them more
/// must say so here.
const READERS_ACTS: [&str; 16] = [
    "PUT /api/v1/me/preferences",
    "POST /api/v1/views",
    "PATCH /api/v1/views/{id}",
    "DELETE /api/v1/views/{id}",
    "PUT /api/v1/me/mail",
    "PUT /api/v1/me/password",
    "PUT /api/v1/me/shown",
    "DELETE /api/v1/me/sessions",
    "DELETE /api/v1/me/sessions/{id}",
    "POST /api/v1/knowledge/reports/extract",
    "PUT /api/v1/knowledge/layouts/{name}",
    "DELETE /api/v1/knowledge/layouts/{name}",
    "POST /api/v1/ledger/verify",
    "POST /api/v1/playbooks/validate",
    "POST /misp/{*path}",
    "DELETE /misp/{*path}",
];
const OPERATORS_ACTS: [&str; 28] = [
    "POST /api/v1/delegations",
    "DELETE /api/v1/delegations/{id}",
    "POST /api/v1/proposals/{id}/ask",
    "POST /api/v1/runs/{id}/steps/{step}/ask",
    "POST /.well-known/openc2",
    "POST /api/v1/automation/stop",
    "POST /api/v1/proposals/{id}/answer",
    "POST /api/v1/detection/suppressions",
    "DELETE /api/v1/detection/suppressions/{id}",
    "PUT /api/v1/findings/{id}/capture",
    "POST /api/v1/findings/{id}/feedback",
    "POST /api/v1/gateways/{name}/orders",
    "POST /api/v1/gateways/{name}/replay",
    "POST /api/v1/incidents/{id}/acknowledge",
    "POST /api/v1/incidents/{id}/notes",
    "POST /api/v1/incidents/{id}/state",
    "POST /api/v1/recovery/cases/{incident}",
    "POST /api/v1/recovery/orders",
    "POST /api/v1/runs",
    "POST /api/v1/runs/{id}/cancel",
    "POST /api/v1/runs/{id}/pause",
    "POST /api/v1/runs/{id}/resume",
    "POST /api/v1/runs/{id}/retry",
    "POST /api/v1/runs/{id}/steps/{step}/answer",
    "POST /api/v1/runs/{id}/steps/{step}/settle",
    "POST /api/v1/runs/{id}/steps/{step}/undo",
    "POST /soarca/trigger/playbook/{id}",
    "POST /soarca/manual/continue",
];
const TAXII_ACTS: [&str; 7] = [
    "PUT /api/v1/me/mail",
    "PUT /api/v1/me/password",
    "PUT /api/v1/me/shown",
    "DELETE /api/v1/me/sessions",
    "DELETE /api/v1/me/sessions/{id}",
    "POST /taxii2/{root}/collections/{id}/objects/",
    "DELETE /taxii2/{root}/collections/{id}/objects/{object}/",
];
const PEERS_ACTS: [&str; 5] = [
    "POST /taxii2/{root}/collections/{id}/objects/",
    "DELETE /taxii2/{root}/collections/{id}/objects/{object}/",
    "POST /api/v1/federation/letters",
    "POST /api/v1/federation/receipts",
    "POST /api/v1/peers/renewal",
];
/// Doors: open to everybody by their nature.
const DOORS: [&str; 6] = [
    "POST /answer/{token}",
    // It asks for the secret of the hook itself.
    "POST /api/v1/hooks/{hook}",
    "POST /api/v1/first-run",
    "POST /api/v1/sign-in",
    "POST /api/v1/sign-out",
    "POST /api/v1/peers/enrol",
];
/// What of MISP's interface changes something; needs the right to write.
const MISP_WRITES: [&str; 24] = [
    "sharing_groups/add",
    "sharing_groups/edit/$N",
    "sharing_groups/delete/$N",
    "events/filterEventIdsForPush",
    "events/add",
    "events/edit/$N",
    "events/delete/$N",
    "events/publish/$N",
    "events/alert/$N",
    "events/unpublish/$N",
    "attributes/add/$N",
    "attributes/edit/$N",
    "attributes/delete/$N",
    "attributes/restore/$N",
    "objects/add/$N",
    "objects/edit/$N",
    "objects/delete/$N",
    "objectReferences/add",
    "tags/add",
    "tags/edit/$N",
    "tags/delete/$N",
    "tags/attachTagToObject",
    "sightings/add",
    "sightings/delete/$N",
];
/// What of it only asks, by POST.
const MISP_READS: [&str; 12] = [
    "events/restSearch",
    "events/view/$N",
    "events/index",
    "attributes/restSearch",
    "attributes/view/$N",
    "objects/restSearch",
    "objects/view/$N",
    "tags/search",
    "tags/view/$N",
    "sightings/index/$N",
    "sightings/restSearch/event",
    "sharing_groups/view/$N",
];

/// Acts that a role with less than everything in sight is known to have.
fn known_acts(role: &str) -> Vec<&'static str> {
    let readers = || READERS_ACTS.to_vec();
    match role {
        "operator" => [readers(), OPERATORS_ACTS.to_vec()].concat(),
        "assessor" | "read-only" => readers(),
        "taxii" => TAXII_ACTS.to_vec(),
        "peer" => PEERS_ACTS.to_vec(),
        _ => vec![],
    }
}

#[test]
fn who_may_not_is_told_the_same_whatever_it_asks_and_changes_nothing() {
    let ground = Ground::new();
    crate::programs::blocking(async {
        ground.fill().await;
        at_rest(&ground.node.data).await;
        let (acts, may) = (ground.acts().await, ground.matrix().await);
        assert!(acts.len() > 90, "{} acts", acts.len());
        let mut refusals = 0;
        for asker in &ground.askers {
            let allowed = may.get(asker.role).cloned().unwrap_or_default();
            if asker.role != "analyst" {
                let mut given: Vec<&str> = acts
                    .iter()
                    .map(Act::name)
                    .filter(|name| allowed.contains(name) && !DOORS.contains(&name.as_str()))
                    .map(|name| {
                        *known_acts(asker.role).iter().find(|known| **known == name).unwrap_or_else(
                            || panic!("{} may now {name}: is that meant?", asker.role),
                        )
                    })
                    .collect();
                given.sort_unstable();
                let mut known = known_acts(asker.role);
                known.sort_unstable();
                assert_eq!(given, known, "acts of {}", asker.role);
            }
            let before = tables(&ground.node.data).await;
            for act in &acts {
                if allowed.contains(&act.name()) || DOORS.contains(&act.name().as_str()) {
                    continue;
                }
                refused(asker, act).await;
                refusals += 1;
            }
            let speaks_misp = allowed.contains(&"POST /misp/{*path}".into());
            if speaks_misp && asker.role != "analyst" {
                refused_by_misp(asker, &acts).await;
            }
            let now = tables(&ground.node.data).await;
            assert_eq!(changed(&before, &now), Vec::<String>::new(), "changed by {}", asker.role);
        }
        eprintln!("{refusals} acts refused");
        the_same_acts_mean_something(&ground, &acts).await;
    });
}

/// One act, about a thing that is there and one that is not, with a body that fits, one that does not and none.
async fn refused(asker: &Asker, act: &Act) {
    let first = asker.act(act, "events/edit/$N", (LABELS[4].2, 4)).await;
    let expected = if asker.role == "nobody" { 401 } else { 403 };
    assert_eq!(first.0, expected, "{}: {}: {first:?}", asker.role, act.name());
    let torn = Act { body: "{\"torn", ..act.clone() };
    let bare = Act { body: "", ..act.clone() };
    for (what, other) in [("absent", act), ("torn", &torn), ("bare", &bare)] {
        let told = asker.act(other, "events/edit/$N", NOBODY).await;
        let alike = plain(&told, NOBODY.0, NOBODY.1) == plain(&first, LABELS[4].2, 4);
        assert!(alike, "{} {} {what}: {told:?}\n  and {first:?}", asker.role, act.name());
    }
}

async fn refused_by_misp(asker: &Asker, acts: &[Act]) {
    let post = acts.iter().find(|act| act.name() == "POST /misp/{*path}").unwrap();
    for path in MISP_WRITES {
        let hidden = asker.act(post, path, (LABELS[4].2, 4)).await;
        let absent = asker.act(post, path, NOBODY).await;
        assert_eq!(hidden.0, 403, "{} {path}: {hidden:?}", asker.role);
        assert_eq!(hidden, absent, "{} {path}", asker.role);
    }
}

/// An administrator's same requests are understood: what was refused above was not refused for its form.
async fn the_same_acts_mean_something(ground: &Ground, acts: &[Act]) {
    const LAST: [&str; 5] = [
        // Nobody's role opens it.
        "POST /api/v1/hooks/{hook}",
        "POST /api/v1/demo/remove",
        "DELETE /api/v1/tokens/{id}",
        "POST /api/v1/sign-in",
        "POST /api/v1/sign-out",
    ];
    let mut statuses: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for act in acts.iter().filter(|act| !LAST.contains(&act.name().as_str())) {
        let told = ground.administrator.act(act, "events/restSearch", (LABELS[0].2, 0)).await;
        // 502 and 503 are words about others: a feed that does not answer, a node that is starting.
        assert!(told.0 < 500 || [502, 503].contains(&told.0), "{}: {told:?}", act.name());
        statuses.entry(told.0).or_default().push(format!("{} {}", act.name(), told.2));
    }
    let done: usize = statuses.range(200..300).map(|(_, all)| all.len()).sum();
    assert!(done >= 25, "only {done} acts do something: {statuses:#?}");
    assert!(!statuses.contains_key(&401), "{statuses:#?}");
}

#[test]
fn who_may_learns_nothing_of_what_is_out_of_sight() {
    let ground = Ground::new();
    crate::programs::blocking(async {
        ground.fill().await;
        let (acts, may) = (ground.acts().await, ground.matrix().await);
        let mut asked = 0;
        for asker in ground.askers.iter().filter(|asker| asker.seen < LABELS.len()) {
            let allowed = may.get(asker.role).cloned().unwrap_or_default();
            for act in acts.iter().filter(|act| allowed.contains(&act.name())) {
                // Everybody's own, and seen by nobody else.
                let own = act.path.contains("/knowledge/layouts/");
                if own || DOORS.contains(&act.name().as_str()) {
                    continue;
                }
                let paths: &[&str] =
                    if act.path.starts_with("/misp/") { &MISP_READS } else { &[""] };
                for (n, (label, _, word)) in LABELS.iter().enumerate().skip(asker.seen) {
                    for path in paths {
                        let hidden = asker.act(act, path, (word, n)).await;
                        let absent = asker.act(act, path, NOBODY).await;
                        let alike = plain(&hidden, word, n) == plain(&absent, NOBODY.0, NOBODY.1);
                        let place = format!("{} {} {path} {label}", asker.role, act.name());
                        assert!(alike, "{place}: {hidden:?}\n  and {absent:?}");
                        assert!(hidden.0 < 500, "{place}: {hidden:?}");
                        asked += 2;
                    }
                }
            }
        }
        assert!(asked > 200, "{asked} questions");
        eprintln!("{asked} questions about what is hidden and what is not there");
    });
}
