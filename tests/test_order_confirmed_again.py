# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Orders that are cancelled while their subscription runs, and confirmed again."""

from odoo.fields import Command, Date
from odoo.tests import tagged

from .sales import SalesCase


@tagged("post_install", "-at_install")
class TestOrderConfirmedAgain(SalesCase):
    def confirm_again(self, order, day="2026-07-05", **values):
        """Cancel the order, change it as a quotation, and confirm it once more."""
        self.travel_to(day)
        order.action_cancel()
        order.action_draft()
        order.write(values)
        order.action_confirm()
        return order.subscription_ids

    def bill_all(self, day="2026-08-01"):
        """Run upstream's scheduled action, and post what it drafts."""
        self.travel_to(day)
        known = self.env["account.move"].search([])
        self.env["sale.subscription"].cron_subscription_management()
        drafts = self.env["account.move"].search([]) - known
        drafts.action_post()
        return drafts

    def test_the_subscription_that_runs_is_used(self):
        """B7: one subscription; 31.00 are billed for August, not 62.00."""
        order = self.sell(31.0)
        self.pay(self.invoice(order))
        subscription = order.subscription_ids
        self.assertEqual(self.confirm_again(order), subscription)
        self.assertEqual(order.invoice_status, "invoiced")
        self.assertEqual(self.bill_all().amount_total, 31.0)
        memos, _answer = self.end(subscription, "2026-08-10")
        self.assertEqual(memos.amount_total, 21.0)

    def test_its_first_period_is_still_to_be_invoiced(self):
        """B7: the draft went with the order; July is invoiced once."""
        order = self.sell(31.0)
        self.invoice(order, post=False)
        subscription = self.confirm_again(order)
        invoice = self.invoice(order)
        self.assertEqual(invoice.amount_total, 31.0)
        line = invoice.invoice_line_ids
        self.assertEqual(line.subscription_line_id.sale_subscription_id, subscription)
        days = (line.start_date, line.end_date)
        self.assertEqual(days, (Date.to_date("2026-07-01"), Date.to_date("2026-07-31")))

    def test_each_of_two_plans_is_used(self):
        """B7: one subscription for each template, as before."""
        yearly = self.create_template("1 years")
        order = self.sell(31.0, {"price_unit": 365.0, "template": yearly})
        order.action_confirm()
        self.assertEqual(len(order.subscription_ids), 2)
        self.assertEqual(len(self.confirm_again(order)), 2)

    def test_what_was_changed_on_the_order_is_sold_from_now_on(self):
        """B7: 2 × 40.00 and 5.00 more are billed for August."""
        order = self.sell({"price_unit": 31.0, "name": "Plan"})
        self.invoice(order, post=False)
        subscription = order.subscription_ids
        template = subscription.template_id
        changed = {"product_uom_qty": 2, "price_unit": 40.0}
        added = self._prepare_order_line({"price_unit": 5.0, "name": "Add"}, template)
        self.confirm_again(
            order,
            order_line=[
                Command.update(order.order_line.id, changed),
                Command.create(added),
            ],
        )
        self.assertEqual(order.subscription_ids, subscription)
        self.assertEqual(self.invoice(order).amount_total, 85.0)
        self.assertEqual(self.bill_all().amount_total, 85.0)

    def test_what_has_ended_begins_anew_and_is_not_free(self):
        """B7: July was invoiced by the order, and is credited from the 6th on."""
        order = self.sell(31.0)
        self.invoice(order)
        ended = order.subscription_ids
        self.end(ended, "2026-07-05")
        subscription = self.confirm_again(order, "2026-07-10") - ended
        self.assertEqual(len(subscription), 1)
        self.assertEqual(subscription.recurring_next_date, Date.to_date("2026-07-10"))
        invoice = self.bill_all("2026-07-10")
        self.assertEqual(invoice.amount_total, 31.0)
        self.assertEqual(
            invoice.invoice_line_ids.start_date, Date.to_date("2026-07-10")
        )

    def test_what_was_dropped_begins_anew_and_is_invoiced(self):
        """B7, C9: nothing was invoiced of July; a month from the 20th is, by the order.

        What the first end has left out does not concern the second service.
        """
        order = self.sell(31.0)
        order.action_confirm()
        ended = order.subscription_ids
        self.end(ended, unbilled_charges="drop")
        self.assertTrue(order.subscription_end_note)
        subscription = self.confirm_again(order, "2026-07-20") - ended
        self.assertFalse(order.subscription_end_note)
        invoice = self.invoice(order)
        self.assertEqual(invoice.amount_total, 31.0)
        line = invoice.invoice_line_ids
        self.assertEqual(line.subscription_line_id.sale_subscription_id, subscription)
        days = (line.start_date, line.end_date)
        self.assertEqual(days, (Date.to_date("2026-07-20"), Date.to_date("2026-08-19")))

    # === CANCELLING === #

    def press_cancel(self, order):
        """Press *Cancel* on the form; return the dialog, if there is one."""
        action = order.action_cancel_with_subscriptions()
        if not isinstance(action, dict):
            return None
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_cancelling_asks_where_a_subscription_runs(self):
        """B7: the order is not cancelled before somebody has chosen."""
        order = self.sell(31.0)
        order.action_confirm()
        dialog = self.press_cancel(order)
        self.assertEqual(order.state, "sale")
        self.assertEqual(dialog.subscription_ids, order.subscription_ids)
        dialog.action_cancel_order()
        self.assertEqual(order.state, "cancel")
        self.assertRegex(order.subscription_warning, "still runs")

    def test_the_dialog_offers_to_end_it(self):
        """B7: by the Deactivate dialog, with its preview."""
        order = self.sell(31.0)
        self.invoice(order)
        action = self.press_cancel(order).action_end_subscriptions()
        self.assertEqual(order.state, "cancel")
        self.assertEqual(action["res_model"], "subscription.cancellation.wizard")
        self.end(order.subscription_ids)
        self.assertFalse(order.subscription_warning)

    def test_cancelling_asks_nothing_where_none_runs(self):
        """B7: no subscription, or one that has ended."""
        order = self.sell(31.0)
        self.assertIsNone(self.press_cancel(order))
        self.assertEqual(order.state, "cancel")
        other = self.sell(31.0)
        self.invoice(other)
        self.end(other.subscription_ids)
        self.assertIsNone(self.press_cancel(other))
        self.assertEqual(other.state, "cancel")

    def test_many_at_once_are_warned_of_on_each(self):
        """B7: Odoo's dialog for a list of orders asks only once."""
        orders = self.sell(31.0) | self.sell(62.0)
        orders.action_confirm()
        self.env["sale.mass.cancel.orders"].create(
            {"sale_order_ids": [Command.set(orders.ids)]}
        ).action_mass_cancel()
        for order in orders:
            self.assertRegex(
                order.subscription_warning, order.subscription_ids.display_name
            )
