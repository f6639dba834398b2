# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pins what ``subscription_oca`` and Odoo do that this addon relies on or corrects.

Each test names the row of the list of upstream behaviours it stands for. Where the
addon corrects one, upstream's own method is called through its class, and a second
assertion or test shows that the correction works. A red test here means: upstream
changed, look at what is built on it.
"""

from unittest.mock import patch

from lxml import etree
from psycopg2 import DatabaseError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Date
from odoo.service.model import get_public_method
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.subscription_cancellation.engine import STAGES, let_write
from odoo.addons.subscription_oca.models import account_move as oca_move
from odoo.addons.subscription_oca.models import sale_order as oca_order
from odoo.addons.subscription_oca.models import sale_subscription as oca
from odoo.addons.subscription_oca.models import sale_subscription_line as oca_line

from .common import SALESPERSON, CancellationCase

CRON_LOGGER = "odoo.addons.subscription_oca.models.sale_subscription"


class UpstreamCase(CancellationCase):
    """Upstream's own methods, below this addon's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Subscription = cls.env["sale.subscription"]
        cls.draft, cls.ready, cls.running, cls.closed = (
            cls.env.ref(f"subscription_oca.subscription_stage_{name}")
            for name in ("draft", "ready", "in_progress", "closed")
        )

    def create_limited(self, count=1, **values):
        """Return a subscription with a fixed term of ``count`` months."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=count
        )
        return self.create_subscription(template=template, **values)

    def remove_billing_guard(self):
        """Let upstream bill as if this addon were not there."""
        for name in ("generate_invoice", "create_invoice", "create_sale_order"):
            upstream = getattr(oca.SaleSubscription, name)
            self.patch(type(self.Subscription), name, upstream)

    def run_cron(self, day=None):
        """Run upstream's nightly billing."""
        if day:
            self.travel_to(day)
        self.Subscription.cron_subscription_management()

    def sell(self, product, mode="draft", **template_values):
        """Confirm an order for a product that starts a subscription; return it."""
        product.subscription_template_id = self.create_template(
            invoicing_mode=mode, **template_values
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.create_customer().id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 31.0})
                ],
            }
        )
        order.action_confirm()
        return order


