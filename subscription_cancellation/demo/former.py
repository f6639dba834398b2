# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers had and gave up in the last months, so that there is a history.

They cancelled before the company used this addon; the ends were entered afterwards,
which is what a policy that allows backdating is for.
"""

from datetime import timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo.fields import Command, Date


class Former(NamedTuple):
    """A service that a customer had."""

    customer: str
    plan: str
    product: str
    quantity: int
    months: int  # began so many months ago
    served: int  # and was served so many months
    reason: str
    days: int = 0  # and days; the rest of the period is credited
    channel: str = "backend"


FORMER = (
    Former("atelier", "monthly", "cdn", 8, 20, 4, "too_expensive"),
    Former("rowing", "monthly", "club_shop", 6, 19, 2, "too_difficult"),
    Former("florist", "quarterly", "mailbox", 60, 18, 3, "switching_service"),
    Former("school", "monthly", "support", 1, 16, 2, "no_longer_needed"),
    Former("taproom", "yearly", "domain", 12, 26, 12, "no_longer_needed"),
    Former("logistics", "monthly", "server", 2, 15, 2, "technical_issues"),
    Former("bakery", "monthly", "files", 9, 13, 1, "missing_features"),
    Former("restaurant", "monthly", "cdn", 9, 13, 3, "too_expensive", 9),
    Former("dental", "yearly", "mailbox", 36, 21, 12, "missing_features"),
    Former("surf", "monthly", "web", 3, 11, 2, "too_difficult", 0, "api"),
    Former("logistics", "monthly", "server", 3, 11, 3, "switching_service", 14),
    Former("atelier", "monthly", "mailbox", 22, 9, 2, "too_expensive"),
    Former("games", "quarterly", "storage", 14, 13, 6, "too_expensive", 20, "api"),
    Former("bakery", "monthly", "support", 1, 8, 2, "no_longer_needed"),
    Former("instruments", "monthly", "files", 16, 8, 2, "technical_issues", 6, "api"),
    Former("architects", "monthly", "database", 4, 7, 1, "switching_service", 5),
    Former("printers", "monthly", "support", 2, 7, 2, "too_expensive"),
    Former("vet", "monthly", "monitoring", 8, 6, 2, "missing_features", 3, "api"),
    Former("florist", "monthly", "cdn", 9, 6, 2, "too_expensive"),
    Former("chandlery", "quarterly", "web", 14, 9, 6, "no_longer_needed"),
    Former("taproom", "monthly", "mailbox", 24, 5, 2, "switching_service"),
    Former("school", "monthly", "files", 26, 4, 2, "switching_service"),
    Former("dental", "monthly", "server", 2, 4, 2, "too_expensive", 11),
    Former("yoga", "monthly", "mailbox", 44, 3, 2, "too_expensive", 0, "api"),
    Former("rowing", "monthly", "club_site", 7, 3, 2, "too_difficult", 4, "api"),
)


class FormerServices:
    """The services of :data:`FORMER`: billed as upstream bills, then ended."""

    def __init__(self, company):
        """Take the people and the calendar of a ``DemoCompany``."""
        self.company = company
        self.subscriptions = []

    def bill(self):
        """Let upstream bill all of it; return the draft invoices."""
        Subscription = self.company.env["sale.subscription"]
        for former in FORMER:
            subscription = Subscription.create(self._prepare(former))
            self.subscriptions.append(subscription)
            self._bill(subscription, former)
        return Subscription.union(*self.subscriptions)._get_invoices()

    def _prepare(self, former):
        """Return the values of a subscription."""
        return {
            "partner_id": self._ref(f"partner_{former.customer}"),
            "template_id": self._ref(f"template_{former.plan}"),
            "pricelist_id": self._ref("pricelist_usd"),
            "company_id": self.company.env.company.id,
            "user_id": self.company.sales.id,
            "crm_team_id": self.company.env.ref("sales_team.team_sales_department").id,
            "cancellation_policy_id": self._ref("policy_backdated"),
            "sale_subscription_line_ids": [
                Command.create(
                    {
                        "product_id": self._ref(f"product_{former.product}"),
                        "product_uom_qty": former.quantity,
                    }
                )
            ],
        }

    def _ref(self, name):
        return self.company.env.ref(f"subscription_cancellation.demo_{name}").id

    def _bill(self, subscription, former):
        """Start in the past, and bill up to the last day."""
        start = self.company.today - relativedelta(months=former.months)
        subscription.action_start_subscription()
        subscription.write({"date_start": start, "recurring_next_date": start})
        while subscription.recurring_next_date <= self._get_last_day(former):
            subscription.generate_invoice()

    def _get_last_day(self, former):
        """Return the last day of service."""
        months = relativedelta(months=former.months - former.served)
        return self.company.today - months + timedelta(days=former.days - 1)

    def cancel(self):
        """Enter the ends afterwards."""
        for subscription, former in zip(self.subscriptions, FORMER, strict=True):
            subscription.with_user(self.company.sales)._request_cancellation(
                {
                    "timing": "specific_date",
                    "requested_date": Date.to_string(self._get_last_day(former)),
                    "refund_mode": "prorated" if former.days else "none",
                    "reason_code": former.reason,
                    "send_confirmation": False,
                },
                channel=former.channel,
            )
