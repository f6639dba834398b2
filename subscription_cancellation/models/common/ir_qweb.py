# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from ...formatting import refine_dates

MODULE = "subscription_cancellation."
#: Whose mails customers get.
MODELS = (
    "account.move",
    "sale.subscription",
    "subscription.cancellation",
    "subscription.cancellation.declaration",
)


class IrQweb(models.AbstractModel):
    """Write dates in pages, mails and documents of this addon as they are said.

    Here, because the article is in the words around a date, whoever translates them.
    """

    _inherit = "ir.qweb"

    def _render(self, template, values=None, **options):
        rendered = super()._render(template, values, **options)
        if rendered and _is_own(template, values or {}):
            return refine_dates(rendered, self.env.lang)
        return rendered


def _is_own(template, values):
    """Return whether this is a page or document of this addon, or a mail about it."""
    if isinstance(template, str):
        return template.startswith(MODULE)
    return getattr(values.get("object"), "_name", None) in MODELS
