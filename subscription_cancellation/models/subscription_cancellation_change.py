# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Move a scheduled cancellation to another date, and charge the days it adds."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.i18n import format_list

from ..formatting import format_day
from ..proration import (
    ONE_DAY,
    Period,
    first_day_without_service,
    next_boundary,
)


class SubscriptionCancellation(models.Model):
    """Change the date of a scheduled cancellation (B13).

    Regular billing goes on until the new date as it would have. With
    ``charge_extension`` the extra days are invoiced at once instead, to the day; from
    ``extension_start_date`` on regular billing then leaves the lines out.
    """

    _inherit = "subscription.cancellation"

    charge_extension = fields.Boolean(
        string="Extra Days Charged",
        readonly=True,
        help="When the date was moved, the extra days were invoiced to the day.",
    )
    extension_start_date = fields.Date(
        readonly=True, help="First of the extra days that were invoiced to the day."
    )
    extension_end_date = fields.Date(
        readonly=True, help="First day after the extra days that were invoiced."
    )
    moved_date = fields.Datetime(string="Date Changed On", readonly=True)
    charge_invoice_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="cancellation_id",
        string="Invoices",
        domain=[("move_type", "=", "out_invoice")],
        readonly=True,
        help="Invoices of extra days, and those that took a credit back.",
    )
    charge_invoice_count = fields.Integer(
        string="Number of Invoices", compute="_compute_charge_invoice_count"
    )
    can_postpone = fields.Boolean(compute="_compute_can_revoke")

    @api.depends("charge_invoice_ids")
    def _compute_charge_invoice_count(self):
        for cancellation in self:
            # sudo: the number may be seen by people who cannot open the documents.
            cancellation.charge_invoice_count = len(
                cancellation.sudo().charge_invoice_ids
            )

    # === POSTPONE === #

    def _postpone(self, requested_date, charge_extension=None):
        """Move to ``requested_date``; nothing happens where that is the date already.

        :param requested_date: last wished day, ``"YYYY-MM-DD"`` or a date
        :param charge_extension: whether to invoice the extra days to the day;
            ``None``: as before
        :raise UserError: the date is not possible, or this one is not scheduled
        """
        self.ensure_one()
        self._check_can_postpone()
        self._check_type("charge_extension", charge_extension)
        engine = self._as_engine()
        engine.subscription_id.lock_for_update()
        plan = engine._plan_postponed(requested_date)
        if charge_extension is None:
            charge_extension = engine.charge_extension
        is_same = charge_extension == engine.charge_extension
        if is_same and plan.effective_date == engine.effective_date:
            return
        engine._move_to(plan, charge_extension)

    def _move_to(self, plan, charge_extension):
        """Take over the date of ``plan``: lines, invoices and scheduled action."""
        old_date = self.effective_date
        values = {
            "timing": "specific_date",
            "requested_date": plan.requested_date,
            "effective_date": plan.effective_date,
            "charge_extension": charge_extension,
            "moved_date": fields.Datetime.now(),
        }
        is_due = plan._is_due_on_request()
        first_extra_day = self._get_first_extra_day()
        if plan.effective_date < old_date or not charge_extension:
            self._take_back_extension()
        self.write(values)
        if self.is_whole:
            self._take_over_later_lines()
        self._set_line_dates()
        if charge_extension:
            self._charge_extension(first_extra_day)
        self._log_move(old_date)
        if is_due:
            self._execute()
        else:
            self._trigger_execution()

    def _plan_postponed(self, requested_date):
        """Return a virtual cancellation on the new date, with what it would credit."""
        day = self._check_new_date(requested_date)
        effective_date = first_day_without_service(day, self.cancel_day_billed)
        self._check_not_after_whole(effective_date)
        plan = self._plan_anew(effective_date)
        plan.update({"timing": "specific_date", "requested_date": day})
        self._check_needs_no_new_approval(plan)
        return plan

    # === CHECKS === #

    def _get_cannot_postpone_reason(self):
        """Return why the date cannot be changed, or ``None``."""
        self.ensure_one()
        if self.state != "scheduled":
            return self.env._(
                "The date of cancellation %s cannot be changed: it is not scheduled.",
                self.name,
            )
        if self.effective_date <= self.subscription_id._today():
            return self.env._(
                "The date of cancellation %(name)s cannot be changed: service ended "
                "on %(date)s.",
                name=self.name,
                date=format_day(self.env, self.last_service_date),
            )
        return None

    def _check_can_postpone(self):
        """Raise where the date cannot be changed, or not by this user."""
        reason = self._get_cannot_postpone_reason()
        if reason:
            raise UserError(reason)
        self._check_revoke_access()

    def _check_new_date(self, requested_date):
        """Return the new date, checked; the policy has its say, as for a request."""
        day = self._parse_date(requested_date)
        if not day:
            raise UserError(
                self.env._("Choose the new date of cancellation %s.", self.name)
            )
        self._check_requested_date(self.subscription_id, day)
        policy = self._get_policy()
        defaults = self._get_default_options(self.subscription_id, policy)
        policy._check_overrides({"timing": "specific_date"}, defaults)
        return day

    def _get_policy(self):
        """Return the policy that applied, else the built-in default."""
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        return self.sudo().policy_id or Policy._get_built_in(self.company_id)

    def _check_not_after_whole(self, effective_date):
        """Raise where a line would end after the whole subscription does."""
        whole = self.subscription_id.cancellation_ids.filtered(
            lambda cancellation: cancellation.is_open and cancellation.is_whole
        )
        if whole - self and effective_date > whole.effective_date:
            raise UserError(
                self.env._(
                    "%(what)s cannot be moved beyond %(date)s: the whole subscription "
                    "ends then (%(whole)s).",
                    what=self._describe(),
                    date=format_day(self.env, whole.last_service_date),
                    whole=whole.name,
                )
            )

    def _check_needs_no_new_approval(self, plan):
        """Raise where the new date would need an approval that was never given."""
        reasons = self._get_policy()._get_approval_reasons(plan, [])
        if reasons and not self.decision_user_id:
            raise UserError(
                self.env._(
                    "On the new date, cancellation %(name)s would need approval, "
                    "because %(reason)s. Revoke it and request it anew.",
                    name=self.name,
                    reason=format_list(self.env, reasons),
                )
            )

    # === LINES === #

    def _take_over_later_lines(self):
        """End the lines that single cancellations would end later with this one."""
        lines = self.subscription_id.sale_subscription_line_ids
        rows = lines.cancellation_line_ids.filtered("is_open") - self.line_ids
        for row in rows:
            if row.cancellation_id.effective_date <= self.effective_date:
                continue
            line = row.subscription_line_id
            row.cancellation_id._release_line(row)
            self.line_ids.create(
                {
                    "cancellation_id": self.id,
                    "subscription_line_id": line.id,
                    "currency_id": self.currency_id.id,
                }
            )

    # === EXTRA DAYS === #

    def _get_first_extra_day(self):
        """Return where extra days would begin: after what regular billing covers.

        Regular billing covers every period that begins before the end of service.
        """
        if self.extension_start_date:
            return self.extension_start_date
        subscription = self.subscription_id
        start = subscription.recurring_next_date
        if not start:
            return self.effective_date
        delta = subscription._get_recurrence_delta()
        return next_boundary(start, delta, self.effective_date - ONE_DAY)

    def _get_extension_parts(self, first_extra_day, effective_date, charged_until):
        """Return what the extra days cost that are not charged yet."""
        start = charged_until or first_extra_day
        if start >= effective_date:
            return []
        return self.subscription_id._get_charge_parts(
            self.line_ids.subscription_line_id,
            Period(start, effective_date),
            first_extra_day,
        )

    def _charge_extension(self, first_extra_day):
        """Invoice the extra days up to the new date, once."""
        parts = self._get_extension_parts(
            first_extra_day, self.effective_date, self.extension_end_date
        )
        if not parts:
            return
        self.subscription_id._charge_days(parts, self)
        self.write(
            {
                "extension_start_date": first_extra_day,
                "extension_end_date": self.effective_date,
            }
        )

    def _get_extension_invoices(self):
        """Return the invoices of extra days that are not served yet."""
        # sudo: who plans a cancellation need not be allowed to read invoices.
        return self.sudo().filtered("extension_start_date").charge_invoice_ids

    def _take_back_extension(self):
        """Credit the invoices of extra days in full; regular billing takes over."""
        charged = self.filtered("extension_start_date")
        charged._get_extension_invoices()._take_back_charges()
        charged.write({"extension_start_date": False, "extension_end_date": False})

    # === OUTPUT === #

    def _preview_postponed(self, requested_date, charge_extension):
        """Return in words what moving to ``requested_date`` leads to.

        :raise UserError: the date is not possible
        """
        self._check_can_postpone()
        plan = self._plan_postponed(requested_date)
        sentences = [plan._get_end_sentence(), plan._get_credit_sentence()]
        is_earlier = plan.effective_date < self.effective_date
        if self.extension_start_date and (is_earlier or not charge_extension):
            sentences.append(self.env._("The invoice of the extra days is taken back."))
        if charge_extension:
            sentences.append(self._get_extension_sentence(plan, is_earlier))
        return " ".join(sentences)

    def _get_extension_sentence(self, plan, is_earlier):
        """Return the sentence about the invoice of the extra days."""
        # sudo: the price of the lines only.
        engine = self.sudo()
        start = engine._get_first_extra_day()
        charged_until = False if is_earlier else self.extension_end_date
        parts = engine._get_extension_parts(start, plan.effective_date, charged_until)
        if not parts:
            return self.env._(
                "There are no extra days to charge: a regular invoice covers them."
            )
        currency = self.subscription_id._get_invoice_currency()
        return self.env._(
            "An invoice of %(amount)s, before tax, will be issued for %(first)s – "
            "%(last)s.",
            amount=currency.format(sum(part.amount for part in parts)),
            first=format_day(self.env, parts[0].period.start),
            last=format_day(self.env, max(part.period.last_day for part in parts)),
        )

    def _log_move(self, old_date):
        self._log_on_subscription(
            self.env._(
                "%(what)s moved: service ends on %(new)s instead of %(old)s.",
                what=self._describe(),
                new=format_day(self.env, self.last_service_date),
                old=format_day(self.env, old_date - ONE_DAY),
            )
        )

    def action_postpone(self):
        """Open the dialog to change the date (button)."""
        self.ensure_one()
        self._check_can_postpone()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change Cancel Date"),
            "res_model": "subscription.cancellation.postpone",
            "view_mode": "form",
            "target": "new",
            "context": {"default_cancellation_id": self.id},
        }

    def action_view_charge_invoices(self):
        """Open the invoices of extra days, and those that took a credit back."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        # sudo: the ids only; opening a document checks the rights.
        invoices = self.sudo().charge_invoice_ids
        action["domain"] = [("id", "in", invoices.ids)]
        action["context"] = {"default_move_type": "out_invoice"}
        return action
