# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""PostgreSQL restarts, the disk is full, mails and payments do not get through."""

import time
from collections import Counter
from datetime import datetime, timedelta

import freezegun
import requests

from odoo.tests import tagged

from .faults import databases, postgresql, sizes
from .faults.books import check_books
from .faults.faults_case import BOOKED, CALLED, KNOWN, MIDDLE, STORED, FaultsCase
from .faults.invariants import check_invariants
from .faults.server_case import CopiedServerCase
from .faults.stage import EXECUTE

#: Due when PostgreSQL is restarted.
RESTARTED = 20

#: Where the connection is lost; the process lives on.
LOST = sizes.choose(
    [
        ("core", MIDDLE),
        ("Ann, refund", CALLED[1], KNOWN[0]),
    ],
    [
        ("core", MIDDLE, STORED[0]),
        ("Ann, refund", STORED[0], CALLED[1], KNOWN[0], BOOKED[0]),
        ("Bob, confirm", MIDDLE),
        ("Eve, collect", CALLED[2]),
    ],
)


class LostConnectionCase(FaultsCase):
    """PostgreSQL goes away, the process does not."""

    def check_lost(self, strike):
        """Lose the connection at each moment; assert that a restart mends it."""
        for action, number, what in self.find(LOST):
            with self.subTest(lost_at=what):
                self.reset(action)
                self.stage.run(
                    kill_at=number, actions=[action], strike=strike, exit_code=None
                )
                postgresql.wait_until_back()
                self.stage.wait_until_left()
                [entry] = self.stage.read_ledger("killed_at")
                self.assertEqual(entry["killed_at"], self.moments[action][number - 1])
                self.stage.run("restart")
                self.check_books(times=2)
                check_books(self.stage.database)


@tagged("post_install", "-at_install")
class TestInfrastructure(LostConnectionCase):
    def test_postgresql_ends_the_connection(self):
        """B7, B8, C4, C6: what was not committed is done again, and only that."""
        self.check_lost("lose_connection")

    def test_the_disk_is_full(self):
        """B7, D7: the cancellation is done; the mail with its PDF comes later."""
        self.reset(EXECUTE)
        self.stage.run(world="full_disk")
        customers = self.stage.do("read")["customers"]
        for customer, books in customers.items():
            with self.subTest(customer=customer):
                expected = self.books["customers"][customer]
                self.assertEqual(books["cancellations"], ["done"])
                self.assertEqual(books["moves"], expected["moves"])
                self.assertEqual(books["transactions"], expected["transactions"])
                states = {kind: state for kind, state, _amount in books["steps"]}
                self.assertEqual(states.pop("confirm"), "failed")
                self.assertEqual(set(states.values()), {"done"})
                self.assertEqual(len(books["errors"]), 1)
        self.stage.run("restart")
        self.check_books()

    def test_the_mail_server_is_down(self):
        """B7, D7: the cancellations are done; each mail waits, says why, and comes."""
        self.reset(EXECUTE)
        self.stage.run(world="no_mail_server")
        mails = self.stage.do("send_mails")
        # When it was scheduled, and when it was done.
        number = 2 * len(self.books["customers"])
        self.assertEqual(mails, {"exception": number, "told": number})
        self.check_books()
        self.check_mails_arrive()

    def check_mails_arrive(self):
        """Mend the mail server; assert that each mail is sent, and sent once."""
        received = [tuple(mail) for mail in self.stage.do("mend_mail_server")]
        self.assertEqual(len(received), len(set(received)), "sent twice")
        names = self.books["customers"]
        expected = {
            f"{name.lower().replace(' ', '.')}@example.com": 2 for name in names
        }
        arrived = Counter(recipient for recipient, _id in received)
        self.assertEqual({to: arrived[to] for to in expected}, expected)

    def test_the_provider_does_not_answer(self):
        """C6, C8: what may have arrived is not sent again by itself."""
        self.reset(EXECUTE)
        self.stage.run("restart", world="hanging_provider", is_repeatable=False)
        for _again in range(2):
            self.stage.run("restart", is_repeatable=False)
        calls = self.stage.read_ledger("reference")
        references = [call["reference"] for call in calls]
        self.assertEqual(len(references), len(self.calls))
        self.assertEqual(len(references), len(set(references)))
        waiting = [
            step
            for books in self.stage.do("read")["customers"].values()
            for step in books["steps"]
            if step[1] != "done"
        ]
        self.assertEqual({step[1] for step in waiting}, {"failed"})
        self.assertEqual(len(waiting), len(calls))
        decided = self.stage.run("decide_by_ledger")
        self.assertEqual(decided, len(calls))
        self.stage.run("restart", is_repeatable=False)
        self.check_books()


