"""One valid STIX 2.1 object of every type with as many of its properties as fit, every predefined extension among them:
what mutants are made of."""

TIME = "2016-05-12T08:17:27.000Z"
LATER = "2016-05-13T08:17:27.123456Z"
NUMBER = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
MD5 = "66e2ea40dc71d5ba701574ea215a81f1"
SHA1 = "aec070645fe53ee3b3763059376134f058cc3372"
SHA256 = "35a01331e9ad96f751278b891b6ea09699806faedfa237d40513d92ad1b7100f"
SHA512 = SHA256 * 2


def uuid(kind):
    return f"{kind}--{NUMBER}"


def domain(kind, **own):
    return {
        "type": kind, "spec_version": "2.1", "id": uuid(kind), "created": TIME, "modified": LATER,
        "created_by_ref": uuid("identity"), "revoked": False, "labels": ["one", "two"], "confidence": 50, "lang": "en",
        "external_references": [{
            "source_name": "somebody", "description": "text", "url": "https://example.com/a", "external_id": "17",
            "hashes": {"SHA-256": SHA256}}],
        "object_marking_refs": [uuid("marking-definition")],
        "granular_markings": [{"marking_ref": uuid("marking-definition"), "selectors": ["labels.[1]", "created"]}],
        **own,
    }


def small(kind, **own):
    return {"type": kind, "spec_version": "2.1", "id": uuid(kind), "created": TIME, "modified": TIME, **own}


def observable(kind, **own):
    return {"type": kind, "spec_version": "2.1", "id": uuid(kind), **own}


PHASES = [{"kill_chain_name": "a-chain", "phase_name": "a-phase"}]
SEEN = {"first_seen": TIME, "last_seen": LATER}
HASHES = {"MD5": MD5, "SHA-1": SHA1, "SHA-256": SHA256, "SHA-512": SHA512, "SHA3-256": SHA256, "SHA3-512": SHA512,
          "SSDEEP": "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXLcMSx:sF1LjEtHHlZDrJzrhuyZvHYm8tKp/RWO",
          "TLSH": "6FF02BEF718027B0160B4391212923ED7F1A463D563B1549B86CF62973B197AD2731F8"}

PE = {
    "pe_type": "exe", "imphash": MD5, "machine_hex": "014c", "number_of_sections": 4, "time_date_stamp": "2016-01-22T12:31:12Z",
    "pointer_to_symbol_table_hex": "74726144", "number_of_symbols": 47, "size_of_optional_header": 2,
    "characteristics_hex": "818f", "file_header_hashes": {"MD5": MD5},
    "optional_header": {
        "magic_hex": "010b", "major_linker_version": 2, "minor_linker_version": 25, "size_of_code": 512,
        "size_of_initialized_data": 2, "size_of_uninitialized_data": 0, "address_of_entry_point": 4096, "base_of_code": 1,
        "base_of_data": 2, "image_base": 14548992, "section_alignment": 4096, "file_alignment": 4096, "major_os_version": 1,
        "minor_os_version": 0, "major_image_version": 0, "minor_image_version": 0, "major_subsystem_version": 4,
        "minor_subsystem_version": 0, "win32_version_value_hex": "00", "size_of_image": 36864, "size_of_headers": 4096,
        "checksum_hex": "0000", "subsystem_hex": "03", "dll_characteristics_hex": "00", "size_of_stack_reserve": 1,
        "size_of_stack_commit": 1, "size_of_heap_reserve": 1, "size_of_heap_commit": 1, "loader_flags_hex": "abdb",
        "number_of_rva_and_sizes": 3, "hashes": {"MD5": MD5}},
    "sections": [{"name": ".text", "size": 10, "entropy": 0.061089, "hashes": {"MD5": MD5}}],
}

