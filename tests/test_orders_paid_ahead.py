# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Orders that were paid online and are not invoiced when service ends (C4, C5, C9).

31.00 for July, paid by card; ended on 10 July: 10.00 are served, 21.00 are left.
"""

from odoo.tests import tagged

from .sales import SalesCase

LATER = "2026-07-12"


@tagged("post_install", "-at_install")
class TestOrdersPaidAhead(SalesCase):
    def buy(self, *lines, amount=None, **values):
        """Return an order that its customer has paid, its subscription, the payment."""
        order = self.sell(*(lines or (31.0,)), **values)
        payment = self.pay_order(order, amount)
        if order.state != "sale":
            order.action_confirm()
        return order, order.subscription_ids, payment

    def end_bought(self, subscription, day="2026-07-10", **options):
        """End; the answer says what the preview said, to the cent and in words."""
        self.travel_to(day)
        options = {"timing": "immediate", "credit_settlement": "refund", **options}
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(
            **options, fingerprint=preview["fingerprint"]
        )
        for key in ("credit_total", "refundable", "warnings"):
            self.assertEqual(answer[key], preview[key], key)
        told, done = (
            sorted(
                (part["kind"], part["amount"])
                for part in one["settlement"]
                if part["kind"] != "confirm"
            )
            for one in (preview, answer)
        )
        self.assertEqual(told, done)
        self.run_steps(subscription)
        return answer

    def get_parts(self, answer, *kinds):
        return [
            (part["kind"], part["amount"])
            for part in answer["settlement"]
            if part["kind"] in kinds
        ]

    def get_sent_back(self, payment):
        """Return what the provider gave back of a payment."""
        refunds = payment.child_transaction_ids.filtered(
            lambda child: child.operation == "refund" and child.state == "done"
        )
        return -sum(refunds.mapped("amount"))

    def assert_account(self, order, expected):
        """So much is open on the customer's account; negative is a credit."""
        items = self.get_receivable_items(order.partner_id, self.company)
        self.assertEqual(
            round(sum(items.mapped("amount_residual_currency")), 2), expected
        )

    def pay_back(self, customer, amount):
        """Enter a payment to a customer, as somebody does by hand."""
        bank = self.company_data["default_journal_bank"]
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": customer.id,
                "amount": amount,
                "journal_id": bank.id,
            }
        )
        payment.action_post()
        return payment

    def assert_nothing_offered(self, order):
        self.assertNotEqual(order.invoice_status, "to invoice")

    def test_served_days_are_invoiced_and_the_rest_goes_back(self):
        """C4, C9: 10.00 are invoiced and paid by the card, 21.00 go back to it."""
        order, subscription, payment = self.buy()
        answer = self.end_bought(subscription)
        self.assertEqual(answer["refundable"], 21.0)
        self.assertEqual(
            self.get_parts(answer, "unbilled", "refund"),
            [("unbilled", 10.0), ("refund", 21.0)],
        )
        invoice = order.invoice_ids
        self.assertEqual(invoice.amount_total, 10.0)
        self.assertIn(invoice.payment_state, ("paid", "in_payment"))
        self.assertEqual(invoice.transaction_ids, payment)
        self.assertEqual(self.get_sent_back(payment), 21.0)
        self.assert_account(order, 0.0)
        self.travel_to(LATER)
        self.assert_nothing_offered(order)
        refund = self.steps(subscription, "refund")
        self.assertEqual(refund.mapped("state"), ["done"])
        self.assertEqual(refund.sale_order_id, order)

    def test_the_rest_stays_as_a_credit(self):
        """C5: the policy keeps credits: 21.00 stay on the customer's account."""
        order, subscription, payment = self.buy()
        answer = self.end_bought(subscription, credit_settlement="keep")
        self.assertEqual(answer["refundable"], 21.0)
        self.assertEqual(self.get_parts(answer, "keep"), [("keep", 21.0)])
        self.assertEqual(self.get_sent_back(payment), 0.0)
        self.assert_account(order, -21.0)
        [text] = [one["text"] for one in answer["settlement"] if one["kind"] == "keep"]
        self.assertIn(order.name, text)

    def test_all_of_it_goes_back(self):
        """C2: a full refund is 31.00, and nothing is invoiced, now or later."""
        order, subscription, payment = self.buy()
        answer = self.end_bought(subscription, refund_mode="full")
        self.assertEqual(answer["refundable"], 31.0)
        self.assertEqual(self.get_parts(answer, "refund"), [("refund", 31.0)])
        self.assertFalse(order.invoice_ids)
        self.assertEqual(self.get_sent_back(payment), 31.0)
        self.assert_account(order, 0.0)
        self.assert_nothing_offered(order)

    def test_what_is_dropped_goes_back_too(self):
        """C9: the policy gives the served days away: 31.00."""
        order, subscription, payment = self.buy()
        self.end_bought(subscription, unbilled_charges="drop")
        self.assertFalse(order.invoice_ids)
        self.assertEqual(self.get_sent_back(payment), 31.0)
        self.assert_account(order, 0.0)

    def test_no_refund_invoices_what_was_paid(self):
        """C2: as an invoice would have: the paid period is invoiced, 31.00."""
        order, subscription, payment = self.buy()
        answer = self.end_bought(subscription, refund_mode="none")
        self.assertEqual(answer["refundable"], 0.0)
        self.assertEqual(order.invoice_ids.amount_total, 31.0)
        self.assertEqual(self.get_sent_back(payment), 0.0)
        self.assert_account(order, 0.0)
        self.assert_nothing_offered(order)

    def test_a_part_was_paid(self):
        """C9: of 15.50, 10.00 pay the served days, 5.50 go back."""
        order, subscription, payment = self.buy(amount=15.5)
        answer = self.end_bought(subscription)
        self.assertEqual(answer["refundable"], 5.5)
        self.assertEqual(self.get_sent_back(payment), 5.5)
        self.assert_account(order, 0.0)

    def test_less_than_the_served_days_was_paid(self):
        """C9: of 10.00, 4.00 were paid: 6.00 are due."""
        order, subscription, payment = self.buy(amount=4.0)
        answer = self.end_bought(subscription)
        self.assertEqual(answer["refundable"], 0.0)
        self.assertEqual(self.get_sent_back(payment), 0.0)
        self.assert_account(order, 6.0)

    def test_two_cards_have_paid(self):
        """C6: the later one gives back first: 15.50, and 5.50 of the other."""
        order, subscription, first = self.buy(amount=15.5)
        second = self.pay_order(order, 15.5)
        self.end_bought(subscription)
        back = self.get_sent_back(first) + self.get_sent_back(second)
        self.assertEqual(back, 21.0)
        self.assert_account(order, 0.0)

    def test_with_tax_and_discount(self):
        """C11, C15: 108.00 of 100.00 less 10 % with 20 %; 34.84 are served."""
        order = self.sell(
            {"price_unit": 100.0, "taxes": self.create_reported_tax(20.0)}
        )
        self.discount(order, 10.0)
        self.assertEqual(order.amount_total, 108.0)
        payment = self.pay_order(order)
        answer = self.end_bought(order.subscription_ids)
        self.assertEqual(order.invoice_ids.amount_untaxed, 29.03)
        self.assertEqual(order.invoice_ids.amount_total, 34.84)
        self.assertEqual(answer["refundable"], 73.16)
        self.assertEqual(self.get_sent_back(payment), 73.16)
        self.assert_account(order, 0.0)

    def test_what_else_was_paid_for_stays(self):
        """C9: the set-up of 50.00 is paid and still to be invoiced."""
        setup = {"price_unit": 50.0, "is_service": False, "name": "Set-up"}
        order, subscription, payment = self.buy(31.0, setup)
        answer = self.end_bought(subscription)
        self.assertEqual(answer["refundable"], 21.0)
        self.assertEqual(self.get_sent_back(payment), 21.0)
        self.assert_account(order, -50.0)
        self.travel_to(LATER)
        rest = self.invoice(order)
        self.assertEqual(rest.amount_total, 50.0)
        self.assert_account(order, 0.0)

    def test_in_another_currency(self):
        """C5, C11: € 31.00 were paid: € 10.00 are invoiced, € 21.00 go back."""
        euro = self.get_currency("EUR")
        order, subscription, payment = self.buy(currency=euro)
        answer = self.end_bought(subscription)
        self.assertEqual(
            self.get_parts(answer, "unbilled", "refund"),
            [("unbilled", 10.0), ("refund", 21.0)],
        )
        self.assertEqual(order.invoice_ids.currency_id, euro)
        self.assertEqual(order.invoice_ids.amount_total, 10.0)
        self.assertEqual(self.get_sent_back(payment), 21.0)
        self.assert_account(order, 0.0)

    def test_of_a_period_in_another_currency_and_the_next_one(self):
        """C9, C11: € 31.00 for July; August is billed as upstream does, in dollars."""
        euro = self.get_currency("EUR")
        order, subscription, payment = self.buy(currency=euro)
        answer = self.end_bought(subscription, "2026-08-10")
        self.assertCountEqual(
            self.get_parts(answer, "unbilled"), [("unbilled", 31.0), ("unbilled", 10.0)]
        )
        [july] = order.invoice_ids
        self.assertEqual((july.currency_id, july.amount_total), (euro, 31.0))
        self.assertIn(july.payment_state, ("paid", "in_payment"))
        self.assertEqual(self.get_sent_back(payment), 0.0)
        self.assert_account(order, 10.0)

    def test_a_second_payment_is_on_its_way(self):
        """C9, C16: 20.00 are here and 11.00 may fail: the served 10.00 stay."""
        order = self.sell(31.0)
        payment = self.pay_order(order, 20.0)
        on_way = self.pay_order(order, 11.0, "pending")
        if order.state != "sale":
            order.action_confirm()
        subscription = order.subscription_ids
        answer = self.end_bought(subscription)
        self.assertEqual(
            self.get_parts(answer, "unbilled", "refund", "await_payment"),
            [("unbilled", 10.0), ("refund", 10.0), ("await_payment", 11.0)],
        )
        self.assertEqual(self.get_sent_back(payment), 10.0)
        self.assert_account(order, 0.0)
        on_way.action_demo_set_canceled()
        on_way._post_process()
        self.assertEqual(order.invoice_ids.amount_total, 10.0)
        self.assert_nothing_offered(order)

    def test_the_order_has_invoiced_what_was_served_around_a_pause(self):
        """B7: 4 + 11 days; those after the pause are of a period of their own."""
        order, subscription, _payment = self.buy()
        self.travel_to("2026-07-05")
        subscription.action_pause()
        self.travel_to("2026-07-10")
        subscription.action_resume()
        self.end_bought(subscription, "2026-07-20")
        self.assertEqual(order.invoice_ids.amount_total, 15.0)
        self.assertEqual(order.amount_invoiced, 4.0)
        self.assertEqual(order.order_line.qty_invoiced, 1.0)
        self.assertEqual(order.order_line.qty_invoiced_posted, 1.0)
        self.assert_nothing_offered(order)

    def test_of_a_discount_nothing_is_left_to_invoice(self):
        """C15: 10 %: 9.00 are invoiced, and sales analysis expects nothing more."""
        order = self.sell(31.0)
        self.discount(order, 10.0)
        self.pay_order(order)
        self.end_bought(order.subscription_ids)
        self.assertEqual(order.invoice_ids.amount_total, 9.0)
        self.assertEqual(
            order.order_line.mapped("untaxed_amount_to_invoice"), [0.0, 0.0]
        )
        self.assertEqual(order.order_line.mapped("amount_to_invoice"), [0.0, 0.0])

    def test_of_a_discount_nothing_is_left_where_all_is_dropped(self):
        """C15, C9: neither to invoice nor expected, tax included."""
        tax = self.create_tax(15.0)
        for options in ({"unbilled_charges": "drop"}, {"refund_mode": "full"}):
            with self.subTest(options=options):
                self.travel_to("2026-07-01")
                order = self.sell({"price_unit": 115.0, "taxes": tax})
                self.discount(order, 10.0)
                if "refund_mode" in options:
                    self.pay_order(order)
                else:
                    order.action_confirm()
                self.end_bought(order.subscription_ids, **options)
                self.assertEqual(
                    order.order_line.mapped("amount_to_invoice"), [0.0, 0.0]
                )
                self.assertEqual(order.amount_to_invoice, 0.0)

    # === CANCELLED ORDERS === #

    def cancel_order(self, order):
        """Press *Cancel*, and choose to deactivate what runs."""
        self.travel_to("2026-07-10")
        action = order.action_cancel_with_subscriptions()
        dialog = self.env[action["res_model"]].browse(action["res_id"])
        dialog.action_end_subscriptions()
        self.assertEqual(order.state, "cancel")

    def test_its_order_is_cancelled_first(self):
        """B7, C4: *Cancel and Deactivate* of an order that was paid: 21.00 go back."""
        order, subscription, payment = self.buy()
        self.cancel_order(order)
        answer = self.end_bought(subscription)
        self.assertEqual(
            self.get_parts(answer, "unbilled", "refund"),
            [("unbilled", 10.0), ("refund", 21.0)],
        )
        self.assertIn(order.invoice_ids.payment_state, ("paid", "in_payment"))
        self.assertEqual(self.get_sent_back(payment), 21.0)
        self.assert_account(order, 0.0)

    def test_of_a_cancelled_order_all_goes_back(self):
        """B7, C2: 31.00, and nothing is invoiced."""
        order, subscription, payment = self.buy()
        self.cancel_order(order)
        answer = self.end_bought(subscription, refund_mode="full")
        self.assertEqual(answer["refundable"], 31.0)
        self.assertFalse(order.invoice_ids)
        self.assertEqual(self.get_sent_back(payment), 31.0)
        self.assert_account(order, 0.0)

    def test_of_a_cancelled_order_at_its_price(self):
        """B7, C15: 10 % off, tax and set-up: what the order said still counts."""
        setup = {"price_unit": 50.0, "is_service": False, "name": "Set-up"}
        order = self.sell({"price_unit": 31.0, "taxes": self.create_tax(10.0)}, setup)
        order.order_line[:1].discount = 10.0
        payment = self.pay_order(order)
        self.cancel_order(order)
        answer = self.end_bought(order.subscription_ids)
        # 30.69 for July, 9.90 of it served; the set-up is none of ours.
        self.assertEqual(answer["refundable"], 20.79)
        self.assertEqual(self.get_sent_back(payment), 20.79)
        self.assert_account(order, -50.0)

    def test_its_order_is_cancelled_when_it_was_to_end_later(self):
        """B7, B8: the end was scheduled before; it comes to the same."""
        order, subscription, payment = self.buy()
        self.cancel(
            subscription,
            "2026-07-05",
            timing="specific_date",
            requested_date="2026-07-10",
            credit_settlement="refund",
        )
        order.action_cancel()
        self.travel_to("2026-07-11")
        subscription.cancellation_ids._execute_if_due()
        self.run_steps(subscription)
        self.assertEqual(self.get_sent_back(payment), 21.0)
        self.assert_account(order, 0.0)

    def test_one_of_two_services_ends(self):
        """C9: 62.00 go on; of 31.00, 21.00 go back; then 42.00 of the others."""
        order, subscription, payment = self.buy(
            {"price_unit": 62.0, "name": "Stays"}, {"price_unit": 31.0, "name": "Ends"}
        )
        line = self.get_line(subscription, "Ends")
        answer = self.end_bought(subscription, line_ids=line.ids)
        self.assertEqual(answer["refundable"], 21.0)
        self.assert_account(order, -62.0)
        answer = self.end_bought(subscription)
        self.assertEqual(answer["refundable"], 42.0)
        self.assertEqual(self.get_sent_back(payment), 63.0)
        self.assert_account(order, 0.0)

    def test_a_kept_rest_is_not_given_back_by_the_next_end(self):
        """C5: 21.00 were kept when one line ended; the other gives back its 42.00."""
        order, subscription, payment = self.buy(
            {"price_unit": 62.0, "name": "Stays"}, {"price_unit": 31.0, "name": "Ends"}
        )
        line = self.get_line(subscription, "Ends")
        self.end_bought(subscription, line_ids=line.ids, credit_settlement="keep")
        answer = self.end_bought(subscription)
        self.assertEqual(answer["refundable"], 42.0)
        self.assertEqual(self.get_sent_back(payment), 42.0)
        self.assert_account(order, -21.0)

    def test_a_draft_of_the_order_is_there(self):
        """C9: *Create Invoice* was pressed, the draft is not posted."""
        for mode, total, back in (("prorated", 10.0, 21.0), ("full", 0.0, 31.0)):
            order, subscription, payment = self.buy()
            draft = self.invoice(order, post=False)
            answer = self.end_bought(subscription, refund_mode=mode)
            self.assertEqual(answer["refundable"], back)
            self.assertEqual(draft.state, "cancel")
            posted = order.invoice_ids.filtered(lambda move: move.state == "posted")
            self.assertEqual(sum(posted.mapped("amount_total")), total)
            self.assertEqual(self.get_sent_back(payment), back)
            self.assert_account(order, 0.0)
            self.assert_nothing_offered(order)

    def test_delivered_in_part(self):
        """C9: 100.00 paid, 4 × 10.00 invoiced: 27.10 of these and 60.00 go back."""
        order = self.sell({"price_unit": 10.0, "product_uom_qty": 10})
        order.order_line.product_id.invoice_policy = "delivery"
        payment = self.pay_order(order)
        order.order_line.qty_delivered = 4
        self.invoice(order)
        answer = self.end_bought(order.subscription_ids)
        self.assertEqual(answer["credit_total"], 27.1)
        self.assertEqual(answer["refundable"], 87.1)
        self.assertEqual(self.get_sent_back(payment), 87.1)
        self.assert_account(order, 0.0)

    def test_the_second_period_is_billed(self):
        """C9: July, paid, is invoiced in full; August is credited as always."""
        order, subscription, payment = self.buy()
        self.pay(self.bill(subscription, "2026-08-01"))
        answer = self.end_bought(subscription, "2026-08-10")
        self.assertEqual(answer["credit_total"], 21.0)
        self.assertEqual(answer["refundable"], 21.0)
        self.assertEqual(self.get_parts(answer, "unbilled"), [("unbilled", 31.0)])
        self.assertEqual(self.get_sent_back(payment), 0.0)

    def test_a_later_end_is_settled_on_its_day(self):
        """C9: scheduled for the 20th; the preview says that it is not invoiced."""
        order, subscription, payment = self.buy()
        self.travel_to("2026-07-10")
        options = {
            "timing": "specific_date",
            "requested_date": "2026-07-20",
            "credit_settlement": "refund",
        }
        preview = subscription.preview_cancellation(**options)
        self.assertIn(order.name, " ".join(preview["warnings"]))
        subscription.request_cancellation(**options)
        self.travel_to("2026-07-21")
        subscription.cancellation_ids._execute_if_due()
        self.run_steps(subscription)
        self.assertEqual(order.invoice_ids.amount_total, 20.0)
        self.assertEqual(self.get_sent_back(payment), 11.0)

    def test_what_is_told_of_a_later_end_is_told_once(self):
        """D5: the order's invoice takes the payment; only its credit goes back."""
        order = self.sell(100.0)
        self.discount(order, 10.0)
        self.pay_order(order)
        subscription = order.subscription_ids
        self.travel_to("2026-07-10")
        for options, credited in (
            ({"timing": "end_of_period"}, []),
            (
                {"timing": "specific_date", "requested_date": "2026-07-20"},
                [("credit", 31.94)],
            ),
        ):
            for settlement in ("refund", "keep"):
                with self.subTest(**options, settlement=settlement):
                    seen = subscription.preview_cancellation(
                        **options, credit_settlement=settlement
                    )
                    self.assertEqual(
                        [(one["kind"], one["amount"]) for one in seen["upcoming"]],
                        [("invoice", 90.0), *credited],
                    )
                    self.assertEqual(self.get_parts(seen, "refund", "keep"), [])
                    promised = sum(amount for _kind, amount in credited)
                    self.assertEqual(seen["refundable"], promised)

    def test_the_order_s_currency_is_told(self):
        """C4: 124.63 € of 128.93 € are not 124.63 $."""
        euro = self.get_currency("EUR")
        order = self.sell(31.0, currency=euro)
        self.pay_order(order)
        subscription = order.subscription_ids
        self.assertNotEqual(subscription._get_invoice_currency(), euro)
        answer = self.end_bought(subscription)
        self.assertEqual((answer["currency"], answer["refundable"]), ("EUR", 21.0))
        self.assertEqual(subscription.cancellation_ids.currency_id, euro)
        [sentence] = subscription.cancellation_ids._get_paid_ahead_sentences()
        self.assertIn("€", sentence)

    def test_an_undo_offers_the_order_again(self):
        """B15: 21.00 stayed on account; they pay the rest of the order."""
        self.get_default_policy().undo_days = 30
        order, subscription, _payment = self.buy()
        self.end_bought(subscription, credit_settlement="keep")
        subscription.cancellation_ids.action_undo()
        self.travel_to(LATER)
        self.assertEqual(order.invoice_status, "to invoice")
        self.assertEqual(self.invoice(order).amount_total, 21.0)
        self.assert_account(order, 0.0)

    def test_an_undo_before_the_money_has_gone_keeps_it(self):
        """B15, C6: nothing is sent back for an end that was taken back."""
        self.get_default_policy().undo_days = 30
        order, subscription, payment = self.buy()
        self.travel_to("2026-07-10")
        subscription.request_cancellation(
            timing="immediate", credit_settlement="refund", refund_mode="full"
        )
        subscription.cancellation_ids.action_undo()
        self.run_steps(subscription)
        self.assertEqual(self.get_sent_back(payment), 0.0)
        self.assertEqual(self.invoice(order).amount_total, 31.0)
        self.assert_account(order, 0.0)

    def test_a_card_that_gives_nothing_back_is_left_to_somebody(self):
        """C6: the step waits for the payment that somebody makes by hand."""
        order, subscription, _payment = self.buy()
        self.get_provider().payment_method_ids.support_refund = "none"
        self.end_bought(subscription)
        step = self.steps(subscription, "refund")
        self.assertTrue(step.is_by_hand)
        self.assertEqual((step.state, step.amount), ("pending", 21.0))
        back = self.pay_back(order.partner_id, 21.0)
        items = (back.move_id | order.transaction_ids.payment_id.move_id).line_ids
        items.filtered(
            lambda item: item.account_type == "asset_receivable" and not item.reconciled
        ).reconcile()
        self.travel_to("2026-07-13")
        self.run_steps(subscription)
        self.assertEqual(step.state, "done")

    def test_what_was_paid_back_meanwhile_is_not_sent_again(self):
        """C6: somebody has pressed *Refund* on the payment before the step."""
        order, subscription, payment = self.buy()
        self.travel_to("2026-07-10")
        subscription.request_cancellation(
            timing="immediate", credit_settlement="refund"
        )
        self.env["payment.refund.wizard"].with_context(
            active_id=payment.payment_id.id
        ).create({"amount_to_refund": 21.0}).action_refund()
        payment.child_transaction_ids._post_process()
        self.run_steps(subscription)
        self.assertEqual(self.get_sent_back(payment), 21.0)

    def test_a_refund_that_did_not_arrive_is_asked_for_again(self):
        """C6: its payment is cancelled: somebody has to pay 21.00 another way."""
        order, subscription, payment = self.buy()
        self.end_bought(subscription)
        back = payment.child_transaction_ids.payment_id
        back.action_draft()
        back.action_cancel()
        steps = self.steps(subscription, "refund")
        self.assertEqual(
            sorted(zip(steps.mapped("state"), steps.mapped("amount"), strict=True)),
            [("pending", 21.0), ("skipped", 0.0)],
        )
        self.assert_account(order, -21.0)

    def test_the_customer_is_told(self):
        """F1: before it is confirmed, and afterwards, in the portal."""
        for settlement, text in (("refund", "refunded to"), ("keep", "kept as credit")):
            _order, subscription, _payment = self.buy()
            self.travel_to("2026-07-10")
            options = {"timing": "immediate", "credit_settlement": settlement}
            plan = subscription._plan_cancellation(options, channel="backend")
            text_before = " ".join(plan._get_customer_sentences(plan._get_outlook()))
            self.assertIn("were paid for an order", text_before)
            self.assertNotIn("No credit memo", text_before)
            told = [(part[0], part[1]) for part in plan._get_customer_parts()]
            subscription.request_cancellation(**options)
            done = [
                (step._get_customer_text(), step.amount)
                for step in subscription.cancellation_ids._get_steps_to_tell()
            ]
            for parts in (told, done):
                [(said, amount)] = [
                    part for part in parts if text in (part[0] or "").lower()
                ]
                self.assertEqual(amount, 21.0, said)

    def test_a_batch_gives_back_each_of_its_orders_once(self):
        """B8: two lines of one order, and another order, are executed together."""
        order, subscription, payment = self.buy(
            {"price_unit": 62.0, "name": "One"}, {"price_unit": 31.0, "name": "Two"}
        )
        other, others, other_payment = self.buy()
        self.travel_to("2026-07-02")
        options = {
            "timing": "specific_date",
            "requested_date": "2026-07-10",
            "credit_settlement": "refund",
        }
        for line in subscription.sale_subscription_line_ids:
            subscription.request_cancellation(line_ids=line.ids, **options)
        others.request_cancellation(**options)
        self.travel_to("2026-07-11")
        cancellations = (subscription | others).cancellation_ids
        cancellations._execute()
        for one in subscription | others:
            self.run_steps(one)
        self.assertEqual(sorted(cancellations.mapped("refundable")), [21.0, 21.0, 42.0])
        self.assertEqual(self.get_sent_back(payment), 63.0)
        self.assertEqual(self.get_sent_back(other_payment), 21.0)
        self.assert_account(order, 0.0)
        self.assert_account(other, 0.0)

    def count_preview_queries(self, lines):
        """Return the queries of previewing the end of what such an order sold."""
        _order, subscription, _payment = self.buy(*[31.0] * lines)
        self.travel_to("2026-07-10")
        # As people open it.
        subscription = subscription.browse(subscription.id)
        counts = []
        for _attempt in range(3):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            preview = subscription.preview_cancellation()
            self.assertEqual(preview["refundable"], 21.0 * lines)
            counts.append(self.env.cr.sql_log_count - before)
        return min(counts)

    def test_a_preview_costs_the_same_with_one_and_with_twenty_lines(self):
        """D5: orders and their payments are read at once."""
        self.assertEqual(self.count_preview_queries(1), self.count_preview_queries(20))
