# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The trial: free days at the start, and nothing billed before they are over."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import split_every

from ...const import MAX_TRIAL_DAYS
from ...formatting import format_day

#: What the first invoice date depends on.
FIRST_INVOICE_FIELDS = {
    "date_start",
    "recurring_next_date",
    "stage_id",
    "template_id",
    "trial_days",
    "trial_end_date",
}


class SaleSubscription(models.Model):
    """Start with a trial, bill after it, and tell when it is over."""

    _inherit = "sale.subscription"

    # The length is kept, so that the trial moves along with the start, also where
    # it was chosen by hand, and does not change with the template.
    trial_days = fields.Integer(
        compute="_compute_trial_days",
        store=True,
        copy=False,
        help="Length of the trial, from the template or from the chosen trial end.",
    )
    trial_end_date = fields.Date(
        string="Trial End",
        compute="_compute_trial_end_date",
        inverse="_inverse_trial_end_date",
        store=True,
        readonly=False,
        copy=False,
        tracking=True,
        help="Last day of the trial, which is free: the first invoice is for the days "
        "after it. Empty: no trial.",
    )

    _trial_end_idx = models.Index("(trial_end_date) WHERE cancellation_state = 'trial'")

    # === COMPUTE METHODS === #

    @api.depends("template_id")
    def _compute_trial_days(self):
        for subscription in self:
            # Free days that are over stay free, whatever the new template says.
            days = max(
                subscription.template_id.trial_days,
                subscription._count_served_trial_days(),
            )
            subscription.trial_days = subscription._decide_trial("trial_days", days)

    @api.depends("date_start", "trial_days")
    def _compute_trial_end_date(self):
        for subscription in self:
            days, start = subscription.trial_days, subscription.date_start
            end = fields.Date.add(start, days=days - 1) if start and days > 0 else False
            subscription.trial_end_date = subscription._decide_trial(
                "trial_end_date", end
            )

    def _inverse_trial_end_date(self):
        self._check_trial_end_date()
        for subscription in self:
            start, end = subscription.date_start, subscription.trial_end_date
            subscription.trial_days = (end - start).days + 1 if start and end else 0

    def _decide_trial(self, name, value):
        """Return the new value of a field, or the old one where that is settled.

        The invoices, which tell, are only looked at where it makes a difference.
        """
        current = self[name]
        changes = value != current and not self._is_trial_settled()
        return value if changes else current

    def _is_trial_settled(self):
        """Return whether template and start no longer decide on the trial."""
        real = self._origin
        return real.stage_id.type == "post" or real._is_invoiced()

    def _count_served_trial_days(self):
        """Return how many days of the trial are over."""
        if not (self.trial_days and self.date_start and self._is_in_progress()):
            return 0
        return max(min((self._today() - self.date_start).days, self.trial_days), 0)

    @api.depends("trial_end_date")
    def _compute_rule_boundary(self):
        result = super()._compute_rule_boundary()
        for subscription in self:
            if subscription.trial_end_date and subscription.date:
                # A fixed term is a paid one: it begins after the trial.
                subscription.date = subscription.template_id._get_date(
                    subscription._get_first_paid_day()
                )
        return result

    # === CONSTRAINTS === #

    def _check_trial_end_date(self):
        """Raise where the trial end that somebody chose cannot be.

        No ``api.constrains``: that would also look at a trial which is long over
        whenever upstream moves the start.
        """
        for subscription in self.filtered("trial_end_date"):
            subscription._check_trial_length()
            subscription._check_trial_not_billed()

    def _check_trial_length(self):
        start, end = self.date_start, self.trial_end_date
        if start and end < start:
            raise ValidationError(
                self.env._(
                    "The trial of subscription %(name)s cannot end on %(end)s, before "
                    "the subscription starts: choose %(start)s or a later day, or "
                    "leave the trial end empty for no trial.",
                    name=self.display_name,
                    end=format_day(self.env, end),
                    start=format_day(self.env, start),
                )
            )
        if start and (end - start).days >= MAX_TRIAL_DAYS:
            raise ValidationError(
                self.env._(
                    "The trial of subscription %(name)s cannot end on %(end)s: a trial "
                    "lasts %(days)s days at most. Choose an earlier day.",
                    name=self.display_name,
                    end=format_day(self.env, end),
                    days=MAX_TRIAL_DAYS,
                )
            )

    def _check_trial_not_billed(self):
        """Raise where free days would be days that the customer is billed for."""
        billed = self._get_first_billed_line()
        if billed and billed.start_date <= self.trial_end_date:
            raise ValidationError(
                self.env._(
                    "The trial of subscription %(name)s cannot end on %(end)s: the "
                    "days from %(billed)s on are already invoiced (%(invoice)s). "
                    "Credit that invoice in full first, or choose an earlier day.",
                    name=self.display_name,
                    end=format_day(self.env, self.trial_end_date),
                    billed=format_day(self.env, billed.start_date),
                    invoice=billed.move_id.display_name,
                )
            )

    def _get_first_billed_line(self):
        """Return the invoice line with the first day that is billed, if any."""
        lines = self._get_standing_invoices().invoice_line_ids.filtered(
            lambda line: (
                line.subscription_line_id.sale_subscription_id == self
                and line.start_date
            )
        )
        return lines.sorted("start_date")[:1]

    # === DATES === #

    def _is_in_trial(self):
        """Return whether it runs, and its trial is not over."""
        self.ensure_one()
        end = self.trial_end_date
        return bool(end and self._is_in_progress() and self._today() <= end)

    def _get_first_paid_day(self):
        """Return the day after the trial; without one, the start."""
        self.ensure_one()
        end = self.trial_end_date
        return fields.Date.add(end, days=1) if end else self.date_start

    def _get_first_invoice_date(self):
        return self._get_first_paid_day() or super()._get_first_invoice_date()

    def _get_end_of_period(self):
        # Also where the first paid period is billed already: the trial comes first.
        end = super()._get_end_of_period()
        return min(end, self._get_first_paid_day()) if self._is_in_trial() else end

    # === FIRST INVOICE === #

    def _move_first_periods(self, vals, first_periods):
        """Let the first invoice be for the days that it is for now.

        :param dict first_periods: as they were, of :meth:`_map_first_periods`
        """
        for subscription, (first_day, periods) in first_periods.items():
            subscription._move_first_period(first_day, periods)
        if FIRST_INVOICE_FIELDS & vals.keys():
            self._skip_trial_days()

    def calculate_recurring_next_date(self, start_date):
        # Also for what a form shows before it is saved.
        result = super().calculate_recurring_next_date(start_date)
        self._skip_trial_days()
        return result

    @api.onchange("trial_end_date")
    def _onchange_trial_end_date(self):
        # Upstream's date is not a computed one, and a form sends what it shows; of
        # an existing subscription write() takes care.
        if not self._origin:
            self.recurring_next_date = self._get_first_paid_day()

    def _skip_trial_days(self):
        """Move a next invoice that would be for trial days behind the trial."""
        for subscription in self:
            day, end = subscription.recurring_next_date, subscription.trial_end_date
            if day and end and day <= end:
                subscription.recurring_next_date = subscription._get_first_paid_day()

    def _map_first_periods(self, vals):
        """Return first paid day and periods sold, where the trial decides on them.

        :param dict vals: what is about to be written
        """
        is_given = "recurring_next_date" in vals
        if is_given or not FIRST_INVOICE_FIELDS & vals.keys():
            return {}
        in_trial = self.filtered("trial_end_date")
        return {
            subscription: (
                subscription._get_first_paid_day(),
                subscription._count_periods_sold(),
            )
            for subscription in in_trial
        }

    def _count_periods_sold(self):
        """Return how many paid periods come before the next invoice.

        None, or the one that the sales order bills; ``None`` where the next invoice
        date has nothing to do with the trial any more.
        """
        first_day = self._get_first_paid_day()
        if self.recurring_next_date == first_day:
            return 0
        second_day = self._get_next_invoice_date(first_day)
        is_sold = self.sale_order_id and self.recurring_next_date == second_day
        return 1 if is_sold else None

    def _move_first_period(self, old_first_day, periods):
        """Let the first invoice, and what the order bills, follow the trial's end.

        :param int periods: as of :meth:`_count_periods_sold`, before the change
        """
        first_day = self._get_first_paid_day()
        if periods is None or first_day == old_first_day or self._is_invoiced():
            return
        if not periods:
            self.recurring_next_date = first_day
        else:
            # sudo: the order may be somebody else's.
            self.sudo()._bill_first_period_on_order()

    def _bill_first_period_on_order(self):
        """Take the first paid period as billed by the sales order, and say so there.

        Upstream counts it from the day the order is confirmed.
        """
        for subscription in self:
            if subscription.trial_end_date:
                first_day = subscription._get_first_paid_day()
                next_day = subscription._get_next_invoice_date(first_day)
                subscription.recurring_next_date = next_day
        self._stamp_first_period_on_order()

    # === END OF THE TRIAL === #

    def generate_invoice(self):
        """Bill the next period, unless the trial still runs."""
        self.ensure_one()
        if self._is_in_trial():
            return None
        self._refresh_trial_state()
        return super().generate_invoice()

    def _refresh_trial_state(self):
        """Compute the status again where it still says trial, and is over."""
        stale = self.filtered(
            lambda subscription: (
                subscription.cancellation_state == "trial"
                and not subscription._is_in_trial()
            )
        )
        self.env.add_to_compute(self._fields["cancellation_state"], stale)
        stale._recompute_recordset(["cancellation_state"])

    @api.model
    def _cron_end_trials(self, batch_size=1000):
        """Compute the status of subscriptions whose trial is over.

        What somebody else is writing is left to the next run.

        :param int batch_size: subscriptions per transaction
        """
        Cron = self.env["ir.cron"]
        found = self._search_trials_to_end()
        Cron._commit_progress(remaining=len(found))
        for batch in split_every(batch_size, found.ids, self.browse):
            batch.try_lock_for_update()._refresh_trial_state()
            if not Cron._commit_progress(len(batch)):
                break

    @api.model
    def _search_trials_to_end(self):
        """Return the subscriptions whose trial is over, or will be within a day.

        East of UTC the next day may have begun already, so that those count whose
        last trial day is today.
        """
        return self.search(
            [
                ("cancellation_state", "=", "trial"),
                ("trial_end_date", "<=", fields.Date.today()),
            ]
        )