@tagged("post_install", "-at_install")
class TestUpstreamStages(UpstreamCase):
    def test_writing_the_same_running_stage_restarts_the_subscription(self):
        """Row 1: both dates jump to today, although the stage does not change."""
        subscription = self.create_subscription(start="2026-05-01")
        self.travel_to("2026-07-15")
        oca.SaleSubscription.write(subscription, {"stage_id": self.running.id})
        self.assertEqual(subscription.date_start, Date.to_date("2026-07-15"))
        self.assertEqual(subscription.recurring_next_date, Date.to_date("2026-07-15"))

    def test_a_running_subscription_is_not_started_again(self):
        """Row 1, corrected: the button, and another stage of the same kind."""
        subscription = self.create_subscription(start="2026-05-01")
        other = self.running.copy({"name": "In negotiation"})
        self.travel_to("2026-07-15")
        subscription.action_start_subscription()
        subscription.stage_id = other
        self.assertEqual(subscription.stage_id, other)
        self.assertEqual(subscription.date_start, Date.to_date("2026-05-01"))
        self.assertEqual(subscription.recurring_next_date, Date.to_date("2026-05-01"))

    def test_closing_clears_the_next_date_and_keeps_the_end(self):
        """Row 2. Upstream's keeps the pause, too; ours ends it."""
        subscription = self.create_limited(count=6)
        subscription.action_pause()
        subscription.close_subscription()
        self.assertFalse(subscription.recurring_next_date)
        self.assertEqual(subscription.date, Date.to_date("2027-01-01"))
        self.assertFalse(subscription.is_paused)
        self.assertFalse(subscription.in_progress)
        self.assertEqual(subscription.stage_id, self.closed)

    def test_closing_again_without_a_reason_erases_the_reason(self):
        """Row 3."""
        reason = self.env.ref("subscription_oca.close_reason_expensive")
        subscription = self.create_subscription()
        subscription.close_subscription(reason.id)
        self.assertEqual(subscription.close_reason_id, reason)
        subscription.write({"stage_id": self.closed.id})
        self.assertFalse(subscription.close_reason_id)

    def test_the_second_close_of_upstream_keeps_our_reason(self):
        """Row 3, corrected: closing what is closed does nothing."""
        reason = self.env.ref("subscription_oca.close_reason_expensive")
        subscription = self.create_subscription()
        subscription.close_subscription(reason.id)
        subscription.close_subscription()
        self.assertEqual(subscription.close_reason_id, reason)

    def test_reopening_an_invoiced_subscription_gives_a_free_period(self):
        """Row 4: July is billed, reopened in July: the next date is a month on."""
        # Only upstream's stage is changed, as nothing of ours does.
        self.books_fit = False
        subscription = self.create_subscription()
        self.bill(subscription)
        subscription.close_subscription()
        self.travel_to("2026-07-20")
        opened = let_write(subscription, STAGES)
        opened.write({"stage_id": self.running.id})
        self.assertEqual(subscription.date_start, Date.to_date("2026-07-20"))
        self.assertEqual(subscription.recurring_next_date, Date.to_date("2026-08-20"))

    def test_a_stage_is_not_moved_to_or_from_closed_by_hand(self):
        """Rows 4 and 21, A2: the stage is no way around Deactivate."""
        subscription = self.create_subscription()
        with self.assertRaisesRegex(UserError, "Deactivate"):
            subscription.stage_id = self.closed
        subscription.close_subscription()
        with self.assertRaisesRegex(UserError, "cannot be moved back"):
            subscription.stage_id = self.running

    def test_creating_with_both_dates_forces_draft_and_moves_the_start(self):
        """Row 10: our factories and demo data start first and set dates last."""
        subscription = self.Subscription.create(
            {
                "partner_id": self.create_customer().id,
                "pricelist_id": self._create_pricelist().id,
                "template_id": self.create_template().id,
                "stage_id": self.running.id,
                "date_start": "2026-09-01",
                "recurring_next_date": "2026-08-01",
            }
        )
        self.assertEqual(subscription.stage_id, self.draft)
        self.assertEqual(subscription.date_start, Date.to_date("2026-08-01"))

    def test_default_dates_are_those_of_the_import(self):
        """Row 9: neither frozen time nor midnight moves the default dates."""
        self.travel_to("2035-05-05")
        names = ["date_start", "recurring_next_date"]
        defaults = self.Subscription.default_get(names)
        self.assertEqual(set(defaults), set(names))
        self.assertNotIn(Date.to_date("2035-05-05"), defaults.values())

    def test_the_end_follows_start_and_template_and_is_not_for_unlimited_ones(self):
        """Row 18: a cancellation date kept in this field would be lost."""
        subscription = self.create_limited(count=6)
        subscription.date = "2026-09-15"
        subscription.date_start = "2026-07-02"
        self.assertEqual(subscription.date, Date.to_date("2027-01-02"))
        self.assertFalse(subscription.recurring_rule_boundary)
        subscription.template_id = self.create_template()
        self.assertFalse(subscription.date)
        # The name says the contrary: true is unlimited.
        self.assertTrue(subscription.recurring_rule_boundary)

    def test_an_end_of_an_unlimited_subscription_does_not_end_it(self):
        """Row 18."""
        subscription = self.create_subscription()
        subscription.date = "2026-07-10"
        self.run_cron("2026-07-20")
        self.assertEqual(subscription.stage_id, self.running)

    def test_a_copy_keeps_the_code_and_drops_the_lines(self):
        """Row 25; of ours it keeps no cancellation, whatever happened to it.

        Both dates are copied, so row 10 makes it a draft; that it does not count as
        running all the same is our correction.
        """
        subscription = self.create_subscription()
        self.cancel(subscription, timing="end_of_period")
        copy = subscription.copy()
        self.assertEqual(copy.code, subscription.code)
        self.assertEqual(copy.stage_id, self.draft)
        self.assertFalse(copy.in_progress)
        self.assertFalse(copy.sale_subscription_line_ids)
        self.assertFalse(copy.cancellation_ids)
        self.assertEqual(copy.cancellation_state, "active")
        self.assertFalse(copy.cancellation_date)


