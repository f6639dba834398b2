# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import datetime

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..formatting import format_day
from ..proration import Period, next_boundary
from .subscription_cancellation_policy import REFUND_MODES

_logger = logging.getLogger(__name__)

#: Context value that opens the closed stage. An object, because a context that
#: comes in over RPC can hold anything but this.
CLOSING = object()


class SaleSubscription(models.Model):
    _inherit = "sale.subscription"
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
        help="The policy for a cancellation in the back office, and why it applies.",
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
    last_service_date = fields.Date(compute="_compute_last_service_date")
    archived_line_ids = fields.One2many(
        comodel_name="sale.subscription.line",
        inverse_name="sale_subscription_id",
        string="Deactivated Lines",
        domain=[("active", "=", False)],
        context={"active_test": False},
        copy=False,
    )
    ending_lines_note = fields.Char(compute="_compute_ending_lines_note")
    cannot_cancel_reason = fields.Char(compute="_compute_cannot_cancel_reason")

    # === COMPUTE METHODS === #

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
        for subscription in self:
            subscription.applied_policy = subscription._describe_policy(
                policies[subscription]
            )

    @api.depends(
        "stage_id.type",
        "cancellation_ids.state",
        "cancellation_ids.effective_date",
        "cancellation_ids.is_whole",
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
                    lambda cancellation: cancellation.state == "done"
                ).sorted("effective_date")[-1:]
                subscription.cancellation_date = last.effective_date
            elif end:
                subscription.cancellation_state = "non_renewing"
                subscription.cancellation_date = end
            else:
                subscription.cancellation_state = "active"
                subscription.cancellation_date = False

    def _get_scheduled_end(self):
        """Return when everything ends, by one cancellation or line by line."""
        self.ensure_one()
        open_whole = self.cancellation_ids.filtered(
            lambda cancellation: cancellation.is_whole and cancellation.is_open
        )
        if open_whole:
            return open_whole[:1].effective_date
        active = self.sale_subscription_line_ids.filtered("active")
        dates = active.mapped("cancellation_date")
        return all(dates) and max(dates, default=False)

    @api.depends("cancellation_date")
    def _compute_last_service_date(self):
        for subscription in self:
            end = subscription.cancellation_date
            subscription.last_service_date = end and fields.Date.subtract(end, days=1)

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

    @api.depends("stage_id.type", "cancellation_state", "sale_subscription_line_ids")
    def _compute_cannot_cancel_reason(self):
        for subscription in self:
            subscription.cannot_cancel_reason = (
                subscription._get_cannot_cancel_reason() or False
            )

    # Upstream recomputes the totals only when lines come or go.
    @api.depends(
        "sale_subscription_line_ids.active",
        "sale_subscription_line_ids.price_subtotal",
        "sale_subscription_line_ids.amount_tax_line_amount",
    )
    def _compute_total(self):
        active = self.with_context(active_test=True)
        return super(SaleSubscription, active)._compute_total()

    @api.depends("invoice_ids.move_type")
    def _compute_account_invoice_ids_count(self):
        # Credit memos carry the subscription too; upstream would count them as
        # invoices and move the next invoice date because of them.
        for subscription in self:
            subscription.account_invoice_ids_count = len(subscription._get_invoices())

    # === PUBLIC METHODS (contract; also called over JSON-2) === #

    @api.readonly
    def preview_cancellation(
        self,
        *,
        timing=None,
        requested_date=None,
        refund_mode=None,
        line_ids=None,
        reason_code=None,
        comment=None,
        cancel_day_billed=None,
    ):
        """Tell what :meth:`request_cancellation` would do; write nothing.

        Same parameters, errors and result, with ``cancellation_id`` false.
        """
        options = self._pack_options(
            timing=timing,
            requested_date=requested_date,
            refund_mode=refund_mode,
            line_ids=line_ids,
            reason_code=reason_code,
            comment=comment,
            cancel_day_billed=cancel_day_billed,
        )
        return self._plan_cancellation(options, channel="api")._as_dict()

    def request_cancellation(
        self,
        *,
        timing=None,
        requested_date=None,
        refund_mode=None,
        line_ids=None,
        reason_code=None,
        comment=None,
        cancel_day_billed=None,
    ):
        """Cancel this subscription, or some of its lines, now or on a later date.

        What is absent (``None``) comes from the cancellation policy.

        :param str timing: ``immediate``, ``end_of_period`` or ``specific_date``
        :param str requested_date: ``"YYYY-MM-DD"``, for ``specific_date``
        :param str refund_mode: ``none``, ``prorated`` or ``full``
        :param list line_ids: ids of ``sale.subscription.line``; absent: all lines
        :param str reason_code: code of a ``sale.subscription.close.reason``
        :param str comment: free text of the person who cancels
        :param bool cancel_day_billed: the cancellation day is a served, billed day
        :return: dict with ``cancellation_id``, ``state``, ``effective_date``
            (first day without service), ``last_service_date``, ``currency``,
            ``credit_untaxed``, ``credit_tax``, ``credit_total``,
            ``reduces_invoices``, ``refundable`` (amounts in that currency) and
            ``lines``, one per billed line with its period and days
        :raise UserError: an option, a date or the subscription's state forbids it
        :raise AccessError: the user may not cancel subscriptions
        :raise LockError: somebody else is cancelling the same subscription
        """
        options = self._pack_options(
            timing=timing,
            requested_date=requested_date,
            refund_mode=refund_mode,
            line_ids=line_ids,
            reason_code=reason_code,
            comment=comment,
            cancel_day_billed=cancel_day_billed,
        )
        return self._request_cancellation(options, channel="api")._as_dict()

    def revoke_cancellation(self):
        """Take back what is scheduled: the end of it all, else that of single lines.

        :return: dict like :meth:`request_cancellation`, state ``revoked``
        :raise UserError: nothing is scheduled, or its date is reached
        :raise AccessError: requested by somebody else, and not a manager
        """
        self._check_one()
        cancellations = self.cancellation_ids.filtered("is_open")
        cancellations = cancellations.filtered("is_whole") or cancellations
        if not cancellations:
            raise UserError(
                self.env._(
                    "There is no scheduled cancellation of subscription %(name)s to "
                    "revoke.",
                    name=self.display_name,
                )
            )
        cancellations._revoke()
        return cancellations[:1]._as_dict()

    # === ACTIONS === #

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

    def action_view_cancellations(self):
        """Open the cancellations of this subscription."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "subscription_cancellation.subscription_cancellation_action"
        )
        action["domain"] = [("subscription_id", "in", self.ids)]
        action["context"] = {}
        return action

    def action_view_credit_notes(self):
        """Open the credit memos that cancellations of this subscription issued."""
        return self.cancellation_ids._get_credit_notes_action()

    def action_view_account_invoice_ids(self):
        action = super().action_view_account_invoice_ids()
        action["domain"] = [("id", "in", self._get_invoices().ids)]
        return action

    def _get_deactivate_action(self, lines=None):
        self._check_can_cancel()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Deactivate"),
            "res_model": "subscription.cancellation.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_subscription_id": self.id,
                "default_scope": "lines" if lines else "whole",
                "default_line_ids": lines.ids if lines else [],
            },
        }

    # === POLICY === #

    def _map_policies(self):
        """Return the back office's policy of each of these subscriptions."""
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        return Policy._map_subscriptions(self)

    def _get_forced_policy(self):
        """Return the policy set on the subscription, else on its template."""
        # sudo: as in _map_policies.
        forced = self.sudo()
        own = forced.cancellation_policy_id
        template = forced.template_id.cancellation_policy_id
        return own or template.filtered(
            lambda policy: policy.company_id == forced.company_id
        )

    def _describe_policy(self, policy):
        """Return the name of the policy that applies, and why it does."""
        if self.cancellation_policy_id:
            return self.env._("%s (set on this subscription)", policy.name)
        if self._get_forced_policy():
            return self.env._("%s (set on its template)", policy.name)
        if not policy.id:
            return self.env._("Built-in default (no policy of the company matches)")
        return self.env._("%s (the first one that matches)", policy.name)

    # === REQUEST === #

    @api.model
    def _pack_options(self, **options):
        """Return the given options by name, without the absent ones."""
        return {name: value for name, value in options.items() if value is not None}

    def _plan_cancellation(self, options, channel):
        """Return the checked plan of a cancellation; nothing is written.

        :param dict options: given options by name (contract)
        :param str channel: the door it came through
        """
        self._check_one()
        self.check_access("read")
        self._check_can_cancel()
        return self.env["subscription.cancellation"]._plan(self, options, channel)

    def _request_cancellation(self, options, channel, fingerprint=None):
        """Make the cancellation and, where it is due, execute it.

        :param str fingerprint: of the preview the person confirmed, if any
        :return: the ``subscription.cancellation``
        """
        self._check_one()
        self.check_access("read")
        self._check_cancellation_access()
        self.lock_for_update()
        plan = self._plan_cancellation(options, channel)
        plan._check_fingerprint(fingerprint)
        return plan._confirm()

    def _check_one(self):
        """Raise a UserError unless this is one subscription (over the API: one id)."""
        if len(self) != 1:
            raise UserError(
                self.env._(
                    "Subscriptions are cancelled one at a time: give one id, not %s.",
                    len(self),
                )
            )

    def _check_cancellation_access(self):
        """Raise AccessError unless the user may cancel subscriptions."""
        group = "subscription_cancellation.subscription_cancellation_group_user"
        if not (self.env.su or self.env.user.has_group(group)):
            raise AccessError(
                self.env._(
                    "You are not allowed to cancel subscriptions. Ask for the "
                    "“Subscription Cancellation: User” access right."
                )
            )

    def _check_can_cancel(self):
        """Raise a UserError that says why this subscription cannot be cancelled."""
        self.ensure_one()
        self._check_cancellation_access()
        reason = self._get_cannot_cancel_reason()
        if reason:
            raise UserError(reason)

    def _get_cannot_cancel_reason(self):
        """Return why Deactivate is not offered, or ``None``.

        One place for the button, the error and, later, the portal.
        """
        self.ensure_one()
        if self.cancellation_state == "cancelled":
            return self.env._(
                "Subscription %(name)s is already cancelled.", name=self.display_name
            )
        if not self.sale_subscription_line_ids:
            return self.env._(
                "Subscription %(name)s has no active line to cancel.",
                name=self.display_name,
            )
        if self.cancellation_state == "non_renewing":
            return self.env._(
                "Subscription %(name)s is already cancelled: service ends on "
                "%(date)s. Revoke that cancellation first.",
                name=self.display_name,
                date=format_day(self.env, self.last_service_date),
            )
        return None

    # === DATES === #

    def _today(self):
        """Return the customer's date of today.

        In the partner's time zone, else the company partner's, else UTC.
        """
        self.ensure_one()
        return datetime.now(pytz.utc).astimezone(self._get_timezone()).date()

    def _get_timezone(self):
        """Return the customer's time zone (a ``pytz`` zone)."""
        partner_tz = self.partner_id.tz or self.company_id.partner_id.tz
        return pytz.timezone(partner_tz or "UTC")

    def _get_invoice_currency(self):
        """Return the currency that upstream's next invoice will be in."""
        self.ensure_one()
        if self.template_id.invoicing_mode == "sale_and_invoice":
            return self.currency_id
        return self.journal_id.currency_id or self.company_id.currency_id

    def _is_started(self):
        """Return whether service has begun (else: draft or ready to start)."""
        return self.stage_id.type == "in_progress"

    def _get_next_billed_period(self):
        """Return the period that upstream bills with its next invoice.

        Upstream starts it on the next invoice date and ends it where the date after
        that begins, so the chain of invoices has neither gap nor overlap.
        """
        self.ensure_one()
        start = self.recurring_next_date or self._get_first_invoice_date()
        return Period(start, self._get_next_invoice_date(start))

    def _get_end_of_period(self):
        """Return the first day after the current period, billed or still to bill."""
        self.ensure_one()
        anchor = self.recurring_next_date or self._get_first_invoice_date()
        end = next_boundary(anchor, self._get_recurrence_delta(), self._today())
        contract_end = self._get_contract_end()
        return min(end, contract_end) if contract_end else end

    def _get_contract_end(self):
        """Return the first day after a fixed term, or ``False`` where unlimited."""
        # Upstream's boolean of this name is true for *unlimited* subscriptions.
        return not self.recurring_rule_boundary and self.date

    # === BILLING GUARD === #

    def _get_invoices(self):
        """Return the customer invoices of this subscription, by whichever path.

        Upstream links some by ``subscription_id`` and some through sales orders;
        the first period sold by an order is linked by our stamp only.
        """
        moves = self.invoice_ids | self.sale_order_ids.invoice_ids
        moves |= self.sale_order_id.invoice_ids.filtered(
            lambda move: (
                move.invoice_line_ids.subscription_line_id.sale_subscription_id & self
            )
        )
        return moves.filtered(lambda move: move.move_type == "out_invoice")

    def _is_invoiced(self):
        """Return whether there is an invoice of this subscription."""
        # sudo: salespeople see their own invoices only, and this is about any.
        return bool(self.sudo()._get_invoices())

    def _stamp_first_period_on_order(self):
        """Remember on the sales order which lines and period it sells.

        Upstream counts the first period as billed by the order itself.
        """
        for subscription in self:
            period = Period(subscription.date_start, subscription.recurring_next_date)
            for line in subscription.sale_subscription_line_ids:
                line.order_line_id.write(
                    {
                        "subscription_line_id": line.id,
                        "subscription_period_start": period.start,
                        "subscription_period_end": period.last_day,
                    }
                )

    def generate_invoice(self):
        """Bill the next period, unless service ends before it.

        Due cancellations come first, so that the order in which the scheduled
        actions run does not matter.
        """
        self.ensure_one()
        self.cancellation_ids._execute_if_due()
        if self._get_cannot_bill_reason():
            return None
        return super().generate_invoice()

    def manual_invoice(self):
        self._check_can_bill()
        return super().manual_invoice()

    def create_invoice(self):
        self._check_can_bill()
        invoice = super().create_invoice()
        self._drop_ended_lines(invoice.invoice_line_ids)
        return invoice

    def create_sale_order(self):
        self._check_can_bill()
        order = super().create_sale_order()
        self._drop_ended_lines(order.order_line)
        return order

    def _drop_ended_lines(self, document_lines):
        """Take off a new draft what ends before the period it bills."""
        start = self._get_next_billed_period().start
        document_lines.filtered(
            lambda line: (
                line.subscription_line_id
                and not line.subscription_line_id._is_billed_from(start)
            )
        ).unlink()

    def _check_can_bill(self):
        """Raise a UserError that says why nothing more is billed."""
        reason = self._get_cannot_bill_reason()
        if reason:
            raise UserError(reason)

    def _get_cannot_bill_reason(self):
        """Return why the next period is not billed, or ``None``."""
        self.ensure_one()
        start = self._get_next_billed_period().start
        end = self.cancellation_date or self._get_contract_end()
        if self.cancellation_state == "cancelled":
            return self.env._(
                "Subscription %(name)s is cancelled; nothing more is invoiced.",
                name=self.display_name,
            )
        if end and start >= end:
            return self.env._(
                "Subscription %(name)s ends on %(date)s; there is nothing to invoice "
                "after that.",
                name=self.display_name,
                date=format_day(self.env, fields.Date.subtract(end, days=1)),
            )
        lines = self.sale_subscription_line_ids
        if lines and not any(line._is_billed_from(start) for line in lines):
            return self.env._(
                "Every line of subscription %(name)s ends before %(date)s; there is "
                "nothing to invoice after that.",
                name=self.display_name,
                date=format_day(self.env, start),
            )
        return None

    # === CLOSING === #

    def write(self, vals):
        self._check_stage_change(vals)
        if {"cancellation_state", "cancellation_date"} & vals.keys():
            raise UserError(
                self.env._(
                    "The status of a subscription follows from its cancellations: use "
                    "Deactivate or Revoke."
                )
            )
        return super().write(vals)

    def _check_stage_change(self, values):
        """Refuse to close, or to reopen, by moving the stage by hand."""
        if "stage_id" not in values or self.env.context.get("closing") is CLOSING:
            return
        stage = self.env["sale.subscription.stage"].browse(values["stage_id"])
        for subscription in self:
            if stage.type == "post" and subscription.stage_id.type != "post":
                raise UserError(
                    self.env._(
                        "Subscription %(name)s cannot be moved to the stage "
                        "“%(stage)s” by hand: use Deactivate, so that the unused "
                        "days are credited.",
                        name=subscription.display_name,
                        stage=stage.name,
                    )
                )
            if subscription.stage_id.type == "post" and stage.type != "post":
                raise UserError(
                    self.env._(
                        "Subscription %(name)s is cancelled and cannot be moved back "
                        "to the stage “%(stage)s”. Create a new subscription.",
                        name=subscription.display_name,
                        stage=stage.name,
                    )
                )
            subscription._check_not_stopped_by_stage(stage)

    def _check_not_stopped_by_stage(self, stage):
        """Refuse to stop what is billed by moving its stage back."""
        is_stopped = self._is_started() and stage.type != "in_progress"
        if is_stopped and (self._is_invoiced() or self.cancellation_date):
            raise UserError(
                self.env._(
                    "Subscription %(name)s is running and cannot be moved back to the "
                    "stage “%(stage)s”: pause or deactivate it.",
                    name=self.display_name,
                    stage=stage.name,
                )
            )

    def close_subscription(self, close_reason_id=False):
        """Close through a cancellation, so that there is a record and a credit.

        Upstream's scheduled action calls this at the end of a fixed term, and its
        close dialog does.
        """
        self.ensure_one()
        if self.env.context.get("closing") is CLOSING:
            return super().close_subscription(close_reason_id)
        self.cancellation_ids._execute_if_due()
        if self.stage_id.type == "post":
            return None
        if not self.sale_subscription_line_ids:
            return self._close(close_reason_id)
        end = self._get_contract_end()
        if end and end <= self._today():
            return self._end_of_term(close_reason_id)
        self._request_cancellation(
            {"timing": "immediate", "reason_id": close_reason_id}, channel="system"
        )
        return None

    def _close(self, close_reason_id):
        """Close for good, with upstream's own method."""
        opened = self.with_context(closing=CLOSING)
        return opened.close_subscription(close_reason_id)

    def _end_of_term(self, close_reason_id):
        """End a subscription whose term is over; everything of it was served.

        A failure must not stop upstream's scheduled action for everybody else.
        """
        reason = self.env.ref("subscription_oca.close_reason_ended", False)
        options = {
            "timing": "immediate",
            "effective_date": self._get_contract_end(),
            "refund_mode": "none",
            "reason_id": close_reason_id or (reason and reason.id),
        }
        try:
            with self.env.cr.savepoint():
                self._request_cancellation(options, channel="system")
        except UserError:
            _logger.exception("Subscription %s could not be closed", self.name)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_cancelled(self):
        for subscription in self:
            if subscription.cancellation_ids or subscription._is_invoiced():
                raise UserError(
                    self.env._(
                        "Subscription %(name)s cannot be deleted: it was invoiced or "
                        "cancelled, and that history is kept. Archive it instead.",
                        name=subscription.display_name,
                    )
                )
