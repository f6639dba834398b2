# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Invoicing > Reporting > Check Cancellation Books, and `python -m books`."""

import os
import subprocess
import sys
from pathlib import Path

from odoo import sql_db
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, Form, get_db_name, tagged

from .books import BooksCase
from .common import INVOICING, SALESPERSON

ADDON = Path(__file__).parents[1] / "subscription_cancellation"
AUDITOR = "account.group_account_readonly"


@tagged("post_install", "-at_install")
class TestScreen(BooksCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription([31.0])
        cls.bill(cls.subscription)
        cls.cancel(cls.subscription, "2026-07-10")
        cls.memo = cls.credit_memos(cls.subscription)

    def check(self, *groups, **values):
        """Check as an accountant does; return what the screen shows."""
        user = self.create_user(*groups)
        form = Form(self.env["subscription.cancellation.books"].with_user(user))
        for name, value in values.items():
            form[name] = value
        books = form.save()
        books.action_check()
        return books

    def test_an_accountant_reads_that_every_cent_fits(self):
        """C10, D4."""
        books = self.check(INVOICING)
        self.assertEqual(
            books.outcome,
            "Every cent fits: 1 cancellations, 1 credit memos checked.",
        )
        self.assertTrue(books.is_right)
        self.assertFalse(books.finding_ids)

    def test_an_auditor_reads_what_does_not_fit(self):
        """C1, D4: a sentence, the amounts, and the way to the document."""
        self.add_to(self.memo.invoice_line_ids, "price_subtotal", 0.01)
        books = self.check(AUDITOR)
        self.assertEqual(
            books.outcome, "2 findings: 1 cancellations, 1 credit memos checked."
        )
        self.assertFalse(books.is_right)
        first = books.finding_ids[0]
        self.assertRecordValues(
            first,
            [
                {
                    "rule": "memo_lines",
                    "document": self.memo.name,
                    "move_id": self.memo.id,
                    "subscription_id": self.subscription.id,
                    "expected": "21.00",
                    "found": "21.01",
                    "difference": 0.01,
                }
            ],
        )
        self.assertIn("is about 21.01", first.sentence)
        action = first.action_view_document()
        self.assertEqual(action["res_id"], self.memo.id)

    def test_checking_again_replaces_what_was_found(self):
        items = self.memo.invoice_line_ids
        self.add_to(items, "price_subtotal", 0.01)
        books = self.check(INVOICING)
        self.add_to(items, "price_subtotal", -0.01)
        books.action_check()
        self.assertFalse(books.finding_ids)
        self.assertTrue(books.is_right)

    def test_only_what_was_executed_since(self):
        books = self.check(INVOICING, since="2026-07-11")
        self.assertIn("0 cancellations", books.outcome)

    def test_books_of_other_companies_are_not_shown(self):
        """E2: nobody reads the books of a company that is not theirs."""
        self.add_to(self.memo.invoice_line_ids, "price_subtotal", 0.01)
        other = self.setup_other_company()["company"]
        user = self.create_user(INVOICING, company_id=other.id)
        books = self.env["subscription.cancellation.books"].with_user(user).create({})
        books.action_check()
        self.assertIn("0 cancellations", books.outcome)

    def test_a_salesperson_cannot_check(self):
        """E2."""
        with self.assertRaises(AccessError):
            self.check(SALESPERSON)


@tagged("post_install", "-at_install")
class TestCommand(BaseCase):
    """A process of its own, without Odoo."""

    def run_command(self, database, *options):
        connection = sql_db.connection_info_for(get_db_name())[1]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ADDON),
            "PGHOST": str(connection.get("host") or ""),
            "PGPORT": str(connection.get("port") or ""),
            "PGUSER": str(connection.get("user") or ""),
            "PGPASSWORD": str(connection.get("password") or ""),
        }
        # Any import of Odoo would fail.
        code = (
            "import runpy, sys; sys.modules['odoo'] = None; "
            "sys.argv[0] = 'books'; runpy.run_module('books', run_name='__main__')"
        )
        return subprocess.run(
            [sys.executable, "-c", code, database, *options],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_it_needs_no_odoo(self):
        """D4: a second opinion that shares nothing with the engine."""
        done = self.run_command(get_db_name(), "--since", "2199-01-01")
        self.assertEqual(done.stderr, "")
        self.assertEqual(
            done.stdout, "Every cent fits: 0 cancellations, 0 credit memos checked\n"
        )
        self.assertEqual(done.returncode, 0)

    def test_a_database_that_cannot_be_read(self):
        """In a sentence, and not with the exit status of a finding."""
        done = self.run_command("postgres")
        self.assertEqual(done.returncode, 2)
        self.assertIn("postgres cannot be checked: relation", done.stderr)
