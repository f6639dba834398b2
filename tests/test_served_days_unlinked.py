# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Days that an invoice without a link may bill are not charged, and said (C9).

31.00 a month; July is paid. Upstream has billed August, and somebody changed that.
"""

from odoo.fields import Command
from odoo.tests import tagged

from .test_served_days import DAY, ServedDaysCase


@tagged("post_install", "-at_install")
class TestUnlinkedServedDays(ServedDaysCase):
    def retype(self, subscription, product, post=True):
        """Type the line of the next draft anew; return the invoice."""
        draft = self.bill(subscription, post=False)
        draft.invoice_line_ids.unlink()
        draft.invoice_line_ids = [Command.create(self.prepare_line(product))]
        if post:
            draft.action_post()
        return draft

    def prepare_line(self, product, **values):
        return {
            "product_id": product.id,
            "name": "Hosting August",
            "price_unit": 31.0,
            "tax_ids": [Command.clear()],
            **values,
        }

    def assert_left_out(self, subscription):
        """Nothing is charged, and 10.00 are said."""
        answer = self.end(subscription, refund_mode="none")
        self.assertEqual(self.get_unbilled(answer), [("skipped", 10.0)])
        self.assert_charged(subscription)
        told = " ".join(answer["warnings"])
        for text in ("may bill that", "August 1, 2026", "August 10, 2026", "10.00"):
            self.assertIn(text, told)

    def subscribe(self):
        subscription = self.create_subscription()
        self.pay(self.bill(subscription))
        return subscription

    def test_a_line_was_typed_anew(self):
        """C9: with another product; posted, or still a draft."""
        product = self.create_product("Hosting bespoke", subscribable=False)
        for post in (True, False):
            subscription = self.subscribe()
            self.retype(subscription, product, post=post)
            self.assert_left_out(subscription)

    def test_a_draft_has_the_product_of_the_subscription(self):
        """C9: a draft is not linked before it is posted."""
        subscription = self.subscribe()
        product = subscription.sale_subscription_line_ids.product_id
        draft = self.retype(subscription, product, post=False)
        self.assertFalse(draft.invoice_line_ids.subscription_line_id)
        self.assert_left_out(subscription)

    def test_the_invoice_of_the_month_before_was_duplicated(self):
        """C9: dated the 1st of August, or the 5th; the copy is of no subscription."""
        for day in ("2026-08-01", "2026-08-05"):
            subscription = self.create_subscription()
            july = self.bill(subscription)
            self.lose(subscription)
            august = july.copy({"invoice_date": day})
            august.action_post()
            self.assertFalse(august.invoice_line_ids.subscription_line_id)
            self.assert_left_out(subscription)

    def test_the_period_was_typed(self):
        """C9: invoiced on 10 July by hand, for August."""
        subscription = self.subscribe_and_lose()
        product = subscription.sale_subscription_line_ids.product_id
        self.invoice_by_hand(
            subscription.partner_id,
            product,
            "2026-07-10",
            start_date="2026-08-01",
            end_date="2026-08-31",
        )
        self.assert_left_out(subscription)

    def test_what_has_nothing_to_do_with_it(self):
        """C9: another product, another month, another customer: 10.00 are due."""
        subscription = self.subscribe_and_lose()
        product = subscription.sale_subscription_line_ids.product_id
        other = self.create_product("Other", subscribable=False)
        customer = subscription.partner_id
        self.invoice_by_hand(customer, other, "2026-08-02")
        self.invoice_by_hand(customer, product, "2026-07-02")
        self.invoice_by_hand(self.create_customer(), product, "2026-08-02")
        self.end(subscription, refund_mode="none")
        self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))

    def invoice_by_hand(self, customer, product, day, **values):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": customer.id,
                "invoice_date": day,
                "invoice_line_ids": [
                    Command.create(self.prepare_line(product, **values))
                ],
            }
        )
        invoice.action_post()
