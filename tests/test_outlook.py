# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is told to come until service ends is what then comes (D5).

Upstream's and our scheduled actions are run day by day up to the end; their invoices
and credit memos are compared with what the preview had said.
"""

from datetime import timedelta

import lxml.html

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .sales import SalesCase
from .test_billing_guard import OURS, UPSTREAM, GuardCase


def to_day(text):
    """Return the date of a text."""
    return fields.Date.to_date(text)


def html_to_text(html):
    """Return the words of a page, one blank between them."""
    return " ".join(lxml.html.fromstring(html).text_content().split())


@tagged("post_install", "-at_install")
class TestOutlook(GuardCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.get_default_policy()
        cls.policy.credit_settlement = "refund"

    def live(self, subscription, last_day):
        """Let the nightly actions run until a day; customers pay what is due.

        :return: what came: tuples of kind, day and amount
        """
        known = self.get_documents(subscription)
        day = subscription._today()
        while day < to_day(last_day):
            day += timedelta(days=1)
            if day not in (subscription.recurring_next_date, to_day(last_day)):
                continue
            self.run_crons(UPSTREAM, OURS, day=str(day))
            for move in self.get_documents(subscription) - known:
                if move.state == "draft":
                    move.action_post()
                is_due = (
                    move.move_type == "out_invoice" and move.invoice_date_due <= day
                )
                if is_due and move.amount_residual:
                    self.pay(move)
        return [
            (
                "credit" if move.move_type == "out_refund" else "invoice",
                str(move.invoice_date),
                move.amount_total,
            )
            for move in (self.get_documents(subscription) - known).sorted("id")
        ]

    def get_documents(self, subscription):
        return (
            subscription._get_invoices() | subscription.cancellation_ids.credit_note_ids
        )

    def get_figures(self, seen):
        return [(one["kind"], one["date"], one["amount"]) for one in seen["upcoming"]]

    def count_together(self, came):
        """Return what came as it is told: from the fourth invoice on, together."""
        invoices = [one for one in came if one[0] == "invoice"]
        others = invoices[3:]
        if others:
            total = round(sum(amount for _kind, _day, amount in others), 2)
            invoices[3:] = [("invoice", others[0][1], total)]
        return invoices + [one for one in came if one[0] == "credit"]

    def sell(self, *lines, start="2026-07-01", **values):
        """Return a subscription whose first period is billed and paid."""
        subscription = self.create_subscription(lines or [31.0], start=start, **values)
        self.pay(self.bill(subscription))
        return subscription

    def assert_comes_true(self, subscription, last_day, **options):
        """Preview, request, live on: what was said is what came; return the dict."""
        seen = subscription.preview_cancellation(**options)
        self.cancel(subscription, **options)
        scheduled = subscription.cancellation_ids[0]
        self.assertEqual(scheduled.state, "scheduled")
        told = scheduled._as_dict()
        for name in ("upcoming", "credit_total", "reduces_invoices", "refundable"):
            self.assertEqual(told[name], seen[name], name)
        came = self.live(subscription, last_day)
        self.assertEqual(self.get_figures(seen), self.count_together(came))
        cancellation = subscription.cancellation_ids[0]
        self.assertEqual(cancellation.state, "done")
        for name in ("credit_untaxed", "credit_tax", "credit_total"):
            self.assertAlmostEqual(seen[name], cancellation[name], 2, name)
        self.assertAlmostEqual(seen["refundable"], cancellation.refundable, 2)
        self.assertFalse(cancellation._as_dict()["upcoming"])
        return seen

    # === INVOICES AND THE CREDIT === #

    def test_an_invoice_and_its_credit(self):
        """D5: billed on 9 December, credited on 21 December, 19 of 31 days."""
        line = {"price_unit": 36.0, "taxes": self.create_tax(19.0)}
        subscription = self.sell(line, start="2026-11-09")
        self.travel_to("2026-11-20")
        seen = self.assert_comes_true(
            subscription,
            "2026-12-21",
            timing="specific_date",
            requested_date="2026-12-20",
        )
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-12-09", 42.84), ("credit", "2026-12-21", 26.25)],
        )
        self.assertEqual(
            [one["what"] for one in seen["upcoming"]],
            [
                "Invoice for December 9, 2026 – January 8, 2027",
                "Credit for December 21, 2026 – January 8, 2027: will be paid back, "
                "and usually arrives within 5 to 10 working days",
            ],
        )
        self.assertEqual((seen["credit_untaxed"], seen["credit_tax"]), (22.06, 4.19))
        self.assertEqual((seen["reduces_invoices"], seen["refundable"]), (0.0, 26.25))

    def test_many_invoices_are_told_together(self):
        """D5: the next three, then their number and sum."""
        subscription = self.sell(31.0)
        self.travel_to("2026-07-10")
        seen = self.assert_comes_true(
            subscription,
            "2027-01-11",
            timing="specific_date",
            requested_date="2027-01-10",
        )
        self.assertEqual(
            self.get_figures(seen),
            [
                ("invoice", "2026-08-01", 31.0),
                ("invoice", "2026-09-01", 31.0),
                ("invoice", "2026-10-01", 31.0),
                ("invoice", "2026-11-01", 93.0),
                ("credit", "2027-01-11", 21.0),
            ],
        )
        self.assertEqual(
            seen["upcoming"][3]["what"], "3 more invoices, the last on January 1, 2027"
        )

    def test_what_is_credited_follows_the_refund_mode(self):
        """A3, A4: nothing, or all of the latest period, which is still to be billed."""
        for mode, credit in (("none", 0.0), ("full", 31.0)):
            with self.subTest(mode):
                subscription = self.sell(31.0)
                self.travel_to("2026-07-10")
                seen = self.assert_comes_true(
                    subscription,
                    "2026-08-16",
                    timing="specific_date",
                    requested_date="2026-08-15",
                    refund_mode=mode,
                )
                self.assertEqual(seen["credit_total"], credit)

    def test_the_last_invoice_ends_with_service(self):
        """D5: to the end of a period, there is nothing to credit."""
        subscription = self.sell(31.0)
        self.travel_to("2026-07-10")
        seen = self.assert_comes_true(
            subscription,
            "2026-09-01",
            timing="specific_date",
            requested_date="2026-08-31",
        )
        self.assertEqual(self.get_figures(seen), [("invoice", "2026-08-01", 31.0)])

    def test_nothing_comes_but_the_credit(self):
        """D5: July is billed, and service ends in it."""
        subscription = self.sell(31.0)
        self.travel_to("2026-07-10")
        seen = self.assert_comes_true(
            subscription,
            "2026-07-21",
            timing="specific_date",
            requested_date="2026-07-20",
        )
        self.assertEqual(self.get_figures(seen), [("credit", "2026-07-21", 11.0)])

    def test_taxes_of_every_kind(self):
        """C2: to the cent, as the credit memo comes out."""
        taxes = {
            "included": self.create_tax(19.0, price_include_override="tax_included"),
            "two": self.create_tax(7.0) + self.create_tax(2.5),
            "fixed": self.create_tax(1.37, amount_type="fixed"),
        }
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            for name, tax in taxes.items():
                with self.subTest(name, method=method):
                    subscription = self.sell(
                        {"price_unit": 9.99, "product_uom_qty": 3.0, "taxes": tax},
                        {"price_unit": 17.77, "discount": 12.5, "taxes": tax},
                    )
                    self.travel_to("2026-07-10")
                    self.assert_comes_true(
                        subscription,
                        "2026-08-17",
                        timing="specific_date",
                        requested_date="2026-08-16",
                    )

    def test_an_invoice_that_is_due_later_is_reduced(self):
        """D5: what is not due before the end will not be paid before it."""
        customer = self.create_customer()
        customer.property_payment_term_id = self.env["account.payment.term"].create(
            {"name": "30 days", "line_ids": [Command.create({"nb_days": 30})]}
        )
        subscription = self.sell(31.0, partner_id=customer.id)
        self.travel_to("2026-07-10")
        seen = self.assert_comes_true(
            subscription,
            "2026-08-11",
            timing="specific_date",
            requested_date="2026-08-10",
        )
        self.assertEqual((seen["reduces_invoices"], seen["refundable"]), (21.0, 0.0))
        self.assertIn("reduces the invoice of August 1", seen["upcoming"][1]["what"])

    def test_an_order_for_each_invoice(self):
        """D5: plans that bill through sales orders."""
        subscription = self.sell(31.0, invoicing_mode="sale_and_invoice")
        self.travel_to("2026-07-10")
        self.assert_comes_true(
            subscription,
            "2026-08-16",
            timing="specific_date",
            requested_date="2026-08-15",
        )

    # === PART OF IT === #

    def test_one_of_two_lines(self):
        """A5: what ends is told, the rest goes on."""
        subscription = self.sell(
            {"name": "Mail", "price_unit": 31.0}, {"name": "Web", "price_unit": 62.0}
        )
        self.travel_to("2026-07-10")
        seen = subscription.preview_cancellation(
            timing="specific_date",
            requested_date="2026-08-10",
            line_ids=self.get_line(subscription, "Mail").ids,
        )
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-08-01", 31.0), ("credit", "2026-08-11", 21.0)],
        )
        self.assertIn("Mail", seen["upcoming"][0]["what"])

    def test_a_line_that_ends_before(self):
        """D5: it is on no invoice after its own end, and credited by its own."""
        subscription = self.sell(
            {"name": "Mail", "price_unit": 31.0}, {"name": "Web", "price_unit": 62.0}
        )
        self.travel_to("2026-07-10")
        self.cancel(
            subscription,
            timing="specific_date",
            requested_date="2026-08-10",
            line_ids=self.get_line(subscription, "Mail").ids,
        )
        seen = subscription.preview_cancellation(
            timing="specific_date", requested_date="2026-09-15"
        )
        self.assertEqual(
            self.get_figures(seen),
            [
                ("invoice", "2026-08-01", 93.0),
                ("invoice", "2026-09-01", 62.0),
                ("credit", "2026-09-16", 31.0),
            ],
        )

    # === BETWEEN === #

    def test_an_early_payment_discount_that_always_reduces_tax(self):
        """D5, C3: Odoo takes it off the tax of each document, taken or not."""
        customer = self.create_customer()
        customer.property_payment_term_id = self.env["account.payment.term"].create(
            {
                "name": "2 % within 10 days",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "early_pay_discount_computation": "mixed",
                "line_ids": [Command.create({"nb_days": 0})],
            }
        )
        subscription = self.create_subscription(
            [{"price_unit": 100.0, "taxes": self.create_tax(19.0)}],
            partner_id=customer.id,
        )
        self.pay(self.bill(subscription))
        self.travel_to("2026-07-10")
        seen = self.assert_comes_true(
            subscription,
            "2026-08-21",
            timing="specific_date",
            requested_date="2026-08-20",
        )
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-08-01", 118.62), ("credit", "2026-08-21", 42.09)],
        )

    def test_a_draft_with_a_discount_and_a_fee(self):
        """D5, C15: all of the invoice is charged; its discount is credited with it."""
        subscription = self.create_subscription([100.0])
        draft = self.bill(subscription, post=False)
        draft.invoice_line_ids = [
            Command.create(
                {"name": name, "price_unit": price, "quantity": 1.0, "tax_ids": []}
            )
            for name, price in (("Set-up", 50.0), ("Half of it", -75.0))
        ]
        self.travel_to("2026-07-10")
        options = {"timing": "specific_date", "requested_date": "2026-07-20"}
        seen = subscription.preview_cancellation(**options)
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-07-10", 75.0), ("credit", "2026-07-21", 17.74)],
        )
        self.cancel(subscription, **options)
        draft.action_post()
        self.assertEqual(draft.amount_total, 75.0)
        self.pay(draft)
        self.run_crons(OURS, day="2026-07-21")
        memo = self.credit_memos(subscription)
        self.assertAlmostEqual(memo.amount_total, 17.74, 2)

    def test_credits_to_come_pay_open_invoices(self):
        """D5, C7: July is open; what of August is not served pays a part of it."""
        subscription = self.create_subscription([31.0])
        july = self.bill(subscription)
        self.travel_to("2026-07-10")
        options = {
            "timing": "specific_date",
            "requested_date": "2026-08-10",
            "apply_credits": True,
        }
        seen = subscription.preview_cancellation(**options)
        self.assertEqual(
            [(one["kind"], one["amount"]) for one in seen["settlement"]],
            [("apply_credits", 21.0), ("keep", 10.0), ("confirm", 0.0)],
        )
        self.assertIn("pays open invoices", seen["upcoming"][-1]["what"])
        self.cancel(subscription, **options)
        self.run_crons(UPSTREAM, day="2026-08-01")
        august = subscription._get_invoices() - july
        august.filtered(lambda move: move.state == "draft").action_post()
        self.pay(august)
        self.run_crons(OURS, day="2026-08-11")
        self.run_steps(subscription)
        self.assertEqual((july.amount_residual, august.amount_residual), (10.0, 0.0))

    def test_instalments(self):
        """D5: what is due after the end is reduced; what was paid before goes back."""
        customer = self.create_customer()
        customer.property_payment_term_id = self.env["account.payment.term"].create(
            {
                "name": "Half of it later",
                "line_ids": [
                    Command.create({"value_amount": 50, "nb_days": days})
                    for days in (0, 60)
                ],
            }
        )
        subscription = self.create_subscription([31.0], partner_id=customer.id)
        self.pay(self.bill(subscription))
        self.travel_to("2026-07-10")
        seen = subscription.preview_cancellation(
            timing="specific_date", requested_date="2026-08-10"
        )
        self.assertEqual(
            self.get_figures(seen),
            [
                ("invoice", "2026-08-01", 31.0),
                ("credit", "2026-08-11", 15.5),
                ("credit", "2026-08-11", 5.5),
            ],
        )
        self.assertEqual((seen["reduces_invoices"], seen["refundable"]), (15.5, 5.5))

    def test_what_costs_nothing_is_no_charge(self):
        """D5: an invoice of 0.00 is not told."""
        subscription = self.create_subscription([0.0])
        self.bill(subscription)
        self.travel_to("2026-07-10")
        options = {"timing": "specific_date", "requested_date": "2026-08-20"}
        plan = subscription._plan_cancellation(options, "backend")
        self.assertFalse(plan._get_outlook().upcoming)
        page = html_to_text(plan._render_preview())
        self.assertIn("There will be no new charges.", page)

    def test_the_rest_of_the_subscription_is_charged(self):
        """D5: where one line ends, nobody says that there are no charges any more."""
        subscription = self.sell(
            {"name": "Mail", "price_unit": 31.0}, {"name": "Web", "price_unit": 62.0}
        )
        self.travel_to("2026-07-10")
        lines = self.get_line(subscription, "Mail").ids
        for options, said in (
            ({"timing": "end_of_period"}, "There will be no new charges for Mail."),
            (
                {"timing": "specific_date", "requested_date": "2026-08-15"},
                "There will be no charges for Mail after August 1, 2026.",
            ),
        ):
            with self.subTest(**options):
                plan = subscription._plan_cancellation(
                    {**options, "line_ids": lines}, "backend"
                )
                sentences = plan._get_preview_sentences(plan._get_outlook())
                self.assertIn(said, sentences)
        self.cancel(subscription, line_ids=lines, **options)
        text = subscription.cancellation_ids._get_expected_text()
        self.assertIn(said, text)
        self.assertNotIn("You will not be charged", text)

    def test_the_limit_is_for_what_is_expected(self):
        """D2: a credit of an invoice to come needs approval before it is promised."""
        self.policy.approval_above = 10.0
        subscription = self.sell(31.0)
        self.travel_to("2026-07-10")
        options = {"timing": "specific_date", "requested_date": "2026-08-20"}
        self.cancel(subscription, **options)
        self.assertEqual(subscription.cancellation_ids.state, "to_approve")

    def test_a_draft_is_an_invoice_to_come(self):
        """D5: somebody will post it."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription, post=False)
        self.travel_to("2026-07-10")
        seen = subscription.preview_cancellation(
            timing="specific_date", requested_date="2026-07-20"
        )
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-07-10", 31.0), ("credit", "2026-07-21", 11.0)],
        )

    def test_a_trial(self):
        """A7: in the trial nothing comes, after it the paid days."""
        subscription = self.create_subscription([31.0])
        subscription.trial_end_date = "2026-07-31"
        self.travel_to("2026-07-10")
        seen = subscription.preview_cancellation(
            timing="specific_date", requested_date="2026-07-20"
        )
        self.assertFalse(seen["upcoming"])
        seen = subscription.preview_cancellation(
            timing="specific_date", requested_date="2026-08-10"
        )
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-08-01", 31.0), ("credit", "2026-08-11", 21.0)],
        )

    def test_a_pause(self):
        """F4: nothing is billed while it is open."""
        subscription = self.sell(31.0)
        self.travel_to("2026-07-10")
        subscription.action_pause()
        seen = subscription.preview_cancellation(
            timing="specific_date", requested_date="2026-08-10"
        )
        self.assertEqual([one["kind"] for one in seen["upcoming"]], [])

    def test_advance_invoices_are_credited_at_once(self):
        """C3: August is billed in July, and credited when that is scheduled."""
        self.policy.advance_credit = "at_scheduling"
        subscription = self.sell(31.0)
        self.pay(self.bill(subscription, "2026-07-05"))
        self.travel_to("2026-07-10")
        seen = subscription.preview_cancellation(
            timing="specific_date", requested_date="2026-07-20"
        )
        self.assertEqual(
            self.get_figures(seen),
            [("credit", "2026-07-10", 31.0), ("credit", "2026-07-21", 11.0)],
        )

    def test_what_is_done_today(self):
        """D5: nothing is still to come; lines and settlement say what is done."""
        subscription = self.sell(31.0)
        self.travel_to("2026-07-10")
        seen = subscription.preview_cancellation()
        self.assertEqual((seen["upcoming"], seen["credit_total"]), ([], 21.0))

    def test_queries_do_not_grow(self):
        """D5: as many for one invoice to come as for two hundred."""
        subscription = self.sell(31.0)
        self.travel_to("2026-07-10")
        counts = []
        for day in ("2026-08-15", "2026-08-15", "2043-08-15"):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            subscription.preview_cancellation(
                timing="specific_date", requested_date=day
            )
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2])

    # === WHERE IT IS READ === #

    def test_the_dialog_and_the_mail(self):
        """D5, D7: the same figures in words."""
        subscription = self.sell({"price_unit": 36.0, "taxes": self.create_tax(19.0)})
        self.travel_to("2026-07-10")
        options = {"timing": "specific_date", "requested_date": "2026-08-20"}
        plan = subscription._plan_cancellation(options, "backend")
        page = html_to_text(plan._render_preview())
        for text in (
            "A credit of $ 15.20 is expected",
            "There will be no charges after August 1, 2026.",
            "August 1, 2026: Invoice for August 1, 2026 – August 31, 2026 $ 42.84",
            "August 21, 2026: Credit for August 21, 2026 – August 31, 2026",
        ):
            self.assertIn(text, page)
        self.assertNotIn("0.00", page)
        self.cancel(subscription, **options)
        scheduled = subscription.cancellation_ids
        text = scheduled._get_expected_text()
        credit = "we will credit you $\N{NO-BREAK SPACE}15.20"
        self.assertIn(f"If nothing changes until then, {credit}", text)
        self.assertIn("You will not be charged after August 1, 2026.", text)
        parts = scheduled._get_expected_parts()
        self.assertEqual([part.amount for part in parts], [42.84, 15.20])


