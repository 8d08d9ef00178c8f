#!/usr/bin/env python3
"""STIX objects beside the validator of OASIS (stix2-validator), which nobody here wrote.

  stix_validator.py compare SERENO [COUNT [SEED]]  asks `SERENO stix batch` and the validator about every object of the
                                                   test data and COUNT mutants of valid objects of every type (0: all),
                                                   and prints every difference that docs/stix-validation.md does not explain
  stix_validator.py speed SERENO                   objects judged per second, theirs and ours, in one run

The schemas come from $SERENO_TEST_DATA/cti/stix-schemas. Prints `skipped: …` and ends well where they or the package are
not there; ends with 1 where a difference is unexplained.
"""
import copy
import gzip
import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from stix_valid_objects import OBJECTS, uuid

DATA = Path(os.environ.get("SERENO_TEST_DATA", "data")) / "cti"
SCHEMAS = DATA / "stix-schemas" / "schemas"

try:
    from stix2validator import validator as theirs_module
    from stix2validator.util import ValidationOptions
except ImportError as missing:
    print(f"skipped: {missing}; install stix2-validator")
    sys.exit(0)
if not SCHEMAS.is_dir():
    print(f"skipped: {SCHEMAS} is absent; set SERENO_TEST_DATA")
    sys.exit(0)

# The package as it is installed from the registry carries no schemas: those of the test data take their place.
_find, _load = theirs_module.find_schema, theirs_module.load_validator
_validators = {}
theirs_module.find_schema = lambda folder, name: _find(str(SCHEMAS), name)


def _cached(path, schema, folder):
    if path not in _validators:
        _validators[path] = _load(path, schema, str(SCHEMAS))
    return _validators[path]


theirs_module.load_validator = _cached
logging.disable(logging.CRITICAL)
# `all`: only its MUST rules.
OPTIONS = ValidationOptions(silent=True, version="2.1", disabled="all")


def too_long(*_):
    raise TimeoutError


