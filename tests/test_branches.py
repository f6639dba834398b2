# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A branch lives by what its head company has, and ends what that one billed."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .accounting import BILLED, CREDIT, LAST_DAY, SERVED, AccountingCase
from .common import CANCELLATION_MANAGER, CANCELLATION_USER, SALESPERSON


class BranchCase(AccountingCase):
    """Our company has a branch; whoever works here has both open, ours active."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env["res.company"].create(
            {
                "name": "Branch",
                "parent_id": cls.company.id,
                "country_id": cls.company.country_id.id,
            }
        )
        # With the transaction, Odoo gives it the accounts of the head company.
        cls.env.cr.precommit.run()
        cls.env.user.company_ids |= cls.branch
        cls.both = cls.company | cls.branch
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.both.ids}
        )
        cls.policy = cls.get_default_policy()

    def subscribe_in_branch(self, **values):
        """Return a subscription of the branch to $31.00 and 10 % tax, not billed."""
        return self.create_subscription(
            [{"price_unit": 31.0, "taxes": self.tax}],
            **{"company_id": self.branch.id, "journal_id": False, **values},
        )

    def bill_in_head(self, subscription, day=None):
        """Let somebody bill it who has the head company active."""
        invoice = self.bill(subscription, day)
        self.assertEqual(invoice.company_id, self.company)
        self.assertEqual(subscription.company_id, self.branch)
        return invoice

    def bill_in_branch(self, subscription, day=None):
        """Let the nightly run bill it: in its company."""
        invoice = self.bill(subscription.with_company(self.branch), day)
        self.assertEqual(invoice.company_id, self.branch)
        return invoice

    def create_branch_user(self, *groups, **values):
        """Return somebody who works in the branch only."""
        values = {"company_id": self.branch.id, **values}
        return self.create_user(*groups, **values)

    def assert_credited_in_head(self, subscription, invoice, amount=CREDIT):
        memo = self.credit_memos(subscription)
        self.assertEqual(memo.company_id, self.company)
        self.assertEqual(memo.journal_id, invoice.journal_id)
        self.assertEqual(memo.reversed_entry_id, invoice)
        self.assertEqual((memo.state, memo.amount_total), ("posted", amount))
        self.assertEqual(subscription.cancellation_ids.company_id, self.branch)
        return memo


@tagged("post_install", "-at_install")
class TestBilledInTheHeadCompany(BranchCase):
    """B3: the credit is where the invoice is."""

    def test_what_is_promised_is_credited(self):
        """C2: the preview's 21.00 and tax, on the head company's invoice."""
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_head(subscription)
        self.travel_to(LAST_DAY)
        preview = subscription.preview_cancellation(timing="immediate")
        self.assertEqual(preview["credit_total"], CREDIT)
        answer = self.cancel(subscription)
        self.assertEqual((answer["state"], answer["credit_total"]), ("done", CREDIT))
        self.assertEqual(answer["lines"], preview["lines"])
        self.assert_credited_in_head(subscription, invoice)
        self.assert_open(invoice, SERVED, "partial")

    def test_in_full_and_without_a_credit(self):
        """C1: the other two modes, the open invoice being named as it is."""
        for mode, credited in (("full", BILLED), ("none", 0.0)):
            subscription = self.subscribe_in_branch()
            invoice = self.bill_in_head(subscription, "2026-07-01")
            answer = self.cancel(subscription, LAST_DAY, refund_mode=mode)
            self.assertEqual(answer["credit_total"], credited)
            if credited:
                self.assert_credited_in_head(subscription, invoice, credited)
            step = subscription.cancellation_ids.step_ids.filtered("amount")[:1]
            self.assertIn(invoice.name, step.note or step.source_move_id.name)

    def test_a_scheduled_end_in_the_night(self):
        """B9: the scheduled action is in no company in particular."""
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_head(subscription)
        self.cancel(
            subscription,
            "2026-07-05",
            timing="specific_date",
            requested_date=LAST_DAY,
        )
        self.travel_to("2026-07-11 00:30:00")
        with self.enter_registry_test_mode():
            self.env.ref(
                "subscription_cancellation.ir_cron_execute_due"
            ).method_direct_trigger()
        self.env.invalidate_all()
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.state, "done", cancellation.failure_message)
        self.assert_credited_in_head(subscription, invoice)

    def test_by_somebody_who_works_in_the_branch_only(self):
        """D1: rights in the head company are not needed, nor does one get any."""
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_head(subscription)
        self.travel_to(LAST_DAY)
        seller = self.create_branch_user(SALESPERSON)
        own = subscription.with_user(seller).with_context(
            allowed_company_ids=self.branch.ids
        )
        answer = own.request_cancellation(timing="immediate")
        self.assertEqual((answer["state"], answer["credit_total"]), ("done", CREDIT))
        self.assertEqual(answer["lines"][0]["invoice"], invoice.name)
        memo = self.assert_credited_in_head(subscription, invoice)
        self.assertFalse(memo.with_env(own.env).has_access("read"))
        self.env.invalidate_all()
        cancellation = own.cancellation_ids
        read = cancellation.web_read(
            {"credit_note_ids": {}, "line_ids": {"fields": {"label": {}}}}
        )
        self.assertEqual(read[0]["credit_note_ids"], [])

    def test_both_companies_billed_it(self):
        """C3: July in the head company, August in the branch, in advance."""
        subscription = self.subscribe_in_branch()
        july = self.bill_in_head(subscription)
        august = self.bill_in_branch(subscription, "2026-07-05")
        answer = self.cancel(subscription, LAST_DAY)
        self.assertEqual(answer["credit_total"], 57.20)  # 23.10 + 34.10
        memos = self.credit_memos(subscription)
        self.assertEqual(
            {memo.reversed_entry_id: memo.company_id for memo in memos},
            {july: self.company, august: self.branch},
        )

    def test_paid_and_refunded_there(self):
        """C8: by the provider that the head company was paid through."""
        self.policy.credit_settlement = "refund"
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_head(subscription)
        transaction = self.pay_online(invoice)
        self.cancel(subscription, LAST_DAY)
        self.run_steps(subscription)
        step = self.steps(subscription, "refund")
        self.assertRecordValues(step, [{"state": "done", "amount": CREDIT}])
        self.assertEqual(transaction.child_transaction_ids.company_id, self.company)

    def test_written_off_there(self):
        """C11: 11.00 of served days, in the head company's books."""
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_head(subscription)
        self.cancel(subscription, LAST_DAY, unpaid_invoices="write_off")
        self.run_steps(subscription)
        step = self.steps(subscription, "write_off")
        self.assertRecordValues(step, [{"state": "done", "amount": SERVED}])
        self.assertEqual(step.move_id.company_id, self.company)
        self.assert_open(invoice, 0.0, invoice.payment_state)

    def test_its_credit_pays_what_the_head_company_is_owed(self):
        """C7: credits of the head company pay its own open invoices."""
        self.policy.apply_credits = True
        subscription = self.subscribe_in_branch()
        customer = subscription.partner_id
        self.pay(self.bill_in_head(subscription))
        other, due = self.subscribe(partner_id=customer.id)
        self.assertEqual(other.company_id, self.company)
        self.cancel(subscription, LAST_DAY)
        self.run_steps(subscription)
        step = self.steps(subscription, "apply_credits")
        self.assertRecordValues(step, [{"state": "done", "amount": CREDIT}])
        self.assert_open(due, SERVED, "partial")

    def test_what_is_not_invoiced_yet(self):
        """C9: a draft of the head company shrinks there; bare days go to the branch."""
        drafted = self.subscribe_in_branch()
        draft = self.bill(drafted, post=False)
        self.assertEqual(draft.company_id, self.company)
        never = self.subscribe_in_branch()
        for subscription, company in ((drafted, self.company), (never, self.branch)):
            answer = self.cancel(subscription, LAST_DAY)
            self.assertEqual((answer["state"], answer["credit_total"]), ("done", 0.0))
            self.run_steps(subscription)
            charged = self.steps(subscription, "unbilled").move_id
            self.assertEqual(charged.company_id, company)
            self.assertEqual((charged.state, charged.amount_total), ("posted", SERVED))

    def test_invoiced_through_an_order_of_the_head_company(self):
        """C2: the invoicing mode that makes an order and its invoice."""
        subscription = self.subscribe_in_branch(invoicing_mode="sale_and_invoice")
        invoice = self.bill_in_head(subscription)
        answer = self.cancel(subscription, LAST_DAY)
        self.assertEqual(answer["credit_total"], CREDIT)
        self.assert_credited_in_head(subscription, invoice)

    def test_undone_there(self):
        """B6: the invoice that takes the memo back is the head company's, too."""
        self.policy.undo_days = 5
        subscription = self.subscribe_in_branch()
        self.bill_in_head(subscription)
        self.cancel(subscription, LAST_DAY)
        self.travel_to("2026-07-11")
        subscription.reactivate_subscription(mode="resume")
        memo = self.credit_memos(subscription)
        self.assertEqual(memo.reversal_move_ids.company_id, self.company)
        self.assertEqual(subscription.cancellation_state, "active")

    def test_a_pause_of_what_the_head_company_billed(self):
        """B11: 21 days are paused and credited."""
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_head(subscription)
        self.travel_to("2026-07-11")
        subscription.action_pause()
        memo = subscription.pause_ids.credit_note_ids
        self.assertEqual(memo.company_id, self.company)
        self.assertEqual(memo.reversed_entry_id, invoice)
        self.assertEqual(memo.amount_total, CREDIT)

    def test_a_lock_date_of_the_head_company(self):
        """C12: the memo is dated after it."""
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_head(subscription)
        self.company.sudo().fiscalyear_lock_date = "2026-07-31"
        self.cancel(subscription, LAST_DAY)
        memo = self.assert_credited_in_head(subscription, invoice)
        self.assertEqual(memo.date.isoformat(), "2026-08-01")

    def test_sold_by_an_order_of_the_branch(self):
        """A1: billed later by somebody with the head company active."""
        product = self.create_product(
            subscription_template_id=self.create_template().id,
            list_price=31.0,
            invoice_policy="order",
            taxes_id=[Command.set(self.tax.ids)],
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.create_customer().id,
                "company_id": self.branch.id,
                "pricelist_id": self._create_pricelist(
                    currency_id=self.currency.id, company_id=False
                ).id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        order.action_confirm()
        subscription = order.subscription_ids
        self.assertEqual(subscription.company_id, self.branch)
        self.assertTrue(subscription.code)
        self.assertEqual(subscription.sale_subscription_line_ids.tax_ids, self.tax)
        first = order._create_invoices()
        first.action_post()
        self.assertEqual(first.company_id, self.branch)
        self.assertFalse(subscription.is_in_wrong_company)
        august = self.bill_in_head(subscription, "2026-08-01")
        self.assertEqual(august.amount_total, BILLED)
        answer = self.cancel(subscription, "2026-08-10")
        self.assertEqual(answer["credit_total"], CREDIT)
        self.assert_credited_in_head(subscription, august)

    def test_the_branchs_invoice_is_not_the_head_companys(self):
        """C5: above, not below: the head company credits nothing of its branches."""
        subscription = self.create_subscription(
            [{"price_unit": 31.0, "taxes": self.tax}], journal_id=False
        )
        invoice = self.bill(subscription.with_company(self.branch))
        self.assertEqual(invoice.company_id, self.company)
        self.assertEqual(self.cancel(subscription, LAST_DAY)["credit_total"], CREDIT)


@tagged("post_install", "-at_install")
class TestWhatABranchHas(BranchCase):
    """B3: policies, write-off settings and reasons of the head company."""

    def get_policy(self, subscription, channel="backend"):
        return subscription._map_policies(channel)[subscription]

    def create_policy(self, **values):
        return self.env["subscription.cancellation.policy"].create(
            {"name": "Of the branch", "company_id": self.branch.id, **values}
        )

    def test_a_new_branch_lives_by_the_policies_of_its_head_company(self):
        """D1: it gets none of its own; the preview goes by the head company's."""
        self.policy.timing = "end_of_period"
        self.policy.refund_mode = "full"
        subscription = self.subscribe_in_branch()
        self.assertEqual(self.get_policy(subscription), self.policy)
        self.assertEqual(subscription.refund_mode, "full")
        self.assertIn(self.policy.name, subscription.applied_policy)
        self.bill_in_branch(subscription)
        answer = subscription.preview_cancellation()
        self.assertEqual(answer["timing"], "end_of_period")
        deeper = self.env["res.company"].create(
            {"name": "Branch of the branch", "parent_id": self.branch.id}
        )
        self.env.user.company_ids |= deeper
        below = self.subscribe_in_branch()
        below.with_context(
            allowed_company_ids=(self.both | deeper).ids
        ).company_id = deeper
        self.assertEqual(self.get_policy(below), self.policy)

    def test_its_own_policies_come_first(self):
        """D1: whatever their sequence; the head company's are for the rest."""
        subscription = self.subscribe_in_branch()
        own = self.create_policy(sequence=99, channel="portal")
        self.assertEqual(self.get_policy(subscription, "portal"), own)
        self.assertEqual(self.get_policy(subscription), self.policy)
        own.channel = "any"
        self.assertEqual(self.get_policy(subscription), own)
        at_home = self.create_subscription()
        self.assertEqual(self.get_policy(at_home), self.policy)
        own.active = False
        self.assertEqual(self.get_policy(subscription), self.policy)

    def test_notes_and_settings_say_which_policy_applies(self):
        """D1: one that another comes before says so; the settings name the default."""
        own = self.create_policy()
        self.assertFalse(self.policy.unreachable_note)
        self.assertFalse(own.unreachable_note)
        Settings = self.env["res.config.settings"].with_company(self.branch)
        self.assertEqual(Settings.create({}).cancellation_policy_name, own.name)
        own.active = False
        settings = Settings.create({})
        self.assertEqual(settings.cancellation_policy_name, self.policy.name)

    def test_a_policy_of_the_head_company_is_forced(self):
        """D1: on a subscription, and by its template; not one of another branch."""
        forced = self.policy.copy({"name": "Forced", "refund_mode": "full"})
        subscription = self.subscribe_in_branch()
        subscription.cancellation_policy_id = forced
        self.assertEqual(self.get_policy(subscription), forced)
        subscription.cancellation_policy_id = False
        subscription.template_id.cancellation_policy_id = forced
        self.assertEqual(self.get_policy(subscription), forced)
        at_home = self.create_subscription()
        with self.assertRaises(UserError):
            at_home.cancellation_policy_id = self.create_policy()

    def test_who_works_in_the_branch_reads_the_policy(self):
        """D7: as they read the head company's journals; they do not change it."""
        subscription = self.subscribe_in_branch()
        subscription.cancellation_policy_id = self.policy
        manager = self.create_branch_user(CANCELLATION_MANAGER, SALESPERSON)
        own = self.policy.with_user(manager).with_context(
            allowed_company_ids=self.branch.ids
        )
        self.assertTrue(own.has_access("read"))
        self.assertFalse(own.has_access("write"))
        self.assertFalse(own.has_access("unlink"))
        mine = own.create({"name": "Ours"})
        self.assertEqual(mine.company_id, self.branch)
        self.assertTrue(mine.has_access("write"))

    def test_those_approve_who_work_in_the_branch(self):
        """D2: not managers of the head company who do not see its subscriptions."""
        self.policy.approval_always = True
        here = self.create_branch_user(CANCELLATION_MANAGER, login="here")
        elsewhere = self.create_user(CANCELLATION_MANAGER, login="elsewhere")
        subscription = self.subscribe_in_branch()
        self.bill_in_head(subscription)
        user = self.create_branch_user(CANCELLATION_USER, SALESPERSON, login="user")
        self.travel_to(LAST_DAY)
        subscription.with_user(user).with_context(
            allowed_company_ids=self.branch.ids
        ).request_cancellation(timing="immediate")
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.state, "to_approve")
        asked = cancellation.activity_ids.user_id
        self.assertIn(here, asked)
        self.assertNotIn(elsewhere, asked)

    def test_written_off_to_the_head_companys_account(self):
        """C11: in the books of the branch, through the head company's journal."""
        subscription = self.subscribe_in_branch()
        invoice = self.bill_in_branch(subscription)
        self.travel_to(LAST_DAY)
        preview = subscription.preview_cancellation(
            timing="immediate", unpaid_invoices="write_off"
        )
        self.assertFalse(
            [text for text in preview["warnings"] if "written off" in text]
        )
        self.cancel(subscription, unpaid_invoices="write_off")
        self.run_steps(subscription)
        step = self.steps(subscription, "write_off")
        self.assertRecordValues(step, [{"state": "done", "amount": SERVED}])
        entry = step.move_id
        self.assertEqual(entry.company_id, self.branch)
        self.assertEqual(
            entry.journal_id, self.company.cancellation_write_off_journal_id
        )
        self.assertIn(self.loss, entry.line_ids.account_id)
        self.assert_open(invoice, 0.0, invoice.payment_state)

    def test_its_own_write_off_account_comes_first(self):
        """C11: each of the two settings for itself."""
        own = self.create_account("Bad debts of the branch", "expense")
        self.branch.sudo().cancellation_write_off_account_id = own
        subscription = self.subscribe_in_branch()
        self.bill_in_branch(subscription)
        self.cancel(subscription, LAST_DAY, unpaid_invoices="write_off")
        self.run_steps(subscription)
        entry = self.steps(subscription, "write_off").move_id
        self.assertIn(own, entry.line_ids.account_id)
        self.assertNotIn(self.loss, entry.line_ids.account_id)
        self.assertEqual(
            entry.journal_id, self.company.cancellation_write_off_journal_id
        )

    def test_nothing_to_write_off_to(self):
        """C11: where neither has an account, it is said before."""
        self.company.sudo().cancellation_write_off_account_id = False
        subscription = self.subscribe_in_branch()
        self.bill_in_branch(subscription)
        self.travel_to(LAST_DAY)
        preview = subscription.preview_cancellation(
            timing="immediate", unpaid_invoices="write_off"
        )
        self.assertTrue([text for text in preview["warnings"] if "Branch" in text])

    def test_declared_to_the_head_company(self):
        """E2: on its page, which is the only one that customers know."""
        subscription = self.subscribe_in_branch(
            partner_id=self.create_customer(email="ann@azure.example").id
        )
        self.bill_in_head(subscription)
        self.travel_to(LAST_DAY)
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        entries = {
            "kind": "ordinary",
            "customer_name": "Ann Azure",
            "contract_reference": subscription.name,
            "contract_email": "ann@azure.example",
            "wants_earliest": True,
            "confirmation_email": "ann@azure.example",
        }
        declarations._receive(
            entries, self.company, nonce="n" * 16, client_address="192.0.2.1"
        )
        found = declarations.search([("company_id", "=", self.company.id)])
        found._process_declaration()
        self.assertEqual(found.state, "matched", found.check_reason)
        self.assertEqual(found.subscription_id, subscription)
        self.assertEqual(found.cancellation_id.company_id, self.branch)

    def test_reasons_are_for_all(self):
        """D6: the branch chooses among the reasons that the head company has."""
        reason = self.env["sale.subscription.close.reason"].create(
            {"name": "Moved away", "code": "moved_away"}
        )
        subscription = self.subscribe_in_branch()
        self.bill_in_branch(subscription)
        seller = self.create_branch_user(SALESPERSON)
        self.travel_to(LAST_DAY)
        subscription.with_user(seller).with_context(
            allowed_company_ids=self.branch.ids
        ).request_cancellation(timing="immediate", reason_code="moved_away")
        self.assertEqual(subscription.close_reason_id, reason)
