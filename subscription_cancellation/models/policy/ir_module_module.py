# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def _load_module_terms(self, modules, langs, overwrite=False):
        """Name the default policies, too: they are made per company, not delivered."""
        result = super()._load_module_terms(modules, langs, overwrite=overwrite)
        if "subscription_cancellation" in modules:
            # sudo: whoever loads a language need not see every company.
            policies = self.env["subscription.cancellation.policy"].sudo()
            every = policies.with_context(active_test=False).search([])
            every._translate_default_names(langs)
        return result
