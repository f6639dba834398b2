# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who works in a branch reads the policies of the company above it."""

from odoo import SUPERUSER_ID, api

#: Rules that said who reads, too; a new one beside each does so now.
RULES = (
    "subscription_cancellation_policy_rule_company",
    "subscription_cancellation_retention_rule_company",
)


def migrate(cr, version):
    """Leave reading to the new rules: these cannot be updated with the module."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in RULES:
        rule = env.ref(f"subscription_cancellation.{name}", raise_if_not_found=False)
        if rule:
            rule.perm_read = False
