//! Simple patterns as values: equalities joined by AND in one observation. The one file that knows the form.

use stix::pattern::{Comparison, Constant, Expression, Op, Pattern, Step, Test};

/// The tests of a conjunction (`path`, text), and of each alternative where the pattern is a disjunction.
pub(super) fn alternatives(text: &str) -> Option<Vec<Vec<(String, String)>>> {
    let pattern = Pattern::parse(text).ok()?;
    let mut found = Vec::new();
    collect(&pattern.root, &mut found)?;
    Some(found)
}

fn collect(expression: &Expression, found: &mut Vec<Vec<(String, String)>>) -> Option<()> {
    match expression {
        Expression::Test(comparison) => inside(comparison, found),
        Expression::Or(items) => items.iter().try_for_each(|item| collect(item, found)),
        _ => None,
    }
}

fn inside(comparison: &Comparison, found: &mut Vec<Vec<(String, String)>>) -> Option<()> {
    match comparison {
        Comparison::Test(test) => {
            for value in equals(test)? {
                found.push(vec![(path(test), value)]);
            }
        }
        Comparison::And(items) => {
            let mut tests = Vec::new();
            for item in items {
                let Comparison::Test(test) = item else { return None };
                let values = equals(test)?;
                let [value] = values.as_slice() else { return None };
                tests.push((path(test), value.clone()));
            }
            found.push(tests);
        }
        Comparison::Or(items) => items.iter().try_for_each(|item| inside(item, found))?,
    }
    Some(())
}

fn equals(test: &Test) -> Option<Vec<String>> {
    if test.negated {
        return None;
    }
    match &test.op {
        Op::Equal(constant) => Some(vec![text(constant)?]),
        Op::In(constants) => constants.iter().map(text).collect(),
        _ => None,
    }
}

fn text(constant: &Constant) -> Option<String> {
    match constant {
        Constant::Text(text) => Some(text.clone()),
        Constant::Integer(number) => Some(number.to_string()),
        Constant::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn path(test: &Test) -> String {
    let mut path = format!("{}:", test.path.kind);
    for (index, step) in test.path.steps.iter().enumerate() {
        match step {
            Step::Key(key) => {
                if index > 0 {
                    path.push('.');
                }
                path.push_str(&crate::shape::quoted(key));
            }
            Step::Index(at) => path.push_str(&format!("[{at}]")),
            Step::Any => path.push_str("[*]"),
        }
    }
    path
}

/// The attribute type and value that a conjunction says, where it is one that MISP has a type for.
pub(super) fn attribute(tests: &[(String, String)]) -> Option<(String, String)> {
    let get =
        |name: &str| tests.iter().find(|(path, _)| path == name).map(|(_, value)| value.clone());
    let one = |kind: &str, value: String| Some((kind.to_owned(), value));
    match tests {
        [(path, value)] => {
            if let Some(name) = path.strip_prefix("file:hashes.") {
                return one(crate::shape::hash_type(name.trim_matches('\''))?, value.clone());
            }
            if let Some(name) = path.strip_prefix("x509-certificate:hashes.") {
                let kind = format!(
                    "x509-fingerprint-{}",
                    crate::shape::hash_type(name.trim_matches('\''))?
                );
                return crate::describe::attribute_type(&kind).and(Some((kind, value.clone())));
            }
            one(single(path, value)?, value.clone())
        }
        _ => {
            for side in ["src", "dst"] {
                let address = get(&format!("network-traffic:{side}_ref.value"));
                let port = get(&format!("network-traffic:{side}_port"));
                let typed = usize::from(get(&format!("network-traffic:{side}_ref.type")).is_some());
                match (address, port) {
                    (Some(address), Some(port)) if tests.len() == 2 + typed => {
                        return one(&format!("ip-{side}|port"), format!("{address}|{port}"));
                    }
                    (Some(address), None) if tests.len() == 1 + typed => {
                        return one(&format!("ip-{side}"), address);
                    }
                    _ => {}
                }
            }
            let [(first, a), (second, b)] = tests else { return None };
            let pair = format!("{a}|{b}");
            match (first.as_str(), second.as_str()) {
                ("domain-name:value", "domain-name:resolves_to_refs[*].value") => {
                    one("domain|ip", pair)
                }
                ("domain-name:value", "network-traffic:dst_port") => one("hostname|port", pair),
                ("windows-registry-key:key", "windows-registry-key:values.data") => {
                    one("regkey|value", pair)
                }
                ("user-account:account_type", "user-account:account_login") if a == "github" => {
                    one("github-username", b.clone())
                }
                ("file:name", hash) => {
                    let name = hash.strip_prefix("file:hashes.")?.trim_matches('\'');
                    let kind = format!("filename|{}", crate::shape::hash_type(name)?);
                    crate::describe::attribute_type(&kind).and(Some((kind, pair)))
                }
                _ => None,
            }
        }
    }
}

fn single(path: &str, value: &str) -> Option<&'static str> {
    Some(match path {
        "ipv4-addr:value" | "ipv6-addr:value" | "network-traffic:dst_ref.value" => "ip-dst",
        "network-traffic:src_ref.value" => "ip-src",
        "domain-name:value" if value.split('.').count() > 2 => "hostname",
        "domain-name:value" => "domain",
        "url:value" => "url",
        "email-addr:value" => "email",
        "email-message:from_ref.value" | "email-message:sender_ref.value" => "email-src",
        "email-message:to_refs[*].value" => "email-dst",
        "email-message:subject" => "email-subject",
        "email-message:body" => "email-body",
        "email-message:message_id" => "email-message-id",
        "email-message:body_multipart[*].body_raw_ref.name" => "email-attachment",
        "mac-addr:value" => "mac-address",
        "mutex:name" => "mutex",
        "file:name" => "filename",
        "file:size" => "size-in-bytes",
        "windows-registry-key:key" => "regkey",
        "autonomous-system:number" => "AS",
        "network-traffic:dst_port" => "port",
        _ => return None,
    })
}
