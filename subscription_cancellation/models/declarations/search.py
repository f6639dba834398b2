# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which subscriptions a number may mean, and which addresses are on file for them."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...arithmetic.likeness import (
    get_ascii_key,
    get_key,
    get_keys,
    get_tail,
    split_addresses,
)

#: What customers were sent.
SENT = ("out_invoice", "out_refund")


class SubscriptionCancellationDeclaration(models.Model):
    """Look for what was declared by the numbers and addresses that customers know."""

    _inherit = "subscription.cancellation.declaration"

    # === NUMBERS === #

    def _find_subscriptions(self):
        """Return the company's subscriptions that the number may mean. A hook.

        By their own number, or that of one of their orders or invoices; those of the
        company's branches, too, which are the same addressee.
        """
        known = self._map_subscriptions()
        for key in get_keys(self.contract_reference):
            if key in known:
                return known[key]
        return self.env["sale.subscription"]

    def _map_subscriptions(self):
        """Return the subscriptions by each key of the number that was given."""
        found = {}
        for record, names, subscriptions in self._search_numbered():
            own = subscriptions.filtered(self._is_addressee)
            for key in {get_key(record[name]) for name in names} if own else ():
                found[key] = found.get(key, own.browse()) | own
        return found

    def _search_numbered(self):
        """Yield documents that may have the number: with their names, and of whom."""
        for subscription in self._search_by_number("sale.subscription", "name", "code"):
            yield subscription, ("name", "code"), subscription
        for order in self._search_by_number("sale.order", "name"):
            own = order.subscription_ids | order.order_subscription_id
            yield order, ("name",), own
        sent = Domain("move_type", "in", SENT) & Domain("state", "=", "posted")
        for invoice in self._search_by_number("account.move", "name", domain=sent):
            lines = invoice.invoice_line_ids
            billed = [line._get_billed_subscriptions() for line in lines]
            own = invoice._get_subscriptions().union(*billed)
            yield invoice, ("name",), own

    def _is_addressee(self, subscription):
        """Return whether a subscription is of the company, or of a branch of it."""
        return subscription.active and (
            self.company_id in subscription.company_id.parent_ids
        )

    def _search_by_number(self, model, *names, domain=Domain.TRUE):
        """Return the records with a name that is the number, but for marks and case.

        :param str model: name of a model with companies
        :param names: of its fields
        :param Domain domain: which of them count
        """
        text = self.contract_reference
        keys = list({get_ascii_key(key) for key in get_keys(text)})
        if not keys:
            return self.env[model]
        domain &= Domain("company_id", "child_of", self.company_id.id)
        if model != "sale.subscription":
            # What there are millions of has an index of what its names contain.
            domain &= Domain("name", "ilike", get_tail(text))
        return self.env[model].search(
            domain & Domain.OR(self._get_key_domain(name, keys) for name in names)
        )

    @api.model
    def _get_key_domain(self, name, keys):
        """Return the domain of the records whose name has one of these keys.

        :param list keys: as of ``get_ascii_key``
        """

        def get_condition(model, alias, query):
            return SQL(
                """lower(
                    regexp_replace(normalize(%s, NFKC), '[^A-Za-z0-9]+', '', 'g')
                    COLLATE "C"
                ) = ANY(%s)""",
                model._field_to_sql(alias, name, query),
                keys,
            )

        return Domain.custom(to_sql=get_condition)

    # === ADDRESSES === #

    @api.model
    def _get_emails(self, subscription):
        """Return the addresses on file, the customer's own one first. A hook."""
        customer = subscription.partner_id
        partners = (
            self._get_partner_with_email(customer)
            | customer.commercial_partner_id
            | self._get_partner_with_email(subscription.partner_invoice_id)
        )
        fields_of_all = partners.mapped("email")
        return [email for field in fields_of_all for email in split_addresses(field)]

    @api.model
    def _get_partner_with_email(self, partner):
        """Return a contact, or the first above it that has an e-mail address."""
        while partner.parent_id and not split_addresses(partner.email):
            partner = partner.parent_id
        return partner
