# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Reactivate a cancelled subscription: resume it, or start a new term."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...callers import is_user, quote
from ...const import REACTIVATION_MODES
from ...engine import STAGES, let_write
from ...formatting import format_day


class Reactivation(NamedTuple):
    """What reactivating leads to."""

    closing: models.BaseModel
    takes_back_credits: bool
    write_offs: models.BaseModel
    stage: models.BaseModel
    dates: dict


class SaleSubscription(models.Model):
    """Open a cancelled subscription again (B15), without a free or a double period."""

    _inherit = "sale.subscription"

    can_reactivate = fields.Boolean(compute="_compute_can_reactivate")

    @api.depends_context("uid")
    @api.depends("cancellation_state", "partner_id.active")
    def _compute_can_reactivate(self):
        for subscription in self:
            subscription.can_reactivate = (
                subscription.cancellation_state == "cancelled"
                and subscription._is_reactivation_possible()
            )

    def _is_reactivation_possible(self):
        """Return whether this user can reactivate this, in one way or the other."""
        try:
            self._plan_reactivation("new_term")
        except UserError:
            return False
        return is_user(self.env)

    # === PUBLIC METHODS (contract; also called over JSON-2) === #

    def reactivate_subscription(self, *, mode="resume"):
        """Let a cancelled subscription go on.

        ``resume``: within the period that was billed, everything comes back as it was
        and the credit memos are taken back by invoices for the same days; after it,
        billing resumes from today and the credit stays. ``new_term``: the
        subscription starts today, and a fixed term counts from today.

        :param str mode: ``resume`` or ``new_term``
        :rtype: dict
        :return: like ``request_cancellation``, of the cancellation that is taken back,
            and ``subscription_state``, ``next_invoice_date``, ``date_start``
        :raise UserError: status 422; it is not cancelled, a product is archived, or its
            fixed term is over (``resume``)
        :raise AccessError: status 403; the user may not cancel subscriptions, or
            somebody else cancelled this one and the user is no cancellation manager
        :raise MissingError: status 404; there is no such subscription
        :raise LockError: status 409; somebody else is changing it: try again
        """
        self._check_one()
        self.check_access("read")
        self._check_cancellation_access()
        self._check_reactivation_mode(mode)
        self.lock_for_update()
        cancellations = self._reactivate(mode)
        answer = cancellations[:1]._as_dict() if cancellations else {}
        return {
            "cancellation_id": False,
            **answer,
            "subscription_state": self.cancellation_state,
            "date_start": fields.Date.to_string(self.date_start),
            "next_invoice_date": fields.Date.to_string(self.recurring_next_date),
        }

    def action_reactivate(self):
        """Open the dialog to reactivate (button)."""
        self.ensure_one()
        self._check_cancellation_access()
        self._check_can_reactivate()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reactivate"),
            "res_model": "subscription.cancellation.reactivation",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_id": self.id},
        }

    # === REACTIVATE === #

    def _reactivate(self, mode, is_undo=False):
        """Open this subscription again; return the cancellations taken back.

        :param str mode: a key of :data:`REACTIVATION_MODES`
        :param bool is_undo: the cancellation was a mistake
        """
        plan = self._plan_reactivation(mode)
        closing = plan.closing._as_engine()
        known = closing._get_documents()
        # Read first: what is taken back is not told of afterwards.
        text = self._describe_reactivation(plan)
        plan.write_offs._as_engine()._take_back_write_offs()
        if plan.takes_back_credits:
            closing._take_back_credits()
            closing._take_back_unbilled(all_of_it=True)
            closing._charge_dropped_days()
        closing._get_ended_lines()._reactivate()
        self.sudo()._reopen(plan.stage, plan.dates)
        if mode == "resume":
            self._bring_pause_back(plan.closing)
        closing._set_reactivated()
        if closing:
            closing._log_reactivation(text, is_undo, known)
        else:
            self._log_with_changes({self.id: text})
        return plan.closing

    def _plan_reactivation(self, mode):
        """Return the checked :class:`Reactivation`; nothing is written."""
        self._check_can_reactivate()
        closing = self._get_closing_cancellations()
        self._check_products_active(
            self.sale_subscription_line_ids | closing._get_ended_lines()
        )
        is_new_term = mode == "new_term"
        if not is_new_term:
            self._check_term_not_over()
        return Reactivation(
            closing,
            not is_new_term and self._is_paid_period(closing),
            (closing.browse() if is_new_term else closing)._get_standing_write_offs(),
            self._get_stage_to_reopen(closing, is_new_term),
            self._get_new_term_dates(closing)
            if is_new_term
            else self._get_resumed_dates(closing),
        )

    def _reopen(self, stage, dates):
        """Open the stage; the dates are given, as upstream would start anew."""
        opened = let_write(self, STAGES)
        # Upstream passes over what is archived.
        opened.write({"stage_id": stage.id, "close_reason_id": False, "active": True})
        opened.write(dates)

    # === DATES === #

    def _is_paid_period(self, closing):
        """Return whether today is within what was billed before the end."""
        paid_until = self._get_paid_until(closing)
        return bool(paid_until and self._today() < paid_until)

    def _get_resumed_dates(self, closing):
        """Return the dates to resume with: as before, else billed from today on."""
        today = self._today()
        next_date = closing[:1].next_date_before or self._get_billed_until()
        if not self._is_paid_period(closing):
            next_date = max(today, next_date or today)
        return {
            "date_start": self.date_start,
            "date": self.date,
            "trial_end_date": self.trial_end_date,
            "recurring_next_date": next_date,
        }

    def _get_new_term_dates(self, closing):
        """Return the dates of a new term; what is paid is not billed again."""
        today = self._today()
        paid_until = closing[:1].next_date_before or self._get_billed_until()
        if closing._is_credited():
            # The last day of service is paid.
            paid_until = closing[0].effective_date
        elif closing._has_unbilled_steps():
            # So it is, or it was dropped; invoices that were posted count.
            billed_until = self._get_billed_until() or closing[0].effective_date
            paid_until = max(closing[0].effective_date, billed_until)
        # Nor is any day paid from a pause on that ended with it.
        # sudo: whoever reactivates need not be allowed to read pauses.
        pauses = self.sudo().pause_ids.filtered(
            lambda pause: pause.cancellation_id in closing.sudo()
        )
        paid_until = min(
            filter(None, [paid_until, *pauses.mapped("date_from")]), default=None
        )
        return {
            "date_start": today,
            "trial_end_date": False,
            "recurring_next_date": max(today, paid_until or today),
        }

    def _get_billed_until(self):
        """Return the first day after what stays billed of the lines, or ``False``."""
        # sudo: whoever reactivates need not be allowed to read journal items.
        items = self.env["account.move.line"].sudo()
        billed = items._search_billed(self._get_all_lines())
        return max(billed._get_ends_of_billed_days(), default=False)

    def _get_stage_to_reopen(self, closing, is_new_term):
        """Return the stage it was in before; a new term is in progress."""
        before = closing.stage_before_id[:1]
        if before and not (is_new_term and before.type != "in_progress"):
            return before
        stages = self.env["sale.subscription.stage"]
        return stages.search([("type", "=", "in_progress")], limit=1)

    # === CHECKS === #

    def _check_reactivation_mode(self, mode):
        known = [key for key, _label in REACTIVATION_MODES]
        if mode not in known:
            raise UserError(
                self.env._(
                    "“%(value)s” is not a value for mode: use one of %(known)s.",
                    value=quote(mode),
                    known=", ".join(known),
                )
            )

    def _check_can_reactivate(self):
        """Raise where there is nothing to reactivate, or nobody to bill.

        :raise AccessError: somebody else wanted the end, see `_check_revoke_access`
        """
        if self.cancellation_state != "cancelled":
            raise UserError(
                self.env._(
                    "Subscription %(name)s is not cancelled, so there is nothing to "
                    "reactivate.",
                    name=self.display_name,
                )
            )
        if not self.partner_id.active:
            raise UserError(
                self.env._(
                    "Subscription %(name)s cannot be reactivated: its customer "
                    "%(customer)s is archived. Unarchive the customer first.",
                    name=self.display_name,
                    customer=self.partner_id.display_name,
                )
            )
        for cancellation in self._get_wishes_to_end():
            cancellation._check_revoke_access()

    def _check_products_active(self, lines):
        """Raise where a product is not sold any more."""
        archived = lines.product_id.filtered(lambda product: not product.active)
        if archived:
            raise UserError(
                self.env._(
                    "Subscription %(name)s cannot be reactivated: its product "
                    "%(product)s is archived. Unarchive the product first.",
                    name=self.display_name,
                    product=archived[0].display_name,
                )
            )

    def _check_term_not_over(self):
        """Raise where a fixed term has ended, so that there is nothing to resume."""
        end = self._get_contract_end()
        if end and end <= self._today():
            raise UserError(
                self.env._(
                    "Subscription %(name)s cannot go on as before: its term ended on "
                    "%(date)s. Start a new term.",
                    name=self.display_name,
                    date=format_day(self.env, fields.Date.subtract(end, days=1)),
                )
            )

    # === OUTPUT === #

    def _describe_reactivation(self, plan):
        """Return in words what reactivating leads to."""
        start, next_date = plan.dates["date_start"], plan.dates["recurring_next_date"]
        sentences = [
            self.env._("The subscription started on %s and goes on.")
            % format_day(self.env, start)
            if start == self.date_start
            else self.env._("The subscription starts anew on %s.")
            % format_day(self.env, start)
        ]
        if next_date:
            sentences.append(
                self.env._(
                    "The next invoice is for the period from %s.",
                    format_day(self.env, next_date),
                )
            )
        if plan.takes_back_credits:
            sentences.append(plan.closing._describe_take_back())
        elif plan.closing._is_credited():
            sentences.append(self.env._("What was credited stays credited."))
        sentences.append(plan.write_offs._describe_write_offs_taken_back())
        return " ".join(filter(None, sentences))
