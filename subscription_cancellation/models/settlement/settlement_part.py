# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""One part of a settlement, as planned or as done."""

from typing import Any, NamedTuple

from odoo import models


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
    #: The draft that it will be made from
    draft: Any = None
    #: First of the days that it is about
    first_day: Any = None
    #: ``payment.transaction`` to refund
    transaction: Any = None
    #: ``payment.token`` to charge
    token: Any = None
    #: ``account.payment`` that has done it already
    payment: Any = None
    #: ``sale.order`` whose payments it is about
    order: Any = None
    #: What credits of invoices to come pay of it: tuples of their day, and amount
    expected: tuple = ()
    #: What credits and payments of orders pay of what is invoiced now
    paid: float = 0.0

    @property
    def method_id(self):
        """The id of the transaction or payment method that the money goes through."""
        method = self.transaction or self.token
        return bool(method) and method.id

    @property
    def document(self):
        """The document to name."""
        return self.move or self.source or self.credited or self.paid_order

    @property
    def paid_order(self):
        """The order of which payments are given back or kept."""
        return self.kind != "unbilled" and self.order

    @property
    def is_left_to_order(self):
        """Whether an order is still to invoice served days, less its down payment."""
        orders = self.kind == "unbilled" and self.state == "skipped" and self.order
        return bool(orders) and bool(self.draft or orders._has_open_down_payments())

    @property
    def is_left_out(self):
        """Whether served days are not invoiced, which a warning says."""
        is_skipped = self.kind == "unbilled" and self.state == "skipped"
        return is_skipped and (self.is_left_to_order or not self.draft)

    def get_unpaid(self, pays):
        """Return what nothing pays yet of what is invoiced now.

        :param dict pays: what payments of orders will pay, by part
        """
        if self.move:
            return self.move.amount_residual
        return self.amount - pays.get(self, 0.0)