@tagged("post_install", "-at_install")
class TestUpstreamCron(UpstreamCase):
    def test_a_running_subscription_without_next_date_stops_all_billing(self):
        """Row 5: the others are billed no more; so we never clear the date."""
        broken, other = self.create_subscription(), self.create_subscription()
        broken.recurring_next_date = False
        with self.assertRaises(TypeError):
            self.run_cron()
        self.assertFalse(other.invoice_ids)

    def test_a_limited_subscription_without_end_stops_all_billing(self):
        """Row 5."""
        broken = self.create_limited()
        broken.date = False
        with self.assertRaises(TypeError):
            self.run_cron()

    def test_a_copy_of_an_unlimited_subscription_does_not_stop_the_billing(self):
        """Rows 5 and 25: the copy is limited without an end, but it does not run."""
        subscription = self.create_subscription()
        copy = subscription.copy()
        self.assertFalse(copy.recurring_rule_boundary)
        self.assertFalse(copy.date)
        self.run_cron()
        self.assertTrue(subscription.invoice_ids)

    def test_upstream_bills_one_period_too_many_on_the_end_date(self):
        """Row 6: the term is July, and August is billed on 1 August."""
        self.remove_billing_guard()
        subscription = self.create_limited()
        self.run_cron("2026-07-01")
        self.run_cron("2026-08-01")
        self.assertEqual(subscription.stage_id, self.closed)
        self.assertEqual(
            sorted(map(str, subscription.invoice_ids.mapped("invoice_date"))),
            ["2026-07-01", "2026-08-01"],
        )

    def test_a_failed_posting_leaves_one_more_orphan_draft_every_night(self):
        """Row 7: so only posted invoices are credited."""
        subscription = self.create_subscription([-10.0], invoicing_mode="invoice")
        for day, drafts in (("2026-07-01", 1), ("2026-07-02", 2)):
            with mute_logger(CRON_LOGGER):
                self.run_cron(day)
            self.assertEqual(len(subscription.invoice_ids), drafts)
        self.assertEqual(set(subscription.invoice_ids.mapped("state")), {"draft"})
        self.assertEqual(subscription.recurring_next_date, Date.to_date("2026-07-01"))

    def test_one_database_error_loses_the_whole_run(self):
        """Row 7: no savepoint, so the transaction is dead for the ones after it."""
        # Nothing can be read in a dead transaction.
        self.books_fit = False
        subscriptions = self.create_subscription() | self.create_subscription()
        self.env.flush_all()

        def fail(subscription):
            subscription.env.cr.execute("SELECT 1 / 0")

        with (
            patch.object(type(subscriptions), "generate_invoice", fail),
            mute_logger(CRON_LOGGER, "odoo.sql_db"),
            self.assertRaisesRegex(DatabaseError, "current transaction is aborted"),
        ):
            self.run_cron()
            self.env.cr.execute("SELECT 1")

    def test_a_paused_subscription_is_skipped_its_end_included(self):
        """Row 20: ours ends it afterwards (see test_pause_ends.py), so not here."""
        subscription = self.create_limited()
        subscription.action_pause()
        model = self.registry["sale.subscription"]
        with patch.object(model, "_end_paused_terms", lambda _model: None):
            self.run_cron("2026-08-15")
        self.assertEqual(subscription.stage_id, self.running)
        self.assertFalse(subscription.invoice_ids)

    def test_month_ends_drift(self):
        """Row 19: 31 January, 28 February, 28 March."""
        subscription = self.create_subscription(start="2026-01-31")
        days = []
        for _month in range(3):
            days.append(str(subscription.recurring_next_date))
            self.bill(subscription)
        self.assertEqual(days, ["2026-01-31", "2026-02-28", "2026-03-28"])


