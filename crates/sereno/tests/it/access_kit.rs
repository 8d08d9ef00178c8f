//! What the tests of access share: what changes something by the node's own description, what to send there, and what
//! the database holds.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use serde_json::Value;
use sqlx::{Connection, Row};

/// One thing that the description lets be changed.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) media: String,
    /// A body that means something; `$ID`, `$WORD` and `$N` stand for the thing it is about.
    pub(crate) body: &'static str,
}

impl Act {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A body for each act of the description; an act without a line here fails the test.
const BODIES: &[(&str, &str)] = &[
    ("PUT /api/v1/me/preferences", r#"{"preferences": {"theme": "dark"}}"#),
    ("POST /api/v1/views", r#"{"name": "$WORD", "path": "/incidents"}"#),
    ("PATCH /api/v1/views/{id}", r#"{"name": "$WORD"}"#),
    ("DELETE /api/v1/views/{id}", ""),
    (
        "POST /api/v1/certificates",
        r#"{"role": "taxii", "label": "$WORD", "days": 30, "request": "none"}"#,
    ),
    ("DELETE /api/v1/certificates/{id}", ""),
    ("DELETE /api/v1/communities/{id}/invitations/{invitation}", ""),
    ("POST /api/v1/communities/{id}/lead", r#"{"organisation": "$WORD"}"#),
    ("POST /api/v1/communities/{id}/lead/accept", "{}"),
    ("POST /api/v1/communities/{id}/lead/decline", ""),
    ("POST /api/v1/intel/imports", r#"{"type": "bundle", "id": "bundle--$UUID", "objects": []}"#),
    ("POST /api/v1/organisations", r#"{"name": "$WORD"}"#),
    ("DELETE /api/v1/organisations/{id}", ""),
    ("POST /api/v1/webhooks/{id}/rotate", "{}"),
    ("POST /api/v1/backups", "{}"),
    ("POST /api/v1/backups/{name}/verify", "{}"),
    ("DELETE /api/v1/backups/{name}", ""),
    ("POST /api/v1/communities", r#"{"name": "Ports", "max_tlp": "amber"}"#),
    (
        "POST /api/v1/communities/join",
        r#"{"version": 1, "community": "$UUID", "name": "Ports", "leader": "$UUID", "leader_key": "00", "node": "$UUID", "role": "reader", "expires_at": "2030-01-01T00:00:00Z", "code": "x", "signature": "00"}"#,
    ),
    ("PATCH /api/v1/communities/{id}", r#"{"description": "$WORD"}"#),
    ("DELETE /api/v1/communities/{id}", ""),
    (
        "POST /api/v1/communities/{id}/invitations",
        r#"{"organisation": "Harbour", "role": "reader"}"#,
    ),
    ("POST /api/v1/communities/{id}/leave", ""),
    ("DELETE /api/v1/communities/{id}/members/{node}", ""),
    ("PATCH /api/v1/communities/{id}/members/{node}", r#"{"role": "reader"}"#),
    ("POST /api/v1/demo/remove", ""),
    ("PUT /api/v1/detection/commands/{edge}", "$WORD"),
    ("POST /api/v1/detection/commands/{edge}/check", "$WORD"),
    ("POST /api/v1/detection/commands/{edge}/learn", r#"{"finding": "$UUID", "reason": "$WORD"}"#),
    ("POST /api/v1/detection/commands/{edge}/relearn", r#"{"reason": "$WORD"}"#),
    (
        "POST /api/v1/detection/commands/{edge}/versions/{version}/activate",
        r#"{"reason": "$WORD"}"#,
    ),
    ("POST /api/v1/detection/devices/{device}/learning", r#"{"on": false, "reason": "$WORD"}"#),
    ("POST /api/v1/detection/devices/{device}/models/{version}/activate", r#"{"reason": "$WORD"}"#),
    ("POST /api/v1/detection/devices/{device}/relearn", ""),
    ("POST /api/v1/detection/evaluations", r#"{"name": "$WORD", "report": {}}"#),
    ("POST /api/v1/detection/laws/{edge}/{protocol}/relearn", r#"{"reason": "$WORD"}"#),
    (
        "POST /api/v1/detection/laws/{edge}/{protocol}/versions/{version}/activate",
        r#"{"reason": "$WORD"}"#,
    ),
    (
        "POST /api/v1/detection/suppressions",
        r#"{"device": "$UUID", "scope": {"whole_device": true}, "reason": "$WORD"}"#,
    ),
    ("DELETE /api/v1/detection/suppressions/{id}", ""),
    ("PATCH /api/v1/devices/{id}", r#"{"place": "$WORD"}"#),
    ("POST /api/v1/devices/site", r#"{"devices": ["$UUID"], "site": null}"#),
    ("POST /api/v1/sites", r#"{"name": "$WORD", "kind": "office"}"#),
    ("PUT /api/v1/sites/{id}", r#"{"name": "$WORD", "kind": "office"}"#),
    ("DELETE /api/v1/sites/{id}", ""),
    ("POST /api/v1/sites/geojson", r#"{"type": "FeatureCollection", "features": []}"#),
    ("POST /api/v1/map/layers", r#"{"type": "FeatureCollection", "features": []}"#),
    ("DELETE /api/v1/map/layers/{id}", ""),
    ("PATCH /api/v1/node", r#"{"name": "$WORD"}"#),
    ("POST /api/v1/federation/letters", r#"{"letters": []}"#),
    ("POST /api/v1/federation/receipts", r#"{"receipts": []}"#),
    ("POST /api/v1/federation/retractions", r#"{"objects": ["$ID"], "reason": "it was wrong"}"#),
    ("POST /api/v1/federation/shares", r#"{"objects": ["$ID"], "to": {"peers": ["Harbour"]}}"#),
    ("POST /api/v1/federation/standing", r#"{"highest_tlp": "green"}"#),
    ("DELETE /api/v1/federation/standing/{id}", ""),
    (
        "POST /api/v1/feeds",
        r#"{"name": "by hand $WORD", "format": {"form": "plain"}, "tlp": "green"}"#,
    ),
    ("POST /api/v1/feeds/discover", r#"{"url": "http://192.0.2.1:1/taxii2/"}"#),
    ("DELETE /api/v1/feeds/{id}", ""),
    ("PATCH /api/v1/feeds/{id}", r#"{"paused": true}"#),
    ("POST /api/v1/feeds/{id}/load", "198.51.100.9"),
    ("POST /api/v1/feeds/{id}/run", ""),
    ("PUT /api/v1/findings/{id}/capture", "no capture"),
    ("POST /api/v1/findings/{id}/feedback", r#"{"verdict": "normal", "reason": "$WORD"}"#),
    (
        "POST /api/v1/first-run",
        r#"{"organisation": "Thieves", "name": "thief", "password": "a long enough password"}"#,
    ),
    (
        "POST /.well-known/openc2",
        r#"{"action": "deny", "target": {"ipv4_net": "198.51.100.0/24"}}"#,
    ),
    ("PUT /api/v1/gateways/{name}/allow/{device}", r#"{"state": "learning"}"#),
    (
        "POST /api/v1/gateways/{name}/allow/{device}/mud",
        r#"{"mud": {"ietf-mud:mud": {"mud-version": 1}}}"#,
    ),
    ("PUT /api/v1/gateways/{name}/policy", r#"{"mode": "watch"}"#),
    ("POST /api/v1/gateways/{name}/orders", r#"{"verb": "block", "mac": "02:00:00:00:00:01"}"#),
    ("POST /api/v1/gateways/{name}/replay", r#"{"control": "pause"}"#),
    ("POST /api/v1/incidents/{id}/acknowledge", r#"{"text": "$WORD"}"#),
    ("POST /api/v1/incidents/{id}/notes", r#"{"text": "$WORD"}"#),
    ("POST /api/v1/incidents/{id}/shares", r#"{"peer": "$UUID"}"#),
    ("POST /api/v1/incidents/{id}/state", r#"{"state": "closed", "reason": "$WORD"}"#),
    (
        "POST /api/v1/intel/import",
        r#"{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-00000000abcd", "objects": [{"type": "ipv4-addr", "spec_version": "2.1", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"}]}"#,
    ),
    ("POST /api/v1/knowledge/catalogues/{name}", "$WORD"),
    ("PUT /api/v1/knowledge/decay", r#"{"kinds": {}, "reset": ["address"], "sources": {}}"#),
    (
        "POST /api/v1/knowledge/layers",
        r#"{"name": "l", "domain": "enterprise-attack", "techniques": []}"#,
    ),
    ("PUT /api/v1/knowledge/layouts/{name}", r#"{"positions": {}}"#),
    ("DELETE /api/v1/knowledge/layouts/{name}", ""),
    ("POST /api/v1/knowledge/objects/{id}/sightings", r#"{"type": "sighting"}"#),
    (
        "POST /api/v1/knowledge/reports",
        r#"{"text": "seen at 198.51.100.4", "title": "$WORD", "tlp": "green", "accept": []}"#,
    ),
    ("POST /api/v1/knowledge/reports/extract", "$WORD.example and $ID were seen"),
    (
        "POST /api/v1/knowledge/warninglists",
        r#"{"name": "own", "type": "string", "list": ["$WORD.example"], "matching_attributes": [], "version": 1, "description": "d"}"#,
    ),
    ("DELETE /api/v1/knowledge/warninglists/{name}", ""),
    ("POST /api/v1/ledger/verify", ""),
    ("PATCH /api/v1/organisations/{id}", r#"{"note": "$WORD"}"#),
    (
        "POST /api/v1/peers/enrol",
        r#"{"code": "guessed", "csr": "x", "node": "$UUID", "signing_key": "00", "proof": "00"}"#,
    ),
    ("POST /api/v1/peers/invitations", r#"{"name": "Thieves", "kind": "cert"}"#),
    (
        "POST /api/v1/peers/join",
        r#"{"version": 1, "url": "https://192.0.2.1", "ca_pem": "x", "code": "x", "node": "$UUID", "name": "x", "kind": "cert", "signing_key": "00", "expires_at": "2030-01-01T00:00:00Z"}"#,
    ),
    ("POST /api/v1/peers/renewal", r#"{"csr": "x"}"#),
    ("DELETE /api/v1/peers/{id}", ""),
    ("POST /api/v1/playbook-keys", r#"{"name": "x", "pem": "x"}"#),
    ("DELETE /api/v1/playbook-keys/{fingerprint}", ""),
    ("POST /api/v1/playbook-keys/{fingerprint}/revoke", "{}"),
    ("POST /api/v1/playbooks", r#"{"type": "playbook"}"#),
    ("POST /api/v1/playbooks/validate", r#"{"type": "playbook"}"#),
    ("POST /api/v1/hooks/{hook}", "{}"),
    ("POST /api/v1/playbooks/{id}/triggers", r#"{"on": "schedule", "at": "03:00"}"#),
    ("PUT /api/v1/playbooks/{id}/triggers/{trigger}", r#"{"on": "schedule", "at": "03:00"}"#),
    ("DELETE /api/v1/playbooks/{id}/triggers/{trigger}", ""),
    ("POST /api/v1/playbooks/{id}/triggers/{trigger}/rotate", ""),
    ("POST /api/v1/playbooks/{id}/triggers/{trigger}/revoke", ""),
    (
        "POST /api/v1/pushes",
        r#"{"name": "p$WORD", "url": "http://192.0.2.1:1/", "origin": {"what": "known", "types": []}}"#,
    ),
    ("DELETE /api/v1/pushes/{id}", ""),
    ("PATCH /api/v1/pushes/{id}", r#"{"paused": true}"#),
    ("POST /api/v1/pushes/{id}/run", ""),
    ("POST /api/v1/recovery/orders", r#"{"verb": "restart", "service": "$WORD"}"#),
    (
        "POST /api/v1/recovery/checks",
        r#"{"target": "192.0.2.1", "check": {"kind": "tcp", "address": "192.0.2.1:80"}}"#,
    ),
    ("DELETE /api/v1/recovery/checks/{id}", ""),
    ("POST /api/v1/recovery/cases/{incident}", r#"{"action": "stop"}"#),
    ("PUT /api/v1/recovery/delays/{incident}", r#"{"infected_at": "2026-01-01T00:00:00Z"}"#),
    ("POST /api/v1/runs", r#"{"playbook": "$UUID"}"#),
    ("POST /api/v1/runs/{id}/cancel", ""),
    ("PUT /api/v1/automation", r#"{"limits": []}"#),
    ("POST /api/v1/automation/stop", r#"{"reason": "$WORD"}"#),
    ("POST /api/v1/automation/resume", ""),
    ("POST /api/v1/proposals/{id}/answer", r#"{"accept": true, "comment": "$WORD"}"#),
    ("POST /api/v1/proposals/{id}/ask", r#"{"person": "thief"}"#),
    ("POST /api/v1/runs/{id}/steps/{step}/ask", r#"{"person": "thief"}"#),
    ("POST /api/v1/runs/{id}/pause", ""),
    ("POST /api/v1/runs/{id}/resume", ""),
    ("POST /api/v1/runs/{id}/retry", "{}"),
    ("POST /api/v1/runs/{id}/steps/{step}/answer", r#"{"approve": true}"#),
    ("POST /api/v1/runs/{id}/steps/{step}/undo", ""),
    ("POST /api/v1/actuators/{name}/test", ""),
    ("PUT /api/v1/secrets/{name}", r#"{"value": "$WORD", "hosts": ["192.0.2.1"]}"#),
    ("DELETE /api/v1/secrets/{name}", ""),
    ("POST /api/v1/runs/{id}/steps/{step}/settle", r#"{"answer": "done"}"#),
    (
        "PUT /api/v1/sharing/policies/{id}",
        r#"{"text": "permit(principal, action, resource);", "force": true}"#,
    ),
    ("DELETE /api/v1/sharing/policies/{id}", ""),
    ("POST /api/v1/sharing/preview", r#"{"objects": ["$ID"]}"#),
    ("POST /api/v1/sharing/redactions", r#"{"name": "r", "types": [], "action": {"do": "drop"}}"#),
    ("DELETE /api/v1/sharing/redactions/{id}", ""),
    ("PATCH /api/v1/sharing/redactions/{id}", r#"{"paused": true}"#),
    ("PUT /api/v1/sharing/tests", r#"{"tests": []}"#),
    ("POST /api/v1/sign-in", r#"{"name": "$WORD", "password": "guessed"}"#),
    ("POST /api/v1/sign-out", ""),
    ("POST /api/v1/taxii/collections", r#"{"title": "$WORD"}"#),
    ("DELETE /api/v1/taxii/collections/{id}", ""),
    ("POST /api/v1/taxii/roots", r#"{"name": "thieves", "title": "$WORD"}"#),
    ("DELETE /api/v1/taxii/roots/{name}", ""),
    ("POST /api/v1/tokens", r#"{"role": "administrator", "label": "$WORD"}"#),
    ("DELETE /api/v1/tokens/{id}", ""),
    ("POST /api/v1/users", r#"{"name": "thief", "role": "administrator"}"#),
    ("DELETE /api/v1/users/{name}", ""),
    ("PATCH /api/v1/users/{name}", r#"{"role": "administrator"}"#),
    ("POST /api/v1/users/{name}/password", r#"{"password": "the thief's own password"}"#),
    ("DELETE /api/v1/users/{name}/sessions", ""),
    ("PUT /api/v1/me/password", r#"{"old": "$WORD", "new": "the thief's own password"}"#),
    ("PUT /api/v1/me/shown", r#"{"shown": "$WORD"}"#),
    ("DELETE /api/v1/me/sessions", ""),
    ("DELETE /api/v1/me/sessions/{id}", ""),
    ("PUT /api/v1/users/{name}/mail", r#"{"mail": "thief@example.org"}"#),
    ("PUT /api/v1/me/mail", r#"{"mail": "thief@example.org"}"#),
    ("POST /answer/{token}", "answer=yes"),
    (
        "POST /api/v1/delegations",
        r#"{"giver": "$WORD", "taker": "thief", "until": "2030-01-01T00:00:00Z"}"#,
    ),
    ("DELETE /api/v1/delegations/{id}", ""),
    ("POST /api/v1/webhooks", r#"{"url": "https://192.0.2.1/", "events": ["object.new"]}"#),
    ("DELETE /api/v1/webhooks/{id}", ""),
    ("PATCH /api/v1/webhooks/{id}", r#"{"paused": true}"#),
    ("POST /api/v1/webhooks/{id}/dead/{n}/resend", ""),
    ("POST /api/v1/webhooks/{id}/test", ""),
    ("POST /soarca/playbook/", r#"{"type": "playbook"}"#),
    ("POST /soarca/playbook", r#"{"type": "playbook"}"#),
    ("PUT /soarca/playbook/{id}", r#"{"type": "playbook"}"#),
    ("DELETE /soarca/playbook/{id}", ""),
    ("POST /soarca/trigger/playbook", r#"{"type": "playbook"}"#),
    ("POST /soarca/trigger/playbook/{id}", "{}"),
    (
        "POST /soarca/manual/continue",
        r#"{"execution_id": "$UUID", "step_id": "$WORD", "response_status": "success"}"#,
    ),
    ("PUT /soarca/keymanagement/{name}", "{}"),
    ("PATCH /soarca/keymanagement/{name}", "{}"),
    ("DELETE /soarca/keymanagement/{name}", ""),
    ("POST /misp/{*path}", r#"{"returnFormat": "json"}"#),
    ("DELETE /misp/{*path}", ""),
    (
        "POST /taxii2/{root}/collections/{id}/objects/",
        r#"{"objects": [{"type": "ipv4-addr", "spec_version": "2.1", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"}]}"#,
    ),
    ("DELETE /taxii2/{root}/collections/{id}/objects/{object}/", ""),
];

/// Every POST, PUT, PATCH and DELETE of the description, each with its body.
pub(crate) fn acts(description: &Value) -> Vec<Act> {
    let mut acts = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in ["post", "put", "patch", "delete"] {
            let Some(operation) = methods.get(method) else { continue };
            let method = method.to_uppercase();
            let name = format!("{method} {path}");
            let known = BODIES.iter().find(|(known, _)| *known == name);
            let (_, body) =
                known.unwrap_or_else(|| panic!("{name} has no body in BODIES: add one"));
            let media = operation["requestBody"]["content"].as_object();
            let media = media.and_then(|media| media.keys().next().cloned()).unwrap_or_default();
            acts.push(Act { method, path: path.clone(), media, body });
        }
    }
    let stale: Vec<_> = BODIES
        .iter()
        .filter(|(name, _)| !acts.iter().any(|act| act.name() == *name))
        .map(|(name, _)| name)
        .collect();
    assert!(stale.is_empty(), "no longer described: {stale:?}");
    acts
}

/// Tables whose rows say what was asked, not what is so.
const NOTES_OF_ASKING: [&str; 2] = ["identity_rates", "sqlite_sequence"];

/// What a link notes of the node's own calls to the other side, whenever their turn comes.
const NOTES_OF_CALLING: [&str; 3] = ["last_try", "last_contact", "last_error"];

/// Waits until the node's own work on what it was filled with is done: nothing changed for a second.
pub(crate) async fn at_rest(data: &Path) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let mut before = tables(data).await;
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let now = tables(data).await;
        if now == before {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "no rest: {:?}", changed(&before, &now));
        before = now;
    }
}

/// For each table the number of its rows and a hash over all they hold.
pub(crate) async fn tables(data: &Path) -> BTreeMap<String, (usize, u64)> {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=ro", data.join("sereno.db").display());
    let mut sql = sqlx::AnyConnection::connect(&url).await.unwrap();
    let names = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    let names: Vec<String> =
        names.fetch_all(&mut sql).await.unwrap().iter().map(|row| row.get(0)).collect();
    let mut found = BTreeMap::new();
    for name in names.into_iter().filter(|name| !NOTES_OF_ASKING.contains(&name.as_str())) {
        let columns = format!("SELECT name FROM pragma_table_info('{name}')");
        let columns = sqlx::query(sqlx::AssertSqlSafe(columns)).fetch_all(&mut sql).await.unwrap();
        let is_link = name == "federation_links";
        let quoted: Vec<String> = columns
            .iter()
            .map(|row| row.get::<String, _>(0))
            .filter(|column| !(is_link && NOTES_OF_CALLING.contains(&column.as_str())))
            .map(|column| format!("quote(\"{column}\")"))
            .collect();
        let query = format!("SELECT {} FROM \"{name}\" ORDER BY 1", quoted.join(" || '|' || "));
        // Tables of the full-text index cannot be read like others; their content stands in plain ones too.
        let Ok(rows) = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&mut sql).await else {
            continue;
        };
        let mut hasher = DefaultHasher::new();
        for row in &rows {
            row.get::<String, _>(0).hash(&mut hasher);
        }
        found.insert(name, (rows.len(), hasher.finish()));
    }
    sql.close().await.unwrap();
    found
}

/// The tables in which two looks differ.
pub(crate) fn changed(
    before: &BTreeMap<String, (usize, u64)>,
    after: &BTreeMap<String, (usize, u64)>,
) -> Vec<String> {
    let differs = |(name, what): &(&String, &(usize, u64))| before.get(*name) != Some(what);
    after.iter().filter(differs).map(|(name, _)| name.clone()).collect()
}
