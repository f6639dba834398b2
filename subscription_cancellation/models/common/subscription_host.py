# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What floors below the subscriptions ask them: they answer by these names.

Whatever else is to be cancelled one day implements the same names.
"""

from odoo import models


class SaleSubscription(models.Model):
    """Be billed to a customer, in a currency, by lines."""

    _inherit = "sale.subscription"

    def _today(self):
        """Return the customer's date of today. A hook."""
        raise NotImplementedError

    def _is_customer(self, move):
        """Return whether a document is for the customer of one of these. A hook."""
        raise NotImplementedError

    def _get_all_lines(self):
        """Return the lines of these, deactivated ones included. A hook."""
        raise NotImplementedError

    def _get_invoice_currency(self):
        """Return the currency that the next invoice will be in. A hook."""
        raise NotImplementedError


class SaleSubscriptionLine(models.Model):
    """Be sold at a price."""

    _inherit = "sale.subscription.line"

    def _is_rebate(self):
        """Return whether this reduces what others cost. A hook."""
        raise NotImplementedError
