# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""PostgreSQL restarts, the disk is full, mails and payments do not get through."""

from odoo.tests import tagged

from .faults import sizes
from .faults.books import check_books
from .faults.faults_case import BOOKED, CALLED, KNOWN, MIDDLE, STORED, FaultsCase
from .faults.stage import EXECUTE

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
        """B7, D7: the cancellations are done; each mail waits, and says why."""
        self.reset(EXECUTE)
        self.stage.run(world="no_mail_server")
        mails = self.stage.do("send_mails")
        # When it was scheduled, and when it was done.
        number = 2 * len(self.books["customers"])
        self.assertEqual(mails, {"exception": number, "told": number})
        self.check_books()

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
    # PostgreSQL is taken down with everything that is connected to it.
    @tagged("post_install", "-at_install")
    class TestCrashOfPostgresql(LostConnectionCase):
        def test_postgresql_crashes_and_recovers(self):
            """B7, B8, C4, C6: it comes back from its log, and so do we."""
            self.check_lost("crash_server")
