# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How early a policy lets a subscription end: notice, minimum term, alignment."""

from datetime import date

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...arithmetic.proration import (
    ONE_DAY,
    Charge,
    Period,
    creditable,
    first_day_without_service,
)
from ...arithmetic.terms import Contract, NoTermError, Terms, cancel_by, earliest_end
from ...formatting import format_day

#: The subscription of the example: monthly, in its first year.
EXAMPLE_CONTRACT = Contract(
    start=date(2026, 1, 1),
    next_period_start=date(2026, 8, 1),
    interval=relativedelta(months=1),
)
EXAMPLE_DAY = date(2026, 7, 10)
#: The largest numbers that make sense; what is more is a typing error.
LIMITS = {
    "notice_period": 1000,
    "minimum_term": 600,
    "renewal_length": 600,
    "undo_days": 3650,
}


class SubscriptionCancellationPolicy(models.Model):
    """Notice and terms, and an example of what they lead to."""

    _inherit = "subscription.cancellation.policy"

    notice_period = fields.Integer(
        string="Notice",
        help="How long before the end of service the request must be made. Kept by "
        "every timing but “Immediately” and “On a specific date”, which are marked as "
        "extraordinary where they ignore it.",
    )
    notice_unit = fields.Selection(
        selection=[("days", "Days"), ("weeks", "Weeks"), ("months", "Months")],
        default="months",
        required=True,
    )
    notice_counted = fields.Selection(
        selection=[
            ("request", "Notice from the request"),
            ("end", "Notice before the end"),
        ],
        default="request",
        required=True,
        help="The two differ by a few days at month ends: requested on 31 January, "
        "one month from the request is the end of February; one month back from "
        "28 February is 28 January.",
    )
    minimum_term = fields.Integer(
        help="Months from the start of the subscription that it runs at least.",
    )
    renewal_length = fields.Integer(
        help="Months by which the term renews once the minimum term is over, where "
        "service ends at the end of a term. 0: by the length of the minimum term.",
    )
    end_alignment = fields.Selection(
        selection=[
            ("any_day", "Any day"),
            ("end_of_month", "End of a month"),
            ("end_of_period", "End of a billing period"),
            ("end_of_term", "End of a term"),
        ],
        string="Service May End On",
        default="any_day",
        required=True,
        help="The days on which service may end at the earliest possible date.",
    )
    allow_backdating = fields.Boolean(
        help="A specific date may lie in the past, back to the start of the "
        "subscription. Everything that was billed from then on is credited.",
    )
    undo_days = fields.Integer(
        string="Undo Within (Days)",
        default=7,
        help="For how many days an executed cancellation can be undone.",
    )
    example = fields.Char(compute="_compute_example")

    # === CONSTRAINTS === #

    @api.constrains(*LIMITS)
    def _check_numbers(self):
        for policy in self:
            for name, limit in LIMITS.items():
                if not 0 <= policy[name] <= limit:
                    raise ValidationError(
                        self.env._(
                            "“%(field)s” of policy “%(name)s” cannot be %(value)s. "
                            "Enter a number from 0, for none, to %(limit)s.",
                            field=self._fields[name]._description_string(self.env),
                            name=policy.name,
                            value=policy[name],
                            limit=limit,
                        )
                    )

    @api.constrains("timing", "allow_override_timing", "notice_period", "minimum_term")
    def _check_terms_can_apply(self):
        """Refuse a notice or a minimum term that nobody could ever keep or break."""
        for policy in self:
            has_terms = policy.notice_period or policy.minimum_term
            ignores_terms = policy.timing in ("immediate", "specific_date")
            if has_terms and ignores_terms and not policy.allow_override_timing:
                raise ValidationError(
                    self.env._(
                        "Policy “%s” contradicts itself: it ends service immediately "
                        "or on any date and allows no other time, so its notice and "
                        "minimum term never apply. Choose another time, or set both "
                        "to 0.",
                        policy.name,
                    )
                )

    # === TERMS === #

    def _get_terms(self):
        """Return notice, minimum term and alignment for the date engine."""
        self.ensure_one()
        return Terms(
            notice_period=self.notice_period,
            notice_unit=self.notice_unit,
            notice_counted=self.notice_counted,
            minimum_term=self.minimum_term,
            renewal_length=self.renewal_length,
            alignment=self.end_alignment,
        )

    # === EXAMPLE === #

    @api.depends(
        "timing",
        "refund_mode",
        "cancel_day_billed",
        "notice_period",
        "notice_unit",
        "notice_counted",
        "minimum_term",
        "renewal_length",
        "end_alignment",
    )
    @api.depends_context("lang")
    def _compute_example(self):
        for policy in self:
            policy.example = policy._get_example()

    def _get_example(self):
        """Return what this policy makes of a subscription cancelled on 10 July."""
        self.ensure_one()
        last_day, latest_request = self._get_example_dates()
        example = self.env._(
            "A subscription of %(price)s a month since %(start)s, cancelled on "
            "%(day)s: service ends on %(end)s, credit %(credit)s.",
            price=self._format_example(3100),
            start=format_day(self.env, EXAMPLE_CONTRACT.start),
            day=format_day(self.env, EXAMPLE_DAY),
            end=format_day(self.env, last_day),
            credit=self._format_example(self._get_example_credit(last_day)),
        )
        if latest_request == last_day:
            return example
        return self.env._(
            "%(example)s To end then, it must be cancelled by %(day)s.",
            example=example,
            day=format_day(self.env, latest_request),
        )

    def _format_example(self, cents):
        """Return an amount of the example as the company writes it."""
        company = self.company_id or self.env.company
        return company.currency_id.format(cents / 100)

    def _get_example_dates(self):
        """Return the example's last day of service, and the last day to ask for it."""
        if self.timing in ("immediate", "specific_date"):
            day = first_day_without_service(EXAMPLE_DAY, self.cancel_day_billed)
            return day - ONE_DAY, day - ONE_DAY
        terms, contract = self._get_terms().for_timing(self.timing), EXAMPLE_CONTRACT
        try:
            last_day = earliest_end(EXAMPLE_DAY, terms, contract)
        except NoTermError:
            # An ordinary fixed contract of a year.
            contract = contract._replace(end=date(2027, 1, 1))
            last_day = earliest_end(EXAMPLE_DAY, terms, contract)
        return last_day, cancel_by(last_day, terms, contract)

    def _get_example_credit(self, last_day):
        """Return the credit, in cents, of the month that is billed then."""
        month_start = last_day.replace(day=1)
        month = Period(month_start, month_start + relativedelta(months=1))
        return {
            "none": 0,
            "prorated": creditable(Charge(3100, month), [], last_day + ONE_DAY),
            "full": 3100,
        }[self.refund_mode]
