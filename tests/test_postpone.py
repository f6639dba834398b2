# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Changing the date of a scheduled cancellation, and charging extra days (B13)."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Date
from odoo.tests import Form, tagged

from .common import SALESPERSON, CancellationCase


@tagged("post_install", "-at_install")
class TestPostpone(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.july = self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.cancel(self.subscription, timing="end_of_period")
        self.cancellation = self.subscription.cancellation_ids

    def postpone(self, day, **options):
        return self.subscription.postpone_cancellation(requested_date=day, **options)

    def execute_due(self, day):
        self.travel_to(day)
        self.subscription.cancellation_ids._execute_if_due()

    def get_charges(self):
        return self.cancellation.charge_invoice_ids

    def get_balance(self):
        """Return what the customer was billed, less what was credited."""
        invoices = self.env["account.move"].search(
            [
                ("subscription_id", "=", self.subscription.id),
                ("state", "=", "posted"),
            ]
        )
        invoices |= invoices.reversal_move_ids.filtered(
            lambda move: move.state == "posted"
        )
        return sum(invoices.mapped("amount_total_signed"))

    # === LATER AND EARLIER === #

    def test_later_regular_billing_goes_on(self):
        """B13: August is billed as ever and credited to the day."""
        answer = self.postpone("2026-08-15")
        self.assertEqual(answer["state"], "scheduled")
        self.assertEqual(answer["last_service_date"], "2026-08-15")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        august = self.bill(self.subscription)
        self.assertEqual(august.amount_total, 31.0)
        self.execute_due("2026-08-16")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 16.0)
        self.assertFalse(self.get_charges())

    def test_earlier(self):
        """B13: credited on the new date."""
        self.postpone("2026-07-20")
        self.execute_due("2026-07-21")
        self.assertEqual(self.cancellation.state, "done")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 11.0)

    def test_to_today_is_done_at_once(self):
        """B13: as if it had been cancelled immediately."""
        answer = self.postpone("2026-07-10")
        self.assertEqual((answer["state"], answer["credit_total"]), ("done", 21.0))

    def test_the_scheduled_action_is_woken_for_the_new_date(self):
        """B13: and the record says that it was moved."""
        self.postpone("2026-08-15")
        cron = self.env.ref("subscription_cancellation.ir_cron_execute_due")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertIn("2026-08-16 00:00:00", triggers.mapped(lambda t: str(t.call_at)))
        self.assertTrue(self.cancellation.moved_date)
        self.assertIn(
            "moved: service ends on August 15, 2026 instead of July 31, 2026",
            self.subscription.message_ids[0].body,
        )

    def test_a_line_is_moved_alone(self):
        """B13, A5: the rest goes on."""
        self.subscription.revoke_cancellation()
        line = self.subscription.sale_subscription_line_ids
        self.add_line(self.subscription, {"name": "Kept", "price_unit": 62.0})
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.postpone("2026-08-15")
        self.assertEqual(str(line.cancellation_date), "2026-08-16")
        self.assertEqual(self.bill(self.subscription).amount_total, 93.0)
        self.execute_due("2026-08-16")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 16.0)
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_the_whole_moved_before_a_line_takes_the_line_over(self):
        """B13: a line ends on the earliest of its dates."""
        self.subscription.revoke_cancellation()
        line = self.subscription.sale_subscription_line_ids
        self.add_line(self.subscription, {"name": "Kept", "price_unit": 62.0})
        options = {"timing": "specific_date", "line_ids": line.ids}
        self.cancel(self.subscription, requested_date="2026-07-20", **options)
        of_line = self.subscription.cancellation_ids - self.cancellation
        self.cancel(self.subscription, timing="end_of_period")
        self.postpone("2026-07-15")
        self.assertEqual(of_line.state, "revoked")
        self.execute_due("2026-07-16")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 16.0)

    def test_a_line_is_not_moved_beyond_the_whole(self):
        """B13: everything ends then."""
        self.subscription.revoke_cancellation()
        line = self.subscription.sale_subscription_line_ids
        self.add_line(self.subscription, {"name": "Kept", "price_unit": 62.0})
        options = {"timing": "specific_date", "line_ids": line.ids}
        self.cancel(self.subscription, requested_date="2026-07-20", **options)
        of_line = self.subscription.cancellation_ids - self.cancellation
        self.cancel(self.subscription, timing="end_of_period")
        with self.assertRaisesRegex(UserError, "beyond July 31, 2026"):
            of_line._postpone("2026-08-15")

    # === EXTRA DAYS === #

    def test_extra_days_are_charged_to_the_day(self):
        """B13: 15 of 31 days of August, at once and posted."""
        self.postpone("2026-08-15", charge_extension=True)
        self.assertRecordValues(
            self.get_charges(), [{"amount_total": 15.0, "state": "posted"}]
        )
        item = self.get_charges().invoice_line_ids
        self.assertEqual(str(item.start_date), "2026-08-01")
        self.assertEqual(str(item.end_date), "2026-08-15")
        self.assertEqual(
            item.subscription_line_id, self.subscription.sale_subscription_line_ids
        )

    def test_charged_days_are_not_billed_again(self):
        """B13: neither by the scheduled action nor by hand; nothing is credited."""
        self.postpone("2026-08-15", charge_extension=True)
        self.assertFalse(self.bill(self.subscription, "2026-08-01"))
        with self.assertRaises(UserError):
            self.subscription.manual_invoice()
        self.execute_due("2026-08-16")
        self.assertEqual(self.cancellation.state, "done")
        self.assertFalse(self.credit_memos(self.subscription))
        self.assertEqual(self.get_balance(), 46.0)

    def test_charged_once(self):
        """B13: the same again changes nothing; further days are charged alone."""
        self.postpone("2026-08-15", charge_extension=True)
        self.postpone("2026-08-15", charge_extension=True)
        self.assertEqual(len(self.get_charges()), 1)
        self.postpone("2026-09-10")
        self.assertEqual(
            sorted(self.get_charges().mapped("amount_total")), [15.0, 26.33]
        )
        items = self.get_charges().invoice_line_ids.sorted("start_date")
        self.assertEqual(
            items.mapped(lambda item: (str(item.start_date), str(item.end_date))),
            [
                ("2026-08-01", "2026-08-15"),
                ("2026-08-16", "2026-08-31"),
                ("2026-09-01", "2026-09-10"),
            ],
        )

    def test_moved_back_the_charge_is_taken_back(self):
        """B13: credited in full, and charged anew for the days that are left."""
        self.postpone("2026-08-15", charge_extension=True)
        self.postpone("2026-08-05")
        self.assertEqual(self.get_balance(), 36.0)
        self.postpone("2026-07-31")
        self.assertEqual(self.get_balance(), 31.0)
        self.assertFalse(self.cancellation.extension_start_date)
        self.execute_due("2026-08-01")
        self.assertEqual(self.get_balance(), 31.0)

    def test_without_the_charge_regular_billing_takes_over_again(self):
        """B13: the option is taken back."""
        self.postpone("2026-08-15", charge_extension=True)
        self.postpone("2026-08-20", charge_extension=False)
        self.assertEqual(self.get_balance(), 31.0)
        self.assertEqual(self.bill(self.subscription).amount_total, 31.0)

    def test_revoked_the_charge_is_taken_back(self):
        """B12, B13: billing goes on as if nothing had happened."""
        self.postpone("2026-08-15", charge_extension=True)
        self.pay(self.get_charges())
        self.travel_to("2026-08-05")
        self.subscription.revoke_cancellation()
        self.assertEqual(self.get_balance(), 31.0)
        [memo] = self.get_charges().reversal_move_ids
        self.assertEqual(memo.amount_residual, 15.0)
        august = self.bill(self.subscription, "2026-08-05")
        self.assertEqual(str(august.invoice_line_ids.start_date), "2026-08-01")
        self.assertEqual(self.get_balance(), 62.0)

    def test_cancelled_within_charged_days_they_are_credited_correctly(self):
        """B13, C1: 10 of the 15 charged days are left, and were paid."""
        self.postpone("2026-08-15", charge_extension=True)
        self.travel_to("2026-08-05")
        self.subscription.revoke_cancellation()
        self.assertEqual(self.bill(self.subscription, "2026-08-05").amount_total, 31.0)
        answer = self.cancel(self.subscription)
        self.assertEqual(answer["credit_total"], 26.0)
        self.assertEqual(self.get_balance(), 36.0)

    def test_executed_earlier_within_charged_days(self):
        """B13, C1: the charge is made anew for the days that were served."""
        self.postpone("2026-08-15", charge_extension=True)
        self.travel_to("2026-08-05")
        answer = self.postpone("2026-08-05")
        self.assertEqual(answer["state"], "done")
        self.assertEqual(self.get_balance(), 36.0)

    def test_days_that_a_regular_invoice_will_cover_are_not_charged(self):
        """B13: on 10 August already; August is billed in full anyway."""
        self.postpone("2026-08-10")
        self.postpone("2026-08-20", charge_extension=True)
        self.assertFalse(self.get_charges())
        self.assertEqual(self.bill(self.subscription).amount_total, 31.0)
        self.execute_due("2026-08-21")
        self.assertEqual(self.get_balance(), 20.0 + 31.0)

    def test_taxes_and_discounts_of_extra_days(self):
        """B13: the line's price, discount and taxes, prorated once."""
        line = self.subscription.sale_subscription_line_ids
        line.write(
            {
                "price_unit": 99.99,
                "discount": 10.0,
                "tax_ids": [(6, 0, self.create_tax(19.0).ids)],
            }
        )
        self.postpone("2026-08-10", charge_extension=True)
        self.assertRecordValues(
            self.get_charges(),
            [{"amount_untaxed": 29.03, "amount_tax": 5.52, "amount_total": 34.55}],
        )

    def test_a_tax_per_unit_is_prorated(self):
        """B13: 3.10 per unit and month, two units: 2.00 for 10 of 31 days."""
        line = self.subscription.sale_subscription_line_ids
        taxes = self.create_tax(3.1, amount_type="fixed") | self.create_tax(19.0)
        line.write({"product_uom_qty": 2.0, "tax_ids": [(6, 0, taxes.ids)]})
        preview = self.cancellation._preview_postponed("2026-08-10", True)
        self.postpone("2026-08-10", charge_extension=True)
        self.assertRecordValues(
            self.get_charges(),
            [{"amount_untaxed": 20.0, "amount_tax": 5.8, "amount_total": 25.8}],
        )
        self.assertIn("$\xa025.80 will be invoiced now", preview)

    def test_a_fixed_price_with_included_tax(self):
        """B13: the gross price is prorated, the tax follows from it."""
        tax = self.create_tax(19.0, price_include_override="tax_included")
        line = self.subscription.sale_subscription_line_ids
        line.write({"price_unit": 31.0, "tax_ids": [(6, 0, tax.ids)]})
        self.postpone("2026-08-10", charge_extension=True)
        self.assertEqual(self.get_charges().amount_total, 10.0)

    def test_the_other_currency_of_the_journal(self):
        """B13: yen have no cents."""
        subscription = self.create_subscription([3100.0], currency="JPY")
        self.bill(subscription, "2026-07-01")
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        subscription.postpone_cancellation(
            requested_date="2026-08-10", charge_extension=True
        )
        charge = subscription.cancellation_ids.charge_invoice_ids
        self.assertEqual((charge.currency_id.name, charge.amount_total), ("JPY", 1000))

    def test_another_cancellation_takes_the_charge_back_and_says_so(self):
        """B13, D5: the preview is what is posted."""
        self.subscription.revoke_cancellation()
        line = self.subscription.sale_subscription_line_ids
        self.add_line(self.subscription, {"name": "Kept", "price_unit": 62.0})
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.postpone("2026-08-15", charge_extension=True)
        plan = self.subscription._plan_cancellation({}, "backend")
        self.assertEqual(plan.credit_total, 21.0)
        self.assertIn("extra days is taken back", plan._render_preview())
        answer = self.cancel(self.subscription)
        self.assertEqual(answer["credit_total"], 21.0)
        self.assertEqual(self.get_balance(), 10.0)

    def test_another_company_comes_first(self):
        """B13: accounts and taxes are those of the subscription's company."""
        other = self.env["res.company"].create({"name": "Other"})
        self.env.user.company_ids |= other
        line = self.subscription.sale_subscription_line_ids
        income = self.company_data["default_account_revenue"].copy()
        line.product_id.property_account_income_id = income
        subscription = self.subscription.with_context(
            allowed_company_ids=[other.id, self.company.id]
        )
        subscription.postpone_cancellation(
            requested_date="2026-08-15", charge_extension=True
        )
        [charge] = self.get_charges()
        self.assertEqual(charge.company_id, self.company)
        self.assertEqual(charge.invoice_line_ids.account_id, income)

    # === REFUSED === #

    def test_dates_that_cannot_be(self):
        """B13: before today, beyond the contract, not a date, none."""
        for day, message in {
            "2026-07-09": "earliest possible date is July 10, 2026",
            "soon": "is not a date",
            "": "Choose the new date",
        }.items():
            with self.assertRaisesRegex(UserError, message):
                self.postpone(day)
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=3
        )
        limited = self.create_subscription(template=template)
        self.cancel(limited, timing="end_of_period")
        with self.assertRaisesRegex(UserError, "term ends on September 30, 2026"):
            limited.postpone_cancellation(requested_date="2026-10-01")
        self.assertEqual(str(self.cancellation.effective_date), "2026-08-01")

    def test_bad_types_are_named(self):
        """B13: over the API."""
        with self.assertRaisesRegex(UserError, "charge_extension: use true or false"):
            self.postpone("2026-08-15", charge_extension="yes")

    def test_a_policy_without_own_dates_allows_none(self):
        """B13, D2: changing the date is choosing a date."""
        policy = self.get_default_policy()
        policy.write({"timing": "end_of_period", "allow_override_timing": False})
        with self.assertRaisesRegex(UserError, "does not allow another value"):
            self.postpone("2026-08-15")

    def test_nothing_scheduled(self):
        """B13: revoked, done, or never requested."""
        self.subscription.revoke_cancellation()
        with self.assertRaisesRegex(UserError, "no scheduled cancellation"):
            self.postpone("2026-08-15")
        with self.assertRaisesRegex(UserError, "it is not scheduled"):
            self.cancellation._postpone("2026-08-15")

    def test_after_the_date(self):
        """B13: service has ended, though the scheduled action is late."""
        self.travel_to("2026-08-02")
        with self.assertRaisesRegex(UserError, "service ended on July 31, 2026"):
            self.postpone("2026-08-15")

    def test_somebody_else_needs_to_be_a_manager(self):
        """B13: who requested it, or a cancellation manager."""
        user = self.create_user(SALESPERSON)
        with self.assertRaises(AccessError):
            self.subscription.with_user(user).postpone_cancellation(
                requested_date="2026-08-15"
            )

    def test_several_lines_with_dates_of_their_own(self):
        """B13: which one is meant has to be said."""
        self.subscription.revoke_cancellation()
        for name in ("Second", "Third"):
            line = self.add_line(self.subscription, {"name": name})
            self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        with self.assertRaisesRegex(UserError, "Several lines"):
            self.postpone("2026-08-15")

    # === THE DIALOG === #

    def test_the_dialog_says_what_happens(self):
        """B13: before it does."""
        action = self.subscription.action_postpone_cancellation()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        form.requested_date = Date.to_date("2026-08-15")
        self.assertIn("Service ends on August 15, 2026.", form.preview)
        form.charge_extension = True
        self.assertIn(
            "$\xa015.00 will be invoiced now for August 1, 2026 – August 15, 2026.",
            form.preview,
        )
        form.requested_date = Date.to_date("2026-07-01")
        self.assertIn("earliest possible date", form.problem)
        form.requested_date = Date.to_date("2026-08-15")
        form.save().action_confirm()
        self.assertEqual(self.get_charges().amount_total, 15.0)

    def preview(self, day, charge_extension=False):
        """Return the lines of what the dialog says."""
        text = self.cancellation._preview_postponed(day, charge_extension)
        return text.replace("\N{NO-BREAK SPACE}", " ").split("\n")

    def test_the_dialog_lists_the_invoices(self):
        """B13: which come, what is credited of them, and which do not come any more."""
        self.assertEqual(
            self.preview("2026-08-15"),
            [
                "Service ends on August 15, 2026.",
                "• August 1, 2026: Invoice for August 1, 2026 – August 31, 2026: "
                "$ 31.00",
                "• August 16, 2026: Credit for August 16, 2026 – August 31, 2026: "
                "stays on the account: $ 16.00",
                "• No regular invoice comes for September 1, 2026 – "
                "September 30, 2026, or later.",
            ],
        )

    def test_the_dialog_knows_what_extra_days_replace(self):
        """B13: no regular invoice comes for them."""
        first, *others = self.preview("2026-08-15", True)
        self.assertIn("$ 15.00 will be invoiced now", first)
        self.assertEqual(
            others,
            [
                "• No regular invoice comes for August 1, 2026 – August 31, 2026, "
                "or later.",
            ],
        )

    def test_the_dialog_lists_the_invoices_of_an_earlier_date(self):
        """B13: after the end was put off."""
        self.postpone("2026-09-30")
        _first, *others = self.preview("2026-07-20")
        self.assertEqual(
            others,
            [
                "• July 21, 2026: Credit of days without service: $ 11.00",
                "• No regular invoice comes for August 1, 2026 – August 31, 2026, "
                "or later.",
            ],
        )

    def test_the_dialog_names_the_line(self):
        """B13, A5: the others are invoiced as before."""
        self.subscription.revoke_cancellation()
        line = self.subscription.sale_subscription_line_ids
        self.add_line(self.subscription, {"name": "Kept", "price_unit": 62.0})
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.cancellation = self.subscription.cancellation_ids.filtered("is_open")
        _first, invoice, _credit, nothing = self.preview("2026-08-15")
        self.assertTrue(invoice.endswith(": Line 1: $ 31.00"), invoice)
        self.assertTrue(
            nothing.startswith("• Line 1: no regular invoice comes for Sep")
        )

    def test_what_the_dialog_lists_is_what_comes(self):
        """B13, D5: for several months, with the credit of the last one."""
        lines = self.preview("2026-10-10")
        self.postpone("2026-10-10")
        for month in ("August", "September", "October"):
            invoice = self.bill(self.subscription)
            amount = f"$ {invoice.amount_total:.2f}"
            [line] = [one for one in lines if f"Invoice for {month}" in one]
            self.assertTrue(line.endswith(amount))
        self.execute_due("2026-10-11")
        credit = self.credit_memos(self.subscription).amount_total
        self.assertTrue(any(line.endswith(f"$ {credit:.2f}") for line in lines))
