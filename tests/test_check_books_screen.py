# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Invoicing > Reporting > Check Cancellation Books, and `python -m books`."""

import os
import subprocess
import sys
from pathlib import Path

from lxml import html

from odoo import sql_db
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, Form, get_db_name, tagged

from odoo.addons.subscription_cancellation.wizards import (
    subscription_cancellation_books,
)

from .books import BooksCase
from .common import INVOICING, SALESPERSON
from .test_report_and_proof import get_text

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

    def test_an_accountant_reads_that_the_books_are_correct(self):
        """C10, D4."""
        books = self.check(INVOICING)
        self.assertEqual(
            books.outcome,
            "The books are correct: 1 cancellations, 1 credit memos checked.",
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
                    "kind": "wrong",
                    "currency_id": self.memo.currency_id.id,
                    "expected": 21.0,
                    "found": 21.01,
                    "difference": 0.01,
                }
            ],
        )
        self.assertIn("is about 21.01 USD, the credit", first.sentence)
        action = first.action_view_document()
        self.assertEqual(action["res_id"], self.memo.id)

    def test_the_page_has_a_title_of_its_own(self):
        """D4: not “New”, and after the check it says of which moment it is."""
        user = self.create_user(INVOICING)
        action = self.env.ref(
            "subscription_cancellation.subscription_cancellation_books_server_action"
        )
        opened = action.with_user(user).run()
        books = self.env[opened["res_model"]].with_user(user).browse(opened["res_id"])
        self.assertEqual(books.display_name, "Check Cancellation Books")
        books.action_check()
        self.assertRegex(books.display_name, "Cancellation books, checked on .*26")

    def test_what_was_checked_is_printed(self):
        """D4: when, by whom, of what, and what was found."""
        self.add_to(self.memo.invoice_line_ids, "price_subtotal", 0.01)
        books = self.check(AUDITOR, since="2026-07-01")
        page = self.print(books)
        for text in (
            "Check of the Cancellation Books",
            "07/01/2026",
            books.env.user.name,
            f"{self.env.company.name}: cancellations executed since 07/01/2026",
            "2 findings",
            self.memo.name,
            "is about 21.01 USD, the credit",
            "$ 21.00 $ 21.01 $ 0.01",
        ):
            self.assertIn(text, page)

    def test_a_changed_scope_is_not_printed_as_checked(self):
        """D4: the date and the scope are those of the result, or there is none."""
        books = self.check(INVOICING)
        self.assertIn("all cancellations", self.print(books))
        books.since = "2026-07-11"
        self.assertRecordValues(
            books, [{"outcome": False, "checked_on": False, "scope": False}]
        )
        self.assertIn("Not checked yet", self.print(books))

    def print(self, books):
        """Return the text of the printed check."""
        reports = self.env["ir.actions.report"].with_user(books.env.user)
        content, _kind = reports._render_qweb_html(
            "subscription_cancellation.cancellation_books", books.ids
        )
        return get_text(html.fromstring(content))

    def test_checking_again_replaces_what_was_found(self):
        items = self.memo.invoice_line_ids
        self.add_to(items, "price_subtotal", 0.01)
        books = self.check(INVOICING)
        self.add_to(items, "price_subtotal", -0.01)
        books.action_check()
        self.assertFalse(books.finding_ids)
        self.assertTrue(books.is_right)

    def test_days_and_amounts_are_told_in_the_language_of_the_user(self):
        """Nobody reads names of fields, or the English decimal point."""
        self.env["res.lang"]._activate_lang("de_DE")
        self.env["res.lang"]._lang_get("de_DE").grouping = "[3,0]"
        user = self.create_user(INVOICING)
        self.add_to(self.memo.invoice_line_ids, "price_subtotal", 1000.0)
        line = self.subscription.archived_line_ids
        self.tamper(line, cancellation_date="2026-07-12")
        model = self.env["subscription.cancellation.books"].with_context(lang="de_DE")
        books = model.with_user(user).create({})
        books.action_check()
        told = " ".join(books.finding_ids.mapped("sentence"))
        for text in ("1.021,00 USD", "12.07.2026", "11.07.2026"):
            self.assertIn(text, told)
        day = books.finding_ids.filtered(lambda finding: finding.rule == "endings")
        self.assertRecordValues(day, [{"currency_id": False, "difference": 0.0}])

    def test_what_waits_is_no_error(self):
        """B7, D4: it is told apart."""
        cancellation = self.subscription.cancellation_ids
        message = {"failure_message": "No journal.", "executed_date": None}
        self.tamper(cancellation, state="failed", is_open=True, **message)
        line = self.subscription.archived_line_ids
        self.assertTrue(line)
        books = self.check(INVOICING)
        self.assertTrue(books.is_right)
        self.assertEqual(
            books.outcome,
            "The books are correct: 1 cancellations, 1 credit memos checked. 1 wait "
            "for somebody.",
        )
        self.assertEqual(books.finding_ids.mapped("kind"), ["waiting"])
        self.assertIn("No journal.", books.finding_ids.sentence)

    def test_what_cannot_be_derived_is_not_said_to_fit(self):
        """C11."""
        subscription = self.create_subscription(
            [{"price_unit": 31.0, "taxes": self.tax}]
        )
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10")
        self.tamper(self.tax, amount_type="fixed")
        books = self.check(INVOICING)
        self.assertFalse(books.is_right)
        self.assertEqual(
            books.outcome,
            "All that can be derived is correct: 2 cancellations, 2 credit memos "
            "checked. 1 could not be derived.",
        )

    def test_only_the_first_findings_are_shown(self):
        """All are counted."""
        self.add_to(self.memo.invoice_line_ids, "price_subtotal", 0.01)
        self.patch(subscription_cancellation_books, "MOST_SHOWN", 1)
        books = self.check(INVOICING)
        self.assertEqual(len(books.finding_ids), 1)
        self.assertIn("2 findings", books.outcome)
        self.assertIn("Only the first 1 are shown.", books.outcome)

    def test_too_many_for_a_page(self):
        """The command has no limit, nor have the last days."""
        self.patch(subscription_cancellation_books, "MOST_CHECKED", 0)
        with self.assertRaisesRegex(UserError, "python -m books"):
            self.check(INVOICING)
        books = self.env["subscription.cancellation.books"].create(
            {"since": "2026-07-11"}
        )
        books.action_check()
        self.assertTrue(books.outcome)

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
            done.stdout,
            "The books are correct: 0 cancellations, 0 credit memos checked\n",
        )
        self.assertEqual(done.returncode, 0)

    def test_a_database_that_cannot_be_read(self):
        """In a sentence, and not with the exit status of a finding."""
        done = self.run_command("postgres")
        self.assertEqual(done.returncode, 2)
        self.assertIn("postgres cannot be checked: relation", done.stderr)
