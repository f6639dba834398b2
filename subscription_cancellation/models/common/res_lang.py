# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from ...formatting import say_dates_in_sentences


class ResLang(models.Model):
    """Say dates as they are said in a language, in sentences of this addon."""

    _inherit = "res.lang"

    def _register_hook(self):
        super()._register_hook()
        say_dates_in_sentences()
