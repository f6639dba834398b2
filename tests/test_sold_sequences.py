# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Random lives of what an order sold: discounted, paid before, paused, bills undone.

Quotation, *Discount*, down payments, *Create Invoice*, payments; then whatever people
do to the invoices: drafts deleted, posted ones reset and cancelled, reversed by hand.
Subscriptions pause and resume; lines end, are undone, are postponed; in both rounding
methods. Whatever happens, the books fit and no invoice gives back more than it billed.
``FUZZ_EXAMPLES`` is the number of lives.
"""

import os
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from .lives import LivesCase
from .sales import SalesCase
from .test_properties import examples
from .test_properties_orders import TAXES

START = date(2026, 1, 31)
#: Percent of the examples: these lives take longer than most. The long run has time,
#: and sells half of its lives by orders.
SHARE = 300 if "FUZZ_EXAMPLES" in os.environ else 30
PRICES = (33.33, 66.66, 9.99)

yes = st.booleans()
#: Days that pass before a step; often none.
pauses = st.sampled_from([0, 0, 0, 1, 2, 13])
lines = st.lists(
    st.tuples(st.sampled_from(list(TAXES)), st.sampled_from([1, 1, 1, 0])),
    min_size=1,
    max_size=3,
).filter(lambda lines: any(is_service for _tax, is_service in lines))
sales = st.fixed_dictionaries(
    {
        "rounding": st.sampled_from(["round_globally", "round_per_line"]),
        "lines": lines,
        "discount": st.sampled_from(
            [
                None,
                (10.0, "so_discount"),
                (12.5, "sol_discount"),
                (33.33, "so_discount"),
                (5.0, "amount"),
            ]
        ),
        "down_payments": st.sampled_from([[], [], [50.0], [30.0, 30.0], [100.0]]),
        "is_paid": yes,
        # By card, in the portal or a shop; nobody has invoiced that yet.
        "is_paid_ahead": st.sampled_from([False, False, True]),
    }
)
requests = st.fixed_dictionaries(
    {
        "verb": st.just("request"),
        "line": st.sampled_from([None, None, 0, 1]),
        "timing": st.sampled_from(
            ["immediate", "immediate", "end_of_period", "specific_date"]
        ),
        "days": st.integers(0, 40),
        "refund_mode": st.sampled_from(["none", "prorated", "prorated", "full"]),
        "unbilled_charges": st.sampled_from(["invoice", "invoice", "drop"]),
        "pause": pauses,
    }
)
dated = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["pause", "pause", "postpone"]),
        "days": st.integers(1, 70),
        "pause": pauses,
    }
)
verbs = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(
            ["bill", "bill", "pay", "execute", "resume", "revoke", "undo", "undo"]
            + ["delete_draft", "cancel_invoice", "reverse", "reactivate", "wait"]
            + ["lower", "lower", "invoice_order", "invoice_order", "confirm_again"]
        ),
        "yes": yes,
        "pause": pauses,
    }
)
lives = st.lists(st.one_of(requests, dated, verbs, verbs), min_size=3, max_size=9)


@tagged("post_install", "-at_install")
class TestSoldSequences(LivesCase, SalesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.taxes = {
            name: cls.create_tax(name=name, **values)
            if values
            else cls.env["account.tax"]
            for name, values in TAXES.items()
        }
        # Made once for all lives: making them takes longer than living.
        cls.template = cls.create_template()
        cls.services, cls.goods = (
            [
                cls.create_product(
                    f"{name} {price}",
                    subscribable=name == "Service",
                    subscription_template_id=cls.template.id,
                    invoice_policy="order",
                )
                for price in PRICES
            ]
            for name in ("Service", "Item")
        )
        cls.get_default_policy().undo_days = 60
        cls.env.flush_all()

    @examples(SHARE)
    @given(sale=sales, life=lives)
    def test_no_life_of_an_order_breaks_the_books(self, sale, life):
        """C1, C4, C9, C15: the invariants hold after every step."""
        self.travel_to(START)
        subscription = self.tell(sale)
        self.check(subscription)
        for step in life:
            self.take(subscription, step)
            self.run_steps(subscription)
            self.check(subscription)
        self.wait(days=100)
        for verb in ("bill", "execute"):
            self.take(subscription, {"verb": verb, "yes": True, "pause": 0})
        self.check(subscription)

    def tell(self, sale):
        """Sell, discount, invoice and pay as the story says."""
        self.company.tax_calculation_rounding_method = sale["rounding"]
        order = self.sell(
            *(
                {
                    "price_unit": price,
                    "taxes": self.taxes[tax],
                    "product": (self.services if is_service else self.goods)[number],
                }
                for number, (price, (tax, is_service)) in enumerate(
                    zip(PRICES, sale["lines"], strict=False)
                )
            ),
            template=self.template,
            day=START,
        )
        if sale["discount"]:
            self.discount(order, *sale["discount"])
        if sale["is_paid_ahead"]:
            self.pay_order(order)
            if order.state != "sale":
                order.action_confirm()
            return order.subscription_ids
        for percent in sale["down_payments"]:
            self.invoice(order, "percentage", percent)
        self.invoice(order)
        if sale["is_paid"]:
            for invoice in order.invoice_ids.filtered("amount_residual"):
                self.pay(invoice)
        return order.subscription_ids

    # === STEPS === #

    def step_request(self, subscription, step):
        names = ("timing", "refund_mode", "unbilled_charges")
        options = {name: step[name] for name in names}
        if step["line"] is not None:
            lines = subscription._get_all_lines().sorted("id")
            options["line_ids"] = lines[step["line"] :][:1].ids or lines.ids
        if step["timing"] == "specific_date":
            options["requested_date"] = self.get_day(step)
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(
            **options, fingerprint=preview["fingerprint"]
        )
        for key in ("credit_untaxed", "credit_tax", "credit_total", "refundable"):
            self.assertAlmostEqual(preview[key], answer[key], 6, key)

    def step_postpone(self, subscription, step):
        subscription.postpone_cancellation(
            requested_date=self.get_day(step), charge_extension=True
        )

    def step_pause(self, subscription, step):
        resume_on = date.today() + timedelta(days=step["days"])
        subscription.action_pause(resume_on)

    def step_resume(self, subscription, _step):
        subscription.action_resume()

    def step_reactivate(self, subscription, step):
        mode = "resume" if step["yes"] else "new_term"
        subscription.reactivate_subscription(mode=mode)

    def step_execute(self, subscription, _step):
        self.execute_due(subscription.cancellation_ids)

    def step_bill(self, subscription, step):
        """Run upstream's scheduled action; what it drafts is posted, or left."""
        known = subscription._get_invoices()
        self.env["sale.subscription"].cron_subscription_management()
        new = subscription._get_invoices() - known
        if step["yes"]:
            new.filtered(lambda move: move.state == "draft").action_post()

    def step_pay(self, subscription, step):
        """Pay the oldest or newest open invoice, all of it or half."""
        invoices = self.get_invoices(subscription).filtered(
            lambda move: move.state == "posted" and move.amount_residual
        )
        for invoice in invoices[-1 if step["yes"] else 0 :][:1]:
            part = 1.0 if step["yes"] else 0.5
            self.pay(invoice, invoice.currency_id.round(invoice.amount_residual * part))

    def step_delete_draft(self, subscription, _step):
        drafts = self.get_invoices(subscription).filtered(
            lambda move: move.state == "draft"
        )
        drafts[-1:].unlink()

    def step_cancel_invoice(self, subscription, step):
        """Reset and cancel an invoice that nothing was credited of.

        Not that of a down payment: what deducts it stays, and bills nothing then.
        """
        invoice = self.choose_uncredited(subscription, step)
        if all(invoice._get_product_lines().mapped("is_downpayment")):
            raise UserError("Not cancelled")
        invoice.button_draft()
        invoice.button_cancel()

    def step_reverse(self, subscription, step):
        """Press *Credit Note* on an invoice.

        Not *Reverse and Create Invoice* once there was a pause: it bills paused days,
        which the checker rightly tells.
        """
        is_modify = step["yes"] and not subscription.pause_ids
        invoice = self.choose_uncredited(subscription, step)
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        if invoice:
            wizard.create({"journal_id": invoice.journal_id.id}).reverse_moves(
                is_modify=is_modify
            )

    def choose_uncredited(self, subscription, step):
        """Return the oldest or newest invoice that was not credited.

        Not one that takes a credit memo back: without it that credit counts again,
        which is an accountant's decision.
        """
        invoices = self.get_invoices(subscription).filtered(
            lambda move: (
                move.state == "posted"
                and not move.reversal_move_ids
                and not move.reversed_entry_id
            )
        )
        return invoices[-1 if step["yes"] else 0 :][:1]

    def step_lower(self, subscription, step):
        """Halve what the order has sold, or take it off, and press *Create Invoice*.

        Not where the order warns that a cancellation has credited it before.
        """
        order = subscription.sale_order_id
        line = order.order_line.filtered("subscription_line_id")[:1]
        line.product_uom_qty = 0.5 if step["yes"] else 0.0
        if order.subscription_warning or not line.qty_invoiced:
            raise UserError("Not lowered")
        self.invoice(order)

    def step_invoice_order(self, subscription, _step):
        """Press *Create Invoice*, also after the end.

        Not where a pause was credited on an invoice that somebody reverses: the new
        one bills paused days, which the checker rightly tells.
        """
        order = subscription.sale_order_id
        if order.subscription_warning:
            raise UserError("It would be credited again")
        if subscription.pause_ids and order.invoice_ids.reversal_move_ids.filtered(
            lambda memo: not (memo.cancellation_id or memo.pause_id)
        ):
            raise UserError("It would bill paused days")
        self.invoice(order)

    def step_confirm_again(self, subscription, _step):
        """Cancel the order; confirm it again where its subscription still runs."""
        order = subscription.sale_order_id
        order.action_cancel()
        if order._get_running_subscriptions():
            order.action_draft()
            order.action_confirm()

    def get_invoices(self, subscription):
        """Return all invoices in order, those of the order's down payments, too."""
        moves = subscription._get_invoices() | subscription.sale_order_id.invoice_ids
        return moves.filtered(lambda move: move.move_type == "out_invoice").sorted("id")

    # === INVARIANTS === #

    def check(self, subscription):
        """Check what must hold at any time."""
        self.env.flush_all()
        for invoice in self.get_invoices(subscription):
            self.check_never_more(invoice)
        self.check_never_twice(subscription)
        self.check_states(subscription)
        self.assert_books_fit()

    def check_never_more(self, invoice):
        """What was credited of an invoice, less what was taken back, is within it."""
        memos = self.get_standing(invoice.reversal_move_ids)
        back = self.get_standing(memos.reversal_move_ids)
        for name in ("amount_tax", "amount_total"):
            excess = sum(memos.mapped(name)) - sum(back.mapped(name)) - invoice[name]
            self.assertLess(excess, 1e-6, f"{name} of {invoice.name}")

    def check_never_twice(self, subscription):
        """No day is billed twice."""
        items = self.env["account.move.line"].search(
            [
                ("subscription_line_id", "in", subscription._get_all_lines().ids),
                ("parent_state", "!=", "cancel"),
            ]
        )
        for line, own in items.grouped("subscription_line_id").items():
            # A month has at least 28 days.
            limit = line.price_unit / 28 + 0.05
            for day, rate in self.get_daily_rates(own).items():
                self.assertLess(rate, limit, f"{line.name} is billed twice on {day}")

    def get_standing(self, moves):
        return moves.filtered(lambda move: move.state != "cancel")
