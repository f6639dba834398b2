# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Everybody at once, on the same subscription: API, portal and scheduled actions."""

import random as chance
import time
from collections import Counter

from odoo.tests import tagged

from .faults import sizes
from .faults.books import check_books
from .faults.server_case import CopiedServerCase
from .faults.storm import ApiClient, PortalClient

SECONDS = sizes.choose(8, 60)
API_CLIENTS, PORTAL_CLIENTS = 11, 5


@tagged("post_install", "-at_install")
class TestStorm(CopiedServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = sizes.create_random("storm")

    def setUp(self):
        super().setUp()
        self.keys = [self.create_manager_key() for _number in range(3)]
        self.partner_id, self.login = self.create_portal_customer()

    def create_clients(self, subscription_ids):
        """Return the sixteen clients; each has a chance of its own."""

        def prepare():
            return (
                self.server.url,
                subscription_ids,
                chance.Random(self.random.random()),
            )

        return [
            *(
                ApiClient(*prepare(), key=self.keys[number % 3])
                for number in range(API_CLIENTS)
            ),
            *(
                PortalClient(*prepare(), login=self.login)
                for _ in range(PORTAL_CLIENTS)
            ),
        ]

    def rage(self, clients):
        """Let all of them at the subscriptions for a while."""
        for client in clients:
            client.begin()
        scheduler = self.start_scheduler()
        end = time.monotonic() + SECONDS
        for client in clients:
            client.end = end
            client.start()
        for client in clients:
            client.join(SECONDS + 400)
            self.assertFalse(client.is_alive(), "a client was never answered")
        return self.stop_scheduler(scheduler)

    def check_answers(self, clients):
        """Assert how they were answered."""
        answers = sum((client.answers for client in clients), Counter())
        slowest = max(client.slowest for client in clients)
        sizes.say(f"storm: {sum(answers.values())} answers, {slowest:.1f} s at most")
        for (verb, status), number in sorted(answers.items()):
            sizes.say(f"  {number:6} {status} {verb}")
        bad = [answer for client in clients for answer in client.bad]
        for verb, status, text in bad:
            sizes.say(f"storm: {verb} {status}\n{text}")
        self.assertFalse(bad, f"{len(bad)} answers")
        # Else nobody would have been in anybody's way.
        self.assertTrue(answers["request_cancellation", 200])
        self.assertTrue(answers["request_cancellation", 409])
        self.assertTrue(answers["portal", 200])

    def test_everybody_at_the_same_subscription(self):
        """B7, B8, B11, C4, C6, E3: answers are 200, 409 or 422, the books right.

        Most are at the first one; the others differ in how they are invoiced, and
        share its customer and its journal.
        """
        ids = [
            *self.create_weekly(1, self.partner_id),
            *self.create_weekly(1, self.partner_id, mode="draft"),
            *self.create_weekly(1, self.partner_id, mode="sale_and_invoice"),
        ]
        # These are refunded through the provider; of the last one, money is collected.
        self.pay_online(ids[:2])
        clients = self.create_clients(ids[:1] * 5 + ids[1:])
        rounds, errors = self.rage(clients)
        self.check_answers(clients)
        self.assertEqual(errors, [])
        self.assertGreater(rounds, 0)
        self.pass_time(days=0)
        self.check_nothing_is_left()
        self.check_invariants()
        check_books(self.database)
