# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C7: a credit belongs to the customer of its document, and pays only what they owe.

$31.00 for July are paid; ended on 10 July, $21.00 of them are credited.
"""

from odoo.tests import Form, tagged

from .accounting import LAST_DAY, AccountingCase


class WhoseMoneyCase(AccountingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.azure = cls.create_customer(name="Azure", is_company=True)
        cls.deco = cls.create_customer(name="Deco", is_company=True)

    def subscribe_paid(self, partner, **values):
        subscription = self.create_subscription([31.0], partner_id=partner.id, **values)
        self.pay(self.bill(subscription))
        return subscription

    def owe(self, partner, amount, day="2026-07-02"):
        """Return an invoice of something else that the customer has not paid."""
        return self.init_invoice(
            "out_invoice",
            partner=partner,
            invoice_date=day,
            amounts=[amount],
            taxes=[],
            post=True,
        )

    def take_over(self, subscription, partner):
        """Let somebody else go on with a subscription, as a salesperson does."""
        subscription.write({"partner_id": partner.id})
        # Whose price list makes another price of it.
        subscription.sale_subscription_line_ids.price_unit = 31.0

    def assert_settled(self, subscription, *expected, **options):
        """Preview and steps use and keep these amounts.

        :param expected: kind, amount and what it is about: the invoice that is paid,
            else the customer whose credit it is
        """
        options = {"timing": "immediate", "apply_credits": True, **options}
        self.travel_to(LAST_DAY)
        preview = subscription.preview_cancellation(**options)["settlement"]
        planned = [
            (part["kind"], part["amount"])
            for part in preview
            if part["kind"] not in ("confirm", "reduce")
        ]
        self.assertCountEqual(planned, [part[:2] for part in expected])
        self.settle(subscription, **options)
        steps = subscription.cancellation_ids.step_ids.filtered(
            lambda step: step.kind not in ("confirm", "reduce")
        )
        found = []
        for step in steps:
            move = step.source_move_id or step.move_id
            is_memo = move.move_type == "out_refund"
            about = move.commercial_partner_id if is_memo else move
            found.append((step.kind, step.amount, about))
        self.assertCountEqual(found, expected)


@tagged("post_install", "-at_install")
class TestWhoseMoney(WhoseMoneyCase):
    def test_taken_over_by_somebody_else(self):
        """C7: Azure paid, Deco went on with it: each owes what they owed before."""
        subscription = self.subscribe_paid(self.azure)
        own, others = self.owe(self.azure, 5.0), self.owe(self.deco, 10.0)
        self.take_over(subscription, self.deco)
        self.assert_settled(
            subscription, ("apply_credits", 5.0, own), ("keep", 16.0, self.azure)
        )
        self.assert_open(own, 0.0, "reversed")
        self.assert_open(others, 10.0, "not_paid")

    def test_taken_over_while_the_end_is_scheduled(self):
        """C7: between the request and its date."""
        subscription = self.subscribe_paid(self.azure)
        own, others = self.owe(self.azure, 5.0), self.owe(self.deco, 10.0)
        self.travel_to("2026-07-05")
        self.cancel(
            subscription,
            timing="specific_date",
            requested_date=LAST_DAY,
            apply_credits=True,
        )
        self.take_over(subscription, self.deco)
        self.travel_to("2026-07-11")
        subscription.cancellation_ids._execute_batch()
        self.run_steps(subscription)
        self.assert_open(own, 0.0, "reversed")
        self.assert_open(others, 10.0, "not_paid")

    def test_money_on_account_of_either(self):
        """C7: $2.00 of Azure pay with the credit, $4.00 of Deco pay what Deco owes."""
        subscription = self.subscribe_paid(self.azure)
        own, others = self.owe(self.azure, 23.0), self.owe(self.deco, 10.0)
        self.pay_on_account(self.azure, 2.0)
        self.pay_on_account(self.deco, 4.0)
        self.take_over(subscription, self.deco)
        self.assert_settled(
            subscription, ("apply_credits", 23.0, own), ("apply_credits", 4.0, others)
        )
        self.assert_open(others, 6.0, "partial")

    def test_paid_by_an_agency(self):
        """C7: the person's private invoice is none of its business; its own one is."""
        person = self.create_customer(name="Person")
        subscription = self.subscribe_paid(person, partner_invoice_id=self.deco.id)
        self.assertEqual(subscription._get_invoices().partner_id, self.deco)
        private, own = self.owe(person, 10.0), self.owe(self.deco, 8.0)
        self.assert_settled(
            subscription, ("apply_credits", 8.0, own), ("keep", 13.0, self.deco)
        )
        self.assert_open(private, 10.0, "not_paid")

    def test_contacts_of_a_company_have_one_account(self):
        """C7: who is served, who is billed, and who owes something else."""
        buyer, office, other = (
            self.create_customer(name=name, parent_id=self.azure.id)
            for name in ("Buyer", "Office", "Other")
        )
        subscription = self.subscribe_paid(buyer, partner_invoice_id=office.id)
        own = self.owe(other, 8.0)
        self.assert_settled(
            subscription, ("apply_credits", 8.0, own), ("keep", 13.0, self.azure)
        )

    def test_a_company_below_another_has_its_own(self):
        """C7: a subsidiary, and whoever owns it."""
        below = self.create_customer(
            name="Below", is_company=True, parent_id=self.azure.id
        )
        subscription = self.subscribe_paid(self.azure)
        open_invoice = self.owe(below, 8.0)
        self.assert_settled(subscription, ("keep", 21.0, self.azure))
        self.assert_open(open_invoice, 8.0, "not_paid")

    def test_two_invoices_of_two_customers(self):
        """C7: July is Azure's, August, billed in advance, Deco's."""
        subscription = self.subscribe_paid(self.azure)
        self.take_over(subscription, self.deco)
        self.pay(self.bill(subscription, "2026-07-03"))
        own, others = self.owe(self.azure, 25.0), self.owe(self.deco, 26.0)
        self.assert_settled(
            subscription,
            ("apply_credits", 21.0, own),
            ("apply_credits", 26.0, others),
            ("keep", 5.0, self.deco),
        )
        self.assert_open(own, 4.0, "partial")

    def test_a_draft_of_the_customer_before(self):
        """C7, C9: $10.00 are invoiced to Azure; Deco's money and card stay."""
        subscription = self.create_subscription([31.0], partner_id=self.azure.id)
        draft = self.bill(subscription, post=False)
        self.take_over(subscription, self.deco)
        self.pay_on_account(self.deco, 50.0)
        self.create_token(self.deco)
        self.travel_to(LAST_DAY)
        preview = subscription.preview_cancellation(
            timing="immediate", apply_credits=True
        )
        kinds = {part["kind"] for part in preview["settlement"]}
        self.assertEqual(kinds - {"confirm"}, {"unbilled"})
        self.settle(subscription, apply_credits=True)
        invoice = self.steps(subscription, "unbilled").move_id
        self.assertNotEqual(invoice, draft)
        self.assertEqual(invoice.partner_id, self.azure)
        self.assert_open(invoice, 10.0, "not_paid")

    def test_the_card_of_who_is_invoiced(self):
        """C7, C9: Azure's own card is charged, for Azure's invoice."""
        subscription = self.create_subscription([31.0], partner_id=self.azure.id)
        self.bill(subscription, post=False)
        token = self.create_token(self.azure)
        self.take_over(subscription, self.deco)
        self.create_token(self.deco)
        self.settle(subscription)
        collected = self.steps(subscription, "collect")
        self.assertEqual((collected.token_id, collected.amount), (token, 10.0))
        self.assertEqual(collected.state, "done")

    def test_the_dialog_asks_only_who_has_something_to_pay(self):
        """C7, E1: Azure's credit and Deco's debt are nothing to use credits for."""
        subscription = self.subscribe_paid(self.azure)
        self.owe(self.deco, 10.0)
        self.take_over(subscription, self.deco)
        self.travel_to(LAST_DAY)
        dialog = self.env["subscription.cancellation.wizard"].with_context(
            default_subscription_id=subscription.id
        )
        self.assertFalse(Form(dialog).has_credits_to_apply)
        self.owe(self.azure, 5.0)
        self.assertTrue(Form(dialog).has_credits_to_apply)
