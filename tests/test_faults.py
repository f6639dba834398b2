# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The process is killed on the way, and the books are right after a restart.

A real second process (:mod:`fault_worker`) executes and settles seven cancellations
on a database of its own and is killed with SIGKILL. What the provider was asked to do
is written to a file that no rollback reaches.
"""

from odoo.tests import tagged

from .faults.faults_case import (
    BOOKED,
    CALLED,
    FINISHED,
    KNOWN,
    MIDDLE,
    STORED,
    FaultsCase,
)
from .faults.stage import EXECUTE, SETTLE

# By customer, worked out by hand: $31 for July, of which $21 are for unused days.
# billed, credited, paid, refunded, written off, what the customer owes
BALANCES = {
    "Ann": (31.0, 21.0, 31.0, 21.0, 0.0, 0.0),
    "Bob": (31.0, 21.0, 25.0, 15.0, 0.0, 0.0),
    "Cora": (31.0, 21.0, 25.0, 0.0, 0.0, -15.0),
    "Dan": (46.5, 21.0, 31.0, 5.5, 0.0, 0.0),
    "Eve": (31.0, 21.0, 10.0, 0.0, 0.0, 0.0),
    "Fay": (31.0, 21.0, 0.0, 0.0, 10.0, 0.0),
    "Gus": (10.0, 0.0, 10.0, 0.0, 0.0, 0.0),
}
STEPS = {
    "Ann": {"refund": 21.0},
    "Bob": {"reduce": 6.0, "refund": 15.0},
    "Cora": {"reduce": 6.0, "keep": 15.0},
    "Dan": {"apply_credits": 15.5, "refund": 5.5},
    "Eve": {"reduce": 21.0, "collect": 10.0},
    "Fay": {"reduce": 21.0, "write_off": 10.0},
    "Gus": {"unbilled": 10.0, "collect": 10.0},
}
#: Where the process is killed, and at which moments there.
KILLS = [
    ("core", MIDDLE, *STORED),
    ("Ann, refund", *STORED, *CALLED, *KNOWN, *BOOKED, *FINISHED),
    ("Bob, confirm", MIDDLE),
    ("Dan, apply_credits", MIDDLE),
    ("Eve, collect", STORED[1], CALLED[1], CALLED[2], KNOWN[1], FINISHED[0]),
    ("Fay, write_off", MIDDLE),
]
#: After these, nobody knows whether the provider has it.
UNKNOWN_KILLS = [
    ("Bob, refund", STORED[1], CALLED[1], KNOWN[0]),
    ("Eve, collect", CALLED[0], CALLED[2]),
]


@tagged("post_install", "-at_install")
class TestFaults(FaultsCase):
    def get_balance(self, customer):
        """Return what the documents of a customer add up to, kind by kind."""
        books = self.books["customers"][customer]
        amounts = dict.fromkeys(("out_invoice", "out_refund", "entry"), 0.0)
        amounts |= dict.fromkeys(("inbound", "outbound"), 0.0)
        for kind, state, amount, *_rest in books["moves"]:
            if state == "posted" and kind != "payment":
                amounts[kind] += amount
        for kind, state, amount in books["payments"]:
            self.assertEqual(state, "paid")
            amounts[kind] += amount
        kinds = ("out_invoice", "out_refund", "inbound", "outbound", "entry")
        return (*(amounts[kind] for kind in kinds), books["receivable"])

    # === TESTS === #

    def test_without_a_kill_every_cent_is_where_it_was_worked_out_to_be(self):
        """C4-C9: what all others are compared with is right itself."""
        for customer, balance in BALANCES.items():
            with self.subTest(customer=customer):
                self.assertEqual(self.get_balance(customer), balance)
                billed, credited, paid, refunded, written_off, owed = balance
                total = billed - credited - paid + refunded - written_off
                self.assertEqual(total, owed)
                books = self.books["customers"][customer]
                self.assertEqual(
                    books["steps"],
                    sorted(
                        [kind, "done", amount]
                        for kind, amount in {**STEPS[customer], "confirm": 0.0}.items()
                    ),
                )
                self.assertEqual(books["cancellations"], ["done"])
                # When it was scheduled, and when it was done.
                self.assertEqual(books["confirmations"], [2, 2])
                self.assertEqual(books["activities"], 0)
        left_over = {key: self.books[key] for key in ("drafts", "orphans", "locks")}
        self.assertEqual(left_over, {"drafts": 0, "orphans": 0, "locks": 0})
        self.assertEqual(self.books["findings"], [])
        self.assertEqual(len(self.calls), 5)
        self.check_calls_are_booked()

    def check_calls_are_booked(self):
        """Assert that the provider has moved what the transactions say, once."""
        moved = {call["reference"]: call["amount"] for call in self.calls}
        self.assertEqual(moved, self.get_booked(self.books))

    def test_killed_at_twenty_points_the_books_are_right_after_a_restart(self):
        """C6, C8: nothing is lost, and nothing is done twice."""
        moments = self.find(KILLS)
        self.assertGreaterEqual(len({moment[:2] for moment in moments}), 20)
        for turn, (action, number, what) in enumerate(moments):
            with self.subTest(killed_at=what):
                self.kill_at(action, number)
                if turn % 2:
                    # Odoo's own scheduled action may come first.
                    self.stage.do("post_process")
                self.stage.run("restart")
                # The demo provider knows a request that comes a second time.
                self.check_books(times=2)

    def test_what_a_provider_may_have_is_not_sent_again_by_itself(self):
        """C6, C8: where it could move money twice, a person decides."""
        for action, number, what in self.find(UNKNOWN_KILLS):
            with self.subTest(killed_at=what):
                self.kill_at(action, number, is_repeatable=False)
                calls = self.stage.read_ledger("reference")
                self.stage.run("restart", is_repeatable=False)
                customer, kind = what.partition(":")[0].split(", ")
                self.check_waits(customer, kind)
                self.decide(calls)
                self.check_books(times=1)

    def check_waits(self, customer, kind):
        """Assert that one step waits for a person, who was told, and no other one."""
        customers = self.stage.do("read")["customers"]
        waiting = [
            (name, *step[:2], books["activities"])
            for name, books in customers.items()
            for step in books["steps"]
            if step[1] != "done"
        ]
        self.assertEqual(waiting, [(customer, kind, "failed", 1)])

    def decide(self, calls):
        """Say about the only unknown transaction what the provider's books say."""
        references = {call["reference"] for call in calls}
        has_it = references - self.get_references_known(references)
        action = "action_was_done" if has_it else "action_send_again"
        decided = self.stage.run("decide", action=action)
        self.assertEqual(decided, 1)

    def get_references_known(self, references):
        """Return those of these references that have an outcome in our books."""
        customers = self.stage.do("read")["customers"].values()
        return {
            reference
            for books in customers
            for reference, state, *_rest in books["transactions"]
            if reference in references and state != "draft"
        }

    def test_killed_again_and_again_it_still_comes_to_an_end(self):
        """C6, C8: each process gets a little further than the one before it."""
        self.reset(EXECUTE)
        kills = 0
        while self.stage.do("is_open"):
            kills += 1
            self.assertLess(kills, 40)
            self.stage.run(kill_at=500, exit_code=None)
            self.stage.wait_until_left()
        self.assertGreater(kills, 5)
        self.check_books(times=kills)

    def test_a_kill_after_the_outcome_is_known_needs_nobody(self):
        """C6: what is known and committed is booked, whoever the provider is."""
        action, number = self.find_moment("Bob, refund", KNOWN[1])
        self.kill_at(action, number, is_repeatable=False)
        self.stage.run("restart", is_repeatable=False)
        self.check_books(times=1)

    def test_two_processes_at_once_move_the_money_once(self):
        """B8, C6, C8: what one of them is at, the other one leaves to it."""
        for action in (EXECUTE, SETTLE):
            with self.subTest(both_begin_with=action):
                self.reset(action)
                self.stage.run(processes=2, is_repeatable=False)
                self.stage.run("restart", is_repeatable=False)
                self.check_books(times=1)
