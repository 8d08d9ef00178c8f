#![allow(clippy::unwrap_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000_000;

fn status(command: &Value) -> u16 {
    read(command, NOW).map_or_else(|refusal| refusal.status, |_| 200)
}

/// The samples of SLPF 1.0, annex A.
#[test]
fn the_samples_of_the_profile_are_read_or_refused_as_it_says() {
    let connection = json!({"protocol": "tcp", "src_addr": "1.2.3.4", "src_port": 10996, "dst_addr": "198.2.3.4", "dst_port": 80});
    let mut a11 = json!({"action": "deny", "target": {"ipv4_connection": connection},
        "args": {"start_time": 1_534_775_460_000_i64, "duration": 500, "response_requested": "ack", "slpf": {"drop_process": "none"}},
        "actuator": {"slpf": {"asset_id": "30"}}});
    assert_eq!(status(&a11), 400, "its half second was in 2018");
    a11["args"]["start_time"] = json!(NOW);
    let command = read(&a11, NOW).unwrap();
    assert_eq!(command.wanted, Wanted::Ack);
    let Asked::Filter { allow: false, flow, duration_ms: Some(500), rule_number: None } =
        command.asked
    else {
        panic!("{command:?}")
    };
    assert_eq!(
        (flow.local_port, flow.remote_port, flow.protocol),
        (Some(10_996), Some(80), Some(6))
    );
    assert_eq!(flow.remote.unwrap().to_string(), "198.2.3.4");
    // A.1.2: a false acknowledgement is not something this filter can do: case three.
    let a12 = json!({"action": "deny", "target": {"ipv4_connection": {"protocol": "tcp", "src_port": 21}},
        "args": {"slpf": {"drop_process": "false_ack", "direction": "egress"}}, "actuator": {"slpf": {}}});
    assert_eq!(status(&a12), 501);
    // A.1.3
    let a13 = json!({"action": "deny", "target": {"ipv6_net": "3ffe:1900:4545:3:200:f8ff:fe21:67cf"},
        "args": {"response_requested": "none", "slpf": {"direction": "ingress"}}, "actuator": {"slpf": {"named_group": "perimeter"}}});
    let command = read(&a13, NOW).unwrap();
    assert!(
        matches!(&command.asked, Asked::Filter { flow, .. } if flow.direction == Some(Direction::In))
    );
    assert_eq!(command.wanted, Wanted::None);
    // A.1.4, A.2, A.3, A.4
    let a14 = json!({"action": "allow", "target": {"ipv6_connection": {"protocol": "tcp", "dst_addr": "3ffe:1900:4545:3::f8ff:fe21:67cf", "src_port": 21}}, "actuator": {"slpf": {}}});
    assert!(matches!(read(&a14, NOW).unwrap().asked, Asked::Filter { allow: true, .. }));
    let a2 = json!({"action": "delete", "target": {"slpf:rule_number": 1234}, "args": {"response_requested": "complete"}, "actuator": {"slpf": {}}});
    assert_eq!(read(&a2, NOW).unwrap().asked, Asked::Delete(1_234));
    let a3 = json!({"action": "update", "target": {"file": {"path": "\\\\share\\configurations", "name": "firewallconfiguration.txt"}}, "actuator": {"slpf": {"named_group": "network"}}});
    assert_eq!(status(&a3), 501);
    for features in
        [json!([]), json!(["versions"]), json!(["versions", "profiles"]), json!(["pairs"])]
    {
        assert_eq!(status(&json!({"action": "query", "target": {"features": features}})), 200);
    }
}

#[test]
fn what_is_wrong_is_told_from_what_is_not_supported() {
    let deny =
        |target: Value, args: Value| json!({"action": "deny", "target": target, "args": args});
    let net = || json!({"ipv4_net": "192.0.2.0/24"});
    for (command, expected) in [
        (json!(7), 400),
        (json!({"action": "deny", "target": {}}), 400),
        (json!({"action": "melt", "target": net()}), 400),
        (json!({"action": "scan", "target": net()}), 501),
        (json!({"action": "deny", "target": {"ip_conection": {}}}), 501),
        (json!({"action": "deny", "target": net(), "colour": 1}), 400),
        (json!({"action": "deny", "target": net(), "actuator": {"x-door": {}}}), 501),
        (deny(json!({"ipv4_net": "2001:db8::/32"}), json!({})), 400),
        (deny(json!({"ipv4_connection": {}}), json!({})), 400),
        (deny(json!({"ipv4_connection": {"dst_port": 70_000}}), json!({})), 400),
        (deny(net(), json!({"duration": -1})), 400),
        (deny(net(), json!({"start_time": NOW + 60_000})), 501),
        (deny(net(), json!({"start_time": 1, "stop_time": 2, "duration": 1})), 400),
        (deny(net(), json!({"colour": "red"})), 501),
        (deny(net(), json!({"slpf": {"insert_rule": 7}, "response_requested": "ack"})), 400),
        (deny(net(), json!({"slpf": {"insert_rule": 7}})), 200),
        (deny(net(), json!({"slpf": {"persistent": false}})), 501),
        (json!({"action": "query", "target": {"features": ["colour"]}}), 400),
        (json!({"action": "delete", "target": {"slpf:rule_number": "x"}}), 400),
    ] {
        assert_eq!(status(&command), expected, "{command}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9_:./]{0,16}".prop_map(Value::from),
        Just(json!("deny")),
        Just(json!("10.0.0.0/8")),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof![
            Just("action"),
            Just("target"),
            Just("args"),
            Just("slpf"),
            Just("ipv4_net"),
            Just("ipv4_connection"),
            Just("features"),
            Just("duration"),
            Just("actuator")
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..5).prop_map(|map| map
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn anything_is_a_command_or_a_refusal_of_the_language(command in value()) {
        if let Err(refusal) = read(&command, NOW) {
            prop_assert!([400, 501].contains(&refusal.status));
        }
    }
}
