"""compare.py DJANGO OURS: the same statements in the same order, migration by
migration, each way. A default that is called is shown as <name> by us."""
import difflib
import re
import sys


def table(sql):
    m = re.search(r'(?:TABLE|ON|UPDATE|COLUMN) "(\w+)"', sql)
    return m.group(1) if m else ""


def read(path):
    out = {}
    for line in open(path):
        if line.startswith("#"):
            continue
        name, way, sql = line.rstrip("\n").split(" ", 2)
        sql = re.sub(r"IS '[^']*'$", "IS …", sql)
        sql = re.sub(r"DEFAULT '[0-9a-f]{32}'::uuid", "DEFAULT <called>", sql)
        sql = re.sub(r"(DEFAULT|=) '20[0-9-]+ [0-9:.]+\+00:00'::timestamptz", r"\1 <called>", sql)
        sql = re.sub(r"(DEFAULT|=) <[^>]*>", r"\1 <called>", sql)
        sql = sql.replace("; SET CONSTRAINTS ALL IMMEDIATE", "").rstrip("; ")
        sql = re.sub(r"\[\d+\]", "[]", sql).replace("[][]", "[]")
        out.setdefault((name, way), []).append(sql)
    # the order of statements on different tables is Django's registry's
    return {k: sorted(v, key=table) for k, v in out.items()}


def main():
    theirs, ours = read(sys.argv[1]), read(sys.argv[2])
    bad = lines = 0
    for key in sorted(set(theirs) | set(ours)):
        want, got = theirs.get(key, []), ours.get(key, [])
        lines += len(want)
        if want == got:
            continue
        for d in difflib.unified_diff(want, got, lineterm="", n=0):
            if d[:2] in ("--", "++", "@@"):
                continue
            bad += 1
            print("# %s.%s %s" % (*key, d))
    print("# %d statements, %d lines differ" % (lines, bad))
    return bad != 0


sys.exit(main())
