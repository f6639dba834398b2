# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Subscriptions that are sold by an order, as people sell them in Odoo."""

from unittest import SkipTest

from odoo.fields import Command

from .accounting import AccountingCase

PLAN = {"price_unit": 10.0, "product_uom_qty": 10.0, "name": "Plan"}
SUPPORT = {"price_unit": 31.0, "name": "Support"}


class SalesCase(AccountingCase):
    """Sell by an order, discount it, invoice it by Odoo's wizards."""

    @classmethod
    def sell(
        cls,
        *lines,
        interval="1 months",
        template=None,
        day="2026-07-01",
        currency=None,
    ):
        """Return a quotation, in the company's currency unless told otherwise.

        :param lines: a price, or values of ``sale.order.line``; besides, ``taxes`` is
            a recordset, ``name`` that of the product and ``is_service`` whether it is
            a subscription; it is unless told otherwise
        """
        cls.travel_to(day)
        template = template or cls.create_template(interval)
        order = cls.env["sale.order"].create(
            {
                "partner_id": cls.create_customer().id,
                "pricelist_id": cls._create_pricelist(
                    currency_id=(currency or cls.currency).id
                ).id,
                "order_line": [
                    Command.create(cls._prepare_order_line(line, template))
                    for line in lines
                ],
            }
        )
        return order

    @classmethod
    def _prepare_order_line(cls, line, template):
        line = dict(line) if isinstance(line, dict) else {"price_unit": line}
        taxes = line.pop("taxes", cls.env["account.tax"])
        is_service = line.pop("is_service", True)
        product = line.pop("product", None) or cls.create_product(
            line.pop("name", "Hosting"),
            subscribable=is_service,
            subscription_template_id=line.pop("template", template).id,
            list_price=line["price_unit"],
            invoice_policy="order",
            taxes_id=[Command.set(taxes.ids)],
        )
        return {"product_id": product.id, "tax_ids": [Command.set(taxes.ids)], **line}

    @classmethod
    def discount(cls, order, amount, kind="so_discount"):
        """Press Odoo's *Discount* button.

        :param float amount: percent, or an amount where the kind is ``amount``
        """
        is_amount = kind == "amount"
        cls.env["sale.order.discount"].create(
            {
                "sale_order_id": order.id,
                "discount_type": kind,
                "discount_amount": amount if is_amount else 0.0,
                "discount_percentage": 0.0 if is_amount else amount / 100,
            }
        ).action_apply_discount()

    @classmethod
    def invoice(cls, orders, method="delivered", amount=0.0, post=True):
        """Press *Create Invoice*; return the new invoice, posted.

        :param str method: ``delivered``, ``percentage`` or ``fixed``
        """
        orders.filtered(lambda order: order.state == "draft").action_confirm()
        known = orders.invoice_ids
        values = {"advance_payment_method": method}
        values["amount" if method == "percentage" else "fixed_amount"] = amount
        wizard = cls.env["sale.advance.payment.inv"].with_context(
            active_model="sale.order", active_ids=orders.ids
        )
        wizard.create(values).create_invoices()
        invoice = orders.invoice_ids - known
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def pay_order(cls, order, amount=None, state="done", **values):
        """Let the customer pay the quotation by card in the portal; that confirms it.

        :param str state: what the card's provider answers
        :return: the transaction
        """
        provider = cls.get_provider()
        transaction = (
            cls.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": provider.payment_method_ids[:1].id,
                    "operation": "online_direct",
                    "amount": order.amount_total if amount is None else amount,
                    "currency_id": order.currency_id.id,
                    "partner_id": order.partner_invoice_id.id,
                    "sale_order_ids": [Command.set(order.ids)],
                    **values,
                }
            )
        )
        transaction._process(
            "demo",
            {
                "reference": transaction.reference,
                "payment_details": "4242",
                "simulated_state": state,
            },
        )
        transaction._post_process()
        return transaction

    @classmethod
    def _require_loyalty(cls):
        if "loyalty.program" not in cls.env:
            raise SkipTest("sale_loyalty is not installed")

    @classmethod
    def promote(cls, order, **reward):
        """Apply a promotion to the order.

        :param reward: values of its ``loyalty.reward``, a percentage
        """
        cls._require_loyalty()
        program = cls.env["loyalty.program"].create(
            {
                "name": "Promotion",
                "program_type": "promotion",
                "trigger": "auto",
                "applies_on": "current",
                "rule_ids": [Command.create({"reward_point_mode": "order"})],
                "reward_ids": [
                    Command.create(
                        {
                            "reward_type": "discount",
                            "discount_mode": "percent",
                            "required_points": 1,
                            **reward,
                        }
                    )
                ],
            }
        )
        order._update_programs_and_rewards()
        order._apply_program_reward(
            program.reward_ids, order.coupon_point_ids.coupon_id[:1]
        )

    @classmethod
    def give(cls, order, amount, program_type="gift_card"):
        """Pay a part of the order by a gift card, or an ``ewallet``."""
        cls._require_loyalty()
        program = cls.env["loyalty.program"].create(
            {
                "name": program_type,
                "program_type": program_type,
                **cls.env["loyalty.program"]._program_type_default_values()[
                    program_type
                ],
            }
        )
        card = cls.env["loyalty.card"].create(
            {"program_id": program.id, "points": amount}
        )
        if program_type == "ewallet":
            card.partner_id = order.partner_id
        order._try_apply_code(card.code)
        order._apply_program_reward(program.reward_ids, card)

    def end(self, subscription, day="2026-07-10", **options):
        """Preview and cancel on a day; return the new credit memos and the answer."""
        self.travel_to(day)
        options = {"timing": "immediate", **options}
        known = self.credit_memos(subscription)
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(**options)
        self.assertEqual(answer["credit_total"], preview["credit_total"])
        self.assertEqual(answer["warnings"], preview["warnings"])
        memos = self.credit_memos(subscription) - known
        total = round(sum(memos.mapped("amount_total")), 2)
        self.assertEqual(answer["credit_total"], total)
        return memos, answer

    def assert_lines(self, memo, *expected):
        """The credit memo has these lines: whose invoice line, and how much."""
        found = [
            (line.origin_line_id, round(line.price_subtotal, 2))
            for line in memo.invoice_line_ids
            if line.display_type == "product"
        ]
        self.assertCountEqual(found, expected)
        for line in memo.invoice_line_ids.filtered("origin_line_id"):
            self.assertEqual(line.account_id, line.origin_line_id.account_id)
            self.assertEqual(line.tax_ids, line.origin_line_id.tax_ids)