@tagged("post_install", "-at_install")
class TestOutlookOfOrders(SalesCase):
    """What an order sold is to come, too (D5, C4)."""

    def preview(self, order, day):
        self.travel_to("2026-07-10")
        return order.subscription_ids.preview_cancellation(
            timing="specific_date", requested_date=day
        )

    def get_figures(self, seen):
        return [(one["kind"], one["date"], one["amount"]) for one in seen["upcoming"]]

    def test_an_order_that_is_not_invoiced_yet(self):
        """D5: it will be invoiced, and credited from the end on."""
        order = self.sell(31.0)
        order.action_confirm()
        seen = self.preview(order, "2026-07-20")
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-07-10", 31.0), ("credit", "2026-07-21", 11.0)],
        )
        subscription = order.subscription_ids
        plan = subscription._plan_cancellation(
            {"timing": "specific_date", "requested_date": "2026-07-20"}, "backend"
        )
        said = " ".join(plan._get_preview_sentences(plan._get_outlook()))
        self.assertNotIn("There will be no new charges", said)

    def assert_invoiced_as_told(self, order, charged, credited):
        """What the preview says is what the order's invoice and the end bring."""
        seen = self.preview(order, "2026-07-20")
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-07-10", charged), ("credit", "2026-07-21", credited)],
        )
        subscription = order.subscription_ids
        invoice = self.invoice(order)
        self.assertEqual(invoice.amount_total, charged)
        self.cancel(subscription, timing="specific_date", requested_date="2026-07-20")
        self.travel_to("2026-07-21")
        subscription.cancellation_ids._as_engine()._execute()
        memos = subscription.cancellation_ids.credit_note_ids
        self.assertAlmostEqual(sum(memos.mapped("amount_total")), credited, 2)

    def test_an_order_with_a_discount(self):
        """D5, C15: 20 % off of what is invoiced and of what is credited."""
        order = self.sell({"price_unit": 100.0, "taxes": self.create_tax(19.0)})
        self.discount(order, 20.0)
        order.action_confirm()
        self.assert_invoiced_as_told(order, 95.20, 33.78)

    def test_an_order_with_a_down_payment(self):
        """D5, C15: half of it is paid already; the credit is of the whole."""
        order = self.sell(100.0)
        order.action_confirm()
        self.pay(self.invoice(order, "percentage", 50.0))
        self.assert_invoiced_as_told(order, 50.0, 35.48)

    def test_an_order_that_is_invoiced(self):
        """D5: its invoice has come already."""
        order = self.sell(31.0)
        order.action_confirm()
        self.invoice(order)
        seen = self.preview(order, "2026-07-20")
        self.assertEqual(self.get_figures(seen), [("credit", "2026-07-21", 11.0)])

    def test_an_order_in_another_currency_that_is_not_invoiced(self):
        """C4: all that is to come is in its currency."""
        order = self.sell(31.0, currency=self.get_currency("EUR"))
        order.action_confirm()
        seen = self.preview(order, "2026-07-20")
        self.assertEqual((seen["currency"], seen["credit_total"]), ("EUR", 11.0))
        seen = self.preview(order, "2026-08-20")
        subscription = order.subscription_ids
        self.cancel(subscription, timing="specific_date", requested_date="2026-08-20")
        told = subscription.cancellation_ids._get_expected_parts()
        self.assertEqual(
            [(part.amount, part.currency.name) for part in told[:3]],
            [(31.0, "EUR"), (31.0, "USD"), (11.0, "USD")],
        )

    def test_an_order_in_another_currency(self):
        """C4: July in euros by the order, August in dollars by upstream."""
        order = self.sell(31.0, currency=self.get_currency("EUR"))
        order.action_confirm()
        self.invoice(order)
        seen = self.preview(order, "2026-08-20")
        subscription = order.subscription_ids
        self.assertEqual(subscription._get_invoice_currency().name, "USD")
        self.assertEqual(
            self.get_figures(seen),
            [("invoice", "2026-08-01", 31.0), ("credit", "2026-08-21", 11.0)],
        )
        self.assertEqual((seen["currency"], seen["credit_total"]), ("USD", 11.0))
        self.cancel(subscription, timing="specific_date", requested_date="2026-08-20")
        told = subscription.cancellation_ids._get_expected_parts()
        self.assertEqual(set(part.currency.name for part in told[:2]), {"USD"})
