# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The demo company shows every feature with believable figures.

Runs in a database with demo data, on the day it was made (``make test`` does so).
"""

from itertools import pairwise

from odoo import fields
from odoo.tests import Form, TransactionCase, tagged

from odoo.addons.subscription_cancellation.demo.loader import load_demo


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        xmlids = cls.env["ir.model.data"].search(
            [
                ("module", "=", "subscription_cancellation"),
                ("model", "=", "sale.subscription"),
                ("name", "=like", "demo_subscription_%"),
            ]
        )
        cls.order = cls.ref_demo("order_vet_cloud")
        cls.subscriptions = (
            cls.env["sale.subscription"].browse(xmlids.mapped("res_id"))
            | cls.order.subscription_ids
        )
        cls.invoices = cls.get_regular(cls.subscriptions._get_invoices())
        cls.credit_memos = cls.subscriptions.cancellation_ids.credit_note_ids

    @classmethod
    def ref_demo(cls, name):
        return cls.env.ref(f"subscription_cancellation.demo_{name}")

    def get(self, name):
        return self.ref_demo(f"subscription_{name}")

    @classmethod
    def get_regular(cls, invoices):
        """Return the invoices that upstream made, not a cancellation."""
        return invoices.filtered(lambda move: not move.cancellation_id)

    def latest_invoice(self, name):
        invoices = self.get_regular(self.get(name)._get_invoices())
        return invoices.sorted("invoice_date")[-1]

    # === WHO LOGS IN === #

    def test_every_login_finds_the_app(self):
        """D1: the logins that README names."""
        for login in ("admin", "sales", "accountant"):
            user = self.env["res.users"].search([("login", "=", login)])
            menus = self.env(user=user)["ir.ui.menu"].load_web_menus(False)
            xmlids = {menu["xmlid"] for menu in menus.values()}
            with self.subTest(login):
                self.assertIn("subscription_oca.sale_subscription_menu", xmlids)

    # === SIZE AND VARIETY === #

    def test_there_are_enough_subscriptions_and_customers(self):
        self.assertGreaterEqual(len(self.subscriptions), 15)
        self.assertGreaterEqual(len(self.subscriptions.partner_id), 8)

    def test_templates_are_monthly_quarterly_yearly_and_limited(self):
        templates = self.subscriptions.template_id
        rhythms = {(t.recurring_interval, t.recurring_rule_type) for t in templates}
        self.assertLessEqual({(1, "months"), (3, "months"), (1, "years")}, rhythms)
        limited = templates.filtered(lambda t: t.recurring_rule_boundary == "limited")
        term = self.subscriptions.filtered(lambda s: s.template_id in limited)
        self.assertTrue(term.date, "a limited term has a last day")

    def test_subscriptions_have_one_to_six_lines(self):
        counts = {len(s._get_all_lines()) for s in self.subscriptions}
        self.assertEqual(min(counts), 1)
        self.assertEqual(max(counts), 6)

    def test_add_ons_are_two_levels_deep(self):
        """A7: found by the products' "Add-on of"."""
        lines = self.get("architects_cloud")._get_all_lines()
        parents = {
            line.product_id.name: line.parent_line_id.product_id.name for line in lines
        }
        self.assertEqual(
            parents,
            {
                "Cloud Server": False,
                "Managed Database": "Cloud Server",
                "Database Read Replica": "Managed Database",
                "Monitoring and Alerts": "Cloud Server",
                "Daily Backups": "Cloud Server",
                "Off-site Backup Copy": "Daily Backups",
            },
        )

    def test_there_are_discounts_and_taxes_of_both_kinds(self):
        lines = self.subscriptions._get_all_lines()
        self.assertTrue(any(lines.mapped("discount")))
        taxes = lines.tax_ids
        self.assertEqual(set(taxes.mapped("price_include")), {True, False})
        self.assertTrue(all(line.tax_ids for line in lines), "no line without taxes")

    def test_every_line_has_a_price_and_every_subscription_a_reference(self):
        self.assertTrue(all(self.subscriptions.mapped("code")))
        self.assertTrue(all(self.subscriptions.mapped("user_id")))
        lines = self.subscriptions._get_all_lines()
        self.assertTrue(all(line.price_subtotal > 0 for line in lines))

    # === INVOICES === #

    def test_customers_are_billed_in_three_currencies(self):
        currencies = set(self.invoices.currency_id.mapped("name"))
        self.assertEqual(currencies, {"USD", "EUR", "JPY"})
        for subscription in self.subscriptions:
            invoices = subscription._get_invoices()
            self.assertLessEqual(invoices.currency_id, subscription.currency_id)

    def test_foreign_amounts_are_converted_at_a_rate(self):
        foreign = self.invoices.filtered(
            lambda move: (
                move.currency_id != move.company_currency_id and move.state == "posted"
            )
        )
        self.assertTrue(foreign)
        for invoice in foreign:
            self.assertNotAlmostEqual(
                abs(invoice.amount_total_signed), invoice.amount_total
            )

    def test_invoices_are_paid_unpaid_and_half_paid(self):
        posted = self.invoices.filtered(lambda move: move.state == "posted")
        self.assertEqual(
            set(posted.mapped("payment_state")), {"paid", "not_paid", "partial"}
        )
        half = self.latest_invoice("rowing_site")
        self.assertEqual(half.amount_residual * 2, half.amount_total)

    def test_the_running_period_of_each_started_subscription_is_billed(self):
        today = fields.Date.today()
        for subscription in self.subscriptions.filtered("in_progress"):
            self.assertGreater(subscription.recurring_next_date, today)
            self.assertLessEqual(subscription.date_start, today)

    def test_every_invoice_line_knows_its_subscription_line_and_period(self):
        lines = self.invoices.invoice_line_ids
        self.assertGreater(len(lines), 80)
        for line in lines:
            self.assertIn(
                line.subscription_line_id.sale_subscription_id, self.subscriptions
            )
            self.assertTrue(line.start_date and line.end_date)
        self.assertFalse(
            self.env["account.move.line"].search_count(
                self.env["account.move.line"]._get_unlinked_domain()
            )
        )

    def test_the_billed_periods_of_a_line_have_no_gap_and_no_overlap(self):
        lines = self.invoices.invoice_line_ids.sorted("start_date")
        for billed in lines.grouped("subscription_line_id").values():
            for line, following in pairwise(billed):
                self.assertEqual((following.start_date - line.end_date).days, 1)

    def test_one_subscription_has_two_invoices_in_advance(self):
        """C3: two periods beyond the running one."""
        subscription = self.get("logistics_web")
        ahead = subscription._get_invoices().filtered(
            lambda move: move.invoice_date > subscription._today()
        )
        self.assertEqual(len(ahead), 2)
        self.assertEqual(set(ahead.mapped("state")), {"posted"})

    def test_one_subscription_has_a_draft_invoice(self):
        self.assertEqual(self.latest_invoice("atelier_web").state, "draft")

    def test_one_is_sold_by_an_order_that_bills_its_first_period(self):
        subscription = self.order.subscription_ids
        self.assertEqual(len(subscription), 1)
        self.assertFalse(subscription.invoice_ids)
        self.assertEqual(self.order.invoice_ids, subscription._get_invoices())
        self.assertEqual(self.order.invoice_ids.state, "posted")

    def test_one_is_billed_through_sales_orders(self):
        subscription = self.get("architects_support")
        self.assertEqual(subscription.template_id.invoicing_mode, "sale_and_invoice")
        self.assertFalse(subscription.invoice_ids)
        self.assertTrue(subscription.sale_order_ids)
        self.assertFalse(subscription.sale_order_ids.subscription_ids)
        self.assertEqual(subscription._get_invoices().state, "posted")

    # === STATES === #

    def test_every_cancellation_state_is_there(self):
        states = set(self.subscriptions.mapped("cancellation_state"))
        self.assertEqual(states, {"active", "trial", "non_renewing", "cancelled"})
        documents = self.subscriptions.cancellation_ids
        self.assertEqual(
            set(documents.mapped("state")),
            {"to_approve", "scheduled", "done", "revoked"},
        )
        self.assertEqual(
            set(documents.mapped("timing")),
            {"immediate", "end_of_period", "specific_date"},
        )
        self.assertTrue(all(documents.mapped("reason_id")))

    def test_one_is_scheduled_for_the_end_of_its_period(self):
        """B2, B7: it ends with the period that is billed."""
        subscription = self.get("dental_web")
        self.assertEqual(subscription.cancellation_state, "non_renewing")
        self.assertEqual(
            subscription.cancellation_date, subscription.recurring_next_date
        )

    def test_one_is_in_trial_and_one_is_not_continued_after_it(self):
        """B9: nothing is billed yet."""
        for name, last_day in (("rowing_files", False), ("vet_files", True)):
            subscription = self.get(name)
            self.assertEqual(subscription.cancellation_state, "trial")
            self.assertFalse(subscription._get_invoices())
            self.assertEqual(
                subscription.last_service_date,
                last_day and subscription.trial_end_date,
            )

    def test_one_is_cancelled_and_its_credit_memo_is_refundable(self):
        """A4: posted, on its invoice, which was paid."""
        subscription = self.get("dental_support")
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(subscription.stage_type, "post")
        credit_memo = subscription.cancellation_ids.credit_note_ids
        self.assertEqual(credit_memo.state, "posted")
        self.assertEqual(
            credit_memo.reversed_entry_id, self.latest_invoice("dental_support")
        )
        self.assertAlmostEqual(
            subscription.cancellation_ids.refundable, credit_memo.amount_total
        )

    def test_one_is_cancelled_without_a_refund(self):
        """A3: it ends, and no document is made."""
        subscription = self.get("bakery_shop")
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertFalse(subscription.credit_note_count)

    def test_one_cancellation_is_revoked(self):
        """B12: billing goes on."""
        subscription = self.get("instruments_support")
        self.assertEqual(subscription.cancellation_ids.state, "revoked")
        self.assertEqual(subscription.cancellation_state, "active")
        self.assertFalse(any(subscription._get_all_lines().mapped("cancellation_date")))

    def test_one_waits_for_approval(self):
        """D1: it goes on, and somebody has something to do."""
        subscription = self.get("games_cloud")
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.state, "to_approve")
        self.assertEqual(subscription.cancellation_state, "active")
        self.assertTrue(cancellation.activity_ids)

    def test_one_is_moved_and_its_extra_days_are_charged(self):
        """B13: fifteen days, on an invoice of their own."""
        cancellation = self.get("rowing_site").cancellation_ids
        self.assertEqual(cancellation.state, "scheduled")
        self.assertFalse(cancellation.is_extraordinary)
        items = cancellation.charge_invoice_ids.invoice_line_ids
        self.assertEqual(max(items.mapped("end_date")), cancellation.last_service_date)
        days = (max(items.mapped("end_date")) - min(items.mapped("start_date"))).days
        self.assertEqual(days, 14)

    def test_one_is_resumed_and_its_credit_is_taken_back(self):
        """B15: as if nothing had happened, with both documents."""
        subscription = self.get("bakery_web")
        self.assertEqual(subscription.cancellation_state, "active")
        cancellation = subscription.cancellation_ids
        self.assertTrue(cancellation.reactivated_date)
        self.assertEqual(
            cancellation.credit_note_ids.amount_total,
            cancellation.charge_invoice_ids.amount_total,
        )

    def test_one_line_and_its_add_on_are_deactivated(self):
        """A5, A6: the rest goes on."""
        subscription = self.get("architects_files")
        self.assertEqual(subscription.cancellation_state, "active")
        ended = subscription.archived_line_ids
        self.assertEqual(
            set(ended.product_id.mapped("name")),
            {"Extra Storage (1 TB)", "Unlimited Version History"},
        )
        credit_memo = subscription.cancellation_ids.credit_note_ids
        self.assertEqual(credit_memo.invoice_line_ids.subscription_line_id, ended)

    def test_one_credit_memo_waits_for_review(self):
        """C12: a draft, because of the policy of this subscription."""
        subscription = self.get("games_staging")
        self.assertFalse(subscription.cancellation_policy_id.post_credit_memos)
        self.assertEqual(subscription.cancellation_ids.credit_note_ids.state, "draft")
        policies = self.env["subscription.cancellation.policy"]
        default = policies._search_channel(subscription.company_id, "backend")[:1]
        self.assertTrue(default.post_credit_memos)

    def test_one_is_paused_and_one_has_not_started(self):
        self.assertTrue(self.get("vet_web").is_paused)
        future = self.get("vet_mail")
        self.assertEqual(future.stage_type, "pre")
        self.assertGreater(future.date_start, future._today())
        self.assertFalse(future._get_invoices())

    # === SETTLEMENT === #

    def settle(self, name):
        """Take the steps of a cancellation, as the scheduled action does."""
        cancellation = self.get(name).cancellation_ids
        cancellation._run_steps()
        return {
            step.kind: step for step in cancellation.step_ids if step.kind != "confirm"
        }

    def assert_steps(self, steps, expected):
        self.assertEqual({kind: steps[kind].state for kind in steps}, expected)

    def test_the_steps_are_left_to_the_scheduled_action(self):
        """Nothing is committed while the demo loads; it is due at once."""
        cron = self.env.ref("subscription_cancellation.ir_cron_run_steps")
        self.assertTrue(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        )
        steps = self.env["subscription.cancellation.step"].search(
            self.env["subscription.cancellation"]._get_due_steps_domain()
        )
        self.assertEqual(
            set(steps.mapped("kind")),
            {"reduce", "apply_credits", "collect", "write_off", "refund", "confirm"},
        )

    def test_a_half_paid_one_reduces_its_invoice_and_is_refunded(self):
        """C5, C6: half was paid by card; every cent is told."""
        invoice = self.latest_invoice("yoga_web")
        paid = invoice.transaction_ids
        self.assertEqual(paid.state, "done")
        unpaid = invoice.currency_id.round(invoice.amount_total - paid.amount)
        self.assertAlmostEqual(unpaid, paid.amount, delta=0.011)
        steps = self.settle("yoga_web")
        self.assert_steps(steps, {"reduce": "done", "refund": "done"})
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertEqual(steps["reduce"].amount, unpaid)
        self.assertEqual(steps["refund"].source_transaction_id, paid)
        told = steps["reduce"].amount + steps["refund"].amount
        self.assertAlmostEqual(told, steps["reduce"].cancellation_id.credit_total)
        memo = steps["refund"].source_move_id
        self.assertEqual(memo.amount_residual, 0.0)

    def test_one_credit_pays_another_invoice_first(self):
        """C7: the rest goes back to the card."""
        other = self.latest_invoice("printers_files")
        self.assertEqual(other.payment_state, "not_paid")
        steps = self.settle("printers_web")
        self.assert_steps(steps, {"apply_credits": "done", "refund": "done"})
        self.assertEqual(other.amount_residual, 0.0)
        self.assertEqual(steps["apply_credits"].amount, other.amount_total)

    def test_one_waits_for_a_payment_by_hand(self):
        """C6: it was paid by bank."""
        steps = self.settle("school_mail")
        self.assert_steps(steps, {"refund": "pending"})
        self.assertTrue(steps["refund"].is_by_hand)
        self.assertTrue(steps["refund"].cancellation_id.activity_ids)

    def test_one_is_collected_and_one_is_refused(self):
        """C8: from a saved card, or the invoice stays due and says so."""
        steps = self.settle("florist_web")
        self.assert_steps(steps, {"reduce": "done", "collect": "done"})
        self.assertEqual(self.latest_invoice("florist_web").amount_residual, 0.0)
        steps = self.settle("taproom_web")
        self.assert_steps(steps, {"collect": "failed"})
        self.assertIn("could not collect", steps["collect"].error)
        self.assertTrue(steps["collect"].next_attempt_at)
        invoice = self.latest_invoice("taproom_web")
        self.assertEqual(invoice.amount_residual, invoice.amount_total)

    def test_one_is_written_off_with_its_tax(self):
        """C8: on the account of the settings, whose tax is taken out of the loss."""
        steps = self.settle("chandlery_mail")
        self.assert_steps(steps, {"reduce": "done", "write_off": "done"})
        entry = steps["write_off"].move_id
        loss = entry.line_ids.filtered(
            lambda line: line.account_id == self.ref_demo("account_bad_debts")
        )
        tax = entry.line_ids.filtered("tax_line_id")
        self.assertTrue(tax)
        self.assertAlmostEqual(loss.balance + tax.balance, steps["write_off"].amount)
        self.assertEqual(self.latest_invoice("chandlery_mail").amount_residual, 0.0)

    def test_one_draft_is_invoiced_to_the_day(self):
        """C9: the draft was for a month."""
        steps = self.settle("surf_web")
        self.assert_steps(steps, {"unbilled": "done"})
        invoice, draft = steps["unbilled"].move_id, steps["unbilled"].source_move_id
        self.assertEqual((invoice.state, draft.state), ("posted", "cancel"))
        last_day = max(invoice.invoice_line_ids.mapped("end_date"))
        self.assertEqual(last_day, self.get("surf_web").last_service_date)
        self.assertLess(invoice.amount_total, draft.amount_total)

    # === MONEY === #

    def test_no_invoice_is_credited_beyond_its_amount(self):
        self.assertGreaterEqual(len(self.credit_memos), 3)
        for invoice, credits in self.credit_memos.grouped("reversed_entry_id").items():
            self.assertIn(invoice, self.invoices)
            self.assertLess(sum(credits.mapped("amount_total")), invoice.amount_total)
            self.assertEqual(credits.currency_id, invoice.currency_id)

    def test_every_credit_is_for_the_unused_days_of_its_line(self):
        for credit in self.credit_memos.invoice_line_ids:
            origin = credit.origin_line_id
            unused = (origin.end_date - credit.start_date).days + 1
            period = (origin.end_date - origin.start_date).days + 1
            self.assertEqual(credit.end_date, origin.end_date)
            self.assertAlmostEqual(
                credit.price_subtotal,
                origin.price_subtotal * unused / period,
                delta=credit.currency_id.rounding / 2,
            )

    # === PEOPLE === #

    def test_the_salesperson_and_the_accountant_can_do_their_work(self):
        sales = self.ref_demo("user_sales")
        self.assertEqual(sales.login, "sales")
        plan = self.get("bakery_web").with_user(sales).preview_cancellation()
        self.assertGreater(plan["credit_total"], 0.0)
        Form(self.credit_memos[0].with_user(sales))
        accountant = self.ref_demo("user_accountant")
        self.assertEqual(accountant.login, "accountant")
        draft = self.get("games_staging").cancellation_ids.credit_note_ids
        draft.with_user(accountant).action_post()
        self.assertEqual(draft.state, "posted")

    def test_nobody_is_mailed(self):
        people = self.subscriptions.partner_id | self.subscriptions.user_id.partner_id
        mails = self.env["mail.mail"].search_count(
            [("recipient_ids", "in", people.ids)]
        )
        self.assertFalse(mails)

    # === BOOKS === #

    def test_every_cent_fits(self):
        """What the demo shows is right, as the menu of accountants says."""
        books = self.env["subscription.cancellation.books"].create({})
        books.action_check()
        self.assertEqual(books.finding_ids.mapped("sentence"), [])
        self.assertTrue(books.is_right)

    # === ONCE === #

    def test_loading_again_changes_nothing(self):
        """A module upgrade, or the hook once more, must not bill anything again."""
        before = self.env["account.move"].search_count([])
        load_demo(self.env)
        self.assertEqual(self.env["account.move"].search_count([]), before)
