# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker finds every kind of error in the books, and says nothing else.

That it says nothing where the books are right is proved by all other tests of this
suite, at whose end it runs (:class:`~tests.common.CancellationCase`).
"""

from decimal import Decimal

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import (
    billing,
    confirmations,
    coverage,
    dates,
    drafts,
    endings,
    figures,
    invoices,
    memo_lines,
    memos,
    reductions,
    requests,
    rows,
    steps,
    taxes,
    totals,
)

from . import (
    test_check_books_bookings,
    test_check_books_discounts,
    test_check_books_items,
    test_check_books_limits,
    test_check_books_money,
    test_check_books_order_offers,
    test_check_books_orders,
    test_check_books_pauses,
    test_check_books_served,
    test_check_books_time,
    test_check_books_undo,
    test_copied_documents,
)
from .books import TESTED, CreditedCase, create_invoice, finds, get_sentences

MODULES = (
    test_check_books_bookings,
    test_check_books_discounts,
    test_check_books_items,
    test_check_books_limits,
    test_check_books_money,
    test_check_books_order_offers,
    test_check_books_orders,
    test_check_books_pauses,
    test_check_books_served,
    test_check_books_time,
    test_check_books_undo,
    test_copied_documents,
)


@tagged("post_install", "-at_install")
class TestAmounts(CreditedCase):
    """C1, C2, C4, C5, C11: a cent anywhere."""

    def test_it_tells_rule_document_and_difference(self):
        """An accountant sees where to look, and how much it is."""
        self.add_to(self.item, "price_subtotal", 0.01)
        [finding, _unlike_booked] = self.check_books().findings
        self.assertEqual(finding.rule, "memo_lines")
        self.assertEqual(finding.document, self.memo.name)
        self.assertEqual(finding.cancellation_id, self.cancellation.id)
        self.assertEqual(finding.subscription_id, self.subscription.id)
        self.assertEqual(finding.expected, Decimal("21.00"))
        self.assertEqual(finding.found, Decimal("21.01"))
        self.assertEqual(finding.difference, Decimal("0.01"))
        self.assertEqual(
            finding.tell(),
            f"A line of credit memo {self.memo.name} is about 21.01 USD, the credit "
            f"of {self.cancellation.name} about 21.00 USD.",
        )

    @finds(rows.WRONG)
    def test_a_cent_on_a_row(self):
        """C1."""
        yield
        self.add_to(self.row, "credit_untaxed", 0.01)

    def test_a_cent_on_row_and_credit_memo_alike(self):
        """C1: what the engine got wrong consistently is found, by that rule alone."""
        self.add_to(self.row, "credit_untaxed", -0.01)
        self.add_to(self.cancellation, "credit_untaxed", -0.01)
        self.add_to(self.cancellation, "credit_total", -0.01)
        self.add_to(self.cancellation, "reduces_invoices", -0.01)
        self.add_to(self.row, "reduces_invoice", -0.01)
        for name in ("price_subtotal", "amount_currency", "balance"):
            self.add_to(self.item, name, -0.01)
        for name in ("amount_untaxed", "amount_total"):
            self.add_to(self.memo, name, -0.01)
        due = self.memo.line_ids.filtered("reconciled")
        self.add_to(due, "balance", 0.01)
        partials = due.matched_debit_ids
        self.add_to(partials, "credit_amount_currency", -0.01)
        step = self.steps(self.subscription, "reduce")
        self.add_to(step, "amount", -0.01)
        found = {finding.rule for finding in self.check_books().findings}
        self.assertEqual(found, {"rows", "coverage"})

    @finds(coverage.LEFT)
    def test_a_row_and_its_credit_removed(self):
        """C1, C3."""
        yield
        self.remove(self.row)
        self.remove(self.item)

    @finds(figures.WRONG_DAYS)
    def test_wrong_number_of_days(self):
        """D4."""
        yield
        self.tamper(self.row, unused_days=22)

    @finds(figures.WRONG_LINE)
    def test_row_of_another_line(self):
        """C1."""
        yield
        self.tamper(self.row, origin_line_id=self.other_row.origin_line_id.id)

    @finds(memo_lines.WRONG_AMOUNT)
    def test_a_cent_on_a_credit_memo_line(self):
        """C1."""
        yield
        self.add_to(self.item, "price_subtotal", 0.01)

    @finds(memo_lines.WRONG_NUMBER)
    def test_a_credit_memo_line_of_another_origin(self):
        """C4."""
        yield
        origin = self.other_item.origin_line_id
        self.tamper(self.item, origin_line_id=origin.id)

    @finds(memo_lines.UNKNOWN)
    def test_a_row_removed(self):
        """C1, D4."""
        yield
        self.remove(self.row)

    @finds(memo_lines.UNLIKE)
    def test_another_account(self):
        """C11."""
        yield
        self.tamper(self.item, account_id=self.loss.id)

    @finds(memo_lines.UNLIKE)
    def test_another_tax(self):
        """C11."""
        yield
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM account_move_line_account_tax_rel"
            " WHERE account_move_line_id = %s",
            [self.item.id],
        )

    @finds(memo_lines.WRONG_DAYS)
    def test_other_days_on_the_credit_memo(self):
        """A4."""
        yield
        self.tamper(self.item, start_date="2026-07-10")

    @finds(memo_lines.WRONG_DAYS)
    def test_days_left_out_that_nobody_has_credited(self):
        """A4, C4."""
        yield
        self.tamper(self.item, start_date="2026-07-12")

    @finds(memo_lines.UNLIKE_BOOKED)
    def test_another_amount_is_booked(self):
        """C1."""
        yield
        self.add_to(self.item, "amount_currency", 0.01)

    @finds(memo_lines.UNBALANCED)
    def test_journal_items_that_do_not_balance(self):
        """C1."""
        yield
        self.add_to(self.item, "balance", 0.01)

    @finds(memos.TWICE)
    def test_a_second_credit_memo(self):
        """C4."""
        yield
        self.double(self.memo, name="RINV/2026/00002")

    @finds(memos.UNLIKE)
    def test_credit_memo_of_another_customer(self):
        """C11."""
        yield
        self.tamper(self.memo, partner_id=self.create_customer(name="Else").id)

    @finds(memos.UNLIKE)
    def test_credit_memo_at_another_rate(self):
        """C11."""
        yield
        self.tamper(self.memo, invoice_currency_rate=1.01)

    @finds(memos.NO_INVOICE)
    def test_credit_memo_of_no_invoice(self):
        """A4."""
        yield
        self.tamper(self.memo, reversed_entry_id=None)

    @finds(memos.NOT_POSTED)
    def test_a_credit_memo_that_was_never_posted(self):
        """C12."""
        yield
        self.tamper(self.memo, state="draft")

    @finds(memos.WRONG_SUM)
    def test_another_sum_on_the_credit_memo(self):
        """C1."""
        yield
        self.add_to(self.memo, "amount_untaxed", 0.01)

    @finds(memos.WRONG_TAX)
    def test_another_tax_amount_on_the_credit_memo(self):
        """C11."""
        yield
        self.add_to(self.memo, "amount_tax", 0.01)

    @finds(taxes.WRONG)
    def test_a_tax_that_is_no_share_of_what_was_billed(self):
        """C11: also where the records agree on it."""
        yield
        tax = self.memo.line_ids.filtered("tax_line_id")
        self.add_to(tax, "amount_currency", 1.0)

    @finds(invoices.BEYOND_TOTAL)
    def test_another_credit_memo_by_hand(self):
        """C4: more than is left of the invoice."""
        yield
        self.credit_by_hand()

    @finds(invoices.BEYOND_LINE)
    def test_another_credit_of_the_same_line(self):
        """C4: more than is left of a line."""
        yield
        self.credit_by_hand()

    @finds(invoices.BEYOND_TAX)
    def test_more_tax_than_was_billed(self):
        """C4, C11."""
        yield
        self.add_to(self.memo, "amount_tax", 3.01)

    def credit_by_hand(self):
        """Credit all of the invoice once more, through Odoo's own reversal."""
        reversal = self.invoice._reverse_moves([{"invoice_date": "2026-07-11"}])
        self.post(reversal)

    @finds(totals.WRONG)
    def test_a_cent_on_the_cancellation(self):
        """D4."""
        yield
        self.add_to(self.cancellation, "refundable", 0.01)

    def test_a_cent_on_each_amount_of_the_cancellation(self):
        """D4."""
        for name in totals.SUMS:
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.add_to(self.cancellation, name, 0.01)
                [finding] = self.check_books().findings
                self.assertEqual(finding.sentence, totals.WRONG)
                self.assertIn(totals.LABELS[name], finding.tell())
                self.assertNotIn("_", finding.tell())
                savepoint.rollback()

    @finds(reductions.WRONG)
    def test_credit_memo_that_is_not_reconciled(self):
        """C5."""
        yield
        self.memo.line_ids.remove_move_reconcile()

    @finds(reductions.BOTH_OPEN)
    def test_credit_memo_that_was_not_even_planned_to_be_reconciled(self):
        """C5: the record agrees with what was not done."""
        yield
        self.memo.line_ids.remove_move_reconcile()
        self.tamper(self.cancellation.line_ids, reduces_invoice=0.0)

    @finds(steps.WRONG)
    def test_a_cent_that_no_step_accounts_for(self):
        """C6."""
        yield
        self.add_to(self.steps(self.subscription, "reduce"), "amount", -0.01)