class OrderCreditsCase(SalesCase):
    """Orders of 10 × 10.00 for July, invoiced and paid, and lowered later."""

    def sell_and_pay(self, *lines, **values):
        """Return such an order, of other lines where they are given."""
        order = self.sell(*(lines or (PLAN,)), **values)
        self.pay(self.invoice(order))
        return order

    def change(self, order, *quantities, day="2026-07-05", post=True):
        """Set the quantities of the lines and press *Create Invoice*."""
        self.travel_to(day)
        for line, quantity in zip(order.order_line, quantities, strict=False):
            line.product_uom_qty = quantity
        return self.invoice(order, post=post)

    def lower_by_hand(self, order):
        """Lower 10 to 4 after the end, and type 60.00 on what is made of that."""
        credit_note = self.change(order, 4, day="2026-07-12", post=False)
        credit_note.invoice_line_ids.price_unit = 10.0
        credit_note.action_post()
        return credit_note

    def add_setup(self, order, price=200.0, **values):
        """Add something new that is no subscription."""
        line = {"price_unit": price, "name": "Set-up", "is_service": False, **values}
        template = order.subscription_ids.template_id
        line = self._prepare_order_line(line, template)
        order.order_line = [Command.create(line)]

    def assert_credited(self, order, expected, **options):
        """So much is credited by ending all that the order sold."""
        memos, _answer = self.end(order.subscription_ids, **options)
        self.assertEqual(round(sum(memos.mapped("amount_total")), 2), expected)
        return memos
