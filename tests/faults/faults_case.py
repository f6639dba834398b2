# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Runs that are interrupted at numbered moments, compared with one that was not."""

import tempfile
from pathlib import Path

from odoo.tests import BaseCase, get_db_name

from .stage import EXECUTE, SETTLE, Stage

#: What happens around one transaction, in this order; numbered where it is repeated.
STORED = "1 before commit", "1 after commit"
CALLED = "1 before the call", "1 the provider has it", "1 the provider answered"
KNOWN = "2 before commit", "2 after commit"
BOOKED = "1 before post-processing", "1 after post-processing"
FINISHED = "3 before commit", "3 after commit"
#: The statement in the middle of a step.
MIDDLE = "middle"


class FaultsCase(BaseCase):
    """A run that nothing interrupted, with which all others are compared."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.stage = Stage(get_db_name())
        cls.addClassCleanup(cls.stage.stop)
        cls.stage.start()
        cls.stage.reset(EXECUTE, cls.folder / "uninterrupted")
        cls.before = cls.stage.do("read")
        cls.moments = {EXECUTE: cls.stage.run(actions=[EXECUTE])}
        cls.stage.keep(SETTLE)
        cls.moments[SETTLE] = cls.stage.run(actions=[SETTLE])
        cls.books = cls.stage.do("read")
        cls.calls = cls.stage.read_ledger("reference")

    # === HELPERS === #

    def find(self, kills):
        """Return these moments: the scheduled action, the number in it, the words."""
        return [
            (*self.find_moment(where, what), f"{where}: {what}")
            for where, *moments in kills
            for what in moments
        ]

    def find_moment(self, where, what):
        """Return the scheduled action and the number of one moment in it, from 1 on."""
        action = EXECUTE if where == "core" else SETTLE
        here = [
            (number, label.removeprefix(f"{where}: "))
            for number, label in enumerate(self.moments[action], start=1)
            if label.startswith(f"{where}: ")
        ]
        if what == MIDDLE:
            return action, here[len(here) // 2][0]
        nth, _space, name = what.partition(" ")
        found = [number for number, label in here if label == name]
        return action, found[int(nth) - 1]

    def reset(self, action):
        """Begin anew before a scheduled action, with a ledger of its own."""
        number = len(list(self.folder.iterdir()))
        self.stage.reset(action, self.folder / str(number))

    def kill_at(self, action, number, **options):
        """Kill a scheduled action at a moment, which is the same as without a kill."""
        self.reset(action)
        self.stage.kill(number, actions=[action], **options)
        [entry] = self.stage.read_ledger("killed_at")
        self.assertEqual(entry["killed_at"], self.moments[action][number - 1])

    def check_books(self, times=1):
        """Assert that the books are those of the run that nothing interrupted.

        :param int times: how often the provider may have got one and the same request
        """
        books = self.stage.do("read")
        for customer, expected in self.books["customers"].items():
            self.assertEqual(books["customers"][customer], expected, customer)
        self.assertEqual(books, self.books)
        calls = self.stage.read_ledger("reference")
        moved = {call["reference"]: call["amount"] for call in calls}
        self.assertEqual(moved, self.get_booked(books))
        for call in calls:
            self.assertEqual(call["amount"], moved[call["reference"]])
            self.assertLessEqual(calls.count(call), times, call)

    def get_booked(self, books):
        """Return the amounts of the transactions that settling has made."""
        return {
            reference: amount
            for customer, known in self.before["customers"].items()
            for reference, _state, _is_processed, amount in (
                books["customers"][customer]["transactions"]
            )
            if reference
            not in [transaction[0] for transaction in known["transactions"]]
        }
