# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Bad input: one clear sentence each, nothing half done."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import SQL

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestBadInput(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.invoice = self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def check_refused(self, pattern, **options):
        """Assert that a request is refused with a sentence, and nothing happened."""
        with self.assertRaisesRegex(UserError, pattern), self.env.cr.savepoint():
            self.subscription.request_cancellation(**options)
        self.env.invalidate_all()
        self.assertEqual(self.subscription.stage_type, "in_progress")
        self.assertTrue(
            all(self.subscription.sale_subscription_line_ids.mapped("active"))
        )
        self.assertFalse(self.subscription.cancellation_ids)
        self.assertFalse(self.invoice.refund_invoice_ids)
        self.assertEqual(self.invoice.amount_residual, self.invoice.amount_total)

    def test_unknown_values(self):
        """The known ones are listed."""
        self.check_refused("“tomorrow” is not a value for timing", timing="tomorrow")
        self.check_refused("none, prorated, full", refund_mode="half")
        self.check_refused("use true or false", cancel_day_billed="maybe")
        self.check_refused("no cancellation reason with the code", reason_code="bored")
        self.check_refused("is not a value for comment: use a text", comment={"a": 1})
        self.check_refused("is not a value for timing: use a text", timing=7)

    def test_dates(self):
        """Missing, malformed, superfluous, past, before the start."""
        specific = {"timing": "specific_date"}
        self.check_refused("Choose the date", **specific)
        self.check_refused("form YYYY-MM-DD", requested_date="10/07/2026", **specific)
        self.check_refused("form YYYY-MM-DD", requested_date=20260710, **specific)
        self.check_refused(
            "only be given when", requested_date="2026-07-20", timing="immediate"
        )
        self.check_refused(
            "earliest possible date is July 10", requested_date="2026-07-09", **specific
        )

    def test_date_after_the_end_of_the_contract(self):
        """A fixed term ends by itself."""
        self.subscription.template_id.recurring_rule_boundary = "limited"
        self.subscription.template_id.recurring_rule_count = 2
        self.subscription._compute_rule_boundary()
        self.check_refused(
            "its term ends on August 31, 2026 anyway",
            timing="specific_date",
            requested_date="2026-09-01",
        )

    def test_lines(self):
        """Foreign, archived, malformed."""
        other = self.create_subscription([31.0]).sale_subscription_line_ids
        self.travel_to("2026-07-10")
        self.check_refused("has no active line with the id", line_ids=other.ids)
        self.check_refused("Choose at least one line", line_ids=[])
        self.check_refused("a list of subscription line ids", line_ids="1")
        self.check_refused("has no active line with the id", line_ids=[[1]])
        self.check_refused("has no active line with the id", line_ids=["x"])

    def test_one_subscription_at_a_time(self):
        """Not none, not two."""
        with self.assertRaisesRegex(UserError, "one at a time"):
            (self.subscription | self.create_subscription()).request_cancellation()
        with self.assertRaisesRegex(UserError, "one at a time"):
            self.subscription.browse().preview_cancellation()

    def test_no_active_line(self):
        """Nothing to cancel; the form tells why Deactivate is missing."""
        empty = self.create_subscription([])
        with self.assertRaisesRegex(UserError, "no active line to cancel"):
            empty.request_cancellation()
        self.assertIn("no active line", empty.cannot_cancel_reason)

    def test_archived_journal_and_account(self):
        """The invoice and what to unarchive are named."""
        self.invoice.journal_id.active = False
        self.check_refused(f"{self.invoice.name} cannot be credited: its journal")
        self.invoice.journal_id.active = True
        self.invoice.invoice_line_ids.account_id.active = False
        self.check_refused(f"{self.invoice.name} cannot be credited: its account")

    def test_invoice_line_without_a_period(self):
        """C1, C4: refused, not credited with nothing; the way out is a list."""
        line = self.invoice.invoice_line_ids
        lost = (
            ("start_date", None),
            ("end_date", None),
            ("end_date", "2026-06-30"),
        )
        for name, value in lost:
            with self.subTest(name=name, value=value):
                self.lose(line, name, value)
                self.check_refused(f"{self.invoice.name} bills “.*” without a period")
                line.write({"start_date": "2026-07-01", "end_date": "2026-07-31"})
        for name in ("start_date", "end_date"):
            self.lose(line, name, None)
        self.check_refused("without a period")
        action = self.env["account.move.line"].action_view_not_linked()
        self.assertIn(line, line.search(action["domain"]))
        line.write({"start_date": "2026-07-01", "end_date": "2026-07-31"})
        self.subscription.request_cancellation()
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 21.0)

    def lose(self, line, name, value):
        """Write a date behind the back of every rule."""
        line.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE account_move_line SET %s = %s WHERE id = %s",
                SQL.identifier(name),
                value,
                line.id,
            )
        )
        line.invalidate_recordset()

    def test_currency_without_rate(self):
        """Odoo would take a rate of 1 without a word."""
        euro = self.create_subscription([31.0], currency="EUR")
        invoice = self.bill(euro, "2026-07-01")
        invoice.currency_id.rate_ids.unlink()
        self.travel_to("2026-07-10")
        with (
            self.assertRaisesRegex(UserError, "no exchange rate for EUR"),
            self.env.cr.savepoint(),
        ):
            euro.request_cancellation()

    def test_posting_that_fails(self):
        """The invoice is named, the cause is told, nothing stays behind."""
        with patch.object(
            self.registry["account.move"],
            "_post",
            side_effect=UserError("Out of order."),
        ):
            self.check_refused(
                f"credit memo for {self.invoice.name} could not be posted: Out of"
            )

    def test_locked_period_moves_the_accounting_date(self):
        """A lock date does not stop a cancellation: see C11."""
        self.company.hard_lock_date = "2026-07-31"
        result = self.subscription.request_cancellation(timing="immediate")
        self.assertEqual(result["state"], "done")
        memo = self.credit_memos(self.subscription)
        self.assertGreater(str(memo.date), "2026-07-31")

    def test_what_is_no_fingerprint(self):
        """D5, E3: given but empty, or no text, it is not taken for none."""
        for fingerprint in ("", False, 0, 7, True, [], {}, ["a"], "a\x00", "a\ud800"):
            with self.subTest(fingerprint=fingerprint):
                self.check_refused("is not a fingerprint", fingerprint=fingerprint)
        result = self.subscription.request_cancellation(fingerprint=None)
        self.assertTrue(result["cancellation_id"])

    def test_what_was_sent_is_told_shortly(self):
        """E3: at most 200 characters of a value are repeated."""
        value = "x" * 1000
        for options in (
            {"timing": value},
            {"refund_mode": value},
            {"requested_date": value, "timing": "specific_date"},
            {"reason_code": value},
            {"comment": [value]},
            {"fingerprint": [value]},
            {"line_ids": [value]},
            {"line_ids": list(range(10**6, 10**6 + 1000))},
        ):
            with self.subTest(options=str(options)[:30]):
                with self.assertRaises(UserError) as caught:
                    self.subscription.request_cancellation(**options)
                self.assertLess(len(str(caught.exception)), 600)
                self.assertIn("…", str(caught.exception))
        with self.assertRaises(UserError) as caught:
            self.subscription.reactivate_subscription(mode=value)
        self.assertIn(f"“{'x' * 199}…”", str(caught.exception))

    def test_a_company_without_a_chart_of_accounts(self):
        """C9, D5: the preview says so, and not the invoice in the end."""
        company = self.env["res.company"].create({"name": "Bare Books"})
        self.env.user.company_ids += company
        subscription = self.create_subscription(company_id=company.id, journal_id=False)
        self.travel_to("2026-07-10")
        for ask in (
            subscription.preview_cancellation,
            subscription.request_cancellation,
        ):
            with (
                self.assertRaisesRegex(UserError, "Bare Books has no chart of acc"),
                self.env.cr.savepoint(),
            ):
                ask(timing="immediate")
        dialog = self.env["subscription.cancellation.wizard"].with_context(
            default_subscription_id=subscription.id
        )
        self.assertIn("Bare Books has no chart of accounts", Form(dialog).problem)
        dropped = {"timing": "immediate", "unbilled_charges": "drop"}
        preview = subscription.preview_cancellation(**dropped)
        self.assertEqual(preview["settlement"][0]["state"], "skipped")
        answer = subscription.request_cancellation(**dropped)
        self.assertEqual(answer["state"], "done")
