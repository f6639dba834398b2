# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps that are bookkeeping only: what credits pay, and write-offs."""

from odoo import models
from odoo.fields import Command

from .settlement_part import SettlementPart


class SubscriptionCancellation(models.Model):
    """Plan write-offs."""

    _inherit = "subscription.cancellation"

    def _plan_write_off(self, invoice, due):
        """Return the part about writing off what is due on one open invoice."""
        if self._bills_something_else(invoice):
            text = self.env._(
                "Invoice %s stays due: it also bills something else, so it is not "
                "written off",
                invoice.name,
            )
            return SettlementPart(
                "write_off", due, invoice.currency_id, text, "skipped", source=invoice
            )
        text = self.env._("Invoice %s will be written off", invoice.name)
        return SettlementPart(
            "write_off", due, invoice.currency_id, text, source=invoice
        )

    def _bills_something_else(self, invoice):
        """Return whether an invoice has lines that are not of this subscription."""
        products = invoice.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )
        return any(
            line.subscription_line_id.sale_subscription_id != self.subscription_id
            for line in products
        )

    def _get_write_off_warnings(self):
        """Return that nothing can be written off, where that is what is wanted."""
        if self.unpaid_invoices != "write_off" or not self._ends_everything():
            return []
        invoices = self._get_unpaid_invoices()[self]
        reasons = {
            company._get_cannot_write_off_reason()
            for company in invoices.company_id or self.company_id
        }
        return sorted(filter(None, reasons))

    def _get_standing_write_offs(self):
        """Return the steps whose entry nobody has reversed."""
        # sudo: who reactivates need not be allowed to read journal entries.
        return self.sudo().step_ids.filtered(
            lambda step: (
                step.kind == "write_off"
                and step.state == "done"
                and step.move_id._filter_not_taken_back()
            )
        )


