# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    """What the company does by default, and where that is configured."""

    _inherit = "res.config.settings"

    cancellation_policy_name = fields.Char(
        string="Default Policy", compute="_compute_cancellation_policy"
    )
    cancellation_policy_example = fields.Char(
        string="Example", compute="_compute_cancellation_policy"
    )
    cancellation_write_off_account_id = fields.Many2one(
        related="company_id.cancellation_write_off_account_id", readonly=False
    )
    cancellation_write_off_journal_id = fields.Many2one(
        related="company_id.cancellation_write_off_journal_id", readonly=False
    )

    cancellation_page_enabled = fields.Boolean(
        related="company_id.cancellation_page_enabled", readonly=False
    )
    cancellation_page_url = fields.Char(related="company_id.cancellation_page_url")
    cancellation_page_links = fields.Char(
        string="Linked From", related="company_id.cancellation_page_links"
    )

    @api.depends("company_id")
    def _compute_cancellation_policy(self):
        for settings in self:
            policy = settings._get_default_cancellation_policy()
            settings.cancellation_policy_name = policy.name
            settings.cancellation_policy_example = policy.example

    def _get_default_cancellation_policy(self):
        """Return the policy for a back-office cancellation that meets no condition.

        :return: ``subscription.cancellation.policy``; a virtual one with the built-in
            defaults where the company has none
        """
        self.ensure_one()
        # sudo: whoever may open the settings need not be a cancellation user.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        policies = Policy._search_channel(self.company_id, "backend")
        unconditional = policies.filtered(
            lambda policy: (policy.subscription_domain or "").strip() in ("", "[]")
        )
        return unconditional[:1] or Policy._get_built_in(self.company_id)
