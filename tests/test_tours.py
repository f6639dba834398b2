# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A person clicks through it in a real browser (A2, A4, A5, A6, D1, D2, E1)."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .tours import TourCase


@tagged("post_install", "-at_install")
class TestTours(TourCase):
    def test_whole_subscription(self):
        """A2, A4, E1: Deactivate, preview, reason, credit memo, cancellation."""
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        self.run_tour("subscription_cancellation_whole", subscription)
        self.assertEqual(subscription.cancellation_state, "cancelled")
        memo = subscription.cancellation_ids.credit_note_ids
        self.assertEqual(memo.state, "posted")
        self.assertEqual(memo.reversed_entry_id, subscription.invoice_ids - memo)
        self.assertEqual(subscription.close_reason_id.code, "too_expensive")

    def test_one_line_with_add_ons(self):
        """A5, A6, E1: the icon in the row, the cascade, the tab of ended lines."""
        server = self.create_product("Tour Server")
        backup = self.create_product("Tour Backup", addon_of=server)
        vault = self.create_product("Tour Vault", addon_of=backup)
        mail = self.create_product("Tour Mail")
        subscription = self.create_billed_subscription([server, backup, vault, mail])
        self.run_tour("subscription_cancellation_line", subscription)
        lines = subscription.sale_subscription_line_ids
        self.assertEqual(lines.product_id, mail)
        memo = subscription.cancellation_ids.credit_note_ids
        self.assertEqual(len(memo.invoice_line_ids), 3)

    def test_two_channels(self):
        """D1, D2, B2: a manager sets up both, and sees both follow."""
        self.env["subscription.cancellation.policy"].search([]).active = False
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        self.start_tour(
            "/odoo/action-subscription_cancellation."
            "subscription_cancellation_policy_action",
            "subscription_cancellation_policies",
            login="admin",
        )
        customer = subscription._plan_cancellation({}, "portal")
        staff = subscription._plan_cancellation({}, "backend")
        self.assertEqual(
            (customer.timing, customer.refund_mode), ("end_of_period", "none")
        )
        self.assertGreater(customer.last_service_date, staff.last_service_date)
        self.assertEqual(customer.credit_total, 0.0)
        self.assertGreater(staff.credit_total, 0.0)
        with self.assertRaisesRegex(UserError, "does not allow"):
            subscription._plan_cancellation({"timing": "immediate"}, "portal")
        self.assertTrue(
            subscription._plan_cancellation({"refund_mode": "full"}, "backend")
        )

    # === WHAT FOLLOWED === #

    def create_accountant(self):
        groups = ("base.group_user", "account.group_account_invoice")
        return self.env["res.users"].create(
            {
                "name": "Tour Accountant",
                "login": "tour_accountant",
                "password": "tour_accountant",
                "group_ids": [
                    Command.set([self.env.ref(xmlid).id for xmlid in groups])
                ],
            }
        )

    def save_card(self, partner):
        """Return a saved card of Odoo's own demo provider."""
        provider = self.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", self.env.company.id)], limit=1
        )
        provider.state = "test"
        return self.env["payment.token"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[:1].id,
                "payment_details": "4242",
                "partner_id": partner.id,
                "provider_ref": "demo",
                "demo_simulated_state": "done",
            }
        )

    def pay_by_card(self, invoice, amount):
        token = self.save_card(invoice.partner_id)
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": token.provider_id.id,
                "payment_method_id": token.payment_method_id.id,
                "token_id": token.id,
                "operation": "offline",
                "amount": amount,
                "currency_id": invoice.currency_id.id,
                "partner_id": invoice.partner_id.id,
                "invoice_ids": [Command.set(invoice.ids)],
            }
        )
        transaction._charge_with_token()
        transaction._post_process()

    def pay_by_bank(self, invoice):
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        return wizard.create({})._create_payments()

    def settle(self, subscription):
        """Cancel with a refund, and take the steps."""
        subscription._request_cancellation(
            {"timing": "immediate", "credit_settlement": "refund"}, "backend"
        )
        cancellation = subscription.cancellation_ids
        cancellation._run_steps()
        return cancellation

    def run_accountant_tour(self, name, cancellation):
        self.create_accountant()
        self.start_tour(
            "/odoo/action-subscription_cancellation."
            f"subscription_cancellation_action/{cancellation.id}",
            name,
            login="tour_accountant",
        )
        cancellation.invalidate_recordset()

    def test_every_cent_of_a_half_paid_subscription(self):
        """C5, C6, E1: what reduces the invoice, and what went back to the card."""
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        invoice = subscription.invoice_ids
        self.pay_by_card(invoice, invoice.currency_id.round(invoice.amount_total / 2))
        due = invoice.amount_residual
        cancellation = self.settle(subscription)
        self.run_accountant_tour("subscription_cancellation_half_paid", cancellation)
        reduce, refund = cancellation.step_ids.filtered("amount")
        self.assertEqual((reduce.kind, reduce.amount), ("reduce", due))
        self.assertEqual((refund.kind, refund.state), ("refund", "done"))
        self.assertAlmostEqual(reduce.amount + refund.amount, cancellation.credit_total)
        self.assertIn(
            cancellation.credit_note_ids.payment_state, ("paid", "in_payment")
        )

    def test_a_refund_by_hand(self):
        """C6, E1: Register Payment on the step, and the step is done."""
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        self.pay_by_bank(subscription.invoice_ids)
        cancellation = self.settle(subscription)
        step = cancellation.step_ids.filtered(lambda step: step.kind == "refund")
        self.assertTrue(step.is_by_hand)
        self.run_accountant_tour("subscription_cancellation_by_hand", cancellation)
        memo = cancellation.credit_note_ids
        self.assertIn(memo.payment_state, ("paid", "in_payment"))
        cancellation._run_steps()
        self.assertEqual(step.state, "done")
        self.assertEqual(step.payment_id, memo.reconciled_payment_ids)
