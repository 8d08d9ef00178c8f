"""PyMISP, which nobody here wrote, adds, changes, searches and deletes; a read-only key sees no more than its label."""
import json
import logging
import sys

from pymisp import MISPEvent, MISPEventReport, MISPGalaxyCluster, MISPObject, MISPSharingGroup, MISPSighting, MISPTag, PyMISP

logging.disable(logging.CRITICAL)
url, key, readonly_key = sys.argv[1:4]
misp = PyMISP(url, key)
reader = PyMISP(url, readonly_key)


def same(found, wanted, what):
    assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"


# events
event = MISPEvent()
event.info, event.distribution, event.threat_level_id, event.analysis = "Test event", 1, 2, 0
event.add_attribute("ip-dst", "198.51.100.7", comment="controller", to_ids=True)
event.attributes[0].add_tag("phase:c2")
event.add_tag("tlp:green")
file = MISPObject("file")
file.add_attribute("filename", "a.exe")
file.add_attribute("sha256", "a" * 64)
event.add_object(file)
made = misp.add_event(event, pythonify=True)
assert isinstance(made, MISPEvent), made
same((made.uuid, len(made.attributes), len(made.objects)), (event.uuid, 1, 1), "event")
same([tag.name for tag in made.attributes[0].tags], ["phase:c2"], "attribute tags")
assert "errors" in misp.add_event(event), "the same UUID twice"
assert "errors" in misp.add_event({"info": ""}), "an event about nothing"

# attributes
domain = misp.add_attribute(made, {"type": "domain", "value": "Evil[.]Example"}, pythonify=True)
same((domain.value, domain.category), ("evil.example", "Network activity"), "attribute")
refused = misp.add_attribute(made, {"type": "md5", "value": "zz"})
assert "value" in refused["errors"][1]["errors"], refused
assert "errors" in misp.add_attribute(made, {"type": "domain", "value": "evil.example"}), "a twin"
many = misp.add_attribute(made, [{"type": "ip-src", "value": f"203.0.113.{n}"} for n in range(3)] + [{"type": "no-type", "value": "x"}], pythonify=True)
same((len(many["attributes"]), list(many["errors"])), (3, ["attribute_3"]), "several attributes")
domain.comment = "changed"
same(misp.update_attribute(domain, pythonify=True).comment, "changed", "changed attribute")
same(misp.get_attribute(domain, pythonify=True).uuid, domain.uuid, "attribute by id")

# objects and references
pair = MISPObject("domain-ip")
pair.add_attribute("domain", "x.example")
pair.add_attribute("ip", "198.51.100.9")
pair = misp.add_object(made, pair, pythonify=True)
same(len(pair.attributes), 2, "object")
pair.comment = "seen together"
same(misp.update_object(pair, pythonify=True).comment, "seen together", "changed object")
reference = misp.add_object_reference(pair.add_reference(made.objects[0].uuid, "related-to"))
same(reference["ObjectReference"]["referenced_uuid"], made.objects[0].uuid, "reference")

# tags
assert misp.tag(made, "custom:one")["saved"]
assert misp.tag(domain, "custom:two")["saved"]
assert misp.untag(domain, "custom:two")["success"]
assert "errors" in misp.untag(domain, "custom:two"), "a tag that is not on it"
same([tag.name for tag in misp.search_tags("custom", pythonify=True)], ["custom:one", "custom:two"], "tags")
tag = MISPTag()
tag.name, tag.colour = "own:tag", "#ff0000"
same(misp.add_tag(tag, pythonify=True).colour, "#ff0000", "tag")

# sightings
sighting = MISPSighting()
sighting.from_dict(value="198.51.100.7", type="0", source="probe")
misp.add_sighting(sighting, pythonify=True)
wrong = MISPSighting()
wrong.from_dict(type="1")
misp.add_sighting(wrong, domain)
same((len(misp.sightings(made)), len(misp.sightings(misp.get_attribute(domain, pythonify=True)))), (2, 1), "sightings")
same(len(misp.search_sightings(context="event", context_id=made.id)), 2, "sightings searched")

# the whole, and a change of it
whole = misp.get_event(made, pythonify=True)
same((len(whole.attributes), len(whole.objects), len(whole.attributes[0].sightings)), (5, 2, 1), "whole event")
whole.info = "Changed"
whole.add_attribute("url", "http://x.example/")
changed = misp.update_event(whole, pythonify=True)
same((changed.info, len(changed.attributes)), ("Changed", 6), "changed event")

