# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

from .demo.loader import load_demo
from .uninstall import Handover, adopt_reasons

_logger = logging.getLogger(__name__)


def pre_init_hook(env):
    """Find what an earlier installation has left for this one."""
    adopt_reasons(env)


def post_init_hook(env):
    """Give every company a policy, and link the invoices that are already there."""
    env["res.company"].search([])._create_cancellation_policies()
    env["sale.subscription"]._give_missing_codes()
    stamped, left = env["account.move.line"]._stamp_existing_invoices()
    _logger.info(
        "Linked %s invoice lines to their subscription line and period; %s fit none "
        "(Subscriptions > Configuration > Invoice Lines Not Linked).",
        stamped,
        left,
    )
    load_demo(env)


def uninstall_hook(env):
    """End what is due, and leave nothing that upstream would bill by mistake."""
    Handover(env).run()
