#!/usr/bin/env python3
"""STIX patterns beside the implementations of OASIS (stix2-patterns, stix2-matcher), which nobody here wrote.

  stix_patterns.py pairs COUNT SEED          pairs of pattern and observed data with the matcher's answer, as JSON, as
                                             many that match as that do not; what it refuses is left out
  stix_patterns.py compare SERENO COUNT SEED asks `SERENO stix batch` the same and prints every difference
  stix_patterns.py mutants SERENO COUNT SEED asks both whether mutants of patterns are patterns, and prints every difference
                                             that the text decides otherwise than the validator
  stix_patterns.py speed SERENO              patterns read and evaluated per second, theirs and ours, in one run

Prints `skipped: …` and ends well where the two packages are not installed.
"""
import json
import random
import re
import signal
import subprocess
import sys
import time

try:
    from stix2matcher.matcher import MatchListener, Pattern
    from stix2patterns.validator import run_validator
except ImportError as missing:
    print(f"skipped: {missing}; install stix2-patterns and stix2-matcher")
    sys.exit(0)

TYPES = ["person", "x-thing"]
WORDS = ["alice", "bob", "carol", "", "a%b", "é", "e\u0301", "it's", "back\\slash"]
TIMES = ["2026-01-01T00:00:05Z", "2026-01-01T00:00:10.5Z", "2026-01-01T00:00:20Z"]
ADDRESSES = ["10.0.0.1", "10.0.0.0/8", "10.1.0.0/16", "192.168.7.9"]
CODED = ["616c", "00ff", "6263"]


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Maker:
    """Patterns and data over a small vocabulary, so that they meet often."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def value(self, depth=0):
        r = self.r
        kinds = ["int", "float", "word", "bool", "time", "list", "dict"]
        kind = r.choice(kinds[:5] if depth > 1 else kinds)
        if kind == "list":
            return [self.value(depth + 1) for _ in range(r.randrange(3))]
        if kind == "dict":
            return {"k": self.value(depth + 1), "k-2": self.value(depth + 1)}
        return {
            "int": r.randrange(-1, 4), "float": r.randrange(0, 8) / 2, "word": r.choice(WORDS),
            "bool": r.random() < 0.5, "time": r.choice(TIMES),
        }[kind]

    def observed(self):
        r = self.r
        objects = []
        count = r.randrange(1, 5)
        ids = []
        for n in range(count + 1):
            kind = r.choice(TYPES)
            own = f"o{n}"
            ids.append(own)
            thing = {"type": kind, "id": own, "a": self.value(), "n": r.randrange(5), "w": r.choice(WORDS)}
            if r.random() < 0.6:
                thing["t"] = r.choice(TIMES)
            if r.random() < 0.5:
                thing["ip"] = r.choice(ADDRESSES)
            if r.random() < 0.5:
                thing["c_hex"] = r.choice(CODED)
            if r.random() < 0.5:
                thing["o_ref"] = r.choice(ids)
            if r.random() < 0.5:
                thing["o_refs"] = [r.choice(ids) for _ in range(r.randrange(3))]
            objects.append(thing)
        for n in range(count):
            first = r.randrange(0, 30)
            last = first + r.choice([0, 0, 1, 5, 20])
            listed = sorted({r.choice(ids) for _ in range(r.randrange(1, 4))})
            objects.append({
                "type": "observed-data", "id": f"d{n}",
                "number_observed": r.choice([1, 1, 1, 2, 3]), "object_refs": listed,
                "first_observed": f"2026-01-01T00:00:{first:02}Z", "last_observed": f"2026-01-01T00:00:{last:02}Z",
            })
        return [{"type": "bundle", "id": "b", "objects": objects}]

    def path(self):
        r = self.r
        tail = r.choice(["a", "a", "n", "n", "w", "w", "t", "ip", "c_hex", "a[*]", "a[0]", "a.k", "a.'k-2'"])
        head = r.choice(["", "", "", "", "o_ref.", "o_refs[*].", "o_refs[0].", "o_ref.o_ref."])
        return f"{r.choice(TYPES)}:{head}{tail}"

    def constant(self):
        r = self.r
        return r.choice([
            str(r.randrange(-1, 4)), str(r.randrange(0, 8) / 2), quoted(r.choice(WORDS)), quoted(r.choice(WORDS)),
            r.choice(["true", "false"]), f"t'{r.choice(TIMES)}'", f"h'{r.choice(CODED)}'", "b'YWw='",
        ])

    def test(self):
        r = self.r
        path, negated = self.path(), r.choice(["", "", "NOT "])
        kind = r.randrange(10)
        if kind < 4:
            return f"{path} {negated}{r.choice(['=', '!=', '='])} {self.constant()}"
        if kind < 6:
            ordered = self.constant()
            while ordered in ("true", "false"):
                ordered = self.constant()
            return f"{path} {negated}{r.choice(['<', '<=', '>', '>='])} {ordered}"
        if kind == 6:
            words = ", ".join(quoted(r.choice(WORDS)) for _ in range(r.randrange(1, 3)))
            numbers = ", ".join(str(r.randrange(4)) for _ in range(r.randrange(1, 3)))
            return f"{path} {negated}IN ({r.choice([words, numbers])})"
        if kind == 7:
            return f"{path} {negated}LIKE {quoted(r.choice(['a%', '%o_', '_', '%', 'é', 'a_b', 'al']))}"
        if kind == 8:
            return f"{path} {negated}MATCHES {quoted(r.choice(['^a', 'o.$', '[a-c]{2}', '', 'é', 'x|b+']))}"
        subset = r.choice(["ISSUBSET", "ISSUPERSET"])
        return f"{r.choice(TYPES)}:ip {negated}{subset} {quoted(r.choice(ADDRESSES[1:3]))}"

    def comparison(self, depth=0):
        r = self.r
        if depth > 1 or r.random() < 0.55:
            return self.test()
        inner = [self.comparison(depth + 1) for _ in range(2)]
        joined = r.choice([" AND ", " OR "]).join(inner)
        return f"({joined})" if depth else joined

    def expression(self, depth=0):
        r = self.r
        if depth > 2 or r.random() < 0.35:
            made = f"[{self.comparison()}]"
        else:
            word = r.choice([" AND ", " OR ", " FOLLOWEDBY "])
            made = f"({word.join(self.expression(depth + 1) for _ in range(2))})"
        if r.random() < 0.3:
            made += r.choice([
                f" REPEATS {r.randrange(1, 4)} TIMES", f" WITHIN {r.choice(['1', '5', '0.5', '20'])} SECONDS",
                " START t'2026-01-01T00:00:05Z' STOP t'2026-01-01T00:00:20Z'",
            ])
        return made


def too_long(*_):
    raise TimeoutError


def theirs(pattern, observed):
    # It builds every combination; some patterns would take it hours.
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(2)
    try:
        listener = MatchListener(json.loads(json.dumps(observed)), stix_version="2.1")
        Pattern(pattern, stix_version="2.1").walk(listener)
        return "match" if next(listener.matched(), None) is not None else "no match"
    except Exception:  # it raises many kinds
        return "error"
    finally:
        signal.alarm(0)


def pairs(count, seed):
    maker = Maker(seed)
    for _ in range(count):
        pattern, observed = maker.expression(), maker.observed()
        yield pattern, observed, theirs(pattern, observed)


def chosen(count, seed):
    wanted = {"match": count // 2, "no match": count - count // 2}
    rows = []
    for row in pairs(count * 100, seed):
        if not any(wanted.values()):
            break
        if wanted.get(row[2], 0) > 0:
            wanted[row[2]] -= 1
            rows.append(row)
    return rows


class Ours:
    def __init__(self, sereno):
        self.process = subprocess.Popen(
            [sereno, "stix", "batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def match(self, pattern, observed):
        answer = self.ask({"id": 1, "op": "match", "pattern": pattern, "observed": observed})
        return "error" if "error" in answer else "match" if answer["match"] else "no match"


def compare(sereno, count, seed):
    ours, asked, different, refused = Ours(sereno), 0, 0, 0
    for pattern, observed, answer in pairs(count, seed):
        asked += 1
        if answer == "error":
            refused += 1
            continue
        own = ours.match(pattern, observed)
        if own != answer:
            different += 1
            print(json.dumps({"pattern": pattern, "theirs": answer, "ours": own, "observed": observed}))
    print(f"{asked} pairs, {refused} refused by theirs, {different} different", file=sys.stderr)


PIECES = [
    "[", "]", "(", ")", "AND", "OR", "NOT", "FOLLOWEDBY", "WITHIN", "SECONDS", "REPEATS", "TIMES", "START", "STOP", "IN", "LIKE",
    "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS", "=", "==", "!=", "<>", "<", "<=", ">", ">=", ",", ".", ":", "*", "[*]", "[0]",
    "[-1]", "[1.5]", "'", "''", "'x'", "'a\\'", "'\\x'", "'\\\\'", "h''", "h'0'", "h'0g'", "h'0F'", "b''", "b'A'", "b'AQ=='",
    "t''", "t'2026-01-01T00:00:00Z'", "t'2026-01-01T00:00:00'", "t'2026-13-01T00:00:00Z'", "t'2026-01-01T00:00:60Z'", "true",
    "false", "TRUE", "and", "or", "not", "within", "0", "-0", "00", "01", "+1", "1.", ".5", "-.5", "1e5", "1.5e3", "-1", "x", "x-y",
    "x_y", "X", "9x", "'x-y'", "\u00e9", "\u00a0", "\u3000", "\t", "\n", "\r", "\x0c", "\x0b", "\x00", "/* c */", "// c\n", "/*", ";", "\"",
]


def mutant(r, pattern):
    tokens = re.findall(r"[tbh]?'(?:[^'\\\\]|\\\\.)*'|[A-Za-z0-9_.-]+|\s+|.", pattern)
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        at = r.randrange(len(tokens) + 1)
        how = r.randrange(5)
        if how == 0 or at == len(tokens):
            tokens.insert(at, r.choice(PIECES))
        elif how == 1 and len(tokens) > 1:
            del tokens[at]
        elif how == 2:
            tokens[at] = r.choice(PIECES)
        elif how == 3:
            other = r.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        else:
            tokens.insert(at, tokens[at])
    return "".join(tokens)


# What the text says otherwise than the validator: who refuses, what our words or the pattern match.
DECIDED = [
    (False, r"twice|more than one|only once"),  # §9.5.1: each qualifier once
    (False, r"hash"),  # §2.7: the form of a hash
    (False, r"above (zero|0)|positive"),  # §9.5.1
    (True, r"b'[^']*\s"),  # §9.2: line feeds in base64 are ignored
]


def mutants(sereno, count, seed):
    maker, ours, different, asked = Maker(seed), Ours(sereno), 0, 0
    for _ in range(count):
        pattern = mutant(maker.r, maker.expression())
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(5)
        try:
            valid = not run_validator(pattern, "2.1")
        except Exception:  # it raises on some
            continue
        finally:
            signal.alarm(0)
        asked += 1
        answer = ours.ask({"id": 1, "op": "check", "pattern": pattern})
        own, said = answer.get("valid", False), answer.get("error", "")
        if own != valid and not any(own == who and re.search(words, pattern if own else said) for who, words in DECIDED):
            different += 1
            print(json.dumps({"pattern": pattern, "theirs": valid, "ours": own, "we say": said}))
    print(f"{asked} mutants, {different} different", file=sys.stderr)


def speed(sereno):
    patterns = [f"[ipv4-addr:value = '198.51.{n // 256}.{n % 256}']" for n in range(200)]
    observed = [{"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "198.51.100.7"},
        {"type": "observed-data", "id": "observed-data--1", "number_observed": 1, "object_refs": ["ipv4-addr--1"],
         "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:01Z"}]}]
    ours = Ours(sereno)
    check = [{"id": 1, "op": "check", "pattern": pattern} for pattern in patterns]
    match = [{"id": 1, "op": "match", "pattern": pattern, "observed": observed} for pattern in patterns]

    def rate(work):
        start = time.perf_counter()
        for item in work[1]:
            work[0](item)
        return len(work[1]) / (time.perf_counter() - start)

    rows = [
        ("check", (lambda p: run_validator(p, "2.1"), patterns), (ours.ask, check)),
        ("match", (lambda p: theirs(p, observed), patterns), (ours.ask, match)),
    ]
    for name, left, right in rows:
        a, b = rate(left), rate(right)
        print(f"{name}: theirs {a:.0f}/s, ours through a pipe, line by line {b:.0f}/s, ratio {b / a:.0f}")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "pairs":
        rows = chosen(int(sys.argv[2]), int(sys.argv[3]))
        print("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows) + "\n]")
    elif len(sys.argv) == 5 and sys.argv[1] == "compare":
        compare(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif len(sys.argv) == 5 and sys.argv[1] == "mutants":
        mutants(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif len(sys.argv) == 3 and sys.argv[1] == "speed":
        speed(sys.argv[2])
    else:
        print(__doc__)
        sys.exit(2)
