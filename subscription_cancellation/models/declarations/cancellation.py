# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A cancellation that was declared on the public page, and may be objected to."""

from odoo import fields, models


class SubscriptionCancellation(models.Model):
    """Come from a declaration on the public page."""

    _inherit = "subscription.cancellation"

    declaration_id = fields.Many2one(
        comodel_name="subscription.cancellation.declaration",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="What was declared on the public cancellation page.",
    )

    def _is_declared(self):
        """Return whether the customer has a right to this: nobody has to accept it.

        What is entered in the back office, or ignores the terms, is a request.
        """
        self.ensure_one()
        return bool(self.declaration_id) or (
            self.channel == "portal" and not self.is_extraordinary
        )

    def _get_objection_url(self):
        """Return the address to object to this, ``False`` where there is none.

        For mails to the customer: only who reads them knows the address, which has a
        stand-in everywhere else.
        """
        if not (self.declaration_id and self.is_open):
            return False
        return self.declaration_id._get_objection_url()
