# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Records that are kept as proof: only this addon's own code writes them."""

from odoo import models

from ...engine import as_engine


class ProofMixin(models.AbstractModel):
    """What proves a cancellation, a pause, a step or an event, and its documents."""

    _name = "subscription.proof.mixin"
    _description = "Record Kept as Proof"

    def _as_engine(self):
        """Return these for the engine, which alone may write."""
        # sudo: nobody has write access. Rights are checked at the verbs; scheduled
        # actions have none to check.
        return as_engine(self)

    def _prepare_link(self):
        """Return what documents of this have to say whose they are. A hook."""
        return {}