# search
for wanted, question in [
    (1, {"value": "198.51.100.7"}), (1, {"value": "198.51.100.%"}), (0, {"value": "198.51.100.8"}),
    (1, {"type_attribute": "domain"}), (1, {"tags": ["tlp:green"]}), (1, {"tags": "custom:%"}), (0, {"tags": "!tlp:green"}),
    (1, {"eventinfo": "Chan%"}), (1, {"searchall": "evil"}), (1, {"uuid": made.uuid}), (1, {"uuid": domain.uuid}),
    (1, {"eventid": made.id}), (0, {"eventid": 999}), (1, {"to_ids": 1}), (1, {"published": False}), (0, {"published": True}),
    (1, {"org": made.orgc.name}), (0, {"org": "nobody"}), (1, {"timestamp": "1d"}), (1, {"date_from": "2020-01-01"}),
    (0, {"date_to": "2020-01-01"}), (1, {"category": "Network activity"}),
    (0, {"value": "x' OR '1'='1"}),
]:
    same(len(misp.search(pythonify=True, **question)), wanted, f"events by {question}")
found = misp.search(controller="attributes", value=["198.51.100.7", "evil.example"], pythonify=True)
same((len(found), found[0].Event.info), (2, "Changed"), "attributes")
same(len(misp.search(controller="attributes", type_attribute={"NOT": ["domain"]}, pythonify=True)), 8, "other attributes")
same(len(misp.search(controller="attributes", limit=2, page=2, pythonify=True)), 2, "second page")
same(len(misp.search(controller="objects", object_name="file", pythonify=True)), 1, "objects")
lines = misp.search(controller="attributes", type_attribute="domain", return_format="csv").splitlines()
same(len(lines), 3, "CSV")
same([entry["uuid"] for entry in misp.search_index(minimal=True)], [made.uuid], "index")
misp.publish(made)
assert misp.get_event(made)["Event"]["published"]

# proposals
proposal = misp.update_attribute_proposal(domain.id, {"to_ids": False, "comment": "proposed"}, pythonify=True)
same((proposal.uuid, proposal.to_ids), (domain.uuid, False), "proposal")
fresh = misp.add_attribute_proposal(made.id, {"type": "domain", "value": "proposed.example", "category": "Network activity"}, pythonify=True)
same([p.value for p in misp.attribute_proposals(made, pythonify=True)], ["evil.example", "proposed.example"], "proposals")
same(len(misp.get_event(made, pythonify=True).shadow_attributes), 1, "a new one stands at the event")
same(misp.accept_attribute_proposal(proposal)["message"], "Proposed change accepted.", "accepted")
same(misp.get_attribute(domain, pythonify=True).comment, "proposed", "what was proposed holds")
same(misp.discard_attribute_proposal(fresh)["message"], "Proposal discarded.", "discarded")
same(misp.search(controller="attributes", value="proposed.example", pythonify=True), [], "and is no attribute")

# reports
report = MISPEventReport()
report.name, report.content, report.distribution = "What happened", "# Text", 5
report = misp.add_event_report(made.id, report, pythonify=True)
report.content = "# Other"
same(misp.update_event_report(report, pythonify=True).content, "# Other", "changed report")
same([r.uuid for r in misp.get_event(made, pythonify=True).event_reports], [report.uuid], "the event's reports")
same([r.id for r in misp.get_event_reports(made.id, pythonify=True)], [report.id], "reports by event")

# galaxies
told = misp.direct_call("galaxies/import", data={"type": "rat", "name": "RAT", "uuid": "f8d6a1c4-0000-4000-8000-000000000001", "values": [
    {"value": "PlugX", "uuid": "f8d6a1c4-0000-4000-8000-000000000002", "description": "a tool", "meta": {"synonyms": ["Korplug"]}}]})
same(told["message"], "1 galaxies and 1 clusters loaded.", "galaxy file")
galaxy = misp.get_galaxy(misp.galaxies(pythonify=True)[0].id, withCluster=True, pythonify=True)
same(galaxy.clusters[0].elements_meta or galaxy.clusters[0].meta, {"synonyms": ["Korplug"]}, "cluster")
assert misp.attach_galaxy_cluster(misp.get_event(made, pythonify=True), galaxy.clusters[0])["saved"]
same(misp.get_event(made, pythonify=True).galaxies[0].clusters[0].value, "PlugX", "attached cluster")
own = MISPGalaxyCluster()
own.value, own.description, own.distribution, own.authors = "Ours", "of this organisation", 0, ["us"]
own = misp.add_galaxy_cluster(galaxy.id, own, pythonify=True)
own.add_cluster_element("synonyms", "Theirs")
own = misp.update_galaxy_cluster(own, pythonify=True)
own.add_cluster_relation(galaxy.clusters[0], "similar")
same(len(misp.update_galaxy_cluster(own, pythonify=True).cluster_relations), 1, "relation of clusters")
same(reader.get_galaxy_cluster(own.uuid)["errors"][0], 404, "a cluster of the organisation only")
same(misp.search_galaxy_clusters(galaxy, context="custom", pythonify=True)[0].value, "Ours", "own clusters")

