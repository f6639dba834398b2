# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

SOURCE_LANGUAGE = "en_US"


class SubscriptionCancellationPolicy(models.Model):
    """The policy that every company starts with."""

    _inherit = "subscription.cancellation.policy"

    @api.model
    def _create_default(self, companies):
        """Return a new policy for each company, named in every language there is."""
        # Whoever creates a company in German does not make German the source.
        policies = self.with_context(lang=SOURCE_LANGUAGE).create(
            [
                {
                    "name": self._get_default_name(SOURCE_LANGUAGE),
                    "company_id": company.id,
                    # Whatever is added comes before it.
                    "sequence": 1000,
                }
                for company in companies
            ]
        )
        languages = self.env["res.lang"].get_installed()
        policies._translate_default_names([code for code, _name in languages])
        return policies.with_env(self.env)

    @api.model
    def _get_default_name(self, lang):
        """Return the name in a language, in English where it is not translated."""
        return self.with_context(lang=lang).env._("Default cancellation policy")

    def _translate_default_names(self, langs):
        """Name default policies in languages in which they have no name yet.

        What somebody has called one stays, in every language.

        :param list langs: codes
        """
        source = self._get_default_name(SOURCE_LANGUAGE)
        field = self._fields["name"]
        for policy in self:
            stored = field._get_stored_translations(policy) or {}
            if stored.get(SOURCE_LANGUAGE) != source:
                continue
            missing = {lang: self._get_default_name(lang) for lang in langs}
            for lang in stored:
                missing.pop(lang, None)
            policy.update_field_translations("name", missing)
