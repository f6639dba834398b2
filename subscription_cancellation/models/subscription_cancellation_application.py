# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Credits and excess payments of a customer that pay their open invoices (C7)."""

from odoo import api, models

from ..proration import from_units, to_units
from ..settlement import OpenItem, match
from ..shared_plan import SharedPlan
from .subscription_cancellation_settlement import SettlementPart


class SubscriptionCancellation(models.Model):
    """Plan which credit pays which invoice, the oldest due one first."""

    _inherit = "subscription.cancellation"

    def _match_credits(self, refundable, invoiced, shared):
        """Return what credits will pay by open invoice; reduce ``refundable``.

        :param dict refundable: amounts by credited invoice, reduced by what is used
        :param list invoiced: parts about charges that are invoiced now
        :param SharedPlan shared: with cancellations that are executed together
        :return: dict of amounts by ``account.move`` or :class:`SettlementPart`
        """
        if not self.apply_credits:
            return {}
        own = [
            self._as_open_item(invoice, amount, self._get_receivable(invoice))
            for invoice, amount in refundable.items()
        ]
        others = map(shared.leave, self._get_other_credits())
        debits = [shared.leave(item) for item in self._get_debits(invoiced, shared)]
        paid = {}
        for matched in match([*own, *others], debits):
            shared.take(matched)
            amount = from_units(matched.units, matched.debit.currency.rounding)
            if matched.credit.document in refundable:
                refundable[matched.credit.document] -= amount
            document = matched.debit.document
            document = getattr(document, "move_id", document)
            paid[document] = paid.get(document, 0.0) + amount
        return paid

    def _get_debits(self, invoiced, shared):
        """Return the open items that credits can pay, the oldest due one first."""
        made = [part.move for part in invoiced]
        dated = [
            (
                line.date_maturity,
                self._as_open_item(
                    line, -self._get_reduction(line, shared.reduced), line.account_id
                ),
            )
            for line in self._get_open_debits()
            if line.move_id not in made
        ]
        dated += [(self._get_due_date(part), self._as_debit(part)) for part in invoiced]
        return [item for _due_date, item in sorted(dated, key=lambda pair: pair[0])]

    def _get_due_date(self, part):
        """Return when something is due that is invoiced now."""
        if part.move:
            terms = part.move.line_ids.filtered("date_maturity")
            return min(terms.mapped("date_maturity"))
        # sudo: who cancels need not be allowed to read payment terms.
        subscription = self.sudo().subscription_id.with_company(self.company_id)
        partner = subscription.partner_invoice_id or subscription.partner_id
        today = subscription._today()
        lines = partner.property_payment_term_id.line_ids
        return min((line._get_due_date(today) for line in lines), default=today)

    def _as_debit(self, part):
        """Return the open item of an invoice that is made now, or will be."""
        units = max(to_units(part.amount, part.currency.rounding), 0)
        if part.move:
            account = self._get_receivable(part.move)
        else:
            # sudo: who cancels need not be allowed to read accounts.
            subscription = self.sudo().subscription_id.with_company(self.company_id)
            partner = subscription.partner_invoice_id or subscription.partner_id
            account = subscription.fiscal_position_id.map_account(
                partner.property_account_receivable_id
            )
        return OpenItem(account, part.currency, units, part)

    def _plan_application(self, paid):
        """Return a part per open invoice that credits pay.

        :param dict paid: amounts by ``account.move`` or :class:`SettlementPart`
        """
        parts = []
        for document, amount in paid.items():
            is_new = isinstance(document, SettlementPart)
            invoice = document.move if is_new else document
            text = (
                self.env._("Will pay invoice %s", invoice.name)
                if invoice
                else self.env._("Will pay what is invoiced now")
            )
            currency = document.currency if is_new else document.currency_id
            parts.append(
                SettlementPart("apply_credits", amount, currency, text, source=invoice)
            )
        return parts

    @api.model
    def _get_receivable(self, invoice):
        """Return the receivable account of an invoice."""
        return invoice.line_ids.filtered(
            lambda line: line.display_type == "payment_term"
        ).account_id[:1]

    @api.model
    def _get_reduction(self, line, reduced):
        """Return what credit memos take off one due date: the earliest one first."""
        terms = line.move_id.line_ids.filtered(
            lambda item: item.display_type == "payment_term" and not item.reconciled
        )
        left = reduced.get(line.move_id, 0.0)
        for term in terms.sorted(lambda item: (item.date_maturity, item.id)):
            taken = min(left, term.amount_residual_currency)
            if term == line:
                return taken
            left -= taken
        return 0.0

    @api.model
    def _as_open_item(self, document, amount, account):
        """Return an :class:`OpenItem`; of a journal item, ``amount`` is added to it."""
        if document._name == "account.move.line":
            amount += abs(document.amount_residual_currency)
        currency = document.currency_id
        units = max(to_units(currency.round(amount), currency.rounding), 0)
        return OpenItem(account, currency, units, document)

    def _get_other_credits(self):
        """Return the customer's other credits and excess payments, oldest first."""
        lines = self._search_open_items([("amount_residual_currency", "<", 0.0)])
        # What somebody is promised to get back pays nothing.
        refunds = self.env["subscription.cancellation.step"]._search_open_refunds(
            lines.move_id
        )
        left_alone = self.credit_note_ids | refunds.source_move_id
        return [
            self._as_open_item(line, 0.0, line.account_id)
            for line in lines
            if line.move_id not in left_alone and not line.move_id._get_refunds_on_way()
        ]

    def _get_open_debits(self):
        """Return the due dates of the customer's open invoices, oldest due first.

        Invoices that are being paid, or that somebody blocked, are left alone.
        """
        lines = self._search_open_items(
            [
                ("amount_residual_currency", ">", 0.0),
                ("move_id.move_type", "=", "out_invoice"),
                ("move_id.payment_state", "!=", "blocked"),
            ]
        )
        return lines.filtered(lambda line: not line.move_id._get_transactions_on_way())

    def _search_open_items(self, domain):
        """Return open receivable items of the customer, in the order of due dates."""
        # sudo: who cancels need not be allowed to read journal items.
        customers = self.sudo().partner_id.commercial_partner_id
        return (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("partner_id", "child_of", customers.ids),
                    ("company_id", "=", self.company_id.id),
                    ("account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                    ("reconciled", "=", False),
                    *domain,
                ],
                order="date_maturity, date, id",
            )
        )

    # === WHAT IS LEFT === #

    def _balance_credits(self):
        """Plan what is left of the credit memos, now that it is known what they paid.

        An invoice may have been paid, blocked or credited by others since the plan was
        made: what that leaves is kept or refunded as all else.
        """
        self.ensure_one()
        open_kinds = {step.kind for step in self.step_ids if step._is_open()}
        memos = self.credit_note_ids.filtered(lambda memo: memo.state == "posted")
        if self.reactivated_date or open_kinds & {"reduce", "apply_credits"}:
            return
        unplanned = {
            memo.reversed_entry_id: self._get_unplanned(memo) for memo in memos
        }
        shared = SharedPlan(memos.reversed_entry_id)
        parts = self._plan_refundable(
            {invoice: amount for invoice, amount in unplanned.items() if amount > 0},
            shared,
        )
        self.env["subscription.cancellation.step"].create(
            [self._prepare_step(part) for part in parts]
        )
        if parts:
            self._trigger_steps()

    def _get_unplanned(self, memo):
        """Return what is left of a credit memo and no step is about.

        What is planned to be kept and is not there any more was used to pay.
        """
        left = memo._get_open_credit()
        steps = self.step_ids.filtered(lambda step: step.source_move_id == memo)
        left -= sum(
            step._get_planned_refund() for step in steps._filter_refunds_to_come()
        )
        for step in steps.filtered(lambda step: step.kind == "keep"):
            step.amount = memo.currency_id.round(min(step.amount, max(left, 0.0)))
            left -= step.amount
        return memo.currency_id.round(left)
