# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL

from ..const import MONTHS

#: Months back from the present one; the dashboard's charts show as many.
MONTHS_SHOWN = 120
#: What there is on a day: over several months, their average.
STOCKS = ("first_day_count", "active_count", "monthly_revenue")


class SubscriptionChurnReport(models.Model):
    """How many subscriptions ran in each month, began and ended, and their price (E4).

    One row per month and stay: a subscription stays from its start, or from the day it
    came back on, until it ends as a whole. A cancellation that was undone ends no stay.
    What upstream closed without a cancellation has no known end and is left out.

    Its months come first in the query, so that PostgreSQL reads only those asked for;
    amounts are subqueries, which it leaves out where nobody asks for them.
    """

    _name = "subscription.churn.report"
    _description = "Churn Analysis"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "subscription_id"

    date = fields.Date(string="Month", readonly=True, help="The first day of a month.")
    subscription_id = fields.Many2one(comodel_name="sale.subscription", readonly=True)
    template_id = fields.Many2one(
        comodel_name="sale.subscription.template", string="Plan", readonly=True
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    country_id = fields.Many2one(
        comodel_name="res.country", string="Customer Country", readonly=True
    )
    user_id = fields.Many2one(
        comodel_name="res.users", string="Salesperson", readonly=True
    )
    team_id = fields.Many2one(
        comodel_name="crm.team", string="Sales Team", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)

    # === MEASURES === #

    first_day_count = fields.Integer(
        string="Running on the First Day",
        aggregator="avg",
        readonly=True,
        help="Subscriptions that ran on the first day of the month.",
    )
    started_count = fields.Integer(
        string="Started", readonly=True, help="Subscriptions that began, or came back."
    )
    ended_count = fields.Integer(
        string="Ended",
        readonly=True,
        help="Subscriptions whose last day of service is in the month and that have "
        "ended as a whole; undone cancellations are left out.",
    )
    active_count = fields.Integer(
        string="Active Subscriptions",
        aggregator="avg",
        readonly=True,
        help="Subscriptions that run on after the last day of the month, or today.",
    )
    churn = fields.Float(
        aggregator="avg",
        readonly=True,
        help="Ended ÷ running on the first day; over several months, their average.",
    )
    monthly_revenue = fields.Monetary(
        aggregator="avg",
        readonly=True,
        help="What the active subscriptions cost in a month, without tax, at today's "
        "prices.",
    )
    gained_monthly_revenue = fields.Monetary(
        readonly=True, help="Of the subscriptions that began, or came back."
    )
    lost_monthly_revenue = fields.Monetary(
        readonly=True, help="Of the subscriptions and of the single lines that ended."
    )
    net_monthly_revenue = fields.Monetary(readonly=True, help="Gained less lost.")

    _depends = {
        "subscription.cancellation": [
            "effective_date",
            "is_undone",
            "reactivated_date",
            "stage_before_id",
            "state",
            "subscribed_since",
            "subscription_id",
        ],
        "subscription.cancellation.line": ["cancellation_id", "monthly_revenue"],
        "sale.subscription": [
            "active",
            "company_id",
            "crm_team_id",
            "date_start",
            "partner_id",
            "stage_id",
            "template_id",
            "trial_end_date",
            "user_id",
        ],
        "sale.subscription.line": ["active", "price_subtotal", "sale_subscription_id"],
        "sale.subscription.stage": ["type"],
        "sale.subscription.template": ["recurring_interval", "recurring_rule_type"],
        "res.partner": ["country_id"],
    }

    # === QUERY === #

    @property
    def _table_query(self):
        # Not a fixed view: it ends today, and is in the currency of the user's company.
        # Odoo's table is made by SQL, from what is in the database.
        self.env["res.company"].flush_model(["currency_id"])
        self.env["res.currency.rate"].flush_model()
        return SQL(
            """
            WITH ending AS (%(endings)s), stay AS (%(stays)s)
            SELECT
                part.id,
                part.month AS date,
                subscription.id AS subscription_id,
                subscription.template_id,
                subscription.partner_id,
                partner.country_id,
                subscription.user_id,
                subscription.crm_team_id AS team_id,
                subscription.company_id,
                %(currency_id)s AS currency_id,
                part.first_day_count,
                part.started_count,
                part.ended_count,
                part.active_count,
                part.ended_count / NULLIF(part.first_day_count, 0)::float AS churn,
                %(measures)s
            FROM (%(parts)s) part
            JOIN sale_subscription subscription
                ON subscription.id = part.subscription_id
            JOIN %(currency_table)s
                ON account_currency_table.company_id = subscription.company_id
            LEFT JOIN res_partner partner ON partner.id = subscription.partner_id
            """,
            endings=self._select_endings(),
            stays=self._select_stays(),
            parts=self._select_parts(),
            measures=self._select_measures(),
            currency_id=self.env.company.currency_id.id,
            currency_table=self.env["res.currency"]._get_simple_currency_table(
                self.env.companies
            ),
        )

    def _select_endings(self):
        """Return a query of the days on which subscriptions have ended as a whole."""
        return SQL(
            """
            SELECT
                MIN(cancellation.id) AS id,
                cancellation.subscription_id,
                MIN(cancellation.subscribed_since) AS subscribed_since,
                cancellation.effective_date,
                MAX(cancellation.reactivated_date)::date AS back_on
            FROM subscription_cancellation cancellation
            WHERE cancellation.stage_before_id IS NOT NULL AND %(has_ended)s
            GROUP BY cancellation.subscription_id, cancellation.effective_date
            """,
            has_ended=self._has_ended(),
        )

    def _has_ended(self):
        """Return the condition on a cancellation that something has ended by it.

        Not where it came back before there was a day without it. Lines that came back
        on a running subscription were always a mistake.
        """
        return SQL(
            """
            cancellation.state = 'done' AND cancellation.is_undone IS NOT TRUE AND (
                cancellation.reactivated_date IS NULL OR (
                    cancellation.stage_before_id IS NOT NULL
                    AND cancellation.reactivated_date::date
                        > cancellation.effective_date
                )
            )
            """
        )

    def _select_stays(self):
        """Return a query of the times that subscriptions ran: since, and until when.

        The last one of each has no end, if it still runs.
        """
        return SQL(
            """
            SELECT
                2 * id::bigint AS id,
                subscription_id,
                GREATEST(subscribed_since, LAG(back_on) OVER (
                    PARTITION BY subscription_id ORDER BY effective_date
                )) AS since,
                effective_date AS until
            FROM ending
            UNION ALL
            SELECT
                2 * subscription.id::bigint + 1,
                subscription.id,
                GREATEST(subscription.date_start, last.back_on),
                NULL
            FROM sale_subscription subscription
            JOIN sale_subscription_stage stage
                ON stage.id = subscription.stage_id AND stage.type = 'in_progress'
            LEFT JOIN (
                SELECT subscription_id, MAX(back_on) AS back_on
                FROM ending GROUP BY subscription_id
            ) last ON last.subscription_id = subscription.id
            WHERE subscription.active
            """
        )

    def _select_parts(self):
        """Return a query of the stays month by month, and of what happened in each."""
        today = fields.Date.context_today(self)
        first = today.replace(day=1) - relativedelta(months=MONTHS_SHOWN - 1)
        return SQL(
            """
            SELECT
                stay.id * 10000 + (EXTRACT(YEAR FROM month.first) * 12
                    + EXTRACT(MONTH FROM month.first))::bigint - 20000 AS id,
                stay.subscription_id,
                stay.since,
                stay.until,
                month.first AS month,
                month.last,
                (stay.since <= month.first)::int AS first_day_count,
                (stay.since >= month.first)::int AS started_count,
                (stay.until IS NOT NULL AND stay.until - 1 <= month.last)::int
                    AS ended_count,
                (stay.until IS NULL OR stay.until - 1 > month.last)::int
                    AS active_count
            FROM (
                SELECT
                    day::date AS first,
                    LEAST(%(today)s, (day + INTERVAL '1 month')::date - 1) AS last
                FROM generate_series(%(first)s::date, %(today)s::date, '1 month') day
            ) month
            JOIN stay ON stay.since <= month.last AND (
                stay.until IS NULL
                OR stay.until > GREATEST(month.first, stay.since)
            )
            """,
            first=first,
            today=today,
        )

    # === AMOUNTS === #

    def _select_measures(self):
        """Return the amounts: what runs at the end of the month, began, and ended.

        A trial costs nothing: what it leads to begins on the day after it.
        """
        paid_since = SQL("GREATEST(part.since, subscription.trial_end_date + 1)")
        gained = SQL(
            """
            CASE WHEN %(day)s BETWEEN part.month AND part.last THEN %(running)s
                ELSE 0 END
            """,
            day=paid_since,
            running=self._get_running_sql(paid_since),
        )
        lost = self._get_ended_sql(
            SQL(
                """
                cancellation.effective_date - 1
                    BETWEEN GREATEST(part.month, part.since) AND part.last
                """
            )
        )
        return SQL(
            """
                CASE WHEN part.active_count = 1 AND %(paid_since)s <= part.last
                    THEN %(running)s ELSE 0 END AS monthly_revenue,
                %(gained)s AS gained_monthly_revenue,
                %(lost)s AS lost_monthly_revenue,
                %(gained)s - %(lost)s AS net_monthly_revenue
            """,
            paid_since=paid_since,
            running=self._get_running_sql(SQL("part.last + 1")),
            gained=gained,
            lost=lost,
        )

    def _get_running_sql(self, day):
        """Return what the lines that a stay has on a day cost in a month.

        Those that ended since, at the price they had then; the others, at today's.
        """
        return SQL(
            "(%(ended)s + CASE WHEN part.until IS NULL THEN %(present)s ELSE 0 END)",
            ended=self._get_ended_sql(
                SQL("cancellation.effective_date > %s", day),
            ),
            present=self._get_present_sql(),
        )

    def _get_ended_sql(self, condition):
        """Return what lines of a stay cost in a month whose cancellations meet one."""
        return SQL(
            """
            COALESCE((
                SELECT SUM(item.monthly_revenue)
                FROM subscription_cancellation cancellation
                JOIN subscription_cancellation_line item
                    ON item.cancellation_id = cancellation.id
                WHERE cancellation.subscription_id = part.subscription_id
                    AND %(has_ended)s
                    AND cancellation.effective_date <= COALESCE(part.until, 'infinity')
                    AND %(condition)s
            ), 0) * account_currency_table.rate
            """,
            has_ended=self._has_ended(),
            condition=condition,
        )

    def _get_present_sql(self):
        """Return what a subscription's lines cost in a month, at today's prices."""
        months = SQL(" ").join(
            SQL("WHEN template.recurring_rule_type = %s THEN %s", unit, length)
            for unit, length in MONTHS.items()
        )
        return SQL(
            """
            COALESCE((
                SELECT SUM(line.price_subtotal) * MAX(rate.rate) / MAX(
                    (CASE %(months)s ELSE 1 END)
                    * COALESCE(NULLIF(template.recurring_interval, 0), 1)
                )
                FROM sale_subscription_line line
                JOIN sale_subscription_template template
                    ON template.id = subscription.template_id
                JOIN res_company company ON company.id = subscription.company_id
                LEFT JOIN account_journal journal
                    ON journal.id = subscription.journal_id
                JOIN (%(rates)s) rate(company_id, currency_id, rate)
                    ON rate.company_id = company.id
                    AND rate.currency_id = CASE
                        WHEN template.invoicing_mode = 'sale_and_invoice'
                            THEN subscription.currency_id
                        ELSE COALESCE(journal.currency_id, company.currency_id)
                    END
                WHERE line.sale_subscription_id = subscription.id AND line.active
            ), 0) * account_currency_table.rate
            """,
            months=months,
            rates=self._get_rates_sql(),
        )

    def _get_rates_sql(self):
        """Return the rates of today, into the currency of each company."""
        currencies = self.env["res.currency"].search([])
        today = fields.Date.context_today(self)
        return SQL(
            "VALUES %s",
            SQL(", ").join(
                SQL(
                    "(%s, %s, %s)",
                    company.id,
                    currency.id,
                    currency._get_conversion_rate(
                        currency, company.currency_id, company, today
                    ),
                )
                for company in self.env.companies
                for currency in currencies
            ),
        )

    # === READ === #

    def _read_group_select(self, aggregate_spec, query):
        """Let rates and what there is on a day be those of a month, on average."""
        if aggregate_spec == "churn:avg":
            return SQL(
                "SUM(%s) / NULLIF(SUM(%s), 0)::float",
                self._field_to_sql(self._table, "ended_count", query),
                self._field_to_sql(self._table, "first_day_count", query),
            )
        name, _colon, function = aggregate_spec.partition(":")
        if name in STOCKS and function == "avg":
            return SQL(
                "SUM(%s) / NULLIF(COUNT(DISTINCT %s), 0)::float",
                self._field_to_sql(self._table, name, query),
                self._field_to_sql(self._table, "date", query),
            )
        return super()._read_group_select(aggregate_spec, query)