@tagged("post_install", "-at_install")
class TestUpstreamBilling(UpstreamCase):
    def test_without_income_account_upstream_sends_false(self):
        """Row 8: a database check refuses it; ours leaves the key out."""
        line = self.create_subscription().sale_subscription_line_ids
        line.product_id.categ_id.property_account_income_categ_id = False
        line.product_id.property_account_income_id = False
        values = oca_line.SaleSubscriptionLine._prepare_account_move_line(line)
        self.assertIs(values["account_id"], False)
        self.assertNotIn("account_id", line._prepare_account_move_line())

    def test_without_income_account_the_journal_s_account_is_used(self):
        """Row 8, corrected."""
        subscription = self.create_subscription()
        product = subscription.sale_subscription_line_ids.product_id
        product.categ_id.property_account_income_categ_id = False
        product.property_account_income_id = False
        invoice = self.bill(subscription)
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(
            invoice.invoice_line_ids.account_id, invoice.journal_id.default_account_id
        )

    def test_upstream_totals_follow_only_the_set_of_lines(self):
        """Row 11: no dependency on price or quantity."""
        depends = oca.SaleSubscription._compute_total._depends
        self.assertEqual(tuple(depends), ("sale_subscription_line_ids",))

    def test_invoice_lines_carry_neither_line_nor_period(self):
        """Row 12."""
        line = self.create_subscription().sale_subscription_line_ids
        values = oca_line.SaleSubscriptionLine._prepare_account_move_line(line)
        stamps = {"subscription_line_id", "start_date", "end_date"}
        self.assertFalse(stamps & values.keys())
        self.assertLessEqual(stamps, line._prepare_account_move_line().keys())

    def test_invoices_are_in_the_company_s_currency_not_the_pricelist_s(self):
        """Row 13: EUR 31.00 on the subscription, USD 31.00 on the invoice."""
        subscription = self.create_subscription(
            currency="EUR", journal_id=self.company_data["default_journal_sale"].id
        )
        self.assertEqual(subscription.currency_id.name, "EUR")
        invoice = self.bill(subscription)
        self.assertEqual(invoice.currency_id.name, "USD")
        self.assertEqual(invoice.amount_untaxed, 31.0)

    def test_upstream_dates_an_invoice_with_the_first_day_it_bills(self):
        """Rows 12 and 16: what the stamping of older invoices relies on."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription, "2026-07-04")
        self.assertEqual(invoice.invoice_date, Date.to_date("2026-07-01"))
        self.assertEqual(subscription.recurring_next_date, Date.to_date("2026-08-01"))

    def test_a_sold_subscription_has_its_first_period_on_the_order_only(self):
        """Row 14."""
        order = self.sell(self.create_product())
        order._create_invoices()
        subscription = order.subscription_ids
        self.assertEqual(len(order.invoice_ids), 1)
        self.assertFalse(subscription.invoice_ids)
        self.assertFalse(order.invoice_ids.subscription_id)
        self.assertEqual(subscription.date_start, Date.to_date("2026-07-01"))
        self.assertEqual(subscription.recurring_next_date, Date.to_date("2026-08-01"))

    def test_billing_by_sales_order_leaves_no_subscription_on_the_invoice(self):
        """Row 15."""
        subscription = self.create_subscription(invoicing_mode="sale_and_invoice")
        invoice = self.bill(subscription)
        self.assertFalse(invoice.subscription_id)
        self.assertFalse(subscription.invoice_ids)
        self.assertEqual(subscription.sale_order_ids.invoice_ids, invoice)

    def test_billing_by_sales_order_spawns_a_second_subscription(self):
        """Row 15: upstream's own ``create_subscription``, which ours keeps back."""
        order = self.sell(self.create_product(), mode="sale_and_invoice")
        create = oca_order.SaleOrder.create_subscription
        self.patch(type(order), "create_subscription", create)
        self.bill(order.subscription_ids)
        orders = order | order.subscription_ids.sale_order_ids
        self.assertEqual(len(orders.subscription_ids), 2)

    def test_every_mode_but_draft_and_sales_order_mails_the_invoice(self):
        """Row 16: "Invoice" mails as "Invoice & send" does."""
        mailed = {}
        for mode in ("draft", "invoice", "invoice_send", "sale_and_invoice"):
            subscription = self.create_subscription(invoicing_mode=mode)
            with patch.object(
                type(self.env["account.move.send"]), "_generate_and_send_invoices"
            ) as send:
                self.bill(subscription, post=False)
            mailed[mode] = send.call_count
        self.assertEqual(
            mailed,
            {"draft": 0, "invoice": 1, "invoice_send": 1, "sale_and_invoice": 0},
        )

    def test_a_reversal_counts_as_an_invoice_of_the_subscription(self):
        """Row 17: ours counts invoices only."""
        subscription = self.create_subscription()
        reversal = self.bill(subscription)._reverse_moves()
        self.assertEqual(reversal.subscription_id, subscription)
        self.assertIn(reversal, subscription.invoice_ids)
        self.assertEqual(subscription.account_invoice_ids_count, 1)
        oca.SaleSubscription._compute_account_invoice_ids_count(subscription)
        self.assertEqual(subscription.account_invoice_ids_count, 2)


