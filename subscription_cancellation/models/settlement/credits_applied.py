# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Credits and excess payments of a customer that pay their open invoices (C7).

A credit belongs to the customer of its document: who takes a subscription over, or has
it paid by somebody else, pays nothing with the money of others.
"""

from datetime import date

from odoo import api, models

from ...arithmetic.matching import OpenItem, match
from ...arithmetic.proration import from_units, to_units
from .settlement_part import SettlementPart
from .shared_plan import SharedPlan


class SubscriptionCancellation(models.Model):
    """Plan which credit pays which invoice, the oldest due one first."""

    _inherit = "subscription.cancellation"

    def _match_credits(self, refundable, invoiced, shared, ahead=None):
        """Return what credits will pay by open invoice; reduce ``refundable``.

        :param dict refundable: amounts by credited invoice, reduced by what is used
        :param list invoiced: parts about charges that are invoiced now
        :param SharedPlan shared: with cancellations that are executed together
        :param OrdersAhead ahead: what pays the charges first, and nothing else
        :return: dict of amounts by ``account.move`` or :class:`SettlementPart`
        """
        if not self.apply_credits:
            return {}
        own = [
            self._as_open_item(
                invoice,
                amount,
                self._get_receivable(invoice),
                invoice.partner_id.commercial_partner_id,
            )
            for invoice, amount in refundable.items()
        ]
        others = [
            shared.leave(self._as_open_line(line))
            for line in self._get_other_credits(refundable)
            if not (ahead and line.move_id in ahead.payments)
        ]
        pays = ahead.pays if ahead else {}
        debits = [
            shared.leave(item) for item in self._get_debits(invoiced, shared, pays)
        ]
        paid = {}
        for matched in match([*own, *self._get_credits_expected(), *others], debits):
            shared.take(matched)
            amount = from_units(matched.units, matched.debit.currency.rounding)
            if matched.credit.document in refundable:
                refundable[matched.credit.document] -= amount
            document = matched.debit.document
            document = getattr(document, "move_id", document)
            paid[document] = paid.get(document, 0.0) + amount
            if isinstance(matched.credit.document, date):
                shared.expected[document] += ((matched.credit.document, amount),)
        return paid

    def _get_credits_expected(self):
        """Return the open items of credits of invoices that are still to come.

        Each stands for the day of its invoice, which is the document of it.
        """
        expected = self._get_expected_to_apply()
        return [
            self._as_payer_item(charge.charge.currency, amount, charge.day)
            for charge, amount in expected
        ]

    def _get_debits(self, invoiced, shared, pays):
        """Return the open items that credits can pay, the oldest due one first.

        :param dict pays: what payments of orders pay, by part
        """
        made = [part.move for part in invoiced]
        dated = [
            (
                line.date_maturity,
                self._as_open_line(line, -self._get_reduction(line, shared.reduced)),
            )
            for line in self._get_open_debits()
            if line.move_id not in made
        ]
        dated += [
            (self._get_due_date(part), self._as_debit(part, part.get_unpaid(pays)))
            for part in invoiced
        ]
        return [item for _due_date, item in sorted(dated, key=lambda pair: pair[0])]

    def _get_due_date(self, part):
        """Return when something is due that is invoiced now."""
        if part.move:
            terms = part.move.line_ids.filtered("date_maturity")
            return min(terms.mapped("date_maturity"))
        if part.draft:
            term = part.draft.invoice_payment_term_id
        else:
            term = self._get_payer().property_payment_term_id
        today = self.subscription_id._today()
        return min((line._get_due_date(today) for line in term.line_ids), default=today)

    def _get_payer(self):
        """Return the partner whom upstream's next invoice would be for."""
        # sudo: who cancels need not be allowed to read payment terms and accounts.
        subscription = self.sudo().subscription_id.with_company(self.company_id)
        return subscription.partner_invoice_id or subscription.partner_id

    def _as_debit(self, part, unpaid):
        """Return the open item of an invoice that is made now, or will be.

        :param float unpaid: what payments of orders leave of it
        """
        document = part.move or part.draft
        item = self._as_payer_item(part.currency, unpaid, part)
        if not document:
            return item
        return item._replace(
            account=self._get_receivable(document),
            partner=document.partner_id.commercial_partner_id,
        )

    def _as_payer_item(self, currency, amount, document):
        """Return the open item of an invoice that upstream makes, or of its credit.

        :param document: stands for it
        """
        payer = self._get_payer()
        # sudo: who cancels need not be allowed to read accounts.
        fiscal_position = self.sudo().subscription_id.fiscal_position_id
        account = fiscal_position.map_account(payer.property_account_receivable_id)
        units = max(to_units(currency.round(amount), currency.rounding), 0)
        return OpenItem(account, currency, units, document, payer.commercial_partner_id)

    def _plan_application(self, paid, shared):
        """Return a part per open invoice that credits pay.

        :param dict paid: amounts by ``account.move`` or :class:`SettlementPart`
        :param SharedPlan shared: with cancellations that are executed together
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
                SettlementPart(
                    "apply_credits",
                    amount,
                    currency,
                    text,
                    source=invoice,
                    expected=shared.expected[document],
                )
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
    def _as_open_item(self, document, amount, account, partner):
        """Return the :class:`OpenItem` of a document."""
        currency = document.currency_id
        units = max(to_units(currency.round(amount), currency.rounding), 0)
        return OpenItem(account, currency, units, document, partner)

    @api.model
    def _as_open_line(self, line, added=0.0):
        """Return the :class:`OpenItem` of what is open of a journal item.

        :param float added: to what is open
        """
        amount = abs(line.amount_residual_currency) + added
        return self._as_open_item(line, amount, line.account_id, line._get_customer())

    def _has_credits_to_apply(self):
        """Return whether somebody has a credit, or gets one, and owes something."""
        payers = self._get_other_credits()._get_customer()
        if self.refundable > 0:
            # sudo: who cancels need not be allowed to read invoices.
            invoices = self.sudo().line_ids._get_lines_to_credit()
            payers = payers.union(*(invoice.partner_id for invoice in invoices))
        if not payers:
            return False
        debtors = self._get_open_debits()._get_customer()
        return bool(payers.commercial_partner_id & debtors)

    def _get_other_credits(self, planned=None):
        """Return the other credits and excess payments of customers, oldest first.

        :param planned: invoices of which own credits are looked at apart; absent: all
        """
        lines = self._search_open_items([("amount_residual_currency", "<", 0.0)])
        own = self.credit_note_ids
        if planned is not None:
            own = own.filtered(lambda memo: memo.reversed_entry_id in planned)
        free = self.env["subscription.cancellation.step"]._filter_free_credits(lines)
        return free.filtered(lambda line: line.move_id not in own)

    def _get_open_debits(self):
        """Return the due dates of open invoices of customers, oldest due first.

        Invoices that are being paid, or that somebody blocked, are left alone.
        """
        lines = self._search_open_debits()
        return lines.filtered(lambda line: not line.move_id._get_transactions_on_way())

    def _search_open_debits(self):
        """Return the same with those of invoices that are being paid."""
        return self._search_open_items(
            [
                ("amount_residual_currency", ">", 0.0),
                ("move_id.move_type", "=", "out_invoice"),
                ("move_id.payment_state", "!=", "blocked"),
            ]
        )

    def _get_kept_text(self, invoice):
        """Return in words that a credit is kept, and what it does not pay therefore.

        :param invoice: the ``account.move`` that is credited
        """
        customer = invoice.partner_id.commercial_partner_id
        lines = self._search_open_debits() if self.apply_credits else ()
        on_way = invoice.union(
            *(line.move_id for line in lines if line._get_customer() == customer)
        )._filter_on_way()
        if not on_way - invoice:
            return self.env._("Kept as credit on the customer's account")
        return self.env._(
            "Kept as credit on the customer's account: a payment of invoice %s is on "
            "its way",
            ", ".join((on_way - invoice).mapped("name")),
        )

    def _search_open_items(self, domain):
        """Return open receivable items of the customer, in the order of due dates.

        Those of whoever gets a credit, or is invoiced now, too.
        """
        # sudo: who cancels need not be allowed to read journal items.
        plan = self.sudo()
        customers, companies = plan.partner_id | plan._get_payer(), plan.company_id
        for invoice in plan.line_ids._get_lines_to_credit():
            customers |= invoice.partner_id
            companies |= invoice.company_id
        items = self.env["account.move.line"].sudo()
        return items._search_open_items(customers, companies, domain)

    # === WHAT IS LEFT === #

    def _balance_credits(self):
        """Let the steps tell all of what became of the credit memos, and plan the rest.

        An invoice may have been paid, blocked or credited by others since the plan was
        made, or its payment taken off: what that leaves is kept or refunded as all
        else, and what is not left any more is not promised.
        """
        self.ensure_one()
        open_kinds = {step.kind for step in self.step_ids if step._is_open()}
        if self.reactivated_date or open_kinds & {"reduce", "apply_credits"}:
            return
        memos = self.credit_note_ids._filter_not_taken_back()
        reduced, unplanned = {}, {}
        for memo in memos:
            memo._reduce_what_is_due_again()
            steps = self.step_ids.filtered(lambda step, memo=memo: step._is_about(memo))
            invoice = memo.reversed_entry_id
            reduced[invoice] = steps._follow_reduction(memo)
            unplanned[invoice] = steps._follow_promises(memo)
        parts = [
            *self._plan_reductions(reduced),
            *self._plan_refundable(unplanned, SharedPlan(memos.reversed_entry_id)),
        ]
        self.env["subscription.cancellation.step"].create(
            [self._prepare_step(part) for part in parts]
        )
        if parts:
            self._trigger_steps()
