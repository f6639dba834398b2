# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Killed at random moments, over many due cancellations with mixed settings."""

import signal
import tempfile
from collections import Counter
from pathlib import Path

from odoo.tests import BaseCase, get_db_name, tagged

from .faults import sizes
from .faults.books import check_books
from .faults.many_data import OUTCOMES
from .faults.stage import EXECUTE, Stage

CANCELLATIONS = sizes.choose(20, 500)
KILLS = sizes.choose(6, 100)
#: The longest that a process lives, in seconds.
LONGEST = sizes.choose(2.0, 4.0)
#: How a process ends that was killed; one that fails ends with another code.
KILLED = -signal.SIGKILL
KINDS = ("out_invoice", "out_refund", "inbound", "outbound", "entry")


@tagged("post_install", "-at_install")
class TestRandomKills(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.stage = Stage(get_db_name(), "kills")
        cls.addClassCleanup(cls.stage.stop)
        cls.stage.start(number=CANCELLATIONS)

    def test_killed_at_random_moments_everything_is_done_once(self):
        """B7, B8, C4, C6, C8: nothing is lost, nothing is doubled, nobody is stuck."""
        random = sizes.create_random("kills")
        kills = rounds = unknown = 0
        # Some kills of the long form have to hit the moment between the provider and
        # our books.
        while kills < KILLS or unknown < sizes.choose(0, 1):
            rounds += 1
            self.assertLessEqual(
                rounds, KILLS, f"{kills} kills, {unknown} unknown calls"
            )
            self.stage.reset(EXECUTE, self.folder / str(rounds))
            most = KILLS - kills if kills < KILLS else KILLS
            killed, decided = self.kill_until_done(random, most)
            kills += killed
            unknown += decided
            self.check()
        sizes.say(f"kills: {kills} kills, {rounds} times {CANCELLATIONS} cancellations")

    def kill_until_done(self, random, most):
        """Kill up to ``most`` processes, until nothing is due.

        :return: how many, and how many calls nobody knew about
        """
        kills = 0
        while kills < most and self.stage.do("is_open"):
            self.stage.run(
                batch_size=random.choice((1, 2, 5, 20, 100)),
                kill_after=random.uniform(0.0, LONGEST),
                processes=random.choice((1, 1, 2)),
                is_repeatable=False,
                exit_code={0, KILLED},
            )
            self.stage.wait_until_left()
            # Some were done before that.
            kills += self.stage.exit_codes.count(KILLED)
            if random.random() < 0.2:
                # Odoo's own scheduled action may come in between.
                self.stage.do("post_process")
        self.stage.run("restart", batch_size=100, is_repeatable=False)
        decided = self.stage.run("decide_by_ledger")
        self.stage.run("restart", is_repeatable=False)
        sizes.say(f"kills: {kills} processes killed, {decided} calls nobody knew about")
        return kills, decided

    # === BOOKS === #

    def check(self):
        """Assert that everything is as if nothing had been killed."""
        books = self.stage.do("read")
        self.assertGreaterEqual(len(books["customers"]), CANCELLATIONS)
        for customer, own in books["customers"].items():
            with self.subTest(customer=customer):
                self.check_customer(own, OUTCOMES[customer.partition(" ")[0]])
        left_over = {key: books[key] for key in ("drafts", "orphans", "locks")}
        self.assertEqual(left_over, {"drafts": 0, "orphans": 0, "locks": 0})
        self.check_provider(books)
        check_books(self.stage.database)

    def check_customer(self, books, outcome):
        """Assert what came of one customer."""
        amounts = Counter()
        for kind, state, amount, *_rest in books["moves"]:
            self.assertIn(state, ("posted", "cancel"))
            if state == "posted":
                amounts[kind] += amount
        for kind, state, amount in books["payments"]:
            self.assertEqual(state, "paid")
            amounts[kind] += amount
        balance = tuple(amounts[kind] for kind in KINDS)
        self.assertEqual((*balance, books["receivable"]), outcome[:6])
        steps = dict(outcome.steps, **({"confirm": 0.0} if outcome.mails else {}))
        expected = sorted([kind, "done", amount] for kind, amount in steps.items())
        self.assertEqual(books["steps"], expected)
        self.assertEqual(books["cancellations"], ["done"])
        self.assertIn(outcome.state, books["subscriptions"])
        self.assertEqual(books["confirmations"], [outcome.mails] * 2)
        self.assertEqual((books["activities"], books["errors"]), (0, []))

    def check_provider(self, books):
        """Assert that the provider was asked for each amount, and only once."""
        calls = self.stage.read_ledger("reference")
        references = [call["reference"] for call in calls]
        self.assertEqual(len(references), len(set(references)), "sent twice")
        booked = {
            reference: amount
            for own in books["customers"].values()
            for reference, state, _is_processed, amount in own["transactions"]
            if state == "done"
        }
        for call in calls:
            self.assertEqual(booked.get(call["reference"]), call["amount"])
        expected = Counter(
            amount
            for customer in books["customers"]
            for amount in OUTCOMES[customer.partition(" ")[0]].calls
        )
        self.assertEqual(Counter(call["amount"] for call in calls), expected)
