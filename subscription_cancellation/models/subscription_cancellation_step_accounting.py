# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps that are bookkeeping only: credits that pay invoices, and write-offs."""

from odoo import models
from odoo.fields import Command

from .subscription_cancellation_settlement import SettlementPart


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
        reason = self.company_id._get_cannot_write_off_reason()
        return [reason] if reason else []


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
        others = [item.document for item in cancellation._get_other_credits()]
        return own.union(*others).filtered(
            lambda line: (
                not line.reconciled
                and line.account_id == debit.account_id
                and line.currency_id == debit.currency_id
            )
        )

    # === WRITE OFF === #

    def _do_write_off(self):
        """Write off what is due on the invoice, on the accounts of the settings."""
        invoice = self.source_move_id
        if self._wait_for_invoice():
            return
        reason = self.company_id._get_cannot_write_off_reason()
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
            "journal_id": company.cancellation_write_off_journal_id.id,
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
        account = company.cancellation_write_off_account_id
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
