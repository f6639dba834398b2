# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The scheduled actions of this addon are woken for what there is to do."""

import logging

from odoo import api, models

_logger = logging.getLogger(__name__)


class IrCron(models.Model):
    """Wake our own by name."""

    _inherit = "ir.cron"

    @api.model
    def _wake_own(self, name, at=None):
        """Wake one of ours, now or at given moments.

        Somebody may have deleted it: what is to be done waits for whoever brings it
        back with an upgrade, and nobody's request fails for it.

        :param str name: as of ``ir_cron_execute_due``: ``execute_due``
        :param at: one moment or several, in UTC
        """
        xmlid = f"subscription_cancellation.ir_cron_{name}"
        # sudo: whoever acts need not be allowed to read scheduled actions.
        cron = self.env.ref(xmlid, raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger(at)
        else:
            _logger.warning(
                "Scheduled action %s was deleted: upgrade the addon to have it back",
                xmlid,
            )
