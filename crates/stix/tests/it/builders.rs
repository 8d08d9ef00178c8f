//! What the builders make is valid, whatever they are given.

use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::json;
use stix::build::{self, Traffic};
use stix::{Bundle, Object, StixId, Timestamp, Tlp, validate};
use uuid::Uuid;

fn at(us: i64) -> Timestamp {
    Timestamp::from_unix_us(us)
}

/// One object of every builder, joined as the flow joins them.
fn all(name: &str, seed: u128, us: i64, remote: IpAddr, port: u16) -> Vec<Object> {
    let ns = Uuid::from_u128(seed);
    let id = |kind: &str| StixId::derived(kind, ns, name);
    let (by, now) = (id("identity"), at(us));
    let device = build::ipv4_addr([10, 0, 0, 7].into()).build();
    let mac = build::mac_addr([0xd2, 0xfb, 0x49, 0x24, 0x37, 0x18]).build();
    let peer = build::ip_addr(remote).build();
    let traffic = build::network_traffic(&Traffic {
        src_ref: Some(device.id_text().to_owned()),
        dst_ref: Some(peer.id_text().to_owned()),
        dst_port: Some(port),
        protocols: vec!["tcp".to_owned()],
        start: Some(now),
        ..Traffic::default()
    })
    .build();
    let pattern = stix::pattern::equals("ipv4-addr:value", name);
    let incident = id("incident");
    let malware = id("malware");
    let observed = id("observed-data");
    let infrastructure = id("infrastructure");
    let extension = id("extension-definition");
    let body = json!({"receipt": name}).as_object().cloned().unwrap();
    let marked = |draft: build::Draft| draft.created_by(&by).marked(Tlp::Green).build();
    let sco = |object: &Object| object.id_text().to_owned();
    vec![
        Tlp::Green.definition(),
        build::identity(&by, now, name, "organization").build(),
        marked(build::infrastructure(&infrastructure, now, name)),
        marked(build::indicator(&id("indicator"), now, &pattern, now)),
        marked(build::malware(&malware, now, name, false).set("malware_types", json!(["bot"]))),
        marked(build::attack_pattern(&id("attack-pattern"), now, name).reference(
            "mitre-attack",
            "T1071",
            Some("https://attack.mitre.org/techniques/T1071"),
        )),
        marked(build::course_of_action(&id("course-of-action"), now, name)),
        marked(
            build::incident(&incident, now, name).modified(at(us - 5_000)).set("labels", json!([])),
        ),
        marked(build::observed_data(&observed, now, (now, at(us - 9)), 0, &[sco(&traffic)])),
        marked(
            build::sighting(&id("sighting"), now, infrastructure.as_str())
                .set("observed_data_refs", json!([observed.as_str()])),
        ),
        marked(build::relationship(
            &id("relationship"),
            now,
            "related-to",
            incident.as_str(),
            malware.as_str(),
        )),
        marked(
            build::note(&id("note"), now, name, &[incident.to_string()])
                .extension(&extension, body),
        ),
        build::extension_definition(
            &extension,
            now,
            &by,
            ("Sereno", "https://example.org", "1.0"),
            &["property-extension"],
        )
        .build(),
        build::statement_marking(&id("marking-definition"), now, name).build(),
        build::domain_name("c2.example").build(),
        device,
        mac,
        peer,
        traffic,
    ]
}

proptest! {
    #[test]
    fn what_is_built_is_valid_and_reads_back(
        name in "\\PC{1,20}",
        seed: u128,
        us in 0_i64..4_102_444_800_000_000,
        remote: IpAddr,
        port: u16,
    ) {
        let id = StixId::derived("bundle", Uuid::from_u128(seed), &name);
        let bundle = Bundle::new(&id, all(&name, seed, us, remote, port));
        let report = validate::bundle(&bundle);
        // ids of our own are derived (version 5), which the standard allows and advises against;
        // what is optional and only recommended is for the caller to set
        let allowed = ["/id", "/description", "/src_port", "/dst_port"];
        let others: Vec<_> =
            report.problems.iter().filter(|p| !allowed.contains(&p.property.as_str())).collect();
        prop_assert!(report.is_valid() && others.is_empty(), "{others:#?}");
        let again = Bundle::read(bundle.to_json().as_bytes(), stix::json::DEFAULT_LIMITS).unwrap();
        prop_assert_eq!(again, bundle);
    }
}