@tagged("post_install", "-at_install")
class TestLife(CreditedCase):
    """A5, A6, B7, C10, D4, D7: what ended, when, and what came after."""

    @finds(dates.WRONG_ORDER)
    def test_executed_before_it_was_requested(self):
        """D4."""
        yield
        self.tamper(self.cancellation, executed_date="2026-07-09 12:00:00")

    @finds(dates.NOT_EXECUTED)
    def test_done_at_no_time(self):
        """D4."""
        yield
        self.tamper(self.cancellation, executed_date=None)

    @finds(dates.NOT_DONE)
    def test_executed_but_not_done(self):
        """D4."""
        yield
        self.tamper(self.cancellation, state="revoked")

    @finds(dates.WRONG_DAY)
    def test_another_end_than_was_wished_for(self):
        """B4, B6."""
        yield
        self.tamper(self.cancellation, requested_date="2026-07-11")

    @finds(endings.STILL_ACTIVE)
    def test_a_line_that_goes_on(self):
        """A5."""
        yield
        self.tamper(self.row.subscription_line_id, active=True)

    @finds(endings.WRONG_DATE)
    def test_a_line_with_another_end(self):
        """A5."""
        yield
        line = self.row.subscription_line_id
        self.tamper(line, cancellation_date="2026-07-12")

    @finds(endings.NOT_CLOSED)
    def test_a_subscription_that_is_not_closed(self):
        """A6."""
        yield
        stages = self.env["sale.subscription.stage"]
        running = stages.search([("type", "=", "in_progress")], limit=1)
        self.tamper(self.subscription, stage_id=running.id)

    @finds(endings.STILL_BILLED)
    def test_a_closed_subscription_with_a_next_invoice(self):
        """B7."""
        yield
        self.tamper(self.subscription, recurring_next_date="2026-08-01")

    @finds(endings.OPEN_TWICE)
    def test_a_line_that_is_to_end_twice(self):
        """B11: also where the index that forbids it is gone."""
        running = self.create_subscription()
        self.bill(running)
        self.cancel(running, "2026-07-02", timing="end_of_period")
        yield
        index = "subscription_cancellation_line_open_line_uniq"
        self.env.cr.execute(f"DROP INDEX {index}")
        self.double(running.cancellation_ids.line_ids)

    @finds(billing.BILLED)
    def test_a_draft_for_a_period_after_the_end(self):
        """B7."""
        yield
        self.bill_august()

    @finds(billing.BILLED)
    def test_an_invoice_for_a_period_after_an_end_without_refund(self):
        """B7, A3: where nothing is to be credited, the order of events decides."""
        self.subscription = self.create_subscription()
        self.bill(self.subscription)
        self.bill(self.subscription)
        self.cancel(self.subscription, "2026-08-02", refund_mode="none")
        yield
        self.tamper(self.post(self.bill_august()), create_date="2100-01-01")

    @finds(coverage.LEFT)
    def test_an_invoice_for_a_period_after_the_end(self):
        """B7, C3: it is owed to the customer."""
        yield
        self.post(self.bill_august())

    def bill_august(self):
        """Return a draft of the line that ended, as by hand."""
        line = self.subscription.archived_line_ids[:1]
        return create_invoice(self.subscription, line, "2026-09-01", "2026-09-30")

    @finds(drafts.ORPHAN)
    def test_a_draft_left_behind(self):
        """C10."""
        yield
        self.double(self.invoice, state="draft", cancellation_id=self.cancellation.id)

    @finds(confirmations.TWICE)
    def test_two_confirmations(self):
        """D7."""
        yield
        self.double(self.steps(self.subscription, "confirm"))

    @finds(confirmations.NOT_TOLD)
    def test_a_confirmation_that_nobody_got(self):
        """D7."""
        yield
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM mail_message_res_partner_rel WHERE res_partner_id = %s",
            [self.partner.id],
        )

    @finds(requests.TWICE)
    def test_a_key_used_for_two_requests(self):
        """E3: also where the index that forbids it is gone."""
        yield
        index = "subscription_cancellation_idempotency_key_uniq"
        self.env.cr.execute(f"DROP INDEX {index}")
        self.tamper(self.cancellation, idempotency_key="once")
        self.double(self.cancellation, state="refused", executed_date=None)