class SubscriptionCancellationStep(models.Model):
    """Apply credits, and write off."""

    _inherit = "subscription.cancellation.step"

    # === CREDITS THAT PAY OPEN INVOICES === #

    def _do_apply_credits(self):
        """Let this cancellation's credits, then the customer's others, pay one."""
        cancellation, invoice = self.cancellation_id, self.source_move_id
        drafts = cancellation.credit_note_ids.filtered(
            lambda memo: memo.state == "draft"
        )
        if drafts:
            self._wait(self.env._("Waits until %s is posted.", drafts[0].display_name))
            return
        reason = self._get_cannot_apply_reason(invoice)
        applied = 0.0 if reason else self._apply_credits(invoice)
        if applied:
            note = self.env._("Credits pay invoice %s.", invoice.name)
            self._set_done(note, amount=applied)
        else:
            nothing = self.env._("There is nothing left to apply to %s.", invoice.name)
            self._skip(reason or nothing, amount=0.0)

    def _get_cannot_apply_reason(self, invoice):
        """Return why credits do not pay an invoice any more, or ``None``."""
        if invoice.state != "posted" or not invoice.amount_residual:
            return self.env._("Nothing is due any more on %s.", invoice.name)
        if invoice.payment_state == "blocked":
            return self.env._("Invoice %s is blocked for payment.", invoice.name)
        if invoice._get_transactions_on_way(self):
            return self.env._("Invoice %s is just being paid.", invoice.name)
        return None

    def _apply_credits(self, invoice):
        """Reconcile credits with the invoice's due dates, the earliest one first.

        :return: the amount that was paid by credits, in the invoice's currency
        """
        before = invoice.amount_residual
        debits = invoice._get_receivable_items()
        for debit in debits.sorted(lambda line: (line.date_maturity, line.id)):
            for credit in self._get_credits_for(debit):
                if debit.reconciled:
                    break
                (credit | debit).reconcile()
        return invoice.currency_id.round(before - invoice.amount_residual)

    def _get_credits_for(self, debit):
        """Return the open credits that can pay a due date, ours first, as planned."""
        cancellation = self.cancellation_id
        planned = list(cancellation.line_ids._get_lines_to_credit())
        own_memos = cancellation.credit_note_ids.filtered(
            lambda memo: memo.state == "posted" and memo.reversed_entry_id in planned
        ).sorted(lambda memo: planned.index(memo.reversed_entry_id))
        own = own_memos._get_receivable_items()
        return (own | cancellation._get_other_credits()).filtered(
            lambda line: (
                not line.reconciled
                and line.account_id == debit.account_id
                and line.currency_id == debit.currency_id
                and line._get_customer() == debit._get_customer()
            )
        )

    # === WHAT BECOMES OF A CREDIT MEMO === #

    def _is_about(self, memo):
        """Return whether this tells what becomes of a credit memo."""
        kinds = ("reduce", "refund", "keep")
        return self.source_move_id == memo and self.kind in kinds

    def _follow_reduction(self, memo):
        """Let these tell what a credit memo has taken off its invoice.

        :return: what none of them can tell, because none is about that
        """
        taken_off = memo._get_amount_matched_with(memo.reversed_entry_id)
        reductions = self.filtered(lambda step: step.kind == "reduce")
        untold = taken_off - sum(reductions.mapped("amount"))
        if not reductions or memo.currency_id.is_zero(untold):
            return memo.currency_id.round(max(untold, 0.0))
        for step in reductions:
            change = max(untold, -step.amount)
            if not memo.currency_id.is_zero(change):
                step._set_reduction(step.amount + change)
                untold -= change
        return 0.0

    def _follow_promises(self, memo):
        """Lower what these promise to what is left of a credit memo.

        What was to be kept has been used to pay; after that, the last refund goes.

        :return: what is left, and none of these is about
        """
        kept = self.filtered(lambda step: step.kind == "keep")
        refunds = self._filter_refunds_to_come()
        promised = [
            *((step, step.amount) for step in kept[::-1]),
            *((step, step._get_planned_refund()) for step in refunds[::-1]),
        ]
        left = memo._get_open_credit() - sum(amount for _step, amount in promised)
        for step, amount in promised:
            lowered = min(max(-left, 0.0), amount)
            if memo.currency_id.is_zero(lowered) or step._is_on_way():
                continue
            step.amount = memo.currency_id.round(step.amount - lowered)
            left += lowered
            if step.kind == "keep" and not step.amount:
                step._skip(step._get_nothing_left())
        return memo.currency_id.round(max(left, 0.0))

    # === WRITE OFF === #

    def _do_write_off(self):
        """Write off what is due on the invoice, on the accounts of the settings."""
        invoice = self.source_move_id
        if self._wait_for_invoice():
            return
        reason = invoice.company_id._get_cannot_write_off_reason()
        if reason:
            self._fail(reason, is_final=True)
            return
        items = invoice._get_receivable_items()
        amount = invoice.amount_residual
        entry = self._create_write_off(invoice, items)
        self._set_done(
            self.env._(
                "Invoice %(invoice)s is written off by %(entry)s.",
                invoice=invoice.name,
                entry=entry.name,
            ),
            move_id=entry.id,
            amount=amount,
        )

    def _describe_write_offs_taken_back(self):
        """Return in words what is due again, or ``None``."""
        if not self:
            return None
        return self.env._(
            "The write-off of %(names)s is taken back: %(amount)s are due again.",
            names=", ".join(self.source_move_id.mapped("name")),
            amount=self.currency_id[:1].format(sum(self.mapped("amount"))),
        )

    def _take_back_write_offs(self):
        """Reverse the entries of these, so that their invoices are due as before."""
        for step in self:
            entry, invoice = step.move_id, step.source_move_id
            reversal = entry._reverse_moves(
                [step._prepare_write_off_reversal()], cancel=True
            )
            note = self.env._(
                "The cancellation was undone: %(entry)s, which had written invoice "
                "%(invoice)s off, is taken back by %(reversal)s.",
                entry=entry.name,
                invoice=invoice.name,
                reversal=reversal.name,
            )
            step._skip(note, amount=0.0)

    def _prepare_write_off_reversal(self):
        """Return the values of the entry that takes the write-off back."""
        entry, cancellation = self.move_id, self.cancellation_id
        return {
            "date": entry._get_first_open_day(cancellation.subscription_id._today()),
            "ref": self.env._(
                "Takes back %(entry)s (%(name)s)",
                entry=entry.name,
                name=cancellation.name,
            ),
        }

    def _create_write_off(self, invoice, items):
        """Post the entry that writes off these receivable items, and reconcile."""
        # The lines carry their exact tax amounts, which Odoo shall not compute anew.
        AccountMove = self.env["account.move"].with_context(skip_invoice_sync=True)
        entry = AccountMove.create(self._prepare_write_off(invoice, items))
        entry._post(soft=False)
        accounts = items.account_id
        counterparts = entry.line_ids.filtered(lambda line: line.account_id in accounts)
        for account in accounts:
            (items | counterparts).filtered(
                lambda line, account=account: line.account_id == account
            ).reconcile()
        return entry

    def _prepare_write_off(self, invoice, items):
        """Return the values of the entry that writes off these receivable items."""
        cancellation = self.cancellation_id
        today = cancellation.subscription_id._today()
        label = self.env._(
            "Write-off of %(invoice)s (%(name)s)",
            invoice=invoice.name,
            name=cancellation.name,
        )
        company = invoice.company_id
        return {
            "move_type": "entry",
            "company_id": company.id,
            "journal_id": company._get_write_off_journal().id,
            "date": invoice._get_first_open_day(today),
            "ref": label,
            "line_ids": [
                Command.create({**values, "name": label})
                for values in (
                    *map(self._prepare_write_off_counterpart, items),
                    *self._prepare_write_off_loss(invoice, items),
                )
            ],
        }

    def _prepare_write_off_counterpart(self, item):
        """Return the line that balances one receivable item."""
        return {
            "account_id": item.account_id.id,
            "partner_id": item.partner_id.id,
            "currency_id": item.currency_id.id,
            "amount_currency": -item.amount_residual_currency,
            "balance": -item.amount_residual,
        }

    def _prepare_write_off_loss(self, invoice, items):
        """Return the lines of the loss, and of the taxes that are taken out of it.

        The write-off account's default taxes, mapped by the invoice's fiscal position
        and included in the amount, as in Odoo's own write-offs.
        """
        company, partner = invoice.company_id, items.partner_id[:1]
        account = company._get_write_off_account()
        amount = sum(items.mapped("amount_residual_currency"))
        balance = sum(items.mapped("amount_residual"))
        base_line = self._compute_write_off_taxes(invoice, account, amount, balance)
        AccountTax = self.env["account.tax"].with_company(company)
        results = AccountTax._prepare_tax_lines([base_line], company)
        [(_base_line, base)] = results["base_lines_to_update"]
        tax_lines = [
            self._book_at_rate(line, base_line["rate"])
            for line in results["tax_lines_to_add"]
        ]
        shared = {"partner_id": partner.id, "currency_id": invoice.currency_id.id}
        taxes = base_line["tax_ids"]
        rest = sum(line["amount_currency"] for line in tax_lines)
        rest_balance = sum(line["balance"] for line in tax_lines)
        return [
            {
                **base,
                **shared,
                "account_id": account.id,
                "tax_ids": [Command.set(taxes.ids)],
                # What the taxes leave of the loss: rounding never unbalances it.
                "amount_currency": invoice.currency_id.round(amount - rest),
                "balance": company.currency_id.round(balance - rest_balance),
            },
            *({**line, **shared} for line in tax_lines),
        ]

    def _book_at_rate(self, tax_line, rate):
        """Return the tax line in the company's currency, at the rate of the invoice.

        As the invoice has booked its tax: Odoo's own amount is of the tax before it is
        rounded, which leaves cents, or yen, in the tax report.
        """
        balance = tax_line["amount_currency"] / rate
        return {**tax_line, "balance": self.company_id.currency_id.round(balance)}

    def _compute_write_off_taxes(self, invoice, account, amount, balance):
        """Return Odoo's base line of the loss, with its taxes included in it."""
        company = invoice.company_id
        AccountTax = self.env["account.tax"].with_company(company)
        # Where no tax was billed, none can be claimed back.
        taxes = account.tax_ids.filtered(
            lambda tax: invoice.amount_tax and tax.company_id in company.parent_ids
        )
        base_line = AccountTax._prepare_base_line_for_taxes_computation(
            None,
            partner_id=invoice.partner_id,
            currency_id=invoice.currency_id,
            tax_ids=invoice.fiscal_position_id.map_tax(taxes),
            price_unit=amount,
            quantity=1.0,
            special_mode="total_included",
            is_refund=True,
            sign=1,
            rate=amount / balance if balance else 1.0,
            account_id=account,
        )
        AccountTax._add_tax_details_in_base_lines([base_line], company)
        AccountTax._round_base_lines_tax_details([base_line], company)
        AccountTax._add_accounting_data_in_base_lines_tax_details([base_line], company)
        return base_line
