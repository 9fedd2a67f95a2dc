#!/usr/bin/python3
"""Customers: read and write through the balancer until told to stop.

    traffic.py run URL LOG PHASEFILE    one line a request: phase, method,
                                        path, result, milliseconds, release
    traffic.py report LOG PHASE…        the table; exit 1 if one failed in a
                                        PHASE that is not allowed to

Every request is a new connection, sent once: nothing is retried, so nothing
is hidden. A request counts as failed when the connection fails, when the
answer takes over five seconds, when its status is not 200 or 201, or when it
does not say what was asked for.
"""

import http.client
import json
import random
import signal
import sys
import threading
import time
from urllib.parse import urlencode, urlsplit

THREADS = 6
PAUSE = 0.09


class Shop:
    """One customer at a time; remembers what was ordered."""

    def __init__(self, url, log, phasefile, seed):
        self.netloc = urlsplit(url).netloc
        self.log = log
        self.phasefile = phasefile
        self.dice = random.Random(seed)
        self.seed = seed
        self.serial = 0
        self.products = []
        self.orders = []

    def ask(self, method, path, form=None, want=None):
        with open(self.phasefile) as f:
            phase = f.read().strip()
        start = time.monotonic()
        release, body = "-", None
        try:
            c = http.client.HTTPConnection(self.netloc, timeout=5)
            try:
                c.request(
                    method,
                    path,
                    urlencode(form) if form else None,
                    {"Content-Type": "application/x-www-form-urlencoded"},
                )
                answer = c.getresponse()
                text = answer.read()
            finally:
                c.close()
            release = answer.headers.get("X-Release", "-")
            result = str(answer.status)
            if answer.status in (200, 201):
                body = json.loads(text)
                if want and want not in body:
                    body, result = None, "wrong-answer"
        except (OSError, ValueError, http.client.HTTPException) as e:
            result = type(e).__name__
        ms = (time.monotonic() - start) * 1000
        # One write of a short line: lines of several threads do not mix.
        self.log.write(f"{phase} {method} {path} {result} {ms:.1f} {release}\n")
        return body

    def browse(self):
        body = self.ask(
            "GET", f"/products/?start={self.dice.randrange(380)}", want="products"
        )
        if body:
            self.products = [p["id"] for p in body["products"]]

    def look(self):
        if self.products:
            pk = self.dice.choice(self.products)
            self.ask("GET", f"/products/{pk}/", want="sku")

    def order(self):
        if not self.products:
            return
        self.serial += 1
        who = self.dice.choice(
            [self.dice.randrange(1500), f"{self.seed}-{self.serial}"]
        )
        form = {
            "email": f"c{who}@example.org",
            "name": f"Customer {who}",
            "products": ",".join(map(str, self.dice.sample(self.products, 2))),
            "coupon": "WELCOME",
        }
        if self.dice.random() < 0.5:
            form["note"] = "ring twice"
        body = self.ask("POST", "/orders/", form, want="lines")
        if body:
            self.orders.append(body["id"])

    def read(self):
        if self.orders:
            pk = self.dice.choice(self.orders)
            self.ask("GET", f"/orders/{pk}/", want="customer")

    def change(self):
        if self.orders:
            pk = self.dice.choice(self.orders)
            note = self.dice.choice(["", "leave at the door"])
            self.ask("POST", f"/orders/{pk}/", {"note": note}, want="note")

    def customer(self):
        self.ask("GET", f"/customers/{1 + self.dice.randrange(1500)}/", want="phone")

    def cancel(self):
        if len(self.orders) > 10:
            pk = self.orders.pop(self.dice.randrange(len(self.orders)))
            self.ask("POST", f"/orders/{pk}/cancel/", want="cancelled")

    def live(self, stop):
        doings = [
            self.browse, self.browse, self.look, self.look, self.order,
            self.order, self.read, self.read, self.change, self.customer,
            self.cancel,
        ]  # fmt: skip
        self.browse()
        while not stop.wait(PAUSE * (0.5 + self.dice.random())):
            self.dice.choice(doings)()


def run(url, log, phasefile):
    stop = threading.Event()
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, lambda *_: stop.set())
    with open(log, "a", buffering=1) as out:
        threads = [
            threading.Thread(target=Shop(url, out, phasefile, n).live, args=(stop,))
            for n in range(THREADS)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    return 0


def p99(times):
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


def report(log, must):
    phases = {}
    for line in open(log):
        phase, method, path, result, ms, release = line.split()
        p = phases.setdefault(phase, {"ms": [], "w": 0, "bad": {}, "rel": {}})
        p["ms"].append(float(ms))
        p["w"] += method == "POST"
        p["rel"][release] = p["rel"].get(release, 0) + 1
        if result not in ("200", "201"):
            p["bad"][result] = p["bad"].get(result, 0) + 1
    print("%-22s %8s %8s %8s %9s" % ("", "requests", "writes", "failed", "p99"))
    failed = 0
    for phase in sorted(phases):
        p = phases[phase]
        bad = sum(p["bad"].values())
        failed += bad if phase in must else 0
        why = ", ".join(f"{n} × {k}" for k, n in sorted(p["bad"].items()))
        print(
            "%-22s %8d %8d %8d %6.0f ms  %s"
            % (phase.replace("_", " "), len(p["ms"]), p["w"], bad, p99(p["ms"]), why)
        )
    for phase in must:
        if phase not in phases:
            print(f"no request was sent in: {phase.replace('_', ' ')}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"] and len(sys.argv) == 5:
        sys.exit(run(*sys.argv[2:]))
    if sys.argv[1:2] == ["report"] and len(sys.argv) > 2:
        sys.exit(report(sys.argv[2], sys.argv[3:]))
    print(__doc__.strip())
    sys.exit(2)
