# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Options for the API, by chance: right, wrong, absurd."""

from datetime import date, timedelta

from ..contexts import CONTEXTS

TIMINGS = (
    "immediate",
    "end_of_period",
    "end_of_billed",
    "end_of_term",
    "specific_date",
    "earliest",
)
#: By option, values that may be right.
RIGHT = {
    "timing": TIMINGS,
    "refund_mode": ("none", "prorated", "full"),
    "comment": ("Too expensive", "", "žluťoučký kůň", "退订", "🙁" * 20),
    "cancel_day_billed": (True, False),
    "unpaid_invoices": ("keep", "collect", "write_off"),
    "unbilled_charges": ("invoice", "drop"),
    "credit_settlement": ("keep", "refund"),
    "apply_credits": (True, False),
    "send_confirmation": (True, False),
}
#: By method, the options it knows.
REQUEST = (*RIGHT, "requested_date", "line_ids", "reason_code")
METHODS = {
    "preview_cancellation": REQUEST,
    "request_cancellation": (*REQUEST, "fingerprint", "idempotency_key"),
    "postpone_cancellation": ("requested_date", "charge_extension"),
    "reactivate_subscription": ("mode",),
    "revoke_cancellation": (),
}
#: Values that no option expects.
WRONG = (
    None,
    True,
    0,
    -1,
    1,
    3.5,
    1e308,
    2**31,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x",
    "x" * 100_000,
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202eevil\u202c",
    "ﷺ" * 1000,
    "' OR 1=1 --",
    "{{ 7 * 7 }}",
    "%s %(x)s {0} {x}",
    "<script>alert(1)</script>",
    "0",
    "False",
    [],
    [None],
    [[1]],
    [{}],
    ["x"],
    [2**40],
    [2**70],
    [True],
    [1.5],
    list(range(2000)),
    {},
    {"a": {"b": [1, {"c": None}]}},
    {"id": 1},
)
DATES = (
    "2026-02-30",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2027-01-01T00:00:00",
    "2027-01-01 00:00:00",
    "20270101",
    "2027-W01-1",
    "٢٠٢٧-٠١-٠١",
    "tomorrow",
    "-1",
)
#: Of a client that is in no real place.
ODD_CONTEXTS = ({"lang": "xx_XX"}, {"tz": "Mars/Phobos"}, {})


class Options:
    """Draws calls; the same seed draws the same ones."""

    def __init__(self, random, pool):
        """:param list pool: dicts with ``id`` and ``line_ids`` of the subscriptions"""
        self.random = random
        self.pool = pool

    def draw(self):
        """Return a method and its JSON."""
        subscription = self.random.choice(self.pool)
        method = self.random.choices(list(METHODS), (5, 8, 3, 3, 2))[0]
        body = {"ids": self._draw_ids(subscription)}
        for name in METHODS[method]:
            if self.random.random() < self._get_share(method, name):
                body[name] = self._draw_value(name, subscription)
        if self.random.random() < 0.02:
            body[self.random.choice(("x", "options", "channel"))] = 1
        if self.random.random() < 0.1:
            body["context"] = self.random.choice((*CONTEXTS, *ODD_CONTEXTS))
        return method, body

    def _draw_ids(self, subscription):
        if self.random.random() < 0.95:
            return [subscription["id"]]
        return self.random.choice(
            ([], [2**31 - 1], [subscription["id"]] * 2, [0], [subscription["id"], 1])
        )

    def _get_share(self, method, name):
        """Return how often an option is given."""
        if method == "postpone_cancellation" and name == "requested_date":
            return 0.95
        return 0.6 if name in ("timing", "mode") else 0.2

    def _draw_value(self, name, subscription):
        if self.random.random() < 0.2:
            return self.random.choice(WRONG)
        draw = getattr(self, f"_draw_{name}", None)
        if draw:
            return draw(subscription)
        return self.random.choice(RIGHT.get(name, (True, False)))

    def _draw_requested_date(self, _subscription):
        if self.random.random() < 0.15:
            return self.random.choice(DATES)
        days = self.random.choice(
            (0, 1, 7, 30, 400, -1, -30, self.random.randint(0, 90))
        )
        return str(date.today() + timedelta(days=days))

    def _draw_line_ids(self, subscription):
        other = self.random.choice(self.pool)
        ids = subscription["line_ids"]
        return self.random.choice((ids[:1], ids[-1:], ids, ids * 2, other["line_ids"]))

    def _draw_mode(self, _subscription):
        return self.random.choice(("resume", "new_term"))

    def _draw_reason_code(self, _subscription):
        return self.random.choice(("too_expensive", "unused", "nonsense"))

    def _draw_fingerprint(self, _subscription):
        return f"{self.random.getrandbits(256):064x}"

    def _draw_idempotency_key(self, _subscription):
        return f"fuzz-{self.random.randint(1, 40)}"
