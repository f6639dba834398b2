# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...callers import quote
from ...const import REASON_COMMENT_LENGTH

#: Upstream's reasons, by the names of this addon: it does not translate its own.
UPSTREAM_REASONS = {
    "close_reason_too_expensive": "close_reason_expensive",
    "close_reason_not_used": "close_reason_use",
    "close_reason_requirements": "close_reason_requirement",
    "close_reason_other": "close_reason_other",
    "close_reason_end_of_term": "close_reason_ended",
}


class SaleSubscriptionCloseReason(models.Model):
    _inherit = "sale.subscription.close.reason"
    _order = "sequence, name, id"

    name = fields.Char(translate=True)
    code = fields.Char(
        copy=False,
        help="Stable name for the API and for other software, e.g. too_expensive.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    comment_required = fields.Boolean(
        help="Whoever chooses this reason says more, in up to 200 characters."
    )
    portal_visible = fields.Boolean(
        string="Visible to Customers",
        default=True,
        help="Customers may choose this reason in the portal.",
    )

    _code_uniq = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL",
        "Two cancellation reasons cannot have the same code.",
    )

    # === WHAT UPSTREAM DELIVERS === #

    @api.model
    def _adopt_upstream(self):
        """Give upstream's reasons a second external id, which is of this addon.

        They stay the records they are, so that nothing is there twice and what was
        given stays given. Odoo translates them from our files then, also into a
        language that comes later. Where somebody has deleted one, or it has our id
        already, nothing is done.
        """
        external_ids = self.env["ir.model.data"]
        for own, name in UPSTREAM_REASONS.items():
            reason = self.env.ref(f"subscription_oca.{name}", False)
            own = f"subscription_cancellation.{own}"
            if reason and not self.env.ref(own, False):
                external_ids._update_xmlids(
                    [{"xml_id": own, "record": reason, "noupdate": True}]
                )
        self._protect_upstream(True)

    @api.model
    def _protect_upstream(self, protected):
        """Say whether upgrades of upstream leave the names of its reasons alone.

        :param bool protected: they are named here; what it loads would be English
        """
        self.env["ir.model.data"].search(
            [
                ("module", "=", "subscription_oca"),
                ("name", "in", [*UPSTREAM_REASONS.values()]),
            ]
        ).noupdate = protected

    # === CHOOSING === #

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        # “Other” is not “Switching to another service”: what begins like it is first.
        found = super().name_search(name, domain, operator, limit)
        start = (name or "").casefold()
        return sorted(
            found, key=lambda pair: not (pair[1] or "").casefold().startswith(start)
        )

    @api.model
    def _from_code(self, code):
        """Return the active reason with this code.

        :param str code: e.g. ``"too_expensive"``
        :raise UserError: no such reason
        """
        reason = self.search([("code", "=", code)], limit=1)
        if not reason:
            raise UserError(
                self.env._(
                    "There is no cancellation reason with the code “%(code)s”. "
                    "Known codes: %(codes)s.",
                    code=quote(code),
                    codes=", ".join(
                        self.search([("code", "!=", False)]).mapped("code")
                    ),
                )
            )
        return reason

    def _describe_needed_comment(self):
        """Return in a sentence with which reasons a comment is needed."""
        return self.env._(
            "Needed with the reason %(reasons)s, in up to %(limit)s characters.",
            reasons=", ".join(self.env._("“%s”", reason.name) for reason in self),
            limit=REASON_COMMENT_LENGTH,
        )

    def _check_can_choose(self, channel, comment):
        """Raise where this reason cannot be given like this.

        :param str channel: the door of the cancellation
        :param str comment: what was said besides
        """
        problem = self._get_cannot_choose_reason(channel, comment)
        if problem:
            raise UserError(problem)

    def _get_cannot_choose_reason(self, channel, comment):
        """Return why this reason cannot be given like this, or ``None``.

        :param str channel: the door of the cancellation
        :param str comment: what was said besides
        """
        if channel == "portal" and self and not self.portal_visible:
            return self.env._(
                "“%s” is not a reason that customers can choose.", self.name
            )
        if not self.comment_required:
            return None
        if not (comment or "").strip():
            return self.env._(
                "Say more about the reason “%s” in the comment.", self.name
            )
        if len(comment) > REASON_COMMENT_LENGTH:
            return self.env._(
                "The comment to the reason “%(reason)s” may have up to %(limit)s "
                "characters; this one has %(length)s.",
                reason=self.name,
                limit=REASON_COMMENT_LENGTH,
                length=len(comment),
            )
        return None

    # === PROOF === #

    @api.model
    def _keep_names(self, cancellations):
        """Store in cancellations what their reasons are called now.

        In every language, by SQL: the ORM copies translations one by one.

        :param cancellations: ``subscription.cancellation``
        """
        cancellations.flush_model(["reason_id", "reason_name"])
        self.flush_model(["name"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE subscription_cancellation cancellation
                   SET reason_name = reason.name
                  FROM sale_subscription_close_reason reason
                 WHERE reason.id = cancellation.reason_id
                   AND cancellation.id IN %s
                """,
                cancellations._ids,
            )
        )
        cancellations.invalidate_recordset(["reason_name"], flush=False)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        # sudo: a reason is used also where its user may not look.
        cancellations = self.env["subscription.cancellation"].sudo()
        subscriptions = self.env["sale.subscription"].sudo()
        used = (
            cancellations.search([("reason_id", "in", self.ids)], limit=1).reason_id
            or subscriptions.search(
                [("close_reason_id", "in", self.ids)], limit=1
            ).close_reason_id
        )
        if used:
            raise UserError(
                self.env._(
                    "The reason “%s” was given for a cancellation and cannot be "
                    "deleted. Archive it instead.",
                    used.name,
                )
            )
