# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What becomes of the money, planned: one part for each step that will be taken."""

from odoo import api, fields, models

from ...const import (
    CREDIT_SETTLEMENTS,
    STEP_ORDER,
    UNBILLED_CHARGES,
    UNPAID_INVOICES,
)
from .orders_ahead import OrdersAhead
from .settlement_part import SettlementPart
from .shared_plan import SharedPlan


class SubscriptionCancellation(models.Model):
    """Plan the settlement: the same for the preview and for the steps."""

    _inherit = "subscription.cancellation"

    unpaid_invoices = fields.Selection(
        selection=UNPAID_INVOICES, default="keep", required=True, readonly=True
    )
    unbilled_charges = fields.Selection(
        selection=UNBILLED_CHARGES, default="invoice", required=True, readonly=True
    )
    credit_settlement = fields.Selection(
        selection=CREDIT_SETTLEMENTS,
        string="Remaining Credit",
        default="keep",
        required=True,
        readonly=True,
    )
    apply_credits = fields.Boolean(
        string="Use credits for open invoices", readonly=True
    )
    send_confirmation = fields.Boolean(
        default=True,
        readonly=True,
        help="The customer is told by e-mail what becomes of this cancellation.",
    )

    # === PLAN === #

    def _preview_settlement(self):
        """Return the parts of this plan, unbilled charges first.

        What will be unbilled on a later day is not known before that day.
        """
        self.ensure_one()
        unbilled, ahead = {self: []}, OrdersAhead(self)
        if self._is_due_on_request():
            unbilled = {self: self._plan_unbilled(ahead)}
        planned = self._plan_settlements(unbilled, ahead.sold)[self]
        parts = [*planned, *self._plan_confirmation()]
        return sorted(parts, key=lambda part: STEP_ORDER[part.kind])

    def _plan_settlements(self, unbilled, sold=None):
        """Return what becomes of the credits and of open invoices, before they exist.

        :param dict unbilled: by cancellation, the parts about unbilled charges, as
            planned or as done
        :param sold: ``sale.order.line``, as of :class:`OrdersAhead`
        :return: dict of lists of :class:`SettlementPart`, by cancellation
        """
        unpaid = self._get_unpaid_invoices()
        made = self.env["account.move"].union(
            *(part.move for parts in unbilled.values() for part in parts if part.move)
        )
        # sudo: who cancels need not be allowed to read invoices.
        rows = self.sudo().line_ids
        shared = SharedPlan(
            rows.origin_move_id,
            rows.filtered(lambda row: row.credit_untaxed and not row.is_advance),
            self._get_reductions_to_come(),
        )
        credited = rows.filtered("credit_untaxed").origin_move_id
        on_way = (credited | made.union(*unpaid.values()))._filter_on_way()
        ahead = OrdersAhead(self, sold)
        return {
            cancellation: cancellation._plan_settlement(
                unpaid[cancellation] - made,
                on_way,
                unbilled[cancellation],
                shared,
                ahead,
            )
            for cancellation in self
        }

    def _plan_settlement(self, unpaid, on_way, unbilled, shared, ahead):
        """Return the parts of one cancellation in the order they are taken in.

        :param unpaid: ``account.move``, open invoices of what ends
        :param on_way: ``account.move``, those that are just being paid
        :param list unbilled: the parts about unbilled charges
        :param SharedPlan shared: with cancellations that are executed together
        :param OrdersAhead ahead: what was paid for the orders of these
        """
        self.ensure_one()
        # sudo: who cancels need not be allowed to read invoices.
        by_invoice = self.sudo().line_ids._get_lines_to_credit()
        reduced = {
            invoice: sum(lines.mapped("reduces_invoice"))
            for invoice, lines in by_invoice.items()
        }
        refundable = {
            invoice: invoice.currency_id.round(
                sum(lines.mapped("credit_total")) - reduced[invoice]
            )
            for invoice, lines in by_invoice.items()
        }
        invoiced = [part for part in unbilled if part.state == "done"]
        left = self._plan_paid_ahead(unbilled, ahead, shared)
        paid = self._match_credits(refundable, invoiced, shared, ahead)
        awaited = (unpaid | unpaid.union(*by_invoice)) & on_way
        return [
            *(
                part._replace(paid=paid.get(part, 0.0) + ahead.pays.get(part, 0.0))
                for part in unbilled
            ),
            *self._plan_reductions(reduced),
            *self._plan_application(paid, shared),
            *self._plan_collections(invoiced, paid, ahead.pays),
            *self._plan_unpaid(unpaid - on_way, shared.reduced, paid),
            *self._plan_refundable(refundable, shared),
            *left,
            *self._plan_awaited(awaited),
            *self._plan_awaited_order(),
        ]

    def _get_reductions_to_come(self):
        """Return by invoice what is still to be taken off what is due on it.

        Credit memos of advance invoices have done so already, unless they are drafts.
        """
        # sudo: who cancels need not be allowed to read invoices.
        rows = self.sudo().line_ids.filtered(
            lambda row: (
                not row.is_advance
                or row.cancellation_id._get_credit_note_of(row.origin_move_id).state
                == "draft"
            )
        )
        return {
            invoice: sum(lines.mapped("reduces_invoice"))
            for invoice, lines in rows._get_lines_to_credit().items()
        }

    def _plan_reductions(self, reduced):
        """Return a part per invoice that its own credit memo reduces."""
        return [
            SettlementPart(
                "reduce",
                amount,
                invoice.currency_id,
                self.env._("Reduces invoice %s", invoice.name),
                "done",
                credited=invoice,
            )
            for invoice, amount in reduced.items()
            if amount
        ]

    def _plan_refundable(self, refundable, shared):
        """Return the parts about what is left of the credits: kept or refunded.

        :param dict refundable: amounts by credited invoice
        """
        parts = []
        for invoice, amount in refundable.items():
            if invoice.currency_id.is_zero(amount):
                continue
            text = None
            if self.credit_settlement == "refund":
                given_back = shared.take_limit(invoice, amount)
                by_hand = shared.take_by_hand(invoice, amount - given_back)
                if by_hand:
                    parts.append(self._plan_refunded_by_hand(invoice, by_hand))
                if given_back:
                    parts += self._plan_refunds(invoice, given_back, shared)
                amount -= given_back + by_hand
                text = self.env._("Kept as credit: more than was paid is not refunded")
            if not invoice.currency_id.is_zero(amount):
                parts.append(
                    SettlementPart(
                        "keep",
                        amount,
                        invoice.currency_id,
                        text or self._get_kept_text(invoice),
                        "done",
                        credited=invoice,
                    )
                )
        return parts

    # === OPEN INVOICES === #

    def _get_unpaid_invoices(self):
        """Return the open invoices of the subscriptions that end, by cancellation.

        A line that ends alone leaves its invoices to the subscription that goes on;
        those of another company are none of this one's business.
        """
        ending = self._filter_ending()
        # sudo: who cancels need not be allowed to read invoices.
        AccountMove = self.env["account.move"].sudo()
        invoices = AccountMove._search_unpaid(ending.subscription_id)
        return {
            cancellation: invoices.get(
                cancellation.subscription_id, AccountMove
            ).filtered(
                lambda move, cancellation=cancellation: (
                    cancellation.subscription_id._is_invoiced_by(move.company_id)
                )
            )
            if cancellation in ending
            else AccountMove
            for cancellation in self
        }

    def _filter_ending(self):
        """Return those of these with which a subscription ends, one for each.

        Several that are executed together may end it together: the last one counts.
        """
        ending = self.browse()
        for subscription, cancellations in self.grouped("subscription_id").items():
            lines = cancellations.line_ids.subscription_line_id
            whole = cancellations.filtered("is_whole")
            if whole or not subscription.sale_subscription_line_ids - lines:
                ending |= (whole or cancellations)[-1:]
        return ending

    def _ends_everything(self):
        """Return whether no line of the subscription goes on after this."""
        active = self.subscription_id.sale_subscription_line_ids
        return self.is_whole or not active - self.line_ids.subscription_line_id

    def _plan_unpaid(self, invoices, reduced, paid):
        """Return a part per open invoice: kept, collected, or written off.

        :param invoices: ``account.move``
        :param dict reduced: what credit memos take off their own invoices
        :param dict paid: what credits will pay, by invoice
        """
        parts = []
        for invoice in invoices:
            due = invoice.amount_residual - reduced.get(invoice, 0.0)
            due = invoice.currency_id.round(due - paid.get(invoice, 0.0))
            if due > 0:
                parts.append(self._plan_unpaid_invoice(invoice, due))
        return parts

    def _plan_unpaid_invoice(self, invoice, due):
        """Return the part about one open invoice."""
        if self.unpaid_invoices == "collect":
            return self._plan_collection(invoice, due)
        if self.unpaid_invoices == "write_off":
            return self._plan_write_off(invoice, due)
        text = self.env._("Invoice %s stays due", invoice.name)
        return SettlementPart(
            "keep", due, invoice.currency_id, text, "done", source=invoice
        )

    # === OUTPUT === #

    @api.model
    def _settlement_as_dicts(self, parts):
        """Return parts in their public form (contract)."""
        return [
            {
                "kind": part.kind,
                "state": part.state,
                "amount": part.currency.round(part.amount),
                "currency": part.currency.name,
                "document": (part.document and part.document.name) or False,
                "text": part.text,
            }
            for part in parts
        ]
