# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import api, fields, models

from ...const import CHANNELS_OF_PEOPLE, REFUND_MODES
from ...formatting import format_day
from ..common.actions import show_records


class SaleSubscription(models.Model):
    _name = "sale.subscription"
    _inherit = ["subscription.tracking.mixin", "sale.subscription"]
    _check_company_auto = True

    # Upstream has no index on what it looks its records up by.
    template_id = fields.Many2one(index=True)
    sale_order_id = fields.Many2one(index="btree_not_null")
    # A copy is a draft: as "in progress" without a date it would stop upstream's
    # scheduled action for everybody.
    in_progress = fields.Boolean(copy=False)
    close_reason_id = fields.Many2one(copy=False)

    refund_mode = fields.Selection(
        selection=REFUND_MODES,
        compute="_compute_refund_mode",
        inverse="_inverse_refund_mode",
        help="What is credited of the billed periods when this subscription is "
        "cancelled. Comes from the cancellation policy until it is changed here.",
    )
    refund_mode_override = fields.Selection(
        selection=REFUND_MODES,
        string="Refund Mode of This Subscription",
        copy=False,
        help="Set where the refund mode differs from the policy's.",
    )
    cancellation_policy_id = fields.Many2one(
        comodel_name="subscription.cancellation.policy",
        check_company=True,
        copy=False,
        ondelete="restrict",
        help="Forces a policy; empty: the template's, else the first one of the "
        "company that matches.",
    )
    applied_policy = fields.Char(
        compute="_compute_applied_policy",
        help="The policy for a cancellation in the back office.",
    )
    applied_policy_reason = fields.Char(
        compute="_compute_applied_policy",
        help="Why that policy applies, and which one applies to customers.",
    )
    cancellation_ids = fields.One2many(
        comodel_name="subscription.cancellation",
        inverse_name="subscription_id",
        string="Cancellations",
    )
    cancellation_count = fields.Integer(compute="_compute_cancellation_counts")
    credit_note_count = fields.Integer(
        string="Credit Memos", compute="_compute_cancellation_counts"
    )
    cancellation_state = fields.Selection(
        selection=[
            ("active", "Active"),
            ("trial", "Trial"),
            ("non_renewing", "Non-renewing"),
            ("cancelled", "Cancelled"),
        ],
        string="Status",
        compute="_compute_cancellation_state",
        store=True,
        index=True,
        copy=False,
    )
    cancellation_date = fields.Date(
        compute="_compute_cancellation_state",
        store=True,
        copy=False,
        help="First day without service.",
    )
    last_service_date = fields.Date(
        string="Ends On",
        compute="_compute_last_service_date",
        help="The last day of service.",
    )
    # Whoever works with archived records, too, must not bill or end these anew.
    sale_subscription_line_ids = fields.One2many(context={"active_test": True})
    archived_line_ids = fields.One2many(
        comodel_name="sale.subscription.line",
        inverse_name="sale_subscription_id",
        string="Deactivated Lines",
        domain=[("active", "=", False)],
        context={"active_test": False},
        copy=False,
    )
    pending_cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation",
        compute="_compute_pending_cancellation_id",
        help="A cancellation that waits for approval.",
    )
    ending_lines_note = fields.Char(compute="_compute_ending_lines_note")
    cannot_cancel_reason = fields.Char(compute="_compute_cannot_cancel_reason")
    # Buttons that would be refused are not offered.
    can_revoke_cancellation = fields.Boolean(compute="_compute_can_change_end")
    can_postpone_cancellation = fields.Boolean(compute="_compute_can_change_end")
    cannot_change_end_reason = fields.Char(
        compute="_compute_can_change_end",
        help="Whose cancellation it is, where only they or a manager can change it.",
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "partner_id", "template_id")
    def _compute_display_name(self):
        unnamed = self.filtered(lambda subscription: not subscription.name)
        for subscription in unnamed:
            # Upstream's sequence belongs to one company; the others' have no name.
            parts = (subscription.partner_id.name, subscription.template_id.name)
            subscription.display_name = " – ".join(filter(None, parts))
        return super(SaleSubscription, self - unnamed)._compute_display_name()

    @api.depends(
        "company_id", "template_id", "cancellation_policy_id", "refund_mode_override"
    )
    def _compute_refund_mode(self):
        policies = self._map_policies()
        for subscription in self:
            subscription.refund_mode = (
                subscription.refund_mode_override or policies[subscription].refund_mode
            )

    def _inverse_refund_mode(self):
        """Keep a choice that differs from the policy; forget one that does not."""
        policies = self._map_policies()
        for subscription in self:
            mode = subscription.refund_mode
            default = policies[subscription].refund_mode
            subscription.refund_mode_override = mode if mode != default else False

    @api.depends("company_id", "template_id", "cancellation_policy_id")
    def _compute_applied_policy(self):
        policies = self._map_policies()
        for_customers = self._map_policies("portal")
        for subscription in self:
            policy = policies[subscription]
            reason = subscription._get_policy_reason(policy)
            portal_policy = for_customers[subscription]
            if policy.id and portal_policy != policy:
                reason = self.env._(
                    "%(reason)s; for customers: %(policy)s",
                    reason=reason,
                    policy=portal_policy.name,
                )
            subscription.applied_policy = policy.name
            subscription.applied_policy_reason = reason

    @api.depends(
        "stage_id.type",
        "trial_end_date",
        "cancellation_ids.state",
        "cancellation_ids.effective_date",
        "cancellation_ids.is_whole",
        "cancellation_ids.reactivated_date",
        "sale_subscription_line_ids.cancellation_date",
        "sale_subscription_line_ids.active",
    )
    def _compute_cancellation_state(self):
        for subscription in self:
            cancellations = subscription.cancellation_ids
            end = subscription._get_scheduled_end()
            if subscription.stage_id.type == "post":
                subscription.cancellation_state = "cancelled"
                last = cancellations.filtered(
                    lambda cancellation: (
                        cancellation.state == "done"
                        and not cancellation.reactivated_date
                    )
                ).sorted("effective_date")[-1:]
                subscription.cancellation_date = last.effective_date
            elif end:
                subscription.cancellation_state = "non_renewing"
                subscription.cancellation_date = end
            else:
                subscription.cancellation_state = "active"
                subscription.cancellation_date = False
            if subscription._is_in_trial():
                subscription.cancellation_state = "trial"

    def _get_scheduled_end(self):
        """Return when everything ends, by one cancellation or line by line.

        What still waits for approval does not count.
        """
        self.ensure_one()
        approved = self.cancellation_ids.filtered(
            lambda cancellation: cancellation.state in ("scheduled", "failed")
        )
        whole = approved.filtered("is_whole")
        if whole:
            return whole[:1].effective_date
        active = self.sale_subscription_line_ids.filtered("active")
        if active - approved.line_ids.subscription_line_id:
            return False
        return max(active.mapped("cancellation_date"), default=False)

    @api.depends("cancellation_date")
    def _compute_last_service_date(self):
        for subscription in self:
            end = subscription.cancellation_date
            subscription.last_service_date = end and fields.Date.subtract(end, days=1)

    @api.depends("cancellation_ids.state")
    def _compute_pending_cancellation_id(self):
        for subscription in self:
            pending = subscription.cancellation_ids.filtered(
                lambda cancellation: cancellation.state == "to_approve"
            )
            subscription.pending_cancellation_id = pending[:1]

    @api.depends("cancellation_ids.is_open", "cancellation_ids.is_whole")
    def _compute_ending_lines_note(self):
        for subscription in self:
            partial = subscription.cancellation_ids.filtered(
                lambda cancellation: cancellation.is_open and not cancellation.is_whole
            )
            subscription.ending_lines_note = ", ".join(
                self.env._(
                    "%(lines)s on %(date)s",
                    lines=", ".join(
                        cancellation.line_ids.subscription_line_id.mapped("name")
                    ),
                    date=format_day(self.env, cancellation.last_service_date),
                )
                for cancellation in partial.sorted("effective_date")
            )

    @api.depends("cancellation_ids.credit_note_ids")
    def _compute_cancellation_counts(self):
        for subscription in self:
            cancellations = subscription.cancellation_ids
            subscription.cancellation_count = len(cancellations)
            # sudo: the number may be seen by people who cannot open the documents.
            subscription.credit_note_count = len(cancellations.sudo().credit_note_ids)

    @api.depends(
        "stage_id.type",
        "cancellation_state",
        "cancellation_ids.state",
        "sale_subscription_line_ids",
    )
    def _compute_cannot_cancel_reason(self):
        for subscription in self:
            subscription.cannot_cancel_reason = (
                subscription._get_cannot_cancel_reason() or False
            )

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        # Upstream looks the stages up by the filter of the subscriptions, which fails.
        return super()._read_group_stage_ids(stages, [])

    @api.depends_context("uid")
    @api.depends(
        "cancellation_state",
        "cancellation_ids.state",
        "cancellation_ids.effective_date",
        "cancellation_ids.reactivated_date",
    )
    def _compute_can_change_end(self):
        for subscription in self:
            is_ended = subscription.cancellation_state == "cancelled"
            running = subscription._filter_open_cancellations()
            # sudo: whose they are only, for whoever may not read the stages of before.
            ended_by = subscription.sudo()._get_wishes_to_end().with_env(self.env)
            wishes = ended_by if is_ended else running
            others = wishes.filtered(
                lambda cancellation: not cancellation._may_revoke()
            )
            subscription.can_revoke_cancellation = bool(running) and all(
                running.mapped("can_revoke")
            )
            # Several are told one by one.
            subscription.can_postpone_cancellation = any(running.mapped("can_postpone"))
            subscription.cannot_change_end_reason = (
                bool(others) and others[0]._get_not_own_text()
            )

    # Upstream recomputes the totals only when lines come or go.
    @api.depends(
        "sale_subscription_line_ids.active",
        "sale_subscription_line_ids.price_subtotal",
        "sale_subscription_line_ids.amount_tax_line_amount",
    )
    def _compute_total(self):
        return super()._compute_total()

    @api.depends("invoice_ids.move_type")
    def _compute_account_invoice_ids_count(self):
        # Credit memos carry the subscription too; upstream would count them as
        # invoices and move the next invoice date because of them.
        for subscription in self:
            # sudo: the number may be seen by people who cannot open the invoices.
            invoices = subscription.sudo()._get_invoices()
            subscription.account_invoice_ids_count = len(invoices)

    def _compute_sale_order_ids_count(self):
        if self.env["sale.order"].has_access("read"):
            return super()._compute_sale_order_ids_count()
        # Who cannot open them is not stopped by their number.
        self.sale_order_ids_count = 0
        return None

    # === ACTIONS === #

    @api.model
    def get_empty_list_help(self, help_message):
        """Lead to the first subscription only where there is none yet."""
        anywhere = self.with_context(active_test=False)
        if help_message and anywhere.search_count([], limit=1):
            help_message = Markup(
                "<p class='o_view_nocontent_smiling_face'>%s</p><p>%s</p>"
            ) % (
                self.env._("No subscription found"),
                self.env._(
                    "The list opens with what runs, or has not started. Remove these "
                    "filters to find what has ended, too."
                ),
            )
        return super().get_empty_list_help(help_message)

    def action_deactivate(self):
        """Open the Deactivate dialog for the whole subscription."""
        self.ensure_one()
        return self._get_deactivate_action()

    def action_close_subscription(self):
        # Upstream's close dialog ends a subscription without policy or credit.
        return self.action_deactivate()

    def action_revoke_cancellation(self):
        """Take back what is scheduled (button)."""
        self.revoke_cancellation()

    def action_postpone_cancellation(self):
        """Open the dialog to change the date of what is scheduled (button)."""
        self.ensure_one()
        cancellations = self._get_open_cancellations()
        if len(cancellations) > 1:
            return self.action_view_cancellations()
        return cancellations.action_postpone()

    def action_open_pending_cancellation(self):
        """Open the cancellation that waits for approval (button)."""
        self.ensure_one()
        return self.pending_cancellation_id.get_formview_action()

    def action_view_cancellations(self):
        """Open the cancellations of this subscription."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "subscription_cancellation.subscription_cancellation_action"
        )
        return show_records({**action, "context": {}}, self.cancellation_ids)

    def action_view_credit_notes(self):
        """Open the credit memos that cancellations of this subscription issued."""
        return self.cancellation_ids._get_credit_notes_action()

    def action_view_account_invoice_ids(self):
        action = super().action_view_account_invoice_ids()
        return show_records(action, self._get_invoices())

    def action_view_sale_order_ids(self):
        return show_records(super().action_view_sale_order_ids(), self.sale_order_ids)

    def _get_deactivate_action(self, lines=None):
        self._check_can_cancel()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._(
                "Deactivate %(subscription)s – %(customer)s",
                subscription=self.display_name,
                # Stored: what is computed costs more than all of the action.
                customer=self.partner_id.complete_name,
            ),
            "res_model": "subscription.cancellation.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "dialog_size": "extra-large",
                "default_subscription_id": self.id,
                "default_scope": "lines" if lines else "whole",
                "default_line_ids": lines.ids if lines else [],
            },
        }

    # === POLICY === #

    def _get_wishes_to_end(self):
        """Return what closed this subscription and did not come by itself."""
        return self._get_closing_cancellations().filtered(
            lambda cancellation: cancellation.channel in CHANNELS_OF_PEOPLE
        )

    def _get_closing_cancellations(self):
        """Return those that closed this subscription, unless taken back already."""
        return self.cancellation_ids.filtered(
            lambda cancellation: (
                cancellation.state == "done"
                and cancellation.stage_before_id
                and not cancellation.reactivated_date
            )
        )


class SaleSubscriptionLine(models.Model):
    """Deactivate one line."""

    _inherit = "sale.subscription.line"

    def action_deactivate(self):
        """Open the Deactivate dialog for this line and its add-ons."""
        self.ensure_one()
        return self.sale_subscription_id._get_deactivate_action(lines=self)
