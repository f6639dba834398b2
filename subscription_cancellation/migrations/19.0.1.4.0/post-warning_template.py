# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The warning about an unpaid invoice says how to pay it since 19.0.1.4.0."""

from odoo.api import SUPERUSER_ID, Environment
from odoo.tools.convert import convert_file

MODULE = "subscription_cancellation"
TEMPLATE = f"{MODULE}.mail_template_overdue_warning"


def migrate(cr, version):
    """Renew the template, unless somebody has changed it or made it go.

    It is not updated by itself, because users may write their own words.
    """
    env = Environment(cr, SUPERUSER_ID, {})
    template = env.ref(TEMPLATE, raise_if_not_found=False)
    if template and template.write_uid.id == SUPERUSER_ID:
        convert_file(env, MODULE, "data/mail_template_overdue.xml", {}, mode="init")
        # Scripts that come after this one work on the database.
        env.flush_all()