if sizes.IS_LONG:
    # PostgreSQL is taken down with everything that is connected to it, and another
    # process of the suite is: that is no short form.
    @tagged("post_install", "-at_install")
    class TestCrashOfPostgresql(LostConnectionCase):
        def reset(self, action):
            super().reset(action)
            databases.make_durable(self.stage.database)

        def test_postgresql_crashes_and_recovers(self):
            """B7, B8, C4, C6: it comes back from its log, and so do we."""
            self.check_lost("crash_server")

    @tagged("post_install", "-at_install")
    class TestRestartOfPostgresql(CopiedServerCase):
        def setUp(self):
            super().setUp()
            self.partner_id, _login = self.create_portal_customer()
            self.key = self.create_manager_key()

        def create_due(self, number):
            """Return subscriptions that yesterday was the last day of."""
            now = datetime.now()
            yesterday = str((now - timedelta(days=1)).date())
            with freezegun.freeze_time(now - timedelta(days=3)):
                ids = self.create_weekly(number, self.partner_id)

                def cancel(env):
                    for subscription in env["sale.subscription"].browse(ids):
                        subscription.request_cancellation(
                            timing="specific_date", requested_date=yesterday
                        )

                self.committed(cancel)
            return ids

        def count_done(self, ids):
            """Return how many of these have ended."""
            return self.committed(
                lambda env: env["subscription.cancellation"].search_count(
                    [("subscription_id", "in", ids), ("state", "=", "done")]
                )
            )

        def wait_for(self, number, ids):
            """Wait until so many of these have ended."""
            end = time.monotonic() + postgresql.PATIENCE
            while self.count_done(ids) < number:
                self.assertLess(time.monotonic(), end, "the scheduler stands still")
                time.sleep(0.05)

        def ask(self, subscription_id):
            """Return the status with which the server answers a preview."""
            response = requests.post(
                f"{self.server.url}/json/2/sale.subscription/preview_cancellation",
                headers={"Authorization": f"Bearer {self.key}"},
                json={"ids": [subscription_id], "timing": "immediate"},
                timeout=180,
            )
            return response.status_code

        def test_server_and_scheduler_outlive_a_restart(self):
            """B7, B8, C4: the same processes go on, and do what is due once."""
            asked_about, *ids = self.create_weekly(1, self.partner_id) + (
                self.create_due(RESTARTED)
            )
            self.assertEqual(self.ask(asked_about), 200)
            scheduler = self.start_scheduler("batch_size=1")
            self.wait_for(RESTARTED // 5, ids)
            postgresql.restart()
            self.assertLess(self.count_done(ids), RESTARTED, "it came too late")
            # What was open when it went down fails, and no more than that.
            statuses = [self.ask(asked_about) for _again in range(5)]
            self.assertEqual(statuses[-1], 200)
            self.assertIsNone(self.server.process.poll())
            self.wait_for(RESTARTED, ids)
            rounds, errors = self.stop_scheduler(scheduler)
            self.assertGreater(rounds, 1)
            for error in errors:
                self.assertRegex(error, "connection|cursor already closed")
            self.committed(lambda env: self.check_once(env, ids))
            self.committed(lambda env: check_invariants(self, env))
            check_books(self.database)

        def check_once(self, env, ids):
            """Assert that each was credited once, for what was billed ahead."""
            for subscription in env["sale.subscription"].browse(ids):
                cancellation = subscription.cancellation_ids
                self.assertEqual(cancellation.mapped("state"), ["done"])
                [memo] = subscription.invoice_ids.filtered(
                    lambda move: move.move_type == "out_refund"
                )
                self.assertEqual(memo.state, "posted")
