# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The dated cases of other billing systems come out to the cent."""

import json
from pathlib import Path

from odoo.tests import tagged

from .common import CancellationCase

CASES = json.loads((Path(__file__).parent / "golden" / "cases.json").read_text())
#: The days that were credited before, where the case's notes name them.
CREDITED_DAYS = {"KB-38": ("2012-07-10", "2012-07-19")}
#: Of the invoice of 74.40, 18.60 and 65.10 are still due.
SETTLEMENT_WHEN_PARTLY_PAID = {
    "LAGO-04": ("18.60", "0.60"),
    "LAGO-05": ("19.20", "0.00"),
}


def one_test_per_case(cls):
    """Give the class one test method per golden case, named after it."""
    for case in CASES:

        def test(self, case=case):
            self._check(case)

        test.__doc__ = f"C1: {case['description']}"
        setattr(cls, f"test_{case['id'].replace('-', '_')}", test)
    return cls


class GoldenCase(CancellationCase):
    """The story of a case, and what must come out of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.tax_calculation_rounding_method = "round_globally"

    def _prepare(self, case):
        """Bill and pay as the case says, up to the day of cancellation.

        :return: the subscription and its invoice
        """
        subscription = self._create_subscription(case)
        invoice = self._bill(subscription, case)
        self._pay(invoice, case["paid"])
        self._credit_by_hand(invoice, case)
        self.travel_to(case.get("cancel_at_utc", case["cancel_date"]))
        return subscription, invoice

    # === THE STORY OF A CASE === #

    def _create_subscription(self, case):
        customer = self.create_customer(tz=case.get("timezone"))
        return self.create_subscription(
            [self._prepare_line(line) for line in case["lines"]],
            start=case["period_start"],
            interval=f"1 {case['interval']}s",
            currency=case["currency"],
            partner_id=customer.id,
        )

    def _prepare_line(self, line):
        return {
            "name": line["name"],
            "product_uom_qty": float(line["qty"]),
            "price_unit": float(line["unit_price"]),
            "discount": float(line["discount_pct"]),
            "taxes": self._get_tax(float(line["tax_pct"]), line["tax_included"]),
            "addon_of": line["parent"],
        }

    def _get_tax(self, percent, included):
        override = "tax_included" if included else "tax_excluded"
        taxes = self.env["account.tax"].search(
            [
                ("company_id", "=", self.company.id),
                ("name", "=", f"{percent} {override}"),
            ]
        )
        if taxes or not percent:
            return taxes
        return self.create_tax(
            percent, name=f"{percent} {override}", price_include_override=override
        )

    def _bill(self, subscription, case):
        """Return the posted invoice, for the days of the case."""
        invoice = self.bill(subscription, post=False)
        invoice.invoice_line_ids.write(
            {"start_date": case["period_start"], "end_date": case["period_end"]}
        )
        invoice.action_post()
        return invoice

    def _pay(self, invoice, paid):
        if paid != "unpaid":
            amount = paid.partition(":")[2]
            self.pay(invoice, float(amount) if amount else None)

    def _credit_by_hand(self, invoice, case):
        """Credit what was credited before, through Odoo's own reversal dialog."""
        if case["id"] not in CREDITED_DAYS:
            return
        first_day, last_day = CREDITED_DAYS[case["id"]]
        credit_memo = self._reverse_invoice(invoice)
        credit_memo.invoice_line_ids.write(
            {
                "price_unit": float(case["already_credited_net"]),
                "start_date": first_day,
                "end_date": last_day,
            }
        )
        credit_memo.action_post()

    def _cancel(self, subscription, case):
        options = {}
        if case["cancelled_lines"] != "all":
            lines = [self.get_line(subscription, n) for n in case["cancelled_lines"]]
            options["line_ids"] = [line.id for line in lines]
        return self.cancel(
            subscription,
            refund_mode=case["refund_mode"],
            cancel_day_billed=case["cancel_date_billed"],
            **options,
        )

    # === WHAT MUST COME OUT === #

    def _check_answer(self, answer, case):
        expected = case["expected"]
        money = self._formatter(case)
        reduces, refundable = self._get_settlement(case)
        if case["unused_days"]:
            self.assertEqual(answer["currency"], case["currency"])
        self.assertEqual(money(answer["credit_untaxed"]), expected["credit_net"])
        self.assertEqual(money(answer["credit_tax"]), expected["credit_tax"])
        self.assertEqual(money(answer["credit_total"]), expected["credit_total"])
        self.assertEqual(money(answer["reduces_invoices"]), money(reduces))
        self.assertEqual(money(answer["refundable"]), money(refundable))
        for line in answer["lines"]:
            self._check_answer_line(line, case)

    def _check_answer_line(self, line, case):
        self.assertEqual(line["unused_days"], case["unused_days"])
        if case["unused_days"]:
            self.assertEqual(line["period_days"], case["period_days"])
        per_line = case["expected"].get("per_line")
        if per_line:
            credit = self._formatter(case)(line["credit_untaxed"])
            self.assertEqual(credit, per_line[line["name"]])

    def _check_credit_memos(self, subscription, invoice, case):
        credit_memos = self.credit_memos(subscription)
        expected = case["expected"]
        money = self._formatter(case)
        untaxed = sum(credit_memos.mapped("amount_untaxed"))
        self.assertEqual(money(untaxed), expected["credit_net"])
        tax = sum(credit_memos.mapped("amount_tax"))
        self.assertEqual(money(tax), expected["credit_tax"])
        total = sum(credit_memos.mapped("amount_total"))
        self.assertEqual(money(total), expected["credit_total"])
        if case["unused_days"]:
            self.assertRecordValues(
                credit_memos, [{"state": "posted", "reversed_entry_id": invoice.id}]
            )
            self._check_credit_memo_lines(credit_memos.invoice_line_ids, case)
        else:
            self.assertFalse(credit_memos, "nothing to credit: no document")

    def _check_credit_memo_lines(self, lines, case):
        per_line = case["expected"].get("per_line")
        if per_line:
            money = self._formatter(case)
            credits = {
                line.subscription_line_id.name: money(line.price_subtotal)
                for line in lines
            }
            self.assertEqual(credits, per_line)

    def _check_open_amounts(self, subscription, invoice, due, case):
        """The credit has reduced its invoice; what is left of it stays open."""
        money = self._formatter(case)
        reduces, refundable = self._get_settlement(case)
        self.assertEqual(money(invoice.amount_residual), money(due - float(reduces)))
        credit_memos = self.credit_memos(subscription)
        left = sum(credit_memos.mapped("amount_residual"))
        self.assertEqual(money(left), money(refundable))

    def _get_settlement(self, case):
        """Return what the credit reduces of its invoice, and what is refundable."""
        total = case["expected"]["credit_total"]
        if case["paid"] in ("paid", "unpaid"):
            return (0, total) if case["paid"] == "paid" else (total, 0)
        return SETTLEMENT_WHEN_PARTLY_PAID[case["id"]]

    def _formatter(self, case):
        """Return the function that writes an amount as the cases do."""
        return lambda amount: f"{float(amount):.{case['decimals']}f}"


@tagged("post_install", "-at_install")
@one_test_per_case
class TestGolden(GoldenCase):
    def _check(self, case):
        """Bill, pay and cancel as the case says; compare answer and credit memo."""
        subscription, invoice = self._prepare(case)
        due = invoice.amount_residual
        answer = self._cancel(subscription, case)
        self._check_answer(answer, case)
        self._check_credit_memos(subscription, invoice, case)
        self._check_open_amounts(subscription, invoice, due, case)