# what ships, and what is switched on
assert misp.get_object_template("file", pythonify=True).name == "file"
assert "attributes" in misp.get_raw_object_template("domain-ip")
taxonomy = misp.get_taxonomy("tlp", pythonify=True)
same(misp.enable_taxonomy(taxonomy)["message"], "Taxonomy enabled", "taxonomy")
assert misp.toggle_warninglist(warninglist_name="%dns resolv%", force_enable=True)["saved"]
assert "8.8.8.8" in misp.values_in_warninglist(["8.8.8.8"])
found = misp.freetext(made, "8.8.8.8 and 203.0.113.77", adhereToWarninglists=True, pythonify=True)
same([a.value for a in found], ["8.8.8.8", "203.0.113.77"], "values in a text")
same(misp.search(controller="attributes", value="8.8.8.8", pythonify=True), [], "well-known ones are not stored")

# correlation, within sight
related = MISPEvent()
related.info, related.distribution = "Related", 0
related.add_attribute("ip-dst", "198.51.100.7")
related = misp.add_event(related, pythonify=True)
same([e["Event"].uuid for e in misp.get_event(made, pythonify=True).RelatedEvent], [related.uuid], "related events")
same(reader.get_event(made, pythonify=True).RelatedEvent, [], "none that the reader does not see")
misp.delete_event(related)

# forms
rows = misp.search(controller="attributes", eventid=made.id, return_format="csv", include_context=True, requested_attributes=["value", "event_info"], pythonify=True)
assert {"value": "198.51.100.7", "event_info": "Changed"} in rows, rows
bundle = misp.search(eventid=made.id, return_format="stix2")
assert bundle["type"] == "bundle" and any(o["type"] == "indicator" for o in bundle["objects"]), bundle
misp.publish(made)
assert "alert ip $HOME_NET any -> 198.51.100.7 any" in misp.search(eventid=made.id, return_format="suricata")
copied = misp.upload_stix(data=json.dumps({**bundle, "id": "bundle--11111111-1111-4111-8111-111111111111", "objects": [
    {"type": "indicator", "spec_version": "2.1", "id": "indicator--11111111-1111-4111-8111-111111111112", "created": "2026-01-01T00:00:00.000Z",
     "modified": "2026-01-01T00:00:00.000Z", "pattern": "[url:value = 'http://up.example/']", "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}]})).json()
same(copied["Event"]["Attribute"][0]["value"], "http://up.example/", "uploaded STIX")
misp.delete_event(copied["Event"]["uuid"])

# sharing groups
group = MISPSharingGroup()
group.name, group.releasability = "Trusted", "members"
misp.add_sharing_group(group)
kept = misp.sharing_groups(pythonify=True)[0]
same(kept.name, "Trusted", "sharing groups")
assert misp.add_org_to_sharing_group(kept, made.orgc.uuid, extend=True)["saved"]
same(len(misp.get_sharing_group(kept, pythonify=True).sgorgs), 1, "members")
assert misp.remove_org_from_sharing_group(kept, made.orgc.uuid)["saved"]
same(reader.sharing_groups(), [], "sharing groups tell their members to nobody else")

# who may see and do what
same(len(reader.search(pythonify=True)), 1, "a reader sees what is green")
same(reader.add_event(event)["errors"][0], 403, "a reader writes nothing")
same(reader.tag(made, "tlp:clear")["errors"][0], 403, "a reader unmarks nothing")
misp.tag(made, "tlp:red")
same(reader.search(pythonify=True), [], "a reader does not see what is red")
same(reader.search(controller="attributes", value="198.51.100.7", pythonify=True), [], "nor its attributes")
same(reader.get_event(made.uuid)["errors"][0], reader.get_event("999")["errors"][0], "it does not exist for it")
same(reader.sightings(), [], "nor its sightings")

# deletion
misp.delete_attribute(domain)
same(misp.search(controller="attributes", value="evil.example", pythonify=True), [], "deleted attribute")
misp.delete_object(pair)
misp.delete_event(made)
same(misp.get_event(made)["errors"][0], 404, "deleted event")
same(misp.search(controller="attributes", pythonify=True), [], "nothing is left")
print("done")
