# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import (
    CREDIT_SETTLEMENTS,
    POLICY_OPTIONS,
    REFUND_MODES,
    TIMINGS,
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


#: Parts of the settlement that are about an invoice which is open.
OPEN_INVOICE_KINDS = ("keep", "collect", "write_off", "await_payment")


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
    all_lines = fields.Char(compute="_compute_all_lines", compute_sudo=False)
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
        string="Cancellation day is billed",
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
        string="Use credits for open invoices",
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
        string="Remaining Credit",
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
    timing_choices = fields.Json(
        compute="_compute_timing_choices",
        compute_sudo=False,
        help="When service would end with each timing, or why it cannot.",
    )
    more_options = fields.Char(
        compute="_compute_more_options",
        compute_sudo=False,
        help="The values of the options that are folded.",
    )
    reason_required = fields.Boolean(compute="_compute_policy_id")
    reason_id = fields.Many2one(comodel_name="sale.subscription.close.reason")
    comment = fields.Text()
    comment_required = fields.Boolean(related="reason_id.comment_required")
    # One plan fills all of these; stored, so that confirming compares what was shown.
    preview = fields.Html(
        compute="_compute_preview", store=True, compute_sudo=False, sanitize=False
    )
    figures = fields.Html(
        compute="_compute_preview", store=True, compute_sudo=False, sanitize=False
    )
    problem = fields.Char(
        compute="_compute_preview",
        store=True,
        compute_sudo=False,
        help="Why this cannot be confirmed.",
    )
    fingerprint = fields.Char(
        compute="_compute_preview", store=True, compute_sudo=False
    )
    needs_approval = fields.Boolean(
        compute="_compute_preview", store=True, compute_sudo=False
    )
    # What there is to settle: the dialog asks for nothing that does not matter.
    has_refundable_credit = fields.Boolean(
        string="Has Remaining Credit",
        compute="_compute_preview",
        store=True,
        compute_sudo=False,
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
    def _compute_all_lines(self):
        for wizard in self:
            lines = wizard.subscription_id.sale_subscription_line_ids
            wizard.all_lines = ", ".join(lines.mapped("name"))

    @api.depends("subscription_id")
    def _compute_from_policy(self):
        for wizard in self:
            # sudo: the policy decides also for users who may not read it.
            policy = wizard.policy_id.sudo()
            wizard.update(
                self.env["subscription.cancellation"]._get_default_options(
                    wizard.subscription_id, policy
                )
            )

    def _get_policy(self):
        self.subscription_id.check_access("read")
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        return Policy._for_subscription(self.subscription_id, "backend")

    @api.depends("subscription_id", "cancel_day_billed")
    def _compute_timing_choices(self):
        for wizard in self:
            # sudo: the policy decides also for users who may not read it.
            policy = wizard.policy_id.sudo()
            choices = self.env["subscription.cancellation"]._get_timing_choices(
                wizard.subscription_id, policy, wizard.cancel_day_billed
            )
            wizard.timing_choices = {
                "choices": choices,
                "fixed": not policy.allow_override_timing
                and self.env._(
                    "Set by the policy “%s”; a cancellation manager can change it.",
                    policy.name,
                ),
            }

    @api.depends(
        *POLICY_OPTIONS,
        "has_refundable_credit",
        "has_unpaid_invoices",
        "has_unbilled_charges",
        "has_credits_to_apply",
    )
    def _compute_more_options(self):
        cancellations = self.env["subscription.cancellation"]
        for wizard in self:
            wizard.more_options = " · ".join(
                self.env._(
                    "%(option)s: %(value)s",
                    option=self._fields[name]._description_string(self.env),
                    value=cancellations._get_option_text(name, wizard[name]),
                )
                for name in wizard._get_folded_options()
            )

    def _get_folded_options(self):
        """Return the names of the folded options that matter, as of now."""
        matters = {
            "cancel_day_billed": self.timing in ("immediate", "specific_date"),
            "credit_settlement": self.has_refundable_credit,
            "unpaid_invoices": self.has_unpaid_invoices,
            "unbilled_charges": self.has_unbilled_charges,
            "apply_credits": self.has_credits_to_apply,
            "send_confirmation": True,
        }
        return [name for name, is_asked in matters.items() if is_asked]

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
        """Return the preview, or the problem that stands in its way.

        A reason or a comment that is still to come leaves the figures as they are.
        """
        self.ensure_one()
        try:
            plan = self.subscription_id._plan_cancellation(
                self._get_options(),
                channel="backend",
                is_said=False,
                # sudo: the policy decides also for users who may not read it.
                policy=self.policy_id.sudo(),
            )
            parts = plan._preview_settlement()
            outlook = plan._get_outlook(parts)
        except UserError as error:
            nothing = dict.fromkeys(("preview", "fingerprint", *SETTLEMENT_SWITCHES))
            headings = self.env["subscription.cancellation"]._render_no_figures()
            figures = not isinstance(error, AccessError) and headings
            return {**nothing, "figures": figures, "problem": str(error)}
        return {
            "figures": plan._render_figures(outlook, parts),
            "preview": plan._render_preview(parts, outlook),
            "problem": plan._get_said_problem(),
            "fingerprint": plan._fingerprint(parts),
            "needs_approval": plan.state == "to_approve",
            **self._get_what_to_settle(plan, parts),
        }

    def _get_what_to_settle(self, plan, parts):
        """Return which options of the settlement matter for this plan, as of now."""
        return {
            "has_refundable_credit": plan.refundable > 0,
            "has_unpaid_invoices": any(
                part.source and part.kind in OPEN_INVOICE_KINDS for part in parts
            ),
            "has_unbilled_charges": plan._has_unbilled_charges(parts),
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
