# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whatever the API is given, it answers with a sentence, and the books are right."""

import itertools
import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from odoo.tests import tagged

from .faults import sizes
from .faults.books import check_books
from .faults.options import METHODS, Options
from .faults.server_case import CopiedServerCase

CALLS = sizes.choose(300, 20_000)
POOL = sizes.choose(8, 60)
CLIENTS = 4
#: So many calls of each method must work: else the options are too wild.
DONE = sizes.choose(1, 50)
#: So many days pass in the end, then what was asked for is due.
DAYS = sizes.choose(40, 100)
STATUSES = {200, 403, 404, 409, 422}
#: What a person must never be shown.
UNREADABLE = re.compile(
    r"Traceback|psycopg2?\b|SELECT |UPDATE |INSERT |_uniq\b|line \d+, in |NoneType"
    r"|object has no attribute|KeyError|TypeError|sale_subscription_\w+_id_fkey"
)


@tagged("post_install", "-at_install")
class TestFuzz(CopiedServerCase):
    def setUp(self):
        super().setUp()
        self.key = self.create_manager_key()
        self.lock = threading.Lock()
        self.answers, self.bad = Counter(), []

    def create_pool(self):
        """Return the subscriptions, in all states that calls can bring them to."""
        partner_id, _login = self.create_portal_customer()
        modes = itertools.cycle(("invoice", "draft", "sale_and_invoice"))
        ids = [
            self.create_weekly(1, partner_id, mode=next(modes))[0]
            for _number in range(POOL)
        ]
        return self.committed(
            lambda env: [
                {"id": one.id, "line_ids": one.sale_subscription_line_ids.ids}
                for one in env["sale.subscription"].browse(ids)
            ]
        )

    def send(self, call):
        """Send one call; keep what is no proper answer."""
        method, body = call
        response = requests.post(
            f"{self.server.url}/json/2/sale.subscription/{method}",
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
            },
            data=json.dumps(body),
            timeout=180,
        )
        problem = self.find_problem(response)
        with self.lock:
            self.answers[method, response.status_code] += 1
            number = sum(self.answers.values())
            if problem:
                self.bad.append(method)
                sizes.say(f"fuzz: {method} {str(body)[:600]}\n  {problem}")
            if not number % 1000:
                sizes.say(f"fuzz: {number} calls, {len(self.bad)} bad answers")

    def find_problem(self, response):
        """Return what is wrong with an answer, or ``None``."""
        if response.status_code not in STATUSES:
            return response.status_code, response.text[-3000:]
        if response.status_code == 200:
            return None
        message = response.json()["message"]
        if UNREADABLE.search(message) or not message.strip():
            return response.status_code, message
        return None

    def test_any_options(self):
        """C4, E3: no error of ours, whatever is sent; the ledger stays right."""
        options = Options(sizes.create_random("fuzz"), self.create_pool())
        calls = [options.draw() for _number in range(CALLS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(self.send, calls))
        for (method, status), number in sorted(self.answers.items()):
            sizes.say(f"fuzz: {number:6} {status} {method}")
        self.assertFalse(self.bad, f"{len(self.bad)} of {CALLS}")
        self.assertEqual(sum(self.answers.values()), CALLS)
        for method in METHODS:
            self.assertGreaterEqual(self.answers[method, 200], DONE, method)
        self.check()
        # What was scheduled for these days is executed, what goes on is billed.
        self.assertGreater(self.pass_time(DAYS), 0)
        self.check()

    def check(self):
        """Assert that the invariants hold, and that the books fit."""
        self.check_invariants()
        check_books(self.database)
