//! Paths and names of files, registry keys, user agents.

use super::Kind;

/// Registry hives: short form, full form (STIX 2.1 §6.17 wants the full one).
const HIVES: &[(&str, &str)] = &[
    ("HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKCU", "HKEY_CURRENT_USER"),
    ("HKCR", "HKEY_CLASSES_ROOT"),
    ("HKU", "HKEY_USERS"),
    ("HKCC", "HKEY_CURRENT_CONFIG"),
];
/// First folders of Unix systems: a text that begins with one of them is a path.
const UNIX_ROOTS: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib64",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
    "Users",
    "Library",
    "Applications",
    "data",
    "system",
    "sdcard",
];
/// Beginnings of user agents; the rest are too like ordinary text.
const AGENTS: &[&str] = &["Mozilla/", "Opera/", "Dalvik/", "curl/", "Wget/", "python-requests/"];

pub(super) fn any(text: &str) -> Option<(Kind, String)> {
    match text.as_bytes()[0] {
        b'H' | b'h' if let Some(key) = registry_key(text) => Some((Kind::RegistryKey, key)),
        _ if text.contains(['\\', '/']) => {
            if let Some(agent) = user_agent(text) {
                return Some((Kind::UserAgent, agent));
            }
            has_root(text).then(|| file_path(text)).flatten().map(|path| (Kind::FilePath, path))
        }
        _ => None,
    }
}

/// Whether a text begins as absolute paths do.
pub(crate) fn has_root(text: &str) -> bool {
    let bytes = text.as_bytes();
    let drive = bytes.len() > 3
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/')
        && bytes[3] != b'/';
    let share =
        text.strip_prefix("\\\\").is_some_and(|rest| rest.trim_matches('\\').contains('\\'));
    let variable =
        text.strip_prefix('%').and_then(|rest| rest.split_once('%')).is_some_and(|(name, rest)| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'(' | b')'))
                && rest.starts_with('\\')
                && rest.len() > 1
        });
    let unix = text
        .strip_prefix("~/")
        .map(|rest| !rest.is_empty())
        .or_else(|| {
            let (root, rest) = text.strip_prefix('/')?.split_once('/')?;
            Some(UNIX_ROOTS.contains(&root) && !rest.is_empty())
        })
        .unwrap_or(false);
    drive || share || variable || unix
}

/// A path with at least one separator. Case is kept: Unix tells cases apart.
pub(super) fn file_path(text: &str) -> Option<String> {
    let good = text.contains(['\\', '/'])
        && !text.contains(['<', '>', '|', '"', '\0'])
        && !text.contains("://");
    good.then(|| text.to_owned())
}

/// A name without folder.
pub(super) fn file_name(text: &str) -> Option<String> {
    let good = !text.contains(['\\', '/', '<', '>', '|', '"', ':', '*', '?'])
        && text.len() <= 255
        && !matches!(text, "." | "..");
    good.then(|| text.to_owned())
}

/// A key under a hive, the hive in full and in upper case, without trailing backslash.
pub(super) fn registry_key(text: &str) -> Option<String> {
    let (hive, rest) = text.split_once('\\')?;
    let hive = hive.strip_suffix(':').unwrap_or(hive);
    let full = HIVES.iter().find_map(|(short, full)| {
        (hive.eq_ignore_ascii_case(short) || hive.eq_ignore_ascii_case(full)).then_some(*full)
    })?;
    let rest = rest.trim_matches('\\').trim();
    (!rest.is_empty()).then(|| format!("{full}\\{rest}"))
}

/// An HTTP user agent by its first product.
pub(super) fn user_agent(text: &str) -> Option<String> {
    let version = AGENTS.iter().find_map(|agent| text.strip_prefix(agent))?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| text.to_owned())
}
