# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Move a scheduled cancellation to another date, and charge the days it adds."""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.i18n import format_list

from ...arithmetic.proration import ONE_DAY, first_day_without_service
from ...formatting import format_day, format_days


class SubscriptionCancellation(models.Model):
    """Change the date of a scheduled cancellation (B13).

    Regular billing goes on until the new date as it would have. With
    ``charge_extension`` the extra days are invoiced at once instead, to the day; from
    ``extension_start_date`` on regular billing then leaves the lines out.
    """

    _inherit = "subscription.cancellation"

    moved_date = fields.Datetime(string="Date Changed On", readonly=True)
    moved_from_date = fields.Date(
        string="Date Before the Change",
        readonly=True,
        help="First day without service before the date was changed last.",
    )
    can_postpone = fields.Boolean(compute="_compute_can_revoke")

    # === POSTPONE === #

    def _postpone(self, requested_date, charge_extension=None, channel="backend"):
        """Move to ``requested_date``; nothing happens where that is the date already.

        :param requested_date: last wished day, ``"YYYY-MM-DD"`` or a date
        :param charge_extension: whether to invoice the extra days to the day;
            ``None``: as before
        :param str channel: the door it comes through, whose policy is held
        :raise UserError: the date is not possible, or this one is not scheduled
        """
        self.ensure_one()
        self._check_can_postpone()
        self._check_type("charge_extension", charge_extension)
        engine = self._as_engine()
        engine.subscription_id.lock_for_update()
        plan = self._plan_postponed(requested_date, channel)
        if self.is_whole:
            self._check_may_take_over(self._get_later_rows(plan.effective_date))
        if charge_extension is None:
            charge_extension = engine.charge_extension
        is_same = charge_extension == engine.charge_extension
        if is_same and plan.effective_date == engine.effective_date:
            return
        engine._move_to(plan, charge_extension)

    def _move_to(self, plan, charge_extension):
        """Take over the date of ``plan``: lines, invoices and scheduled action."""
        old_date, new_date = self.effective_date, plan.effective_date
        # Read first: taking back may empty the ORM's cache, and with it the plan.
        is_due, expected = plan._is_due_on_request(), None
        if not is_due:
            self._foresee_extension(plan, charge_extension)
            expected = plan._get_credit_sentence(plan._get_outlook(moved=self))
        known = self._get_documents()
        values = {
            "timing": "specific_date",
            "requested_date": plan.requested_date,
            "effective_date": new_date,
            "charge_extension": charge_extension,
            "moved_date": fields.Datetime.now(),
            "moved_from_date": old_date,
            "reminder_date": False,
        }
        first_extra_day = self._get_first_extra_day()
        if new_date < old_date or not charge_extension:
            self._take_back_extension()
        first_days = self._map_left_out_from(self.line_ids.subscription_line_id)
        self.write(values)
        if self.is_whole:
            self._take_over_later_lines()
        self._set_line_dates()
        self._charge_left_out_days(first_days=first_days)
        if charge_extension:
            self._charge_extension(first_extra_day)
        self._record_event("moved", previous_effective_date=old_date)
        if is_due:
            self._log_move(old_date, known, expected)
            self._execute()
        else:
            self._renew_advance()
            self._trigger_execution()
            self._log_move(old_date, known, expected)
            self._send_confirmation("moved")

    def _plan_postponed(self, requested_date, channel="backend"):
        """Return a virtual cancellation on the new date, with what it would credit."""
        policy = self.subscription_id._map_policies(channel)[self.subscription_id]
        day = self._check_new_date(requested_date, policy)
        effective_date = first_day_without_service(day, self.cancel_day_billed)
        self._check_not_after_whole(effective_date)
        plan = self._plan_anew(effective_date)
        plan.update({"timing": "specific_date", "requested_date": day})
        self._check_needs_no_new_approval(plan, policy)
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

    def _check_new_date(self, requested_date, policy):
        """Return the new date, checked; the policy has its say, as for a request."""
        self._check_type("requested_date", requested_date)
        day = self._parse_date(requested_date)
        if not day:
            raise UserError(
                self.env._("Choose the new date of cancellation %s.", self.name)
            )
        self._check_requested_date(self.subscription_id, day)
        defaults = self._get_default_options(self.subscription_id, policy)
        policy._check_overrides({"timing": "specific_date"}, defaults)
        return day

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

    def _check_needs_no_new_approval(self, plan, policy):
        """Raise where the new date needs an approval that this user cannot give."""
        defaults = self._get_default_options(self.subscription_id, policy)
        overrides = policy._get_overrides({"timing": "specific_date"}, defaults)
        reasons = policy._get_approval_reasons(plan, overrides)
        if reasons and self._get_cannot_decide_reason():
            raise UserError(
                self.env._(
                    "On the new date, cancellation %(name)s would need approval, "
                    "because %(reason)s. Revoke it and request it anew, or let another "
                    "manager change the date.",
                    name=self.name,
                    reason=format_list(self.env, reasons),
                )
            )

    # === LINES === #

    def _get_later_rows(self, effective_date):
        """Return the rows of other cancellations that would end a line later."""
        lines = self.subscription_id.sale_subscription_line_ids
        rows = lines.cancellation_line_ids.filtered("is_open") - self.line_ids
        return rows.filtered(
            lambda row: row.cancellation_id.effective_date > effective_date
        )

    def _take_over_later_lines(self):
        """End the lines that single cancellations would end later with this one."""
        for row in self._get_later_rows(self.effective_date):
            line = row.subscription_line_id
            row.cancellation_id._release_line(row, self.effective_date)
            self._add_lines(line)

    def _add_lines(self, lines):
        """Let further lines end with this one."""
        self.line_ids.create(
            [
                {
                    "cancellation_id": self.id,
                    "subscription_line_id": line.id,
                    "currency_id": self.currency_id.id,
                }
                for line in lines
            ]
        )

    # === OUTPUT === #

    def _preview_postponed(self, requested_date, charge_extension):
        """Return in words what moving to ``requested_date`` leads to.

        :raise UserError: the date is not possible
        """
        self._check_can_postpone()
        plan = self._plan_postponed(requested_date)
        sentences = [plan._get_end_sentence()]
        if plan._is_due_on_request():
            sentences.append(plan._get_credit_sentence(plan._get_outlook()))
        is_taken_back = self._is_extension_taken_back(plan, charge_extension)
        if self.extension_start_date and is_taken_back:
            sentences.append(self.env._("The invoice of the extra days is taken back."))
        # sudo: the price of the lines only.
        parts = self.sudo()._get_charges_of_move(
            plan.effective_date, charge_extension, is_taken_back
        )
        sentences.append(self._get_charge_sentence(parts, charge_extension))
        told = [" ".join(filter(None, sentences))]
        if not plan._is_due_on_request():
            self._foresee_extension(plan, charge_extension)
            told += plan._list_invoices_of_move(self)
        return "\n".join(told)

    def _is_extension_taken_back(self, plan, charge_extension):
        """Return whether extra days that are charged are credited by this move."""
        return plan.effective_date < self.effective_date or not charge_extension

    def _foresee_extension(self, plan, charge_extension):
        """Let a plan know from when on extra days would be charged already."""
        is_taken_back = self._is_extension_taken_back(plan, charge_extension)
        first_extra_day = self._get_first_extra_day()
        # sudo: the price of the lines only.
        parts = self.sudo()._get_charges_of_move(
            plan.effective_date, charge_extension, is_taken_back
        )
        if charge_extension and (
            any(part.period.start >= first_extra_day for part in parts)
            or (self.extension_start_date and not is_taken_back)
        ):
            plan.extension_start_date = first_extra_day

    def _list_invoices_of_move(self, moved):
        """Return line by line what is invoiced and credited, and what is not any more.

        :param moved: the scheduled cancellation that this plan gives another date
        """
        outlook = self._get_outlook(moved=moved)
        dates = self._format_period(self._get_first_period_not_billed())
        if self.is_whole:
            nothing = self.env._("No regular invoice comes for %s, or later.", dates)
        else:
            nothing = self.env._(
                "%(lines)s: no regular invoice comes for %(dates)s, or later.",
                lines=", ".join(self.line_ids.subscription_line_id.mapped("name")),
                dates=dates,
            )
        return [
            *(
                self.env._(
                    "• %(day)s: %(what)s: %(amount)s",
                    day=format_day(self.env, one.day),
                    what=one.text,
                    amount=one.currency.format(one.amount),
                )
                for one in outlook.upcoming
            ),
            f"• {nothing}",
        ]

    def _get_charge_sentence(self, parts, charge_extension):
        """Return the sentence about what is invoiced at once, if anything."""
        if parts:
            return self._describe_days_to_charge(parts)
        if charge_extension:
            return self.env._(
                "There are no extra days to charge: a regular invoice covers them."
            )
        return None

    def _describe_days_to_charge(self, parts):
        """Return in words what these days come to on an invoice."""
        subscription = self.subscription_id
        currency = subscription._get_invoice_currency()
        due = subscription._filter_charged(parts)
        text = (
            self.env._("%(amount)s will be invoiced now for %(period)s.")
            if due
            else self.env._(
                "Nothing is invoiced now for %(period)s: these days cost "
                "less than %(amount)s, and count with those that are added later."
            )
        )
        amount = subscription._get_charge_total(due) if due else currency.rounding
        return text % {
            "amount": currency.format(amount),
            "period": format_days(
                self.env,
                min(part.period.start for part in parts),
                max(part.period.last_day for part in parts),
            ),
        }

    def _log_move(self, old_date, known, expected):
        values = {
            "what": self._describe_linked(),
            "new": format_day(self.env, self.last_service_date),
            "old": format_day(self.env, old_date - ONE_DAY),
        }
        if self.effective_date == old_date:
            text = self.env._(
                "%(what)s changed: service ends on %(new)s as before.", **values
            )
        else:
            text = self.env._(
                "%(what)s moved: service ends on %(new)s instead of %(old)s.", **values
            )
        self._log_step({self: [text, expected]}, known)

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
