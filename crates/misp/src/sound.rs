//! Keeps broken values out of STIX: what would break a MUST rule is carried in a form of MISP's own instead.

use serde_json::{Map, Value};
use stix::Object;
use stix::validate::{self, Severity};

/// Whether an observable breaks no MUST rule; its id is the attribute's and not ours to judge.
pub(crate) fn is_sound(observable: &Map<String, Value>) -> bool {
    let report = validate::object(&Object::from_map(observable.clone()));
    report.problems.iter().all(|p| p.severity != Severity::Error || p.property == "/id")
}

/// Whether a value may stand in this property of a STIX type, whatever else the object lacks.
pub(crate) fn may_hold(kind: &str, property: &str, value: &Value) -> bool {
    let mut map = Map::new();
    map.insert(property.to_owned(), value.clone());
    may_hold_beside(kind, property, &map)
}

/// The same of one property among others, of which only this one is judged.
pub(crate) fn may_hold_beside(kind: &str, property: &str, others: &Map<String, Value>) -> bool {
    let mut map = others.clone();
    map.insert("type".to_owned(), kind.into());
    map.insert("spec_version".to_owned(), "2.1".into());
    map.insert("id".to_owned(), format!("{kind}--00000000-0000-4000-8000-000000000000").into());
    let place = format!("/{property}");
    let report = validate::object(&Object::from_map(map));
    !report
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error && problem.property.starts_with(&place))
}

/// A registry key with its hive written out (STIX 2.1 §6.17); MISP's users write `HKLM\…` as often.
pub(crate) fn whole_key(key: &str) -> String {
    let (hive, rest) = key.split_at(key.find('\\').unwrap_or(key.len()));
    let whole = match hive.to_ascii_uppercase().as_str() {
        "HKLM" => "HKEY_LOCAL_MACHINE",
        "HKCC" => "HKEY_CURRENT_CONFIG",
        "HKCR" => "HKEY_CLASSES_ROOT",
        "HKCU" => "HKEY_CURRENT_USER",
        "HKU" => "HKEY_USERS",
        _ => return key.to_owned(),
    };
    format!("{whole}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hives_are_written_out_and_the_rest_is_left() {
        assert_eq!(whole_key(r"hklm\Software\Run"), r"HKEY_LOCAL_MACHINE\Software\Run");
        assert_eq!(whole_key("HKU"), "HKEY_USERS");
        assert_eq!(whole_key(r"HKEY_USERS\x"), r"HKEY_USERS\x");
        assert_eq!(whole_key(r"Software\HKLM"), r"Software\HKLM");
    }

    #[test]
    fn values_are_judged_by_their_property_alone() {
        assert!(may_hold("url", "value", &"http://a.example/".into()));
        assert!(!may_hold("url", "value", &"no address".into()));
        assert!(!may_hold("windows-registry-key", "key", &r"HKLM\x".into()));
        assert!(may_hold("user-account", "account_login", &"eve".into()));
    }
}
