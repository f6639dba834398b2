# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import SUPERUSER_ID, api

from odoo.addons.subscription_cancellation.obsolete import mark_obsolete


def migrate(cr, version):
    """Let the analysis tell customers who stayed from those who left otherwise."""
    mark_obsolete(api.Environment(cr, SUPERUSER_ID, {}))
