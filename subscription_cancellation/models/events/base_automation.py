# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class BaseAutomation(models.Model):
    """Run rules on cancellation events when those are published, not before."""

    _inherit = "base.automation"

    def _get_actions(self, records, triggers):
        """Leave the rules on events to ``_cron_publish``.

        Odoo would run them in the transaction that cancels, which a rule that fails
        would then roll back.
        """
        if records._name == "subscription.cancellation.event":
            return self.browse()
        return super()._get_actions(records, triggers)
