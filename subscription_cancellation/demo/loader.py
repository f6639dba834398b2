# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Give the demo subscriptions a past: what upstream bills, what customers pay.

The records are in the XML files next to this one. Invoices, payments and credit memos
come out of the same flows that a real company runs, with dates relative to today.
"""

from datetime import timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.fields import Command

from .former import FormerServices

PAID, HALF_PAID, UNPAID, DRAFT = "paid", "half paid", "unpaid", "draft"
#: What comes of charging a saved card, in the words of the demo provider.
ACCEPTED, REFUSED = "done", "error"
DAYS_TO_PAY = timedelta(days=9)
#: Context for many documents: no log of who created them, which halves the time.
QUICK = {"tracking_disable": True}


class Story(NamedTuple):
    """How a subscription came to where it is; its invoices are paid but the latest."""

    months: int  # started so many months
    days: int  # and days ago
    latest: str = PAID  # what became of the latest invoice
    in_advance: int = 0  # periods billed beyond the running one
    card: str = ""  # saved; pays what is paid of the latest invoice


STORIES = {
    "rowing_domain": Story(9, 2),
    "restaurant_web": Story(7, 6),
    "dental_support": Story(5, 8),
    "architects_files": Story(4, 5),
    "bakery_mail": Story(4, 3),
    "logistics_office": Story(4, 15),
    "architects_cloud": Story(3, 20, latest=UNPAID),
    "instruments_cloud": Story(3, 25, latest=UNPAID),
    "bakery_web": Story(3, 12),
    "dental_web": Story(2, 17),
    "games_cloud": Story(2, 13, latest=HALF_PAID),
    "vet_web": Story(2, 6),
    "restaurant_mail": Story(1, 27),
    "rowing_site": Story(1, 21, latest=HALF_PAID),
    "logistics_web": Story(1, 10, in_advance=2),
    "bakery_shop": Story(1, 9),
    "instruments_support": Story(1, 4),
    "atelier_web": Story(1, 2, latest=DRAFT),
    "games_staging": Story(0, 18, latest=UNPAID),
    "architects_support": Story(0, 6, latest=UNPAID),
    # In their trial.
    "rowing_files": Story(0, 5),
    "vet_files": Story(0, 9),
    # Each ends with another settlement.
    "yoga_web": Story(1, 5, latest=HALF_PAID, card=ACCEPTED),
    "printers_web": Story(0, 11, card=ACCEPTED),
    "printers_files": Story(1, 7, latest=UNPAID),
    "florist_web": Story(2, 8, latest=UNPAID, card=ACCEPTED),
    "taproom_web": Story(1, 16, latest=UNPAID, card=REFUSED),
    "chandlery_mail": Story(3, 19, latest=UNPAID),
    "school_mail": Story(0, 12),
    "surf_web": Story(1, 14, latest=DRAFT),
}


def load_demo(env):
    """Run the demo company up to today; once, and only where its records are."""
    first = env.ref(_xmlid("subscription_bakery_web"), raise_if_not_found=False)
    if first and first.stage_type == "draft":
        company = env.ref("base.main_company")
        context = {**env.context, "allowed_company_ids": company.ids}
        DemoCompany(env(context=context)).run()


def _xmlid(name):
    return f"subscription_cancellation.demo_{name}"


class DemoCompany:
    """The last months of the demo company, in the order in which things happen."""

    def __init__(self, env):
        self.env = env
        self.today = fields.Date.today()
        self.sales = env.ref(_xmlid("user_sales"))
        self.accountant = env.ref(_xmlid("user_accountant"))

    def run(self):
        """Start, bill, collect, then everything that is not routine."""
        quick = DemoCompany(self.env(context={**self.env.context, **QUICK}))
        former = FormerServices(quick)
        quick._bill_until_today()
        old_invoices = former.bill()
        quick._post_invoices(old_invoices)
        quick._collect_payments(old_invoices)
        former.cancel()
        self._sell_by_order()
        self._prepare_next_start()
        self._pause()
        self._cancel_subscriptions()
        self._cancel_for_later()
        self._cancel_lines()
        self._change_minds()
        self._cancel_and_settle()

    def _get(self, name):
        """Return the subscription called ``name``, as the salesperson sees it."""
        subscription = self.env.ref(_xmlid(f"subscription_{name}"))
        return subscription.with_user(self.sales)

    # === BILLING === #

    def _bill_until_today(self):
        for name, story in STORIES.items():
            subscription = self._get(name)
            self._start(subscription, story)
            self._bill(subscription.with_env(self.env), story)

    def _start(self, subscription, story):
        """Start in the past; upstream itself only knows starting today."""
        start = self.today - relativedelta(months=story.months, days=story.days)
        subscription.action_start_subscription()
        subscription.write({"date_start": start, "recurring_next_date": start})

    def _bill(self, subscription, story):
        """Let upstream invoice one period after the other."""
        while subscription.recurring_next_date <= self.today:
            subscription.generate_invoice()
        for _period in range(story.in_advance):
            subscription.generate_invoice()

    def _get_invoices(self, name):
        """Return the invoices of a subscription, the latest one last."""
        invoices = self._get(name).sudo()._get_invoices()
        return invoices.sorted(lambda move: (move.invoice_date, move.id))

    def _post_invoices(self, invoices):
        """Post in the order of dates, so that the numbers are in order, too.

        :param invoices: ``account.move``, those that no story is about
        """
        for name, story in STORIES.items():
            drafts = self._get_invoices(name).filtered_domain([("state", "=", "draft")])
            invoices |= drafts[:-1] if story.latest == DRAFT else drafts
        invoices.with_user(self.accountant).sorted("invoice_date").action_post()

    # === PAYMENTS === #

    def _collect_payments(self, paid):
        """Receive what is paid: in full month by month, the rest one by one.

        :param paid: ``account.move``, those that no story is about
        """
        for name, story in STORIES.items():
            invoices = self._get_invoices(name)
            is_routine = story.latest == PAID and not story.card
            paid |= invoices if is_routine else invoices[:-1]
        months = paid.sorted("invoice_date").grouped(
            lambda move: move.invoice_date.replace(day=1)
        )
        for invoices in months.values():
            self._pay(invoices)
        for name, story in STORIES.items():
            if story.card or story.latest == HALF_PAID:
                self._pay_latest(self._get_invoices(name)[-1], story)

    def _pay_latest(self, invoice, story):
        """Receive what is paid by card, or in part."""
        share = {PAID: 1.0, HALF_PAID: 0.5}.get(story.latest, 0.0)
        amount = invoice.currency_id.round(invoice.amount_total * share)
        token = self._save_card(invoice.partner_id, story.card) if story.card else None
        if amount and token:
            self._pay_by_card(invoice, token, amount)
        elif amount and invoice.payment_state == "not_paid":
            self._pay(invoice, amount=amount)

    def _pay(self, invoices, **values):
        """Register a payment for each of these invoices."""
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoices.ids
        )
        day = min(max(invoices.mapped("invoice_date")) + DAYS_TO_PAY, self.today)
        wizard.with_user(self.accountant).create(
            {"payment_date": day, "group_payment": False, **values}
        )._create_payments()

    def _save_card(self, partner, outcome):
        """Return a customer's saved card, none where nothing can take payments.

        :param str outcome: of charging it
        """
        known = [("code", "=", "demo"), ("company_id", "=", self.env.company.id)]
        provider = self.env["payment.provider"].search(known, limit=1)
        if not provider:
            return None
        provider.state = "test"
        return self.env["payment.token"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.env.ref("payment.payment_method_visa").id,
                "payment_details": "•••• 4242" if outcome == ACCEPTED else "•••• 0341",
                "partner_id": partner.id,
                "provider_ref": "demo",
                "demo_simulated_state": outcome,
            }
        )

    def _pay_by_card(self, invoice, token, amount):
        """Let a customer pay through the provider."""
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": token.provider_id.id,
                "payment_method_id": token.payment_method_id.id,
                "token_id": token.id,
                "operation": "offline",
                "amount": amount,
                "currency_id": invoice.currency_id.id,
                "partner_id": invoice.partner_id.id,
                "invoice_ids": [Command.set(invoice.ids)],
            }
        )
        transaction._charge_with_token()
        transaction._post_process()

    # === SALES === #

    def _sell_by_order(self):
        """Confirm a quotation: its invoice bills the subscription's first period."""
        order = self.env.ref(_xmlid("order_vet_cloud")).with_user(self.sales)
        order.action_confirm()
        order._create_invoices().with_user(self.accountant).action_post()
        order.subscription_ids.write(
            {
                "crm_team_id": order.team_id.id,
                "tag_ids": self.env.ref(_xmlid("tag_cloud")).ids,
            }
        )

    def _prepare_next_start(self):
        """Have a subscription ready to start in some days."""
        start = self.today + timedelta(days=10)
        subscription = self._get("vet_mail")
        subscription.write({"date_start": start, "recurring_next_date": start})
        subscription.stage_id = self.env.ref(
            "subscription_oca.subscription_stage_ready"
        )

    def _pause(self):
        self._get("vet_web").action_pause(self.today + timedelta(days=25))

    # === CANCELLATIONS === #

    def _cancel_subscriptions(self):
        """One of each kind, all asked for today: the past cannot be cancelled."""
        self._cancel(
            "dental_support",
            timing="immediate",
            refund_mode="prorated",
            reason_code="no_longer_needed",
            comment="The practice has hired its own administrator.",
        )
        self._cancel(
            "bakery_shop",
            timing="immediate",
            refund_mode="none",
            reason_code="too_difficult",
            comment="The shop never opened; no refund, as agreed on the phone.",
        )
        self._cancel(
            "games_staging",
            timing="immediate",
            refund_mode="prorated",
            reason_code="no_longer_needed",
            comment="The test phase is over.",
        )

    def _cancel_for_later(self):
        """For the end of a period, a date, or the end of a trial; one is revoked."""
        self._cancel(
            "dental_web",
            timing="end_of_period",
            refund_mode="prorated",
            reason_code="switching_service",
            comment="The new practice software brings its own website.",
        )
        self._cancel(
            "restaurant_mail",
            timing="specific_date",
            requested_date=self.today + timedelta(days=20),
            refund_mode="prorated",
            reason_code="too_expensive",
        )
        self._cancel(
            "vet_files",
            timing="end_of_period",
            reason_code="missing_features",
            comment="They stay with the files on their own server.",
        )
        self._cancel(
            "instruments_support", timing="end_of_period", reason_code="too_expensive"
        ).with_user(self.sales)._revoke()

    def _change_minds(self):
        """Cancellations that wait, are moved with extra days, or are taken back."""
        games = self._get("games_cloud")
        games.sudo().cancellation_policy_id = self.env.ref(_xmlid("policy_approval"))
        self._cancel(
            "games_cloud",
            timing="immediate",
            refund_mode="full",
            reason_code="technical_issues",
            comment="The servers were down for a day; they want all of it back.",
        )
        self._cancel(
            "rowing_site", timing="end_of_period", reason_code="no_longer_needed"
        )
        site = self._get("rowing_site")
        new_date = site.last_service_date + timedelta(days=15)
        site.postpone_cancellation(
            requested_date=fields.Date.to_string(new_date), charge_extension=True
        )
        self._cancel("bakery_web", timing="immediate", reason_code="too_expensive")
        self._get("bakery_web").reactivate_subscription()

    def _cancel_lines(self):
        self._cancel(
            "architects_files",
            products=("storage",),
            timing="immediate",
            refund_mode="prorated",
            reason_code="no_longer_needed",
            comment="Old projects were moved to the archive.",
        )
        self._cancel(
            "logistics_office",
            products=("files",),
            timing="end_of_period",
            reason_code="missing_features",
        )

    def _cancel_and_settle(self):
        """One of each settlement; the scheduled action takes the steps."""
        self._cancel_with_credit()
        self._cancel_with_debt()
        self._cancel(
            "surf_web",
            timing="immediate",
            unbilled_charges="invoice",
            reason_code="no_longer_needed",
            comment="The season is over.",
        )

    def _cancel_with_credit(self):
        """Refunded to the card or by hand, or used for another invoice."""
        self._cancel(
            "yoga_web",
            timing="immediate",
            refund_mode="prorated",
            credit_settlement="refund",
            reason_code="switching_service",
            comment="The studio moves to the website of its franchise.",
        )
        self._cancel(
            "printers_web",
            timing="immediate",
            refund_mode="prorated",
            apply_credits=True,
            credit_settlement="refund",
            reason_code="no_longer_needed",
            comment="The web shop closes; they keep the files.",
        )
        self._cancel(
            "school_mail",
            timing="immediate",
            refund_mode="prorated",
            credit_settlement="refund",
            reason_code="too_expensive",
            comment="Paid by bank transfer; the refund goes to the same account.",
        )

    def _cancel_with_debt(self):
        """Collected from a saved card, refused by one, or written off."""
        self._cancel(
            "florist_web",
            timing="immediate",
            refund_mode="prorated",
            unpaid_invoices="collect",
            reason_code="too_difficult",
        )
        self._cancel(
            "taproom_web",
            timing="immediate",
            refund_mode="none",
            unpaid_invoices="collect",
            reason_code="no_longer_needed",
            comment="The taproom changes hands.",
        )
        self._cancel(
            "chandlery_mail",
            timing="immediate",
            refund_mode="prorated",
            unpaid_invoices="write_off",
            reason_code="not_paid",
            comment="Out of business; nobody answers.",
        )

    def _cancel(self, name, products=(), **options):
        """Cancel a subscription, or those of its lines that sell these products."""
        subscription = self._get(name)
        if products:
            wanted = [self.env.ref(_xmlid(f"product_{code}")).id for code in products]
            options["line_ids"] = subscription.sale_subscription_line_ids.filtered(
                lambda line: line.product_id.id in wanted
            ).ids
        # Nobody is there to read what goes out at once.
        options.setdefault("send_confirmation", options["timing"] == "immediate")
        return subscription._request_cancellation(options, channel="backend")
