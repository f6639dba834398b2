# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The confirmation tells of the money since 19.0.1.2.0."""

from odoo.api import SUPERUSER_ID, Environment
from odoo.tools.convert import convert_file
from odoo.tools.parse_version import parse_version

MODULE = "subscription_cancellation"
TEMPLATE = f"{MODULE}.mail_template_cancellation_done"


def migrate(cr, version):
    """Renew the template, unless somebody has changed it or made it go.

    It is not updated by itself, because users may write their own words.
    """
    if parse_version(version) >= parse_version("19.0.1.2.0"):
        return
    env = Environment(cr, SUPERUSER_ID, {})
    template = env.ref(TEMPLATE, raise_if_not_found=False)
    if template and template.write_uid.id == SUPERUSER_ID:
        convert_file(env, MODULE, "data/mail_template.xml", {}, mode="init")
        # Scripts that come after this one work on the database.
        env.flush_all()