@tagged("post_install", "-at_install")
class TestUpstreamDoors(UpstreamCase):
    def get_form(self, view=None):
        """Return the tree of the form: the one in use, or upstream's alone."""
        arch = (
            view.arch if view else self.Subscription.get_view(view_type="form")["arch"]
        )
        return etree.fromstring(arch)

    def test_upstream_s_status_bar_is_clickable_and_closes(self):
        """Row 21, A2: in the form that is used neither is there any more."""
        upstream = self.get_form(
            self.env.ref("subscription_oca.sale_subscription_form")
        )
        [status] = upstream.findall(".//header/field[@name='stage_id']")
        self.assertIn("clickable", status.get("options"))
        self.assertEqual(len(self.get_close_buttons(upstream)), 1)
        used = self.get_form()
        [status] = used.findall(".//header/field[@name='stage_id']")
        self.assertNotIn("clickable", status.get("options"))
        self.assertEqual(self.get_close_buttons(used), [])

    def get_close_buttons(self, form):
        """Return upstream's close buttons that are ever shown."""
        buttons = form.findall(".//button[@name='action_close_subscription']")
        return [button for button in buttons if button.get("invisible") != "1"]

    def test_the_close_button_of_upstream_opens_our_dialog(self):
        """Row 21, A2: also where another addon's view still has the button."""
        action = self.create_subscription().action_close_subscription()
        self.assertEqual(action["res_model"], "subscription.cancellation.wizard")

    def test_the_links_of_upstream_are_neither_required_nor_indexed(self):
        """Row 22."""
        for link in (
            oca_line.SaleSubscriptionLine.sale_subscription_id,
            oca_move.AccountMove.subscription_id,
        ):
            declared = link._args__.keys()
            self.assertFalse(declared & {"required", "index", "ondelete"}, link)

    def test_a_deleted_subscription_leaves_its_lines_behind(self):
        """Row 22."""
        subscription = self.create_subscription()
        line = subscription.sale_subscription_line_ids
        subscription.unlink()
        self.assertTrue(line.exists())
        self.assertFalse(line.sale_subscription_id)

    def test_every_salesperson_may_do_everything(self):
        """Row 23."""
        seller = self.create_user(SALESPERSON)
        for model in ("sale.subscription", "sale.subscription.line"):
            records = self.env[model].with_user(seller)
            for right in ("read", "write", "create", "unlink"):
                self.assertTrue(records.has_access(right), (model, right))

    def test_portal_users_may_do_nothing(self):
        """Row 23; of ours they may read their own subscriptions (E2)."""
        customer = self.create_user("base.group_portal", login="customer")
        self.create_subscription([1.0])
        subscriptions = self.env["sale.subscription"].with_user(customer)
        self.assertFalse(subscriptions.search([]))
        for operation in ("write", "create", "unlink"):
            self.assertFalse(subscriptions.has_access(operation), operation)
        lines = self.env["sale.subscription.line"].with_user(customer)
        self.assertFalse(lines.has_access("read"))

    def test_billing_and_closing_of_upstream_can_be_called_over_rpc(self):
        """Row 24; of ours only the designed methods can."""
        for name in (
            "close_subscription",
            "generate_invoice",
            "create_invoice",
            "create_sale_order",
            "manual_invoice",
            "cron_subscription_management",
        ):
            self.assertTrue(get_public_method(self.Subscription, name), name)
        cancellations = self.env["subscription.cancellation"]
        for name in ("_cron_execute_due", "_execute", "_set_state"):
            with self.assertRaises(AccessError):
                get_public_method(cancellations, name)

    def test_upstream_never_checks_the_company_of_what_is_linked(self):
        """Row 26: ``check_company`` is declared there and switched on by us."""
        for upstream in (oca.SaleSubscription, oca_line.SaleSubscriptionLine):
            self.assertFalse(getattr(upstream, "_check_company_auto", False))
        other = self.env.ref("base.main_company")
        position = self.env["account.fiscal.position"].sudo()
        position = position.create({"name": "Elsewhere", "company_id": other.id})
        with self.assertRaisesRegex(UserError, "Elsewhere"):
            self.create_subscription(fiscal_position_id=position.id)

    def test_line_taxes_are_those_of_the_company_one_works_in(self):
        """Row 26: not those of the subscription's company."""
        mine, other = self.create_tax(20), self.env.ref("base.main_company")
        product = self.create_product(taxes_id=mine.ids)
        subscription = self.create_subscription()
        line = {"product_id": product.id, "sale_subscription_id": subscription.id}
        lines = self.env["sale.subscription.line"]
        self.assertEqual(lines.create(line).tax_ids, mine)
        elsewhere = lines.sudo().with_company(other).create(line)
        self.assertEqual(elsewhere.company_id, self.company)
        self.assertNotIn(mine, elsewhere.tax_ids)


