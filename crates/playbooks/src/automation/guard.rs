//! The last gate before an actuator: what is never touched, and how often at most. Whoever started the run.

use std::net::IpAddr;

use platform::Platform;
use platform::db::Tx;
use ports::ActuatorCommand;
use serde_json::Value;

use super::{Automation, Limit, Never};
use crate::PlaybooksError;
use crate::actuators::{mail, matrix, mattermost, webhook};
use crate::store::{automation, counts};

/// Actuators that only tell or ask: what is never touched may well be spoken of.
const TELLING: [&str; 8] = [
    "console",
    "exchange",
    "incidents",
    "intel",
    mail::NAME,
    matrix::NAME,
    mattermost::NAME,
    webhook::NAME,
];
/// Verbs that take an effect back.
const LIFTING: [&str; 2] = ["release", "undo"];
/// Texts in the arguments of one command that are compared with what is never touched; one with more is refused.
const MAX_TEXTS: usize = 10_000;

/// Why a command is not carried out; counts it otherwise. The same key counts once.
pub(crate) async fn refusal(
    platform: &Platform,
    actuator: &'static str,
    command: &ActuatorCommand,
) -> Result<Option<String>, PlaybooksError> {
    let command = command.clone();
    platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let policy = automation::current(tx.sql()).await?;
                match never(&policy, actuator, &command) {
                    Some(why) => Ok(Some(why)),
                    None => over(tx, &policy, actuator, &command).await,
                }
            })
        })
        .await
}

/// Why a command would not be carried out because of what it touches; counts nothing.
pub(crate) async fn forbidden(
    platform: &Platform,
    actuator: &'static str,
    command: &ActuatorCommand,
) -> Result<Option<String>, PlaybooksError> {
    let mut sql = platform.db.read().await?;
    Ok(never(&automation::current(&mut sql).await?, actuator, command))
}

/// The first limit that the command would break. When none is broken it counts against all of them.
async fn over(
    tx: &mut Tx,
    policy: &Automation,
    actuator: &str,
    command: &ActuatorCommand,
) -> Result<Option<String>, PlaybooksError> {
    let meant = |limit: &&Limit| {
        let verbs = &limit.verbs;
        limit.actuator == actuator && (verbs.is_empty() || verbs.contains(&command.verb))
    };
    let now = tx.now();
    let limits: Vec<&Limit> = policy.limits.iter().filter(meant).collect();
    for limit in &limits {
        if counts::counted(tx.sql(), &command.key, &limit.name).await? {
            continue;
        }
        let since = now.plus_secs(-i64::from(limit.within_s));
        let done = counts::count(tx.sql(), &limit.name, since).await?;
        if done >= i64::from(limit.at_most) {
            return Ok(Some(format!(
                "the limit '{}' is reached: {} in {} seconds; raise it in the policy of automation, or wait",
                limit.name, limit.at_most, limit.within_s
            )));
        }
    }
    for limit in limits {
        counts::note(tx.sql(), &command.key, &limit.name, now).await?;
    }
    Ok(None)
}

/// Why a command is never carried out, if it names something that no command touches.
fn never(policy: &Automation, actuator: &str, command: &ActuatorCommand) -> Option<String> {
    let harmless = TELLING.contains(&actuator) || LIFTING.contains(&command.verb.as_str());
    if harmless || policy.never.is_empty() {
        return None;
    }
    let mut texts = Vec::new();
    for value in command.arguments.values() {
        collect(value, &mut texts);
    }
    if texts.len() > MAX_TEXTS {
        return Some(format!(
            "the command names more than {MAX_TEXTS} things, too many to be compared with what is never \
             touched; split it"
        ));
    }
    let touched = policy.never.iter().find(|line| texts.iter().any(|text| touches(line, text)))?;
    Some(format!(
        "{} is never touched: {}; it stands so in the policy of automation",
        touched.what, touched.reason
    ))
}

fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        _ if texts.len() > MAX_TEXTS => {}
        Value::String(text) => {
            let parts = text.split(|c: char| c.is_whitespace() || ",;'\"()[]@=".contains(c));
            texts.extend(parts.filter(|part| !part.is_empty()).take(MAX_TEXTS));
            texts.push(text);
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

/// Whether a text of a command names what is never touched: the same word, an address inside the network, or a network,
/// URL or `host:port` that holds it.
fn touches(line: &Never, text: &str) -> bool {
    let what = line.what.trim();
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = bare.split(['/', '?', '#']).next().unwrap_or(bare);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() && !name.contains(':') => name,
        _ => host,
    };
    let named = |word: &str| word.trim_end_matches('.').eq_ignore_ascii_case(what);
    if [text, host].into_iter().any(named) {
        return true;
    }
    let Some(guarded) = network(what) else { return false };
    [text, host].iter().filter_map(|word| network(word)).any(|named| overlap(guarded, named))
}

