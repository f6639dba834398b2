# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models
from odoo.fields import Domain


class PaymentToken(models.Model):
    """Name a saved payment method, and know what it can pay."""

    _inherit = "payment.token"

    def _get_method_name(self):
        """Return how the customer knows this payment method: Visa •••• 4242."""
        self.ensure_one()
        method = self.payment_method_id.name
        return " ".join(filter(None, [method, self.display_name]))

    def _supports_currency(self, currency):
        """Return whether the provider takes payments in a currency."""
        self.ensure_one()
        known = self.provider_id.available_currency_ids
        return not known or currency in known

    @api.model
    def _find_saved(self, partner, company, currency, subscriptions):
        """Return the saved payment method to charge a customer with, or none.

        The one that last paid for these subscriptions, else the newest one. Those of
        providers that only reserve the amount are left out, as Odoo's own payments do.
        """
        partners = partner | partner.commercial_partner_id
        found = self.search(
            Domain(self._check_company_domain(company))
            & Domain("partner_id", "in", partners.ids)
            & Domain("provider_id.state", "in", ("enabled", "test"))
            & Domain("provider_id.capture_manually", "=", False),
            order="id desc",
        ).filtered(lambda token: token._supports_currency(currency))
        if not found:
            return found
        payments = subscriptions._get_invoices().reconciled_payment_ids
        used = payments.payment_transaction_id.sorted("id")[-1:]
        return (found & used.token_id) or found[:1]
