# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Random lives of the money of two customers, side by side.

They pay online, by bank and on account, in full and in part; payments are pending, are
charged back, go through late. Refunds fail and are paid by hand. Drafts of both are
posted together; some are deleted, and invoices are reset and cancelled. Whatever
happens, the books fit, nobody gets more than they paid, and nothing of one customer
ever lands on the other.
``FUZZ_EXAMPLES`` is the number of lives.
"""

import os
from collections import Counter
from datetime import date
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import tagged

from .lives import LivesCase
from .test_properties import examples

START = date(2026, 1, 31)
#: Percent of the examples: these lives take longer than most. The long run has time.
SHARE = 100 if "FUZZ_EXAMPLES" in os.environ else 40
#: The same for both customers: who looks at amounts only takes one for the other.
PRICES = (33.33, 66.66)
RECEIVABLE = "asset_receivable"

who = st.integers(0, 1)
yes = st.booleans()
#: Days that pass before a step; often none.
pauses = st.sampled_from([0, 0, 0, 1, 2, 13])
requests = st.fixed_dictionaries(
    {
        "verb": st.just("request"),
        "who": who,
        "line": st.sampled_from([None, None, None, 0, 1]),
        "timing": st.sampled_from(
            [
                "immediate",
                "immediate",
                "end_of_period",
                "end_of_billed",
                "specific_date",
            ]
        ),
        "days": st.integers(0, 40),
        "refund_mode": st.sampled_from(["none", "prorated", "prorated", "full"]),
        "unbilled_charges": st.sampled_from(["invoice", "invoice", "drop"]),
        "unpaid_invoices": st.sampled_from(["keep", "collect", "write_off"]),
        "credit_settlement": st.sampled_from(["keep", "refund", "refund"]),
        "apply_credits": yes,
        "pause": pauses,
    }
)
payments = st.fixed_dictionaries(
    {
        "verb": st.just("pay"),
        "who": who,
        "how": st.sampled_from(["online", "online", "register", "bank", "pending"]),
        "part": st.sampled_from([1.0, 1.0, 1.0, 0.5]),
        "yes": yes,
        "pause": pauses,
    }
)
verbs = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(
            ["take_back", "take_back", "unmatch", "conclude", "conclude"]
            + ["pay_on_account", "use_credit", "post_drafts", "post_drafts"]
            + ["run_steps", "run_steps", "retry", "pay_back", "pay_back", "refuse"]
            + ["bill", "execute", "decide", "revoke", "undo", "wait", "reactivate"]
            + ["lose", "lose", "bill"]
            + ["undo_again", "undo_again", "postpone_daily"]
        ),
        "who": who,
        "yes": yes,
        "pause": pauses,
    }
)
lives = st.lists(
    st.one_of(requests, payments, payments, verbs, verbs, verbs),
    min_size=4,
    max_size=14,
)
policies = st.fixed_dictionaries(
    {
        "undo_days": st.sampled_from([7, 60]),
        "approval_above": st.sampled_from([0.0, 0.0, 60.0]),
        "post_credit_memos": yes,
        "advance_credit": st.sampled_from(["at_end", "at_end", "at_scheduling"]),
    }
)


@tagged("post_install", "-at_install")
class TestMoneySequences(LivesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.track_changes()
        cls.tax = cls.create_tax(19.0)
        cls.policy = cls.get_default_policy()
        cls.policy.allow_own_approval = True
        loss = cls.company_data["default_account_expense"]
        cls.company.cancellation_write_off_account_id = loss
        journal = cls.company_data["default_journal_misc"]
        cls.company.cancellation_write_off_journal_id = journal
        cls.provider = cls.get_provider()
        # Made once for all lives: making them takes longer than living.
        template = cls.create_template()
        products = [cls.create_product(f"Line {price}") for price in PRICES]
        cls.both = [
            cls.create_subscription(
                [
                    {"price_unit": price, "taxes": cls.tax, "product_id": product.id}
                    for price, product in zip(PRICES, products, strict=True)
                ],
                start=START,
                template=template,
                partner_id=cls.create_customer(name=name).id,
            )
            for name in ("Ann", "Bob")
        ]
        for subscription in cls.both:
            cls.bill(subscription, START)
        cls.tokens = {
            subscription: cls.create_token(subscription.partner_id)
            for subscription in cls.both
        }
        cls.pending_tokens = {
            subscription: cls.create_token(subscription.partner_id, state="pending")
            for subscription in cls.both
        }
        cls.env.flush_all()

    @examples(SHARE)
    @given(life=lives, policy=policies, paid=st.sampled_from(["", "online", "bank"]))
    def test_no_money_is_lost_or_mixed_up(self, life, policy, paid):
        """C4, C5, C6, C7, C8: the invariants hold after every step."""
        self.travel_to(START)
        self.policy.write(policy)
        self.refuses = False
        self.given = Counter()
        with patch.object(
            self.registry["payment.transaction"],
            "_send_refund_request",
            self.get_refund_request(),
        ):
            if paid:
                self.pay_all(paid)
            for step in life:
                self.take(self.both[step["who"]], step)
                self.run_triggered_steps()
                self.check_both()
            self.end_all(len(life) % 2)

    def get_refund_request(self):
        """Return how the provider answers: as Odoo's own, or it refuses."""
        test, original = (
            self,
            self.registry["payment.transaction"]._send_refund_request,
        )

        def send(transaction):
            if test.refuses:
                return transaction._set_error("insufficient balance")
            return original(transaction)

        return send

    def pay_all(self, how):
        """Let both pay what they were billed first."""
        for subscription in self.both:
            step = {"how": how, "part": 1.0, "yes": True}
            self.step_pay(subscription, step)
        self.check_both()

    def end_all(self, is_billed_first):
        """Wait long enough; what had an error or was a draft is taken up again."""
        self.refuses = False
        self.wait(days=100)
        for subscription in self.both:
            if is_billed_first:
                self.step_bill(subscription, {"yes": True})
            self.take(subscription, {"verb": "execute", "pause": 0})
            self.take(subscription, {"verb": "conclude", "pause": 0, "yes": True})
        self.check_both()
        self.take(self.both[0], {"verb": "post_drafts", "pause": 0, "yes": True})
        self.take(self.both[0], {"verb": "run_steps", "pause": 1, "yes": True})
        self.check_both()

    # === STEPS: WHAT CUSTOMERS DO === #

    def step_request(self, subscription, step):
        names = ("timing", "refund_mode", "unbilled_charges", "unpaid_invoices")
        options = {name: step[name] for name in names}
        options |= {name: step[name] for name in ("credit_settlement", "apply_credits")}
        if step["line"] is not None:
            lines = subscription._get_all_lines().sorted("id")
            options["line_ids"] = lines[step["line"]].ids
        if step["timing"] == "specific_date":
            options["requested_date"] = self.get_day(step)
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(
            **options, fingerprint=preview["fingerprint"]
        )
        for key in ("credit_untaxed", "credit_tax", "credit_total", "refundable"):
            self.assertAlmostEqual(preview[key], answer[key], 6, key)
        if step["timing"] == "immediate":
            self.run_steps(subscription)

    def step_pay(self, subscription, step):
        """Pay an open invoice, all or half of what is due."""
        invoices = self.get_open_invoices(subscription)
        if not invoices:
            return
        invoice = invoices[-1 if step["yes"] else 0]
        amount = invoice.currency_id.round(invoice.amount_residual * step["part"])
        if step["how"] == "online":
            self.pay_online(invoice, amount, self.tokens[subscription])
        elif step["how"] == "pending":
            self.pay_online(invoice, amount, self.pending_tokens[subscription])
        elif step["how"] == "register":
            self.pay(invoice, amount)
        else:
            self.pay_by_bank(subscription, amount, self.get_open_items(invoice))

    def step_conclude(self, subscription, step):
        """Let pending payments go through, or fail."""
        pending = self.get_transactions(subscription).filtered_domain(
            [("state", "=", "pending"), ("operation", "!=", "refund")]
        )
        for transaction in pending:
            if step["yes"]:
                transaction.action_demo_set_done()
                transaction._post_process()
            else:
                transaction.action_demo_set_canceled()

    def step_pay_on_account(self, subscription, step):
        """Pay without saying what for."""
        self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": subscription.partner_id.id,
                "amount": 118.99 if step["yes"] else 20.0,
            }
        ).action_post()

    # === STEPS: WHAT BANKS AND ACCOUNTANTS DO === #

    def step_take_back(self, subscription, step):
        """Charge a payment back: it never came, as far as the books know."""
        payment = self.get_payments(subscription, "inbound").sorted("id")
        line = self.get_bank_lines(subscription).filtered(lambda one: one.amount > 0)
        if payment and (step["yes"] or not line):
            payment[-1].action_draft()
            payment[-1].action_cancel()
        elif line:
            self.return_bank_line(subscription, line.sorted("id")[-1])

    def return_bank_line(self, subscription, line):
        """Let the bank take a payment out of the account again."""
        items = line.line_ids.filtered(lambda item: item.account_type == RECEIVABLE)
        if items.matched_credit_ids or not items.matched_debit_ids:
            # It was returned before.
            return
        items.remove_move_reconcile()
        self.pay_by_bank(subscription, -line.amount, items)

    def step_unmatch(self, subscription, step):
        """Break the link of invoice and payment: the money is on account then."""
        moves = self.get_payments(subscription, "inbound").move_id
        moves |= self.get_bank_lines(subscription).move_id
        items = moves.line_ids.filtered(
            lambda item: item.account_type == RECEIVABLE and item.matched_debit_ids
        ).sorted("id")
        items[-1 if step["yes"] else 0 :][:1].remove_move_reconcile()

    def step_use_credit(self, subscription, step):
        """Pay an open invoice with what is on the customer's account."""
        credits = self.env["account.move.line"].search(
            [
                ("partner_id", "=", subscription.partner_id.id),
                ("account_type", "=", RECEIVABLE),
                ("parent_state", "=", "posted"),
                ("amount_residual", "<", 0.0),
            ],
            order="id",
        )
        invoices = self.get_open_invoices(subscription)
        if credits and invoices:
            number = -1 if step["yes"] else 0
            invoices[number].js_assign_outstanding_line(credits[number].id)

    def step_post_drafts(self, subscription, step):
        """Post all drafts together, of one customer or of both."""
        partners = subscription.partner_id
        if step["yes"]:
            partners = self.both[0].partner_id | self.both[1].partner_id
        drafts = self.env["account.move"].search(
            [("partner_id", "in", partners.ids), ("state", "=", "draft")]
        )
        if drafts:
            self.env["validate.account.move"].with_context(
                active_model="account.move", active_ids=drafts.ids
            ).create({"force_post": True}).validate_move()

    def step_pay_back(self, subscription, step):
        """Pay by hand what a refund step still asks for, as the steps say now."""
        self.run_steps(subscription)
        steps = self.steps(subscription, "refund").filtered(
            lambda one: (
                one.is_by_hand
                and one.state == "pending"
                and one.source_move_id.state == "posted"
                and one.source_move_id.amount_residual
            )
        )
        for one in steps.sorted("id")[:1]:
            memo = one.source_move_id
            amount = min(one.amount, memo.amount_residual)
            if step["yes"]:
                self.pay(memo, amount)
            else:
                self.pay_by_bank(subscription, -amount, self.get_open_items(memo))

    # === STEPS: WHAT THE COMPANY DOES === #

    def step_run_steps(self, subscription, step):
        for one in self.both if step["yes"] else [subscription]:
            self.run_steps(one)

    def step_retry(self, subscription, _step):
        steps = subscription.cancellation_ids.step_ids
        for one in steps.filtered(lambda one: one.state == "failed").sorted("id")[:1]:
            one.action_retry()

    def step_refuse(self, _subscription, step):
        """The provider refunds nothing for a while."""
        self.refuses = step["yes"]

    def step_bill(self, subscription, step):
        known = subscription._get_invoices()
        subscription.generate_invoice()
        new = subscription._get_invoices() - known
        if step["yes"]:
            new.filtered(lambda move: move.state == "draft").action_post()

    def step_execute(self, subscription, _step):
        self.execute_due(subscription.cancellation_ids)
        self.run_steps(subscription)

    def step_reactivate(self, subscription, step):
        mode = "resume" if step["yes"] else "new_term"
        subscription.reactivate_subscription(mode=mode)

    def run_triggered_steps(self):
        """Take the steps that are due, as the scheduled action does at once.

        Whoever unmatches a payment leaves invoice and credit memo open until then.
        """
        for subscription in self.both:
            self.run_steps(subscription)

    # === MONEY === #

    def pay_by_bank(self, subscription, amount, items):
        """Enter a bank statement line and match it with open items."""
        journal = self.company_data["default_journal_bank"]
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": journal.id,
                "date": date.today(),
                "payment_ref": "Transfer",
                "partner_id": subscription.partner_id.id,
                "amount": amount,
            }
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = items.account_id[:1]
        (suspense | items).reconcile()
        return line

    def get_open_items(self, move):
        return move.line_ids.filtered(
            lambda item: item.account_type == RECEIVABLE and not item.reconciled
        )

    def get_open_invoices(self, subscription):
        return self.env["account.move"].search(
            [
                ("partner_id", "=", subscription.partner_id.id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("amount_residual", ">", 0.0),
            ],
            order="id",
        )

    def get_payments(self, subscription, payment_type):
        return self.env["account.payment"].search(
            [
                ("partner_id", "=", subscription.partner_id.id),
                ("payment_type", "=", payment_type),
                ("state", "in", ("in_process", "paid")),
            ]
        )

    def get_bank_lines(self, subscription):
        return self.env["account.bank.statement.line"].search(
            [("partner_id", "=", subscription.partner_id.id)]
        )

    def get_transactions(self, subscription):
        # sudo: transactions are for administrators.
        return (
            self.env["payment.transaction"]
            .sudo()
            .search([("partner_id", "=", subscription.partner_id.id)], order="id")
        )

    # === INVARIANTS === #

    def check_both(self):
        """Check everything that must hold at any time, for both customers."""
        self.end_transaction()
        for subscription in self.both:
            self.check(subscription)
            self.check_given_back(subscription)
            self.check_memos(subscription)
        self.check_nothing_mixed_up()
        self.assert_books_fit()

    def check_given_back(self, subscription):
        """Nobody gets more than they paid: in all, and for each invoice.

        What is charged back later is no fault of the refund before it.
        """
        refunds = self.get_transactions(subscription).filtered_domain(
            [("operation", "=", "refund"), ("state", "in", ("pending", "done"))]
        )
        given = -sum(refunds.mapped("amount"))
        if given > self.given[subscription] + 1e-6:
            received = self.get_received(subscription)
            self.assertLess(given, received + 1e-6, f"{given} of {received} received")
            for invoice, own in self.group_by_invoice(refunds).items():
                back = -sum(own.mapped("amount"))
                received = invoice._get_amount_received()
                self.assertLess(back, received + 1e-6, f"given back of {invoice.name}")
        for source in refunds.source_transaction_id:
            back = -sum((refunds & source.child_transaction_ids).mapped("amount"))
            self.assertLess(back, source.amount + 1e-6, source.reference)
        self.given[subscription] = given

    def get_received(self, subscription):
        """Return what the customer paid, less what was paid back by hand."""
        paid = sum(self.get_payments(subscription, "inbound").mapped("amount"))
        by_hand = self.get_payments(subscription, "outbound").filtered(
            lambda payment: not payment.sudo().payment_transaction_id
        )
        paid -= sum(by_hand.mapped("amount"))
        return paid + sum(self.get_bank_lines(subscription).mapped("amount"))

    def group_by_invoice(self, refunds):
        return refunds.grouped(
            lambda refund: refund.cancellation_step_id.source_move_id.reversed_entry_id
        )

    def check_memos(self, subscription):
        """Each cent of a credit memo has a step, or was used by somebody."""
        done = subscription.cancellation_ids.filtered(
            lambda one: one.state == "done" and not one.reactivated_date
        )
        for cancellation in done.sudo():
            steps = cancellation.step_ids
            is_waiting = steps.filtered(
                lambda step: (
                    step.kind in ("reduce", "apply_credits")
                    and step.state in ("pending", "failed")
                )
            )
            if is_waiting or cancellation.apply_credits:
                # What is left of it is planned afterwards; what pays other invoices
                # comes from all credits together.
                continue
            for memo in cancellation.credit_note_ids.filtered(
                lambda memo: memo.state != "cancel" and not memo.reversal_move_ids
            ):
                self.check_memo(memo, steps)

    def check_memo(self, memo, steps):
        own = steps.filtered(
            lambda step: step.source_move_id == memo and step.state != "skipped"
        )
        planned = sum(own.mapped("amount"))
        total = memo.amount_total
        self.assertLess(planned, total + 1e-6, f"steps of {memo.display_name}")
        used = self.get_used(memo, own)
        self.assertGreater(
            planned + used, total - 1e-6, f"a part of {memo.display_name} has no step"
        )

    def get_used(self, memo, steps):
        """Return what of a memo paid other things than its steps say."""
        reduced = sum(steps.filtered(lambda s: s.kind == "reduce").mapped("amount"))
        items = memo.line_ids.filtered(lambda item: item.account_type == RECEIVABLE)
        matched = Counter()
        for partial in items.matched_debit_ids:
            move = partial.debit_move_id.move_id
            is_own = move == memo.reversed_entry_id
            is_money = move.origin_payment_id or move.statement_line_id
            matched["own" if is_own else "money" if is_money else "other"] += (
                partial.amount
            )
        by_steps = sum(steps.filtered(lambda s: s.kind == "refund").mapped("amount"))
        return (
            max(matched["own"] - reduced, 0.0)
            + matched["other"]
            + max(matched["money"] - by_steps, 0.0)
        )

    def check_nothing_mixed_up(self):
        """No item of one customer is reconciled with one of another."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT debit.move_name, credit.move_name
              FROM account_partial_reconcile partial
              JOIN account_move_line debit ON debit.id = partial.debit_move_id
              JOIN account_move_line credit ON credit.id = partial.credit_move_id
             WHERE debit.company_id = %s AND debit.partner_id != credit.partner_id
            """,
            [self.company.id],
        )
        self.assertEqual(self.env.cr.fetchall(), [])
        steps = self.both[0].cancellation_ids.sudo().step_ids
        steps |= self.both[1].cancellation_ids.sudo().step_ids
        for step in steps:
            partner = step.cancellation_id.partner_id
            documents = step.source_move_id | step.move_id | step.payment_id.move_id
            self.assertLessEqual(documents.partner_id, partner, step.display_name)
