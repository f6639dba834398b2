# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.subscription_cancellation_policy import (
    POLICY_OPTIONS,
    REFUND_MODES,
    TIMINGS,
)
from ..models.subscription_cancellation_policy_settlement import (
    CREDIT_SETTLEMENTS,
    UNBILLED_CHARGES,
    UNPAID_INVOICES,
)

#: What of the policy makes a field of the dialog read-only or required.
POLICY_SWITCHES = (
    *(f"allow_override_{option}" for option in POLICY_OPTIONS),
    "reason_required",
)
#: Whether there is something that an option of the settlement is about.
SETTLEMENT_SWITCHES = (
    "has_refundable_credit",
    "has_unpaid_invoices",
    "has_unbilled_charges",
    "has_credits_to_apply",
)


class SubscriptionCancellationWizard(models.TransientModel):
    """The Deactivate dialog: options, and a live preview of what they lead to."""

    _name = "subscription.cancellation.wizard"
    _description = "Deactivate Subscription"

    subscription_id = fields.Many2one(
        comodel_name="sale.subscription", required=True, readonly=True
    )
    scope = fields.Selection(
        selection=[
            ("whole", "The whole subscription"),
            ("lines", "Some of its lines"),
        ],
        string="What",
        required=True,
        default="whole",
    )
    line_ids = fields.Many2many(
        comodel_name="sale.subscription.line",
        string="Lines",
        domain="[('sale_subscription_id', '=', subscription_id)]",
        help="Add-ons of a line end together with it.",
    )
    timing = fields.Selection(
        selection=TIMINGS,
        string="When",
        required=True,
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    requested_date = fields.Date(
        string="Date", compute="_compute_requested_date", store=True, readonly=False
    )
    cancel_day_billed = fields.Boolean(
        string="Cancellation day is still served",
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    refund_mode = fields.Selection(
        selection=REFUND_MODES,
        required=True,
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    policy_id = fields.Many2one(
        comodel_name="subscription.cancellation.policy",
        compute="_compute_policy_id",
    )
    allow_override_timing = fields.Boolean(compute="_compute_policy_id")
    allow_override_cancel_day_billed = fields.Boolean(compute="_compute_policy_id")
    allow_override_refund_mode = fields.Boolean(compute="_compute_policy_id")
    unbilled_charges = fields.Selection(
        selection=UNBILLED_CHARGES,
        required=True,
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="Draft invoices, and elapsed days that no invoice covers.",
    )
    allow_override_unbilled_charges = fields.Boolean(compute="_compute_policy_id")
    apply_credits = fields.Boolean(
        string="Credits pay open invoices",
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="Credits and excess payments pay the customer's other open invoices "
        "first, the oldest due one first.",
    )
    allow_override_apply_credits = fields.Boolean(compute="_compute_policy_id")
    unpaid_invoices = fields.Selection(
        selection=UNPAID_INVOICES,
        required=True,
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    allow_override_unpaid_invoices = fields.Boolean(compute="_compute_policy_id")
    credit_settlement = fields.Selection(
        selection=CREDIT_SETTLEMENTS,
        string="Refundable Credit",
        required=True,
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="What becomes of the credit that exceeds what is due.",
    )
    allow_override_credit_settlement = fields.Boolean(compute="_compute_policy_id")
    send_confirmation = fields.Boolean(
        string="Send confirmation",
        compute="_compute_from_policy",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="The customer is told by e-mail when this is scheduled, moved, done or "
        "refused.",
    )
    allow_override_send_confirmation = fields.Boolean(compute="_compute_policy_id")
    reason_required = fields.Boolean(compute="_compute_policy_id")
    reason_id = fields.Many2one(comodel_name="sale.subscription.close.reason")
    comment = fields.Text()
    # One plan fills all three; stored, so that confirming compares what was shown.
    preview = fields.Html(
        compute="_compute_preview", store=True, compute_sudo=False, sanitize=False
    )
    problem = fields.Char(compute="_compute_preview", store=True, compute_sudo=False)
    fingerprint = fields.Char(
        compute="_compute_preview", store=True, compute_sudo=False
    )
    # What there is to settle: the dialog asks for nothing that does not matter.
    has_refundable_credit = fields.Boolean(
        compute="_compute_preview", store=True, compute_sudo=False
    )
    has_unpaid_invoices = fields.Boolean(
        compute="_compute_preview", store=True, compute_sudo=False
    )
    has_unbilled_charges = fields.Boolean(
        compute="_compute_preview", store=True, compute_sudo=False
    )
    has_credits_to_apply = fields.Boolean(
        compute="_compute_preview", store=True, compute_sudo=False
    )

    # === COMPUTE METHODS === #

    @api.depends("subscription_id")
    def _compute_policy_id(self):
        for wizard in self:
            policy = wizard._get_policy()
            wizard.policy_id = policy
            for name in POLICY_SWITCHES:
                wizard[name] = policy[name]

    @api.depends("subscription_id")
    def _compute_from_policy(self):
        for wizard in self:
            wizard.update(
                self.env["subscription.cancellation"]._get_default_options(
                    wizard.subscription_id, wizard._get_policy()
                )
            )

    def _get_policy(self):
        self.subscription_id.check_access("read")
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        return Policy._for_subscription(self.subscription_id, "backend")

    @api.depends("timing")
    def _compute_requested_date(self):
        for wizard in self:
            if wizard.timing != "specific_date":
                wizard.requested_date = False

    @api.depends(
        "scope",
        "line_ids",
        "requested_date",
        "reason_id",
        "comment",
        *POLICY_OPTIONS,
    )
    def _compute_preview(self):
        for wizard in self:
            wizard.update(wizard._get_preview())

    def _get_preview(self):
        """Return the preview, or the problem that stands in its way."""
        self.ensure_one()
        try:
            plan = self.subscription_id._plan_cancellation(
                self._get_options(), channel="backend"
            )
            parts = plan._preview_settlement()
        except UserError as error:
            nothing = dict.fromkeys(("preview", "fingerprint", *SETTLEMENT_SWITCHES))
            return {**nothing, "problem": str(error)}
        return {
            "preview": plan._render_preview(parts),
            "problem": False,
            "fingerprint": plan._fingerprint(parts),
            **self._get_what_to_settle(plan),
        }

    def _get_what_to_settle(self, plan):
        """Return which options of the settlement matter for this plan, as of now."""
        drafts = plan._get_unbilled_drafts()[plan]
        parts = plan._map_unbilled_parts()[plan]
        unbilled = drafts or parts.due or parts.given_back
        return {
            "has_refundable_credit": plan.refundable > 0,
            "has_unpaid_invoices": bool(plan._get_unpaid_invoices()[plan]),
            "has_unbilled_charges": bool(unbilled),
            "has_credits_to_apply": plan._has_credits_to_apply(),
        }

    def _get_options(self):
        """Return the options of the contract that the dialog's fields stand for."""
        self.ensure_one()
        options = {name: self[name] for name in POLICY_OPTIONS}
        options["reason_id"] = self.reason_id.id
        for name in ("requested_date", "comment"):
            if self[name]:
                options[name] = self[name]
        if self.scope == "lines":
            options["line_ids"] = self.line_ids._origin.ids
        return options

    # === ACTIONS === #

    def action_confirm(self):
        """Cancel as previewed; refuse where the figures changed in the meantime."""
        self.ensure_one()
        self.subscription_id._request_cancellation(
            self._get_options(), channel="backend", fingerprint=self.fingerprint or None
        )
        return {"type": "ir.actions.act_window_close"}