@tagged("post_install", "-at_install")
class TestChecker(CreditedCase):
    """How it goes through a database."""

    def test_every_sentence_of_every_rule_is_provoked_by_a_test(self):
        """No rule without a test that fails without it."""
        self.assertTrue(all(MODULES), "have some of them")
        missing = get_sentences().keys() - TESTED.keys()
        self.assertFalse(missing)

    def test_nothing_is_written(self):
        """C10."""
        before = self.env.cr.sql_log_count
        self.env.cr.execute("SELECT pg_current_xact_id_if_assigned()")
        self.assertTrue(before)
        self.env.flush_all()
        self.env.cr.execute("SET TRANSACTION READ ONLY")
        self.assertEqual(self.check_books().findings, [])

    def test_chunks_come_to_the_same(self):
        """However many subscriptions are read at once."""
        for _number in range(2):
            subscription = self.create_subscription()
            self.bill(subscription)
            self.cancel(subscription, "2026-07-10")
        self.add_to(self.row, "credit_untaxed", 0.01)
        companies = self.company.ids
        together = self.check_books(companies=companies)
        apart = self.check_books(companies=companies, chunk=1)
        self.assertEqual(together, apart)
        self.assertEqual((apart.cancellations, apart.credit_memos), (3, 3))

    def test_the_number_of_queries_is_that_of_a_chunk(self):
        """Whatever there is in the chunk."""
        alone = self.count_queries()
        for _number in range(2):
            subscription = self.create_subscription()
            self.bill(subscription)
            self.cancel(subscription, "2026-07-10")
        self.assertEqual(self.count_queries(), alone)

    def count_queries(self):
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        self.check_books()
        return self.env.cr.sql_log_count - before

    def test_only_some_companies_or_days(self):
        """An accountant sees what is theirs."""
        other = self.setup_other_company()["company"]
        checked = {
            company: self.check_books(companies=company.ids).cancellations
            for company in (self.company, other)
        }
        self.assertEqual(checked, {self.company: 1, other: 0})
        options = {"companies": self.company.ids}
        for day, number in {"2026-07-10": 1, "2026-07-11": 0}.items():
            summary = self.check_books(since=day, **options)
            self.assertEqual(summary.cancellations, number)
