"""Holds what sluice-check says of locks against what watch.py saw."""

# What each mode keeps out, as the manual's table has it.
ORDER = ["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
         "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]
KEEPS_OUT = {
    "": set(), "ACCESS SHARE": {7}, "ROW SHARE": {6, 7}, "ROW EXCLUSIVE": {4, 5, 6, 7},
    "SHARE UPDATE EXCLUSIVE": {3, 4, 5, 6, 7}, "SHARE": {2, 3, 5, 6, 7},
    "SHARE ROW EXCLUSIVE": {2, 3, 4, 5, 6, 7}, "EXCLUSIVE": {1, 2, 3, 4, 5, 6, 7},
    "ACCESS EXCLUSIVE": {0, 1, 2, 3, 4, 5, 6, 7},
}
# what every SELECT and every look at a foreign key takes is not spoken of
COMMON = {"ACCESS SHARE", "ROW SHARE"}
IMPLIES = {"rewrite": {"scan", "build", "update"}, "build": {"scan"}, "update": {"scan"}}
READS, WRITES = 0, 2


def mode(pg):
    """AccessExclusiveLock, as the manual spells it."""
    words = "".join(" " + ch if ch.isupper() else ch for ch in pg[:-len("Lock")])
    return words.strip().upper()


def said(hazards):
    """By table: what is kept out, what is done; and which are held long."""
    tables, long = {}, {READS: set(), WRITES: set()}
    for h in hazards:
        if h["table"] is None:
            continue
        t = tables.setdefault(h["table"], {"modes": set(), "did": set(), "why": []})
        t["modes"].add(h["lock"])
        mine = {w for w in ("scan", "rewrite", "build", "update") if h[w]}
        for w in set(mine):
            mine |= IMPLIES.get(w, set())
        t["did"] |= mine
        if h["text"]:
            t["why"].append(h["text"])
        for what in (READS, WRITES):
            if what in KEEPS_OUT[h["lock"]] and mine:
                long[what].add(h["table"])
        if h["code"] == "lock-held":
            long[WRITES].add(h["table"])
            if "against reads" in h["text"]:
                long[READS].add(h["table"])
    return tables, long


def kept_out(modes):
    return set().union(*(KEEPS_OUT[m] for m in modes)) if modes else set()


def worst(modes):
    return max(modes, key=lambda m: len(KEEPS_OUT[m])) if modes else "nothing"


def hold(hazards, way):
    """(what was too weak, what was more careful), in words."""
    tables, long = said(hazards)
    none = {"modes": set(), "did": set(), "why": []}
    wrong, careful, seen = [], [], {}
    for step in way["steps"]:
        grows = set(step["did"])
        for name, modes in step["locks"].items():
            got = seen.setdefault(name, {"modes": set(), "did": set(), "long": set()})
            got["modes"] |= {mode(m) for m in modes} - COMMON
            held = kept_out({mode(m) for m in modes})
            for what, word in ((READS, "reads"), (WRITES, "writes")):
                if what in held and grows:
                    got["long"].add(what)
                    if name not in long[what]:
                        wrong.append(f"{name} is held against {word} while {step['sql'][:90]} "
                                     f"does {step['did']}: not said")
                        long[what].add(name)
        for name, did in step["did"].items():
            seen.setdefault(name, {"modes": set(), "did": set(), "long": set()})["did"] |= set(did)
    for name, got in sorted(seen.items()):
        says = tables.get(name, none)
        if not kept_out(got["modes"]) <= kept_out(says["modes"]):
            wrong.append(f"{name}: {worst(got['modes'])} seen, {worst(says['modes'])} said")
        missed = got["did"] - says["did"]
        if missed:
            wrong.append(f"{name}: {', '.join(sorted(missed))} seen, not said")
    for name, says in sorted(tables.items()):
        got = seen.get(name, {"modes": set(), "did": set(), "long": set()})
        full = set(got["did"])
        for w in got["did"]:
            full |= IMPLIES.get(w, set())
        if not kept_out(says["modes"] - COMMON) <= kept_out(got["modes"]):
            careful.append(("stronger lock", f"{name}: {worst(says['modes'])} said, "
                            f"{worst(got['modes'])} seen"))
        more = says["did"] - full
        if more:
            careful.append((", ".join(sorted(more)), f"{name}: said, not seen: {'; '.join(says['why'])[:160]}"))
    return wrong, careful
