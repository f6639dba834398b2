# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Clients that cancel, revoke, postpone, resume and bill, all at once."""

import threading
import time
from collections import Counter
from datetime import date, timedelta

import requests
from lxml import html

from ..portal import Page

#: Longest wait for an answer, in seconds: Odoo tries conflicts again, up to a minute.
PATIENCE = 180
#: How long a client waits at most, in seconds, that was told to try again.
PAUSE = 0.5

#: What becomes of the money: options of a request. Customers have no such choice.
SETTLEMENTS = (
    {"credit_settlement": "refund"},
    {"credit_settlement": "refund", "apply_credits": True},
    {"unpaid_invoices": "collect", "credit_settlement": "refund"},
)


class Client(threading.Thread):
    """Does one thing after the other until the time is up."""

    def __init__(self, url, subscription_ids, random):
        super().__init__(daemon=True)
        self.url = url
        self.subscription_ids = subscription_ids
        self.random = random
        self.end = 0.0
        #: By what was done and its status, how often.
        self.answers = Counter()
        #: What is no answer to expect: (what, status, text).
        self.bad = []
        self.must_try_again = False
        self.slowest = 0.0

    def run(self):
        while time.monotonic() < self.end:
            verb = self.random.choice(self.verbs)
            begun = time.monotonic()
            try:
                getattr(self, verb)(self.random.choice(self.subscription_ids))
            except requests.RequestException as error:
                self.bad.append((verb, 0, repr(error)))
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if self.must_try_again:
                # At once, all would be told so again: nobody would get through.
                time.sleep(self.random.uniform(0.0, PAUSE))

    def begin(self):
        """Log in, where that is needed."""

    def count(self, verb, response, allowed):
        """Count an answer; keep it where it is none of those that are allowed."""
        self.answers[verb, response.status_code] += 1
        self.must_try_again = response.status_code == 409
        if response.status_code not in allowed:
            self.bad.append((verb, response.status_code, response.text[:3000]))
        return response

    def get_day(self):
        """Return a day in the coming weeks, as text."""
        return str(date.today() + timedelta(days=self.random.randint(0, 30)))


class ApiClient(Client):
    """An integration with an API key."""

    verbs = (
        "cancel",
        "cancel",
        "revoke",
        "revoke",
        "postpone",
        "resume",
        "preview",
    ) + (
        "bill",
        "bill_by_hand",
        "cancel_with_key",
    )

    def __init__(self, *args, key):
        super().__init__(*args)
        self.key = key

    def call(self, method, subscription_id, **options):
        response = requests.post(
            f"{self.url}/json/2/sale.subscription/{method}",
            headers={"Authorization": f"Bearer {self.key}"},
            json={"ids": [subscription_id], **options},
            timeout=PATIENCE,
        )
        return self.count(method, response, (200, 409, 422))

    def cancel(self, subscription_id, **more):
        options = self.random.choice(
            (
                {"timing": "immediate"},
                {"timing": "end_of_period"},
                {"timing": "specific_date", "requested_date": self.get_day()},
                {"timing": "specific_date", "requested_date": str(date.today())},
            )
        )
        # Days that are left uncredited are no days of the ledger of the storms.
        options = {**options, "refund_mode": "prorated", **more}
        settlement = self.random.choice(SETTLEMENTS)
        self.call("request_cancellation", subscription_id, **options, **settlement)

    def cancel_with_key(self, subscription_id):
        key = f"storm-{self.random.randint(1, 30)}"
        self.cancel(subscription_id, idempotency_key=key)

    def revoke(self, subscription_id):
        self.call("revoke_cancellation", subscription_id)

    def postpone(self, subscription_id):
        self.call(
            "postpone_cancellation",
            subscription_id,
            requested_date=self.get_day(),
            charge_extension=self.random.choice((None, True, False)),
        )

    def resume(self, subscription_id):
        self.call("reactivate_subscription", subscription_id)

    def preview(self, subscription_id):
        self.call("preview_cancellation", subscription_id, timing="immediate")

    def bill(self, subscription_id):
        self.call("generate_invoice", subscription_id)

    def bill_by_hand(self, subscription_id):
        self.call("manual_invoice", subscription_id)


class PortalClient(Client):
    """The customer, with a browser."""

    verbs = ("cancel", "cancel", "revoke", "resume", "look")

    def __init__(self, *args, login):
        super().__init__(*args)
        self.login = login
        self.session = requests.Session()

    def begin(self):
        page = self.session.get(f"{self.url}/web/login", timeout=PATIENCE)
        [token] = html.fromstring(page.text).xpath("//input[@name='csrf_token']/@value")
        self.session.post(
            f"{self.url}/web/login",
            data={"login": self.login, "password": self.login, "csrf_token": token},
            timeout=PATIENCE,
        )
        self.look(self.subscription_ids[0])

    def get(self, subscription_id, suffix=""):
        response = self.session.get(
            f"{self.url}/my/subscriptions/{subscription_id}{suffix}", timeout=PATIENCE
        )
        return Page(self.count(f"portal{suffix}", response, (200,)))

    def send(self, verb, page, name, **changes):
        """Send a form of a page, if it has that."""
        if not page.has(name):
            return page
        action, values = page.form(name)
        values = [(key, changes.get(key, value)) for key, value in values]
        response = self.session.post(
            f"{self.url}{action}", data=values, timeout=PATIENCE
        )
        for answer in response.history:
            self.count(f"portal {verb}", answer, (303,))
        return Page(self.count(f"portal {verb}", response, (200,)))

    def look(self, subscription_id):
        self.get(subscription_id)

    def cancel(self, subscription_id):
        page = self.get(subscription_id, "/cancel")
        page = self.send("check", page, "cancel")
        self.send("cancel", page, "confirm")

    def revoke(self, subscription_id):
        self.send("revoke", self.get(subscription_id), "revoke")

    def resume(self, subscription_id):
        self.send("resume", self.get(subscription_id), "reactivate")