def theirs(value):
    """Whether it finds the object valid, and its first words; `None` where it fails itself or takes more than a second:
    some of its expressions take exponential time."""
    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        result = theirs_module.validate_instance(copy.deepcopy(value), OPTIONS)
        return result.is_valid, str(result.errors[0].message)[:200] if result.errors else ""
    except theirs_module.ValidationError as error:
        return False, str(error)[:200]
    except Exception as error:  # it raises many kinds
        return None, f"{type(error).__name__}: {error}"[:200]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Ours:
    def __init__(self, sereno):
        self.process = subprocess.Popen(
            [sereno, "stix", "batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def judge(self, value):
        self.process.stdin.write(json.dumps({"id": 1, "op": "validate", "object": value}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            return False, answer["error"]
        first = answer["errors"][0] if answer["errors"] else {}
        return answer["valid"], f"{first.get('clause', '')} {first.get('property', '')}: {first.get('message', '')}"


# ---------------------------------------------------------------------------------------------------------- mutants

DROP = object()


def places(value, at=()):
    """Every place inside a value, the value itself not counted."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key), inner
        yield from places(inner, (*at, key))


def changed(base, at, new):
    value = copy.deepcopy(base)
    inner = value
    for key in at[:-1]:
        inner = inner[key]
    if new is DROP:
        del inner[at[-1]]
    else:
        inner[at[-1]] = new
    return value


WRONG_TYPES = [7, -1, 1.5, True, "", "text", " ", None, [], [1], ["text"], {}, {"key": "value"}, [[]], [{}], [None]]


def forms(text):
    """Texts near a given one that break its form, or just do not."""
    yield text.upper()
    yield text + " "
    yield text + "\n"
    yield "é" + text
    if re.match(r"^\d{4}-\d\d-\d\dT", text):
        day = "2016-05-12"
        for form in ["2016-05-12T08:17:27Z", "2016-05-12T08:17:27.1Z", "2016-05-12T08:17:27.12Z",
                     "2016-05-12T08:17:27.1234567Z", "2016-05-12T08:17:27.123456789Z", "2016-05-12T08:17:27.000",
                     "2016-05-12T08:17:27.000z", "2016-05-12t08:17:27.000Z", "2016-05-12T08:17:27.000+00:00",
                     "2016-05-12T08:17:27.000+02:00", "2016-05-12 08:17:27.000Z", "2016-05-12T08:17:27,000Z",
                     "2016-05-12T08:17Z", "2016-13-12T08:17:27.000Z", "2016-02-30T08:17:27.000Z",
                     "2015-02-29T08:17:27.000Z", "2016-02-29T08:17:27.000Z", "2016-05-12T24:00:00.000Z",
                     "2016-05-12T08:60:00.000Z", "2016-05-12T08:17:60.000Z", "2016-12-31T23:59:60.000Z",
                     "2016-05-12T08:17:61.000Z", "2016-00-12T08:17:27.000Z", "2016-05-00T08:17:27.000Z",
                     "0000-01-01T00:00:00.000Z", "1600-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z",
                     "12016-05-12T08:17:27.000Z", "2016-5-12T08:17:27.000Z", day, "1463041047"]:
            yield form
    elif re.match(r"^[a-z0-9-]+--[0-9a-f-]{36}$", text):
        kind, number = text.split("--", 1)
        for form in [f"{kind}-{number}", f"{kind}--{number.replace('-', '')}", f"{kind}--{{{number}}}",
                     f"{kind}--{number.upper()}", f"{kind}--{number[:-1]}", f"{kind}--{number}0",
                     f"{kind}--{number[:-1]}g", f"{kind}--", f"--{number}", number, f"{kind}---{number}",
                     f"{kind}--00000000-0000-0000-0000-000000000000", f"{kind}--{number[:14]}1{number[15:]}",
                     f"{kind}--{number[:14]}3{number[15:]}", f"{kind}--{number[:14]}6{number[15:]}",
                     f"{kind}--{number[:19]}0{number[20:]}", f"{kind}--{number[:19]}c{number[20:]}",
                     f"x-my-thing--{number}", f"ab--{number}", f"a--{number}", f"{'a' * 251}--{number}"]:
            yield form
        for other in ["malware", "identity", "indicator", "file", "ipv4-addr", "relationship", "sighting", "bundle",
                      "marking-definition", "language-content", "extension-definition", "observed-data", "location"]:
            yield f"{other}--{number}"
    elif re.match(r"^[0-9a-fA-F]{8,}$", text):
        yield text[:-1]
        yield text + "0"
        yield text[:-1] + "g"
        yield "0x" + text
    for other in ["unknown", "x-my-word", "a" * 251, "198.51.100.3/33", "198.51.100.256", "198.51.100.3/8", "::/129",
                  "2001:db8::1/64", "not a url", "http://", "http://a b/", "//x/y", "mailto:a@b.example", "a@b", "@b.example",
                  "a@", "Name <a@b.example>", "d2-fb-49-24-37-18", "D2:FB:49:24:37:18", "example..com", "-a.example",
                  "münchen.example", "a_b.example", "example.com.", "HKLM\\Software", "en", "en-us", "deu", "e", "english-long-x",
                  "utf-8", "UTF-8", "nonsense-charset", "text/plain", "nonsense", "a/b", "cpe:/a:b:c", "cpe:2.3:a:b:c",
                  "cpe:2.3:a:b:c:1:*:*:*:*:*:*:*", "AQ==", "AQ=", "A*==", "2.0", "2.1"]:
        yield other


def mutants(base):
    """Every mutant of a valid object, with what was done to it."""
    for at, inner in places(base):
        path = "/".join(map(str, at))
        yield f"drop {path}", changed(base, at, DROP)
        for wrong in WRONG_TYPES:
            if wrong != inner or type(wrong) is not type(inner):
                yield f"{path} = {json.dumps(wrong)}", changed(base, at, wrong)
        if isinstance(inner, str):
            for form in forms(inner):
                yield f"{path} = {json.dumps(form)}", changed(base, at, form)
        elif isinstance(inner, bool):
            yield f"{path} = not", changed(base, at, not inner)
        elif isinstance(inner, (int, float)):
            for number in [0, -1, -0.0, 1.0, 0.5, 100, 101, 65535, 65536, 999999999, 1000000000, 2**53 - 1, 2**53, 2**63,
                           -2**53, 1e300, str(inner)]:
                yield f"{path} = {number!r}", changed(base, at, number)
        elif isinstance(inner, list):
            for more, what in [([7], "number"), ([None], "null"), ([[]], "list"), ([{}], "dictionary"), (inner[:1], "twice")]:
                yield f"{path} and a {what}", changed(base, at, inner + more)
            yield f"{path} = one", changed(base, at, inner[0] if inner else "x")
        elif isinstance(inner, dict):
            for key in ["", "a", "ab", "abc", "a b", "A-b_9", "é", "a" * 250, "a" * 251, "a.b", "$", "x_custom"]:
                for new in ["value", 7, True, ["a"], {"a": "b"}, 0.5]:
                    if new == "value" or key in ("abc", "x_custom"):
                        yield f"{path} with {json.dumps(key)}: {new!r}", changed(base, (*at, key), new)
    for name in ["x_custom", "custom", "xx", "x", "_ab", "9ab", "x-dash", "xCamel", "é_name", "a" * 250, "a" * 251,
                 "severity", "action", "username", "phone_number", "phone_numbers", "defanged", "revoked", "labels",
                 "created_by_ref", "object_refs", "name", "value", "custom_ref", "custom_refs", "custom_hex", "custom_bin"]:
        if name not in base:
            for new in ["value", 7, True, "zz", ["value"], {"abc": 1}, [uuid("identity")], uuid("identity"), "ab01", "AQ=="]:
                yield f"with {name[:20]}: {new!r}", {**base, name: new}
    yield from marked(base)
    yield from extended(base)


def marked(base):
    for selector in ["type", "id", "created", "name", "nothing", "", "labels.[0]", "labels.[9]", "labels.0", "labels[0]",
                     "external_references.[0].source_name", "granular_markings", "extensions", "a..b", ".type", "type.",
                     "type.[0]", "Type", "object_marking_refs.[0]", "ab", "é"]:
        for marking in [{"marking_ref": uuid("marking-definition")}, {"lang": "de"}]:
            yield f"marks {selector}", {**base, "granular_markings": [{**marking, "selectors": [selector]}]}
    own = base.get("id")
    for marking in [{}, {"selectors": ["type"]}, {"marking_ref": own, "selectors": ["type"]},
                    {"marking_ref": uuid("marking-definition")}, {"lang": "tlh-nope-x", "selectors": ["type"]},
                    {"lang": "de", "marking_ref": uuid("marking-definition"), "selectors": ["type"]},
                    {"marking_ref": uuid("identity"), "selectors": ["type"]},
                    {"marking_ref": uuid("marking-definition"), "selectors": "type"},
                    {"marking_ref": uuid("marking-definition"), "selectors": ["type"], "more": 1}]:
        yield f"granular {json.dumps(marking)[:60]}", {**base, "granular_markings": [marking]}
    yield "marks itself", {**base, "object_marking_refs": [own]}


def extended(base):
    known = uuid("extension-definition")
    for key in [known, "extension-definition--1", "x-my-ext", "my-ext", "my-thing", "X-ext", "a", "ntfs-ext", "", "é-ext"]:
        for body in [{"extension_type": "property-extension", "abc": 1}, {"extension_type": "toplevel-property-extension"},
                     {"extension_type": "new-sdo"}, {"extension_type": "new-sco"}, {"extension_type": "other"}, {"abc": 1},
                     {}, [], "text", 7, None, {"extension_type": 7}]:
            extensions = {**base.get("extensions", {}), key: body}
            yield f"extension {key}: {json.dumps(body)[:50]}", {**base, "extensions": extensions}


def bundles():
    first, second = OBJECTS["identity"], OBJECTS["indicator"]
    base = {"type": "bundle", "id": uuid("bundle"), "objects": [first, second]}
    yield "bundle", base
    for at in [("type",), ("id",), ("objects",)]:
        yield f"bundle drop {at[0]}", changed(base, at, DROP)
        for wrong in WRONG_TYPES:
            yield f"bundle {at[0]} = {json.dumps(wrong)}", changed(base, at, wrong)
    for form in forms(base["id"]):
        yield f"bundle id = {form}", {**base, "id": form}
    for name in ["spec_version", "x_custom", "created", "a"]:
        for new in ["2.0", "2.1", "2.2", 7, None, ["a"]]:
            yield f"bundle with {name}: {new!r}", {**base, name: new}
    for name, inner in OBJECTS.items():
        yield f"bundle of {name}", {**base, "objects": [inner]}
        yield f"bundle of {name} without type", {**base, "objects": [changed(inner, ("type",), DROP)]}
        yield f"bundle of {name} without id", {**base, "objects": [changed(inner, ("id",), DROP)]}
    for odd in [7, "text", None, [], [first], {}, base]:
        yield f"bundle with an element {json.dumps(odd)[:30]}", {**base, "objects": [first, odd]}
    yield "the same twice", {**base, "objects": [first, first]}
    yield "one version twice", {**base, "objects": [first, {**first, "name": "another"}]}


def everything():
    for name, base in OBJECTS.items():
        yield f"{name}: as it is", base
        for what, value in mutants(base):
            yield f"{name}: {what}", value
    yield from bundles()


# ------------------------------------------------------------------------------------------------------ test data

def data():
    """Objects of the test data that say 2.1: the examples of OASIS, ATT&CK, CAPEC, ATLAS."""
    for file in sorted((DATA / "stix-schemas" / "examples").rglob("*.json")):
        yield f"examples/{file.name}", json.loads(file.read_text())
    for folder in ["attack", "capec", "atlas"]:
        for file in sorted((DATA / folder).glob("*.json.gz")):
            with gzip.open(file) as packed:
                objects = json.load(packed)["objects"]
            objects = [item for item in objects if item.get("spec_version") == "2.1"]
            for item in objects[:: max(1, len(objects) // 60)]:
                yield f"{folder}/{item['id']}", item


# ------------------------------------------------------------------------------------------- explained differences

# Which of the two refuses, what its words and the name of the case match, the row of docs/stix-validation.md.
EXPLAINED = [
    ("theirs", r"'marking_ref' is a required property|granular.*oneOf", r"", "granular marking by language"),
    ("theirs", r"additional_header_fields", r"", "one value in a header"),
    ("theirs", r"object_ref: .* should not be valid under", r"language-content", "translations of translations"),
    ("theirs", r"startup_info", r"", "members of STARTUP_INFO"),
    ("theirs", r"not a valid timestamp: (second must be in 0..59|year 0 is out of range)", r"", "leap seconds, year 0000"),
    ("theirs", r"url: ", r"external_references", "URL of a reference"),
    ("theirs", r"not a valid RFC 5646 language|invalid language code|Invalid key .* RFC 5646|languages\[", r"", "languages"),
    ("theirs", r"custom_(hex|bin): ", r"", "names that end in _hex or _bin"),
    ("theirs", r"TLP marking definitions must match", r"with |extension|marks|granular", "more properties on a label of TLP"),
    ("theirs", r"^(marking-definition\S+: )?extensions: .*extension-definition", r"marking-definition.*-ext", "`-ext` on a marking definition"),
    ("theirs", r"If the external reference is a (CVE|CAPEC)", r"", "CVE and CAPEC on other types"),
    ("theirs", r"mime_type", r"", "media types"),
    ("theirs", r"is not a valid selector|selectors\[\d+\]: .*does not match", r"[Mm]arks|selectors", "case and length of a selector"),
    ("theirs", r"cpe", r"", "version in a CPE"),
    ("ours", r"", r"\\n\"?$|\\n", "a line feed at the end"),
    ("ours", r"§2.9 |refers to a ", r"(_refs?(/\d+)?|/\d+) = ", "references"),
    ("ours", r"refers to a ", r"marks itself|_refs? and a ", "references"),
    ("theirs", r"is not a 'idn-hostname'", r"a_b", "underscores in domain names"),
    ("theirs", r"'definition' must contain a valid statement", r"definition_type", "types of definitions"),
    ("theirs", r"Custom extension keys may only contain", r"aaaa", "names of properties and types"),
    ("ours", r"the id names the type", r"(type|id) = ", "type and id"),
    ("ours", r"must name at least one cyber observable", r"", "what observed data hold"),
    ("ours", r"§7.2.1.4 /definition", r"definition with ", "more properties on a label of TLP"),
    ("ours", r"§9.7 ", r"", "patterns"),
    ("ours", r"§3.1 |is not an object type name", r"", "names of properties and types"),
    ("ours", r"/created: needs three digits", r"marking-definition", "`created` of a marking definition"),
    ("ours", r"§11.1 |§7.3.2|§11.3.1", r"", "names of properties and types"),
    ("ours", r"only cyber observables have `defanged`", r"", "`defanged`"),
    ("ours", r"is reserved for later", r"", "reserved names"),
    ("ours", r"expected \"2.1\"", r"", "spec_version"),
    ("ours", r"§7.2.3", r"", "selectors"),
    ("ours", r"not of the form of a (SSDEEP|TLSH) hash", r"", "fuzzy hashes"),
    ("ours", r"§6[.\d]+", r"extension \S+-ext", "a predefined extension elsewhere"),
    ("ours", r"§6[.\d]+ .*(expected an integer|expected an object)", r"", "types of values inside"),
    ("ours", r"§6[.\d]+ .*(expected|needs)", r"", "forms of values"),
    ("ours", r"§7.3 /extension_properties", r"", "names of properties and types"),
    ("ours", r"an empty (list|dictionary)|null is not a value", r"", "empty and null inside"),
    ("ours", r"hash has \d+|hash names", r"", "hashes"),
    ("ours", r"§2.3 ", r"", "keys of dictionaries"),
    ("ours", r"§3.2 /lang|granular_markings/\d/lang|§7.1 .*language tag|languages", r"", "languages"),
    ("ours", r"§9: not a STIX pattern", r"", "patterns"),
    ("ours", r"§7.3 /created_by_ref", r"", "creator of an extension"),
    ("ours", r"§8", r"", "bundles"),
    ("ours", r"extension_type", r"", "type of an extension"),
]


def reason(what, mine, words):
    """Why the two differ, or `None`."""
    side = "theirs" if mine else "ours"
    for who, said, case, row in EXPLAINED:
        if who == side and re.search(said, words) and re.search(case, what):
            return row
    return None


def compare(sereno, count, seed):
    cases = list(data())
    made = list(everything())
    if count:
        valid = [case for case in made if case[0].endswith("as it is")]
        made = valid + random.Random(seed).sample(made, min(count, len(made)))
    ours, asked, silent, rows, unexplained = Ours(sereno), 0, 0, {}, 0
    for what, value in cases + made:
        asked += 1
        verdict, said = theirs(value)
        if verdict is None:
            silent += 1
            continue
        mine, own = ours.judge(value)
        if mine == verdict:
            continue
        row = reason(what, mine, said if mine else own)
        if row:
            rows[row] = rows.get(row, 0) + 1
            continue
        unexplained += 1
        print(json.dumps({"case": what, "theirs": verdict, "they say": said, "ours": mine, "we say": own}))
    for row, times in sorted(rows.items(), key=lambda item: -item[1]):
        print(f"explained: {times} {row}", file=sys.stderr)
    print(f"{asked} objects, {silent} without an answer of theirs, {sum(rows.values())} explained differences, "
          f"{unexplained} unexplained", file=sys.stderr)
    return unexplained


def speed(sereno):
    ours, values = Ours(sereno), list(OBJECTS.values()) * 3

    def rate(judge):
        start = time.perf_counter()
        for value in values:
            judge(value)
        return len(values) / (time.perf_counter() - start)

    rate(theirs)
    a, b = rate(theirs), rate(ours.judge)
    print(f"theirs {a:.0f}/s, ours through a pipe, line by line {b:.0f}/s, ratio {b / a:.0f}")


if __name__ == "__main__":
    if len(sys.argv) in (3, 4, 5) and sys.argv[1] == "compare":
        number = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
        sys.exit(1 if compare(sys.argv[2], number, int(sys.argv[4]) if len(sys.argv) > 4 else 1) else 0)
    elif len(sys.argv) == 3 and sys.argv[1] == "speed":
        speed(sys.argv[2])
    else:
        print(__doc__)
        sys.exit(2)