@tagged("post_install", "-at_install")
class TestTotals(UpstreamCase):
    """Row 11, corrected."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [
                {"price_unit": 30.0, "taxes": self.create_tax(20)},
                {"price_unit": 10.0, "product_uom_qty": 2},
            ]
        )
        self.first, self.second = self.subscription.sale_subscription_line_ids
        # What is still to compute would follow any change.
        self.env.flush_all()

    def assert_totals(self, untaxed, tax):
        self.assertRecordValues(
            self.subscription,
            [
                {
                    "recurring_total": untaxed,
                    "amount_tax": tax,
                    "amount_total": untaxed + tax,
                }
            ],
        )

    def test_totals_add_up_the_lines(self):
        """30 + 2 × 10, and 20 % of 30."""
        self.assert_totals(50.0, 6.0)

    def test_totals_follow_the_price(self):
        self.first.price_unit = 40.0
        self.assert_totals(60.0, 8.0)

    def test_totals_follow_the_quantity(self):
        self.second.product_uom_qty = 5
        self.assert_totals(80.0, 6.0)

    def test_totals_follow_the_discount(self):
        self.first.discount = 50.0
        self.assert_totals(35.0, 3.0)

    def test_totals_follow_the_taxes(self):
        self.first.tax_ids = False
        self.assert_totals(50.0, 0.0)

    def test_totals_lose_a_deactivated_line(self):
        """A5: what is not billed any more is not in the recurring total."""
        self.cancel(self.subscription, line_ids=self.first.ids)
        self.assert_totals(20.0, 0.0)


@tagged("post_install", "-at_install")
class TestOdoo(UpstreamCase):
    """The facts of Odoo 19.0 itself that the credit memos rest on."""

    def create_invoice(self, **line):
        return self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.create_customer().id,
                "invoice_date": "2026-07-01",
                "invoice_line_ids": [Command.create({"tax_ids": [], **line})],
            }
        )

    def test_quantities_are_rounded_to_two_decimals_and_prices_are_not(self):
        """Hence the price carries the proration."""
        invoice = self.create_invoice(quantity=0.123456, price_unit=10.123456)
        invoice.invoice_line_ids.flush_recordset()
        invoice.invoice_line_ids.invalidate_recordset()
        self.assertEqual(invoice.invoice_line_ids.quantity, 0.12)
        self.assertEqual(invoice.invoice_line_ids.price_unit, 10.123456)

    def test_a_credit_memo_that_names_its_invoice_reconciles_when_posted(self):
        """100.00 less 40.00 leaves 60.00 due, without anybody reconciling."""
        invoice = self.create_invoice(price_unit=100.0)
        invoice.action_post()
        credit = self.create_invoice(price_unit=40.0)
        credit.write({"move_type": "out_refund", "reversed_entry_id": invoice.id})
        credit.action_post()
        self.assertEqual(invoice.amount_residual, 60.0)
        self.assertEqual(credit.amount_residual, 0.0)
