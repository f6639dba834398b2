# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

TIMINGS = [
    ("immediate", "Immediately"),
    ("end_of_period", "At the end of the current period"),
    ("specific_date", "On a specific date"),
]
REFUND_MODES = [
    ("none", "No Refund"),
    ("prorated", "Issue Credit Memo (prorated)"),
    ("full", "Full Refund"),
]
#: Options of a cancellation that a policy has a default for.
POLICY_OPTIONS = ("timing", "refund_mode", "cancel_day_billed")


class SubscriptionCancellationPolicy(models.Model):
    """What a company does by default when a subscription is cancelled."""

    _name = "subscription.cancellation.policy"
    _description = "Subscription Cancellation Policy"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(
        required=True,
        translate=True,
        default=lambda self: self.env._("Default cancellation policy"),
    )
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    timing = fields.Selection(
        selection=TIMINGS,
        string="When",
        default="immediate",
        required=True,
        help="When service ends unless the person who cancels chooses otherwise.",
    )
    refund_mode = fields.Selection(
        selection=REFUND_MODES,
        default="prorated",
        required=True,
        help="What is credited of the periods that are already billed.",
    )
    cancel_day_billed = fields.Boolean(
        string="Cancellation Day Is Billed",
        default=True,
        help="On: the day of cancellation is still a served, billed day; service "
        "ends with it. Off: it is already the first day without service.",
    )
    post_credit_memos = fields.Boolean(
        default=True,
        help="Off: credit memos stay drafts until an accountant posts them; they "
        "are listed under Credit Memos to Review.",
    )

    @api.model
    def _for_subscription(self, subscription):
        """Return the policy that applies to ``subscription``.

        The one forced on the subscription, else the first of its company, else a
        virtual record with the built-in defaults; nothing is written.
        """
        if subscription.cancellation_policy_id:
            return subscription.cancellation_policy_id
        return self._for_company(subscription.company_id)

    @api.model
    def _for_company(self, company):
        """Return the first policy of ``company``, else the built-in default."""
        policy = self.search([("company_id", "=", company.id)], limit=1)
        return policy or self.new({"company_id": company.id})

    def _get_option_values(self):
        """Return the default of every option, by option name."""
        self.ensure_one()
        return {option: self[option] for option in POLICY_OPTIONS}