/// An address with the length of its prefix; a bare address is a network of one.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.filter(|it| *it <= longest).or(prefix.is_none().then_some(longest))?;
    // An IPv4 address in the form of IPv6 reaches the same machine.
    match address.to_canonical() {
        IpAddr::V4(plain) if address.is_ipv6() && prefix >= 96 => Some((plain.into(), prefix - 96)),
        _ => Some((address, prefix)),
    }
}

fn overlap((a, a_bits): (IpAddr, u32), (b, b_bits): (IpAddr, u32)) -> bool {
    let bits = a_bits.min(b_bits);
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            a.to_bits() & mask == b.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            a.to_bits() & mask == b.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_never_touched_is_found_in_every_form() {
        let line = |what: &str| Never { what: what.into(), reason: String::new() };
        for (what, text, touched) in [
            ("10.1.0.0/16", "10.1.2.3", true),
            ("10.1.0.0/16", "10.2.2.3", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.1.2.30", false),
            ("0.0.0.0/0", "198.51.100.1", true),
            ("2001:db8::/32", "2001:db8::7", true),
            ("2001:db8::/32", "10.1.2.3", false),
            ("B8:27:EB:00:00:01", "b8:27:eb:00:00:01", true),
            ("plc-7.example", "https://PLC-7.example:8443/stop", true),
            ("plc-7.example", "plc-77.example", false),
            ("10.1.2.3", "http://10.1.2.3/reboot", true),
            ("10.1.2.3", "::ffff:10.1.2.3", true),
            ("10.1.2.3", "::ffff:10.1.0.0/112", true),
            ("10.1.2.3", "::ffff:10.2.0.0/112", false),
            ("plc-7.example", "plc-7.example.", true),
        ] {
            assert_eq!(touches(&line(what), text), touched, "{what} {text}");
        }
    }

    #[test]
    fn it_is_looked_for_in_lists_and_inside_texts_and_may_be_spoken_of() {
        let never_line = Never { what: "10.1.2.3".into(), reason: "the pump".into() };
        let policy = Automation { never: vec![never_line], ..Automation::default() };
        let command = |verb: &str, value: Value| ActuatorCommand {
            key: "k".into(),
            verb: verb.into(),
            arguments: BTreeMap::from([("addresses".to_owned(), value)]),
            run: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap_or_else(|_| unreachable!()),
            incident: None,
        };
        let list = serde_json::json!(["10.9.9.9", {"deep": "10.1.2.3"}]);
        assert!(never(&policy, "gateway", &command("block", list.clone())).is_some());
        assert!(never(&policy, "gateway", &command("release", list.clone())).is_none());
        assert!(never(&policy, "console", &command("notify", list)).is_none());
        for telling in ["mail", "matrix", "mattermost", "webhook", "console", "incidents"] {
            let told = serde_json::json!("10.1.2.3 is the pump's controller");
            assert!(never(&policy, telling, &command("send", told)).is_none(), "{telling}");
        }
        let text = serde_json::json!("reboot root@10.1.2.3; echo");
        assert!(never(&policy, "ssh", &command("run", text)).is_some());
    }

    #[test]
    fn a_command_that_names_too_much_is_refused_not_let_through() {
        let line = Never { what: "10.1.2.3".into(), reason: "the pump".into() };
        let policy = Automation { never: vec![line], ..Automation::default() };
        let many: Vec<String> = (0..MAX_TEXTS).map(|n| format!("host-{n}")).collect();
        let command = ActuatorCommand {
            key: "k".into(),
            verb: "run".into(),
            arguments: BTreeMap::from([
                ("a".to_owned(), serde_json::json!(many)),
                ("z".to_owned(), "10.1.2.3".into()),
            ]),
            run: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap_or_else(|_| unreachable!()),
            incident: None,
        };
        assert!(never(&policy, "ssh", &command).is_some_and(|why| why.contains("too many")));
        let free = Automation { never: vec![], ..policy };
        assert!(never(&free, "ssh", &command).is_none());
    }
}