OBJECTS = {
    "attack-pattern": domain("attack-pattern", name="n", description="d", aliases=["a"], kill_chain_phases=PHASES),
    "attack-pattern of capec": small("attack-pattern", name="n", external_references=[
        {"source_name": "capec", "external_id": "CAPEC-163"}]),
    "campaign": domain("campaign", name="n", description="d", aliases=["a"], objective="o", **SEEN),
    "course-of-action": domain("course-of-action", name="n", description="d"),
    "grouping": domain("grouping", name="n", description="d", context="malware-analysis", object_refs=[uuid("file")]),
    "identity": domain("identity", name="n", description="d", roles=["r"], identity_class="individual",
                       sectors=["energy"], contact_information="c"),
    "incident": domain("incident", name="n", description="d"),
    "indicator": domain("indicator", name="n", description="d", indicator_types=["benign"], pattern_type="stix",
                        pattern="[ipv4-addr:value = '198.51.100.3']", pattern_version="2.1", valid_from=TIME,
                        valid_until=LATER, kill_chain_phases=PHASES),
    "indicator of snort": small("indicator", pattern_type="snort", pattern="alert tcp any any", valid_from=TIME),
    "infrastructure": domain("infrastructure", name="n", description="d", infrastructure_types=["botnet"], aliases=["a"],
                             kill_chain_phases=PHASES, **SEEN),
    "intrusion-set": domain("intrusion-set", name="n", description="d", aliases=["a"], goals=["g"],
                            resource_level="club", primary_motivation="revenge", secondary_motivations=["dominance"], **SEEN),
    "location": domain("location", name="n", description="d", latitude=48.8566, longitude=2.3522, precision=10.0,
                       region="western-europe", country="FR", administrative_area="FR-75", city="c", street_address="s",
                       postal_code="75001"),
    "location of a region": small("location", region="africa"),
    "malware": domain("malware", name="n", description="d", malware_types=["worm"], is_family=True, aliases=["a"],
                      kill_chain_phases=PHASES, operating_system_refs=[uuid("software")],
                      architecture_execution_envs=["x86"], implementation_languages=["c"], capabilities=["emails-spam"],
                      sample_refs=[uuid("file")], **SEEN),
    "malware instance": small("malware", is_family=False),
    "malware-analysis": domain("malware-analysis", product="p", version="1", host_vm_ref=uuid("software"),
                               operating_system_ref=uuid("software"), installed_software_refs=[uuid("software")],
                               configuration_version="1", modules=["m"], analysis_engine_version="1",
                               analysis_definition_version="1", submitted=TIME, analysis_started=TIME, analysis_ended=LATER,
                               result_name="r", result="benign", analysis_sco_refs=[uuid("file")], sample_ref=uuid("file")),
    "malware-analysis by result": small("malware-analysis", product="p", result="unknown"),
    "note": domain("note", abstract="a", content="c", authors=["a"], object_refs=[uuid("campaign")]),
    "observed-data": domain("observed-data", first_observed=TIME, last_observed=LATER, number_observed=5,
                            object_refs=[uuid("file"), uuid("relationship")]),
    "observed-data with a container": small(
        "observed-data", first_observed=TIME, last_observed=TIME, number_observed=1,
        objects={"0": {"type": "ipv4-addr", "value": "198.51.100.3"},
                 "1": {"type": "network-traffic", "dst_ref": "0", "protocols": ["ipv4", "tcp"]}}),
    "opinion": domain("opinion", explanation="e", authors=["a"], opinion="agree", object_refs=[uuid("note")]),
    "report": domain("report", name="n", description="d", report_types=["campaign"], published=TIME,
                     object_refs=[uuid("indicator")]),
    "threat-actor": domain("threat-actor", name="n", description="d", threat_actor_types=["spy"], aliases=["a"],
                           roles=["agent"], goals=["g"], sophistication="expert", resource_level="team",
                           primary_motivation="revenge", secondary_motivations=["dominance"],
                           personal_motivations=["ideology"], **SEEN),
    "tool": domain("tool", name="n", description="d", tool_types=["remote-access"], aliases=["a"], kill_chain_phases=PHASES,
                   tool_version="1"),
    "vulnerability": domain("vulnerability", name="n", description="d"),
    "vulnerability of cve": small("vulnerability", name="n", external_references=[
        {"source_name": "cve", "external_id": "CVE-2016-1234"}]),
    "relationship": domain("relationship", relationship_type="uses", description="d", source_ref=uuid("campaign"),
                           target_ref=uuid("tool"), start_time=TIME, stop_time=LATER),
    "sighting": domain("sighting", description="d", count=3, sighting_of_ref=uuid("indicator"),
                       observed_data_refs=[uuid("observed-data")], where_sighted_refs=[uuid("identity")], summary=False, **SEEN),
    "language-content": domain("language-content", object_ref=uuid("campaign"), object_modified=TIME,
                               contents={"de": {"name": "Bank", "aliases": ["eins"]}, "fr": {"name": "Banque"}}),
    "extension-definition": domain("extension-definition", name="n", description="d", schema="https://example.com/s",
                                   version="1.2.1", extension_types=["property-extension"]),
    "extension-definition at top": small(
        "extension-definition", name="n", schema="s", version="1", created_by_ref=uuid("identity"),
        extension_types=["toplevel-property-extension"], extension_properties=["toxicity"]),
    "marking-definition": {
        "type": "marking-definition", "spec_version": "2.1", "id": uuid("marking-definition"), "created": TIME,
        "created_by_ref": uuid("identity"), "name": "n", "definition_type": "statement", "definition": {"statement": "s"},
        "external_references": [{"source_name": "s", "url": "https://example.com"}],
        "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]},
    "marking-definition of tlp": {
        "type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        "created": "2017-01-20T00:00:00.000Z", "name": "TLP:GREEN", "definition_type": "tlp", "definition": {"tlp": "green"}},
    "marking-definition by extension": {
        "type": "marking-definition", "spec_version": "2.1", "id": uuid("marking-definition"), "created": TIME,
        "extensions": {uuid("extension-definition"): {"extension_type": "property-extension", "word": "w"}}},
    "artifact": observable("artifact", mime_type="image/jpeg", payload_bin="VBORw0KGgo=", hashes=HASHES,
                           encryption_algorithm="mime-type-indicated", decryption_key="infected", defanged=False,
                           object_marking_refs=[uuid("marking-definition")],
                           granular_markings=[{"marking_ref": uuid("marking-definition"), "selectors": ["mime_type"]}]),
    "artifact by url": observable("artifact", url="https://example.com/a", hashes={"MD5": MD5}),
    "autonomous-system": observable("autonomous-system", number=15139, name="n", rir="ARIN"),
    "directory": observable("directory", path="C:\\Windows", path_enc="windows-1252", ctime=TIME, mtime=TIME, atime=TIME,
                            contains_refs=[uuid("file")]),
    "domain-name": observable("domain-name", value="example.com", resolves_to_refs=[uuid("ipv4-addr")]),
    "email-addr": observable("email-addr", value="john@example.com", display_name="John", belongs_to_ref=uuid("user-account")),
    "email-message": observable(
        "email-message", is_multipart=True, date=TIME, content_type="multipart/mixed", from_ref=uuid("email-addr"),
        sender_ref=uuid("email-addr"), to_refs=[uuid("email-addr")], cc_refs=[uuid("email-addr")],
        bcc_refs=[uuid("email-addr")], message_id="m", subject="s", received_lines=["from a"],
        additional_header_fields={"Reply-To": ["a@example.com"]}, raw_email_ref=uuid("artifact"),
        body_multipart=[{"content_type": "text/plain", "content_disposition": "inline", "body": "b"},
                        {"content_type": "image/png", "body_raw_ref": uuid("artifact")}]),
    "email-message of one part": observable("email-message", is_multipart=False, body="b"),
    "file": observable("file", hashes=HASHES, size=25536, name="foo.dll", name_enc="windows-1252", magic_number_hex="a1b2",
                       mime_type="application/msword", ctime=TIME, mtime=TIME, atime=TIME,
                       parent_directory_ref=uuid("directory"), contains_refs=[uuid("file")], content_ref=uuid("artifact")),
    "file with extensions": observable("file", name="foo", extensions={
        "archive-ext": {"contains_refs": [uuid("file")], "comment": "c"},
        "ntfs-ext": {"sid": "1", "alternate_data_streams": [{"name": "s", "size": 25536, "hashes": {"MD5": MD5}}]},
        "pdf-ext": {"version": "1.7", "is_optimized": False, "document_info_dict": {"Title": "t"}, "pdfid0": "a", "pdfid1": "b"},
        "raster-image-ext": {"image_height": 1, "image_width": 2, "bits_per_pixel": 3,
                             "exif_tags": {"Make": "Nikon", "XResolution": 4928}}}),
    "file that runs": observable("file", name="foo", extensions={"windows-pebinary-ext": PE}),
    "ipv4-addr": observable("ipv4-addr", value="198.51.100.3", resolves_to_refs=[uuid("mac-addr")],
                            belongs_to_refs=[uuid("autonomous-system")]),
    "ipv6-addr": observable("ipv6-addr", value="2001:db8::1", resolves_to_refs=[uuid("mac-addr")],
                            belongs_to_refs=[uuid("autonomous-system")]),
    "mac-addr": observable("mac-addr", value="d2:fb:49:24:37:18"),
    "mutex": observable("mutex", name="__CLEANSWEEP__"),
    "network-traffic": observable(
        "network-traffic", start=TIME, end=LATER, is_active=False, src_ref=uuid("ipv4-addr"), dst_ref=uuid("domain-name"),
        src_port=24678, dst_port=80, protocols=["ipv4", "tcp"], src_byte_count=1, dst_byte_count=2, src_packets=3,
        dst_packets=4, ipfix={"minimumIpTotalLength": 32, "applicationName": "a"}, src_payload_ref=uuid("artifact"),
        dst_payload_ref=uuid("artifact"), encapsulates_refs=[uuid("network-traffic")],
        encapsulated_by_ref=uuid("network-traffic")),
    "network-traffic with extensions": observable(
        "network-traffic", dst_ref=uuid("ipv4-addr"), protocols=["tcp"], extensions={
            "http-request-ext": {"request_method": "get", "request_value": "/", "request_version": "http/1.1",
                                 "request_header": {"Accept": ["utf-8"]}, "message_body_length": 7,
                                 "message_body_data_ref": uuid("artifact")},
            "icmp-ext": {"icmp_type_hex": "08", "icmp_code_hex": "00"},
            "socket-ext": {"address_family": "AF_INET", "is_blocking": True, "is_listening": True,
                           "options": {"SO_KEEPALIVE": 1}, "socket_type": "SOCK_STREAM", "socket_descriptor": 2,
                           "socket_handle": 3},
            "tcp-ext": {"src_flags_hex": "00", "dst_flags_hex": "01"}}),
    "process": observable("process", is_hidden=False, pid=314, created_time=TIME, cwd="/", command_line="c",
                          environment_variables={"PATH": "/bin"}, opened_connection_refs=[uuid("network-traffic")],
                          creator_user_ref=uuid("user-account"), image_ref=uuid("file"), parent_ref=uuid("process"),
                          child_refs=[uuid("process")]),
    "process with extensions": observable("process", pid=1, extensions={
        "windows-process-ext": {"aslr_enabled": True, "dep_enabled": True, "priority": "HIGH_PRIORITY_CLASS",
                                "owner_sid": "S-1", "window_title": "t", "startup_info": {"lpDesktop": "d"},
                                "integrity_level": "low"},
        "windows-service-ext": {"service_name": "s", "descriptions": ["d"], "display_name": "d", "group_name": "g",
                                "start_type": "SERVICE_AUTO_START", "service_dll_refs": [uuid("file")],
                                "service_type": "SERVICE_WIN32_OWN_PROCESS", "service_status": "SERVICE_RUNNING"}}),
    "software": observable("software", name="Word", cpe="cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*", swid="s",
                           languages=["en"], vendor="v", version="1"),
    "url": observable("url", value="https://example.com/research/index.html"),
    "user-account": observable(
        "user-account", user_id="1001", credential="c", account_login="l", account_type="unix", display_name="d",
        is_service_account=False, is_privileged=False, can_escalate_privs=True, is_disabled=False, account_created=TIME,
        account_expires=TIME, credential_last_changed=TIME, account_first_login=TIME, account_last_login=TIME,
        extensions={"unix-account-ext": {"gid": 1001, "groups": ["wheel"], "home_dir": "/srv/lee", "shell": "/bin/bash"}}),
    "windows-registry-key": observable(
        "windows-registry-key", key="hkey_local_machine\\system", modified_time=TIME, creator_user_ref=uuid("user-account"),
        number_of_subkeys=2, values=[{"name": "Foo", "data": "qwerty", "data_type": "REG_SZ"}]),
    "x509-certificate": observable(
        "x509-certificate", is_self_signed=True, hashes={"MD5": MD5}, version="3", serial_number="36:f7",
        signature_algorithm="sha256WithRSAEncryption", issuer="C=ZA", validity_not_before=TIME, validity_not_after=LATER,
        subject="C=US", subject_public_key_algorithm="rsaEncryption", subject_public_key_modulus="00:b4",
        subject_public_key_exponent=65537, x509_v3_extensions={
            "basic_constraints": "c", "name_constraints": "c", "policy_constraints": "c", "key_usage": "c",
            "extended_key_usage": "c", "subject_key_identifier": "c", "authority_key_identifier": "c",
            "subject_alternative_name": "c", "issuer_alternative_name": "c", "subject_directory_attributes": "c",
            "crl_distribution_points": "c", "inhibit_any_policy": "1", "private_key_usage_period_not_before": TIME,
            "private_key_usage_period_not_after": LATER, "certificate_policies": "c", "policy_mappings": "c"}),
    "x-own-thing": small("x-own-thing", name="n", own_ref=uuid("identity"), extensions={
        uuid("extension-definition"): {"extension_type": "new-sdo"}}),
    "x-own-observable": {"type": "x-own-observable", "id": uuid("x-own-observable"), "value": "v", "extensions": {
        uuid("extension-definition"): {"extension_type": "new-sco"}}},
    "x-undeclared": small("x-undeclared", name="n"),
}
