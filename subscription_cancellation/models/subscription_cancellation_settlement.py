# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What becomes of the money, planned: one part for each step that will be taken."""

from typing import Any, NamedTuple

from odoo import api, fields, models

from ..proration import from_units, to_units
from ..settlement import OpenItem, match
from .subscription_cancellation_policy_settlement import (
    CREDIT_SETTLEMENTS,
    UNBILLED_CHARGES,
    UNPAID_INVOICES,
)

#: What a step does, in the order in which steps are taken.
KINDS = [
    ("unbilled", "Unbilled charges"),
    ("reduce", "Reduce invoice"),
    ("apply_credits", "Apply credits"),
    ("collect", "Collect"),
    ("write_off", "Write off"),
    ("refund", "Refund"),
    ("keep", "Keep"),
    ("confirm", "Confirmation"),
]
ORDER = {kind: number for number, (kind, _label) in enumerate(KINDS)}


class SettlementPart(NamedTuple):
    """One step: what is done with which amount, in words too."""

    kind: str
    amount: float
    currency: models.BaseModel
    text: str
    state: str = "pending"
    #: The invoice whose credit memo it is about
    credited: Any = None
    #: The document it acts on, and the one that comes out of it, where there is one.
    source: Any = None
    move: Any = None
    #: First of the days that it is about
    first_day: Any = None
    #: ``payment.transaction`` to refund
    transaction: Any = None
    #: ``payment.token`` to charge
    token: Any = None

    @property
    def method_id(self):
        """The id of the transaction or payment method that the money goes through."""
        method = self.transaction or self.token
        return bool(method) and method.id

    @property
    def document(self):
        """The document to name."""
        return self.move or self.source or self.credited


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
        string="Refundable Credit Is",
        default="keep",
        required=True,
        readonly=True,
    )
    apply_credits = fields.Boolean(string="Credits Pay Open Invoices", readonly=True)
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
        unbilled = {self: []}
        if self._is_due_on_request():
            drafts = self._get_unbilled_drafts()
            unbilled = {self: self._plan_unbilled(drafts[self])}
        planned = self._plan_settlements(unbilled)[self]
        parts = [*planned, *self._plan_confirmation()]
        return sorted(parts, key=lambda part: ORDER[part.kind])

    def _plan_settlements(self, unbilled):
        """Return what becomes of the credits and of open invoices, before they exist.

        :param dict unbilled: by cancellation, the parts about unbilled charges, as
            planned or as done
        :return: dict of lists of :class:`SettlementPart`, by cancellation
        """
        unpaid = self._get_unpaid_invoices()
        made = self.env["account.move"].union(
            *(part.move for parts in unbilled.values() for part in parts if part.move)
        )
        return {
            cancellation: cancellation._plan_settlement(
                unpaid[cancellation] - made, unbilled[cancellation]
            )
            for cancellation in self
        }

    def _plan_settlement(self, unpaid, unbilled):
        """Return the parts of one cancellation in the order they are taken in.

        :param unpaid: ``account.move``, open invoices of what ends
        :param list unbilled: the parts about unbilled charges
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
        to_reduce = self._get_reductions_to_come()
        invoiced = [part for part in unbilled if part.state == "done"]
        paid = self._match_credits(refundable, to_reduce, invoiced)
        return [
            *unbilled,
            *self._plan_reductions(reduced),
            *self._plan_application(paid),
            *self._plan_collections(invoiced, paid),
            *self._plan_unpaid(unpaid, to_reduce, paid),
            *self._plan_refundable(refundable),
        ]

    def _get_reductions_to_come(self):
        """Return by invoice what is still to be taken off what is due on it.

        Credit memos of advance invoices have done so already.
        """
        rows = self.sudo().line_ids.filtered(lambda row: not row.is_advance)
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

    def _plan_refundable(self, refundable):
        """Return the parts about what is left of the credits: kept or refunded."""
        parts = []
        for invoice, amount in refundable.items():
            if invoice.currency_id.is_zero(amount):
                continue
            text = self.env._("Kept as credit on the customer's account")
            if self.credit_settlement == "refund":
                limit = max(self._get_refundable_limit(invoice), 0.0)
                if limit:
                    parts += self._plan_refunds(invoice, min(amount, limit))
                amount -= min(amount, limit)
                text = self.env._("Kept as credit: more than was paid is not refunded")
            if not invoice.currency_id.is_zero(amount):
                parts.append(
                    SettlementPart(
                        "keep",
                        amount,
                        invoice.currency_id,
                        text,
                        "done",
                        credited=invoice,
                    )
                )
        return parts

    def _get_refundable_limit(self, invoice):
        """Return what may be given back of an invoice once it is credited.

        What was received for it and not given back, less what stays billed. A discount
        or a write-off is no money that was received.
        """
        rows = self.sudo().line_ids.filtered(
            lambda row: row.origin_move_id == invoice and not row.is_advance
        )
        credit_memos = invoice._search_credit_memos()
        credited = sum(credit_memos.mapped("amount_total"))
        credited += sum(rows.mapped("credit_total"))
        received = invoice._get_amount_received()
        received -= credit_memos._get_amount_given_back()
        stays_billed = invoice.amount_total - credited
        return invoice.currency_id.round(received - stays_billed)

    # === CREDITS THAT PAY OPEN INVOICES === #

    def _match_credits(self, refundable, reduced, invoiced):
        """Return what credits will pay by open invoice; reduce ``refundable``.

        The oldest due date comes first, what is only invoiced now comes last.

        :param dict refundable: amounts by credited invoice, reduced by what is used
        :param dict reduced: what credit memos take off their own invoices
        :param list invoiced: parts about charges that are invoiced now
        :return: dict of amounts by ``account.move`` or :class:`SettlementPart`
        """
        if not self.apply_credits:
            return {}
        own = [
            self._as_open_item(invoice, amount, self._get_receivable(invoice))
            for invoice, amount in refundable.items()
        ]
        debits = [*self._get_debits(reduced, invoiced), *map(self._as_debit, invoiced)]
        paid = {}
        for matched in match([*own, *self._get_other_credits()], debits):
            amount = from_units(matched.units, matched.debit.currency.rounding)
            if matched.credit.document in refundable:
                refundable[matched.credit.document] -= amount
            document = matched.debit.document
            paid[document] = paid.get(document, 0.0) + amount
        return paid

    def _get_debits(self, reduced, invoiced):
        """Return the open items that credits can pay, but what is invoiced now."""
        made = [part.move for part in invoiced]
        items = [
            self._as_open_item(
                line, -self._get_reduction(line, reduced), line.account_id
            )
            for line in self._get_open_debits()
            if line.move_id not in made
        ]
        return [item._replace(document=item.document.move_id) for item in items]

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
        own = self.credit_note_ids
        return [
            self._as_open_item(line, 0.0, line.account_id)
            for line in lines
            if line.move_id not in own and not line.move_id._get_refunds_on_way()
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

    # === OPEN INVOICES === #

    def _get_unpaid_invoices(self):
        """Return the open invoices of the subscriptions that end, by cancellation.

        A line that ends alone leaves its invoices to the subscription that goes on.
        """
        ending = self._filter_ending()
        # sudo: who cancels need not be allowed to read invoices.
        AccountMove = self.env["account.move"].sudo()
        invoices = AccountMove._search_unpaid(ending.subscription_id)
        return {
            cancellation: invoices.get(cancellation.subscription_id, AccountMove)
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
