# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.tools import SQL

from ..const import CHANNELS, REFUND_MODES, TIMINGS

OUTCOMES = [
    ("lost", "Lost"),
    ("saved", "Saved"),
    ("won_back", "Won Back"),
    ("open", "Undecided"),
    ("refused", "Refused"),
    ("replaced", "Replaced"),
]
TENURES = [
    ("00", "< 3 months"),
    ("03", "3–12 months"),
    ("12", "1–2 years"),
    ("24", "2+ years"),
]


class SubscriptionCancellationReport(models.Model):
    """What ended, why, and what it cost (E4).

    One row per row of a cancellation: a line that is credited on two invoices has two,
    of which one carries its monthly revenue, so that every amount adds up. Numbers of
    cancellations are counted once, whatever they are grouped by.

    Everything is joined by keys and nothing is grouped, so that PostgreSQL leaves out
    what a query does not ask for, and filters before it joins.
    """

    _name = "subscription.cancellation.report"
    _description = "Cancellation Analysis"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "cancellation_id"

    # === WHEN === #

    date = fields.Date(
        readonly=True,
        help="Last day of service; where service goes on, the day of the request.",
    )
    effective_date = fields.Date(readonly=True, help="First day without service.")
    request_date = fields.Datetime(string="Requested On", readonly=True)
    executed_date = fields.Datetime(string="Done On", readonly=True)

    # === WHAT AND WHO === #

    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation", readonly=True
    )
    subscription_id = fields.Many2one(comodel_name="sale.subscription", readonly=True)
    subscription_line_id = fields.Many2one(
        comodel_name="sale.subscription.line", readonly=True
    )
    template_id = fields.Many2one(
        comodel_name="sale.subscription.template", string="Plan", readonly=True
    )
    product_id = fields.Many2one(
        comodel_name="product.product", string="Product Variant", readonly=True
    )
    product_tmpl_id = fields.Many2one(
        comodel_name="product.template", string="Product", readonly=True
    )
    categ_id = fields.Many2one(
        comodel_name="product.category", string="Product Category", readonly=True
    )
    is_whole = fields.Boolean(string="Whole Subscription", readonly=True)
    is_cascaded = fields.Boolean(string="Ends With Its Parent", readonly=True)
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    country_id = fields.Many2one(
        comodel_name="res.country", string="Customer Country", readonly=True
    )
    state_id = fields.Many2one(
        comodel_name="res.country.state", string="Customer State", readonly=True
    )
    user_id = fields.Many2one(
        comodel_name="res.users", string="Salesperson", readonly=True
    )
    team_id = fields.Many2one(
        comodel_name="crm.team", string="Sales Team", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)

    # === WHY AND HOW === #

    reason_id = fields.Many2one(
        comodel_name="sale.subscription.close.reason", readonly=True
    )
    reason_name = fields.Char(string="Given Reason", translate=True, readonly=True)
    channel = fields.Selection(selection=CHANNELS, readonly=True)
    timing = fields.Selection(selection=TIMINGS, string="When", readonly=True)
    refund_mode = fields.Selection(selection=REFUND_MODES, readonly=True)
    state = fields.Selection(
        selection=lambda self: self._get_states(), string="Status", readonly=True
    )
    outcome = fields.Selection(
        selection=OUTCOMES,
        readonly=True,
        help="Lost: scheduled or done. Saved: revoked, the customer stays. Won Back: "
        "reactivated after it was done.",
    )
    tenure = fields.Selection(
        selection=TENURES,
        string="Customer since (years)",
        readonly=True,
        help="From the start of the subscription to the end of service.",
    )

    # === MEASURES === #

    cancellation_count = fields.Integer(
        string="Cancellations", aggregator="count_distinct", readonly=True
    )
    lost_count = fields.Integer(
        string="Lost Cancellations", aggregator="count_distinct", readonly=True
    )
    saved_count = fields.Integer(
        string="Saved Cancellations", aggregator="count_distinct", readonly=True
    )
    monthly_revenue = fields.Monetary(
        readonly=True, help="Per month and without tax, whatever became of it."
    )
    lost_monthly_revenue = fields.Monetary(readonly=True)
    saved_monthly_revenue = fields.Monetary(readonly=True)
    credited = fields.Monetary(
        readonly=True, help="On posted credit memos, without tax."
    )
    refunded = fields.Monetary(readonly=True, help="With tax.")
    written_off = fields.Monetary(readonly=True, help="With tax.")
    tenure_months = fields.Integer(
        string="Months as a Customer", aggregator="avg", readonly=True
    )
    currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)

    _depends = {
        "subscription.cancellation": [
            "channel",
            "company_id",
            "effective_date",
            "executed_date",
            "is_obsolete",
            "is_whole",
            "partner_id",
            "reactivated_date",
            "reason_id",
            "reason_name",
            "refund_mode",
            "request_date",
            "state",
            "subscribed_since",
            "subscription_id",
            "timing",
            "was_replaced",
        ],
        "subscription.cancellation.line": [
            "cancellation_id",
            "credited",
            "is_cascaded",
            "monthly_revenue",
            "refunded",
            "subscription_line_id",
            "written_off",
        ],
        "sale.subscription": ["crm_team_id", "template_id", "user_id"],
        "sale.subscription.line": ["product_id"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
        "res.partner": ["country_id", "state_id"],
    }

    def _get_states(self):
        return (
            self.env["subscription.cancellation"]
            ._fields["state"]
            ._description_selection(self.env)
        )

    # === QUERY === #

    @property
    def _table_query(self):
        # Not a fixed view: amounts are in the currency of the user's company.
        return SQL("%s %s", self._select(), self._from())

    def _select(self):
        return SQL(
            """
            SELECT
                item.id,
                %(date)s AS date,
                cancellation.effective_date,
                cancellation.request_date,
                cancellation.executed_date,
                cancellation.id AS cancellation_id,
                cancellation.subscription_id,
                item.subscription_line_id,
                subscription.template_id,
                line.product_id,
                product.product_tmpl_id,
                product_template.categ_id,
                cancellation.is_whole,
                item.is_cascaded,
                cancellation.partner_id,
                partner.country_id,
                partner.state_id,
                subscription.user_id,
                subscription.crm_team_id AS team_id,
                cancellation.company_id,
                cancellation.reason_id,
                cancellation.reason_name,
                cancellation.channel,
                cancellation.timing,
                cancellation.refund_mode,
                cancellation.state,
                %(outcome)s AS outcome,
                %(tenure)s AS tenure,
                %(tenure_months)s AS tenure_months,
                %(currency_id)s AS currency_id,
                %(measures)s
            """,
            date=self._get_date_sql(),
            outcome=self._get_outcome_sql(),
            tenure=self._get_tenure_sql(),
            tenure_months=self._get_tenure_months_sql(),
            currency_id=self.env.company.currency_id.id,
            measures=self._select_measures(),
        )

    def _select_measures(self):
        return SQL(
            """
                cancellation.id AS cancellation_count,
                CASE WHEN %(outcome)s = 'lost' THEN cancellation.id END AS lost_count,
                CASE WHEN %(outcome)s = 'saved' THEN cancellation.id END AS saved_count,
                item.monthly_revenue * %(rate)s AS monthly_revenue,
                CASE WHEN %(outcome)s = 'lost' THEN item.monthly_revenue * %(rate)s
                    ELSE 0 END AS lost_monthly_revenue,
                CASE WHEN %(outcome)s = 'saved' THEN item.monthly_revenue * %(rate)s
                    ELSE 0 END AS saved_monthly_revenue,
                item.credited * %(rate)s AS credited,
                item.refunded * %(rate)s AS refunded,
                item.written_off * %(rate)s AS written_off
            """,
            outcome=self._get_outcome_sql(),
            rate=SQL("account_currency_table.rate"),
        )

    def _from(self):
        # Odoo's table is made by SQL, from what is in the database.
        self.env["res.company"].flush_model(["currency_id"])
        self.env["res.currency.rate"].flush_model()
        currency_table = self.env["res.currency"]._get_simple_currency_table(
            self.env.companies
        )
        return SQL(
            """
            FROM subscription_cancellation_line item
            JOIN subscription_cancellation cancellation
                ON cancellation.id = item.cancellation_id
            JOIN %(currency_table)s
                ON account_currency_table.company_id = cancellation.company_id
            LEFT JOIN sale_subscription subscription
                ON subscription.id = cancellation.subscription_id
            LEFT JOIN sale_subscription_line line
                ON line.id = item.subscription_line_id
            LEFT JOIN product_product product ON product.id = line.product_id
            LEFT JOIN product_template ON product_template.id = product.product_tmpl_id
            LEFT JOIN res_partner partner ON partner.id = cancellation.partner_id
            """,
            currency_table=currency_table,
        )

    def _get_outcome_sql(self):
        return SQL(
            """
            CASE
                WHEN cancellation.state = 'done'
                    AND cancellation.reactivated_date IS NOT NULL THEN 'won_back'
                WHEN cancellation.state IN ('scheduled', 'done') THEN 'lost'
                WHEN cancellation.state IN ('to_approve', 'failed') THEN 'open'
                WHEN cancellation.state = 'refused' THEN 'refused'
                WHEN cancellation.was_replaced OR cancellation.is_obsolete
                    THEN 'replaced'
                ELSE 'saved'
            END
            """
        )

    def _get_date_sql(self):
        return SQL(
            """
            CASE WHEN cancellation.state IN ('revoked', 'refused')
                THEN cancellation.request_date::date
                ELSE cancellation.effective_date - 1
            END
            """
        )

    def _get_tenure_months_sql(self):
        return SQL(
            """
            GREATEST(0, (EXTRACT(YEAR FROM AGE(
                cancellation.effective_date, cancellation.subscribed_since
            )) * 12 + EXTRACT(MONTH FROM AGE(
                cancellation.effective_date, cancellation.subscribed_since
            )))::int)
            """
        )

    def _get_tenure_sql(self):
        return SQL(
            """
            CASE
                WHEN %(months)s >= 24 THEN '24'
                WHEN %(months)s >= 12 THEN '12'
                WHEN %(months)s >= 3 THEN '03'
                ELSE '00'
            END
            """,
            months=self._get_tenure_months_sql(),
        )

    @api.model
    @api.readonly
    def formatted_read_grouping_sets(
        self, domain, grouping_sets, aggregates=(), *, order=None
    ):
        """Let pivots, and with them the dashboard, show months without cancellations.

        Graphs ask for them by themselves; their bars leave out what is empty.
        """
        fill_temporal = self.env.context.get("fill_temporal", True)
        report = self.with_context(fill_temporal=fill_temporal)
        return super(
            SubscriptionCancellationReport, report
        ).formatted_read_grouping_sets(domain, grouping_sets, aggregates, order=order)

    def action_open_cancellation(self):
        """Open the cancellation (click on a row)."""
        self.ensure_one()
        return self.cancellation_id.get_formview_action()
