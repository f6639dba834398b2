# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Factories: subscriptions that upstream's own billing has invoiced.

Every factory has defaults that keywords override. Time stands still at
:attr:`CancellationCase.now`; only :meth:`CancellationCase.travel_to`, and the
factories that take a day, move it.
"""

import freezegun

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.subscription_cancellation.books import check_books

START = "2026-07-01"
SALESPERSON = "sales_team.group_sale_salesman"
CANCELLATION_USER = "subscription_cancellation.subscription_cancellation_group_user"
CANCELLATION_MANAGER = (
    "subscription_cancellation.subscription_cancellation_group_manager"
)
INVOICING = "account.group_account_invoice"
#: Values of a tax that the customer owes instead of the company.
REVERSE_CHARGE = {
    f"{document}_repartition_line_ids": [
        Command.create({"repartition_type": "base"}),
        Command.create({"repartition_type": "tax", "factor_percent": 100}),
        Command.create({"repartition_type": "tax", "factor_percent": -100}),
    ]
    for document in ("invoice", "refund")
}

# Else pytest measures durations by the frozen clock.
freezegun.configure(extend_ignore_list=["_pytest.timing"])


def lose_races(env):
    """Let each new cancellation lose against somebody else."""
    env.cr.execute(
        """
        CREATE FUNCTION lose_race() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE 'somebody was faster' USING ERRCODE = '40001'; END $$;
        CREATE TRIGGER lose_race BEFORE INSERT ON subscription_cancellation
            EXECUTE FUNCTION lose_race()
        """
    )


class CancellationCase(AccountTestInvoicingCommon):
    """A company of its own in USD, at a fixed time, with a user who may do all.

    Lower rights are tested with ``record.with_user(self.create_user(SALESPERSON))``.
    """

    #: When the clock stands at the start of each test; ``None``: real time.
    now = START
    #: Whether the checker shall find nothing at the end. Not in a test that leaves
    #: behind what it must find.
    books_fit = True

    @classmethod
    def setup_independent_company(cls, **kwargs):
        usd = cls._enable_currency("USD")
        return super().setup_independent_company(currency_id=usd.id, **kwargs)

    @classmethod
    def get_default_groups(cls):
        sales_manager = cls.quick_ref("sales_team.group_sale_manager")
        return super().get_default_groups() | sales_manager

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.now:
            cls.clock = cls.startClassPatcher(freezegun.freeze_time(cls.now))
            cls.travel_to(cls.now)

    def setUp(self):
        super().setUp()
        if self.now:
            self.travel_to(self.now)
        self.addCleanup(lambda: self.books_fit and self.assert_books_fit())

    # === BOOKS === #

    def check_books(self, **options):
        """Return what the checker says of everything in this transaction."""
        self.env.flush_all()
        return check_books(self.env.cr, **options)

    def assert_books_fit(self):
        """Fail where the books, derived anew, are not as they are."""
        findings = self.check_books().findings
        told = [f"{finding.rule}: {finding.tell()}" for finding in findings]
        self.assertEqual(told, [])

    # === TIME === #

    @classmethod
    def travel_to(cls, moment):
        """Set the clock to a day (its first second) or a moment, in UTC."""
        cls.clock.move_to(moment)
        # What is created from now on is so at that time, as in a later transaction.
        cls.env.cr._now = fields.Datetime.now()

    @classmethod
    def track_changes(cls):
        """Let documents tell of changes in their chatter, as outside of tests."""
        off = dict.fromkeys(("tracking_disable", "mail_notrack"), False)
        cls.env = cls.env(context={**cls.env.context, **off})

    @classmethod
    def end_transaction(cls):
        """Let Odoo write down what has changed in documents, as with a commit."""
        cls.env.flush_all()
        cls.env.cr.precommit.run()

    # === MASTER DATA === #

    @classmethod
    def create_automation(cls, model, code, **values):
        """Return an automation rule that runs Python code, as administrators make it.

        :param str model: name of the model that it watches
        """
        model = cls.env["ir.model"]._get(model)
        rules = cls.env["base.automation"].sudo()
        rule = rules.create({"name": "Rule", "model_id": model.id, **values})
        cls.env["ir.actions.server"].sudo().create(
            {
                "name": "Code",
                "model_id": model.id,
                "base_automation_id": rule.id,
                "usage": "base_automation",
                "state": "code",
                "code": code,
            }
        )
        return rule

    @classmethod
    def create_user(cls, *groups, login="somebody", **values):
        """Return an internal user of the company with exactly these groups."""
        values = {"company_id": cls.company.id, **values}
        values.setdefault("company_ids", [Command.set([values["company_id"]])])
        groups = ",".join(groups or ("base.group_user",))
        return new_test_user(cls.env, login=login, groups=groups, **values)

    @classmethod
    def create_customer(cls, **values):
        """Return a customer; without a time zone of its own, "today" is UTC's."""
        return cls.env["res.partner"].create({"name": "Azure Interior", **values})

    @classmethod
    def create_product(cls, name="Hosting", **values):
        """Return an untaxed subscription product."""
        values = {"type": "service", "subscribable": True, "taxes_id": [], **values}
        return cls._create_product(name=name, **values)

    @classmethod
    def create_tax(cls, amount, **values):
        """Return a sales tax: a percentage that is not included in the price."""
        return cls.env["account.tax"].create(
            {"name": f"Tax {amount} {sorted(values)}", "amount": amount, **values}
        )

    @classmethod
    def create_template(cls, interval="1 months", invoicing_mode="draft", **values):
        """Return a subscription template, unlimited unless told otherwise.

        :param str interval: a number and ``days``, ``weeks``, ``months`` or ``years``
        """
        number, unit = interval.split()
        return cls.env["sale.subscription.template"].create(
            {
                "name": f"Every {interval}, {invoicing_mode}",
                "recurring_interval": int(number),
                "recurring_rule_type": unit,
                "invoicing_mode": invoicing_mode,
                **values,
            }
        )

    @classmethod
    def get_currency(cls, code):
        """Return a currency that has a rate: 2 for one unit of a foreign one."""
        currency = cls._enable_currency(code)
        if currency == cls.currency or currency.rate_ids:
            return currency
        return cls.setup_other_currency(code, rates=[("1900-01-01", 0.5)])

    @classmethod
    def get_journal(cls, currency):
        """Return the sales journal that invoices in ``currency``."""
        default = cls.company_data["default_journal_sale"]
        if currency == cls.currency:
            return default
        known = [("currency_id", "=", currency.id), ("type", "=", "sale")]
        return cls.env["account.journal"].search(
            [*known, ("company_id", "=", cls.company.id)], limit=1
        ) or default.copy({"name": currency.name, "currency_id": currency.id})

    @classmethod
    def get_default_policy(cls):
        """Return the policy that the company has from its first day on."""
        policies = cls.env["subscription.cancellation.policy"]
        return policies._search_channel(cls.company, "backend")[:1]

    # === SUBSCRIPTIONS === #

    @classmethod
    def create_subscription(
        cls,
        lines=(31.0,),
        *,
        start=START,
        interval="1 months",
        invoicing_mode="draft",
        currency="USD",
        template=None,
        **values,
    ):
        """Return a running subscription that is not billed yet.

        :param lines: one value dict, or just a price, per line; see `add_line`
        :param currency: code of the currency it is invoiced in
        :param values: of ``sale.subscription``
        """
        currency = cls.get_currency(currency)
        template = template or cls.create_template(interval, invoicing_mode)
        subscription = cls.env["sale.subscription"].create(
            {
                "partner_id": (values.get("partner_id") or cls.create_customer().id),
                "pricelist_id": values.get("pricelist_id")
                or cls._create_pricelist(currency_id=currency.id).id,
                "template_id": template.id,
                "date_start": start,
                "recurring_next_date": start,
                "journal_id": cls.get_journal(currency).id,
                **values,
            }
        )
        for line in lines:
            cls.add_line(subscription, line)
        subscription.action_start_subscription()
        # Starting moves both dates to today.
        subscription.write({"date_start": start, "recurring_next_date": start})
        return subscription

    @classmethod
    def add_line(cls, subscription, line):
        """Add a line and return it.

        :param line: a price, or values of ``sale.subscription.line``; besides,
            ``taxes`` is a recordset and ``addon_of`` the name of the parent line
        """
        line = dict(line) if isinstance(line, dict) else {"price_unit": line}
        known = subscription.sale_subscription_line_ids
        name = line.setdefault("name", f"Line {len(known) + 1}")
        taxes = line.pop("taxes", cls.env["account.tax"])
        parent = line.pop("addon_of", None)
        return known.create(
            {
                "sale_subscription_id": subscription.id,
                "product_id": line.get("product_id") or cls.create_product(name).id,
                "price_unit": 31.0,
                "discount": 0.0,
                "tax_ids": [Command.set(taxes.ids)],
                "parent_line_id": cls.get_line(subscription, parent).id,
                **line,
            }
        )

    @classmethod
    def get_line(cls, subscription, name):
        """Return the line of that name, archived or not; empty where there is none."""
        lines = subscription.sale_subscription_line_ids | subscription.archived_line_ids
        return lines.filtered(lambda line: line.name == name)

    # === MONEY === #

    @classmethod
    def bill(cls, subscription, day=None, post=True):
        """Let upstream bill the next period and return the new invoice, posted.

        :param day: when; where it is absent, on the next invoice date
        """
        cls.travel_to(day or subscription.recurring_next_date)
        known = subscription._get_invoices()
        subscription.generate_invoice()
        invoices = subscription._get_invoices() - known
        if post:
            invoices.filtered(lambda move: move.state == "draft").action_post()
        return invoices

    @classmethod
    def pay(cls, invoice, amount=None, **values):
        """Register a payment, of the whole amount due unless told otherwise."""
        if amount is not None:
            values["amount"] = amount
        return cls._register_payment(invoice, **values)

    @classmethod
    def pay_on_account(cls, partner, amount, currency=None, company=None):
        """Let a customer pay without an invoice, as entered under Payments."""
        company = company or cls.company
        journals = cls.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", company.id)], limit=1
        )
        payment = (
            cls.env["account.payment"]
            .with_company(company)
            .create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": partner.id,
                    "amount": amount,
                    "currency_id": (currency or company.currency_id).id,
                    "journal_id": journals.id,
                }
            )
        )
        payment.action_post()
        return payment

    @classmethod
    def get_provider(cls, company=None, **values):
        """Return Odoo's own demo provider, ready to take payments of a company."""
        company = company or cls.company
        known = [("code", "=", "demo"), ("company_id", "=", company.id)]
        provider = cls.env["payment.provider"].sudo().search(known, limit=1)
        provider.write({"state": "test", **values})
        return provider

    @classmethod
    def create_token(cls, partner, state="done", provider=None):
        """Return a saved payment method.

        :param str state: what comes of charging it: ``done``, ``pending``, ``cancel``
            or ``error``
        """
        provider = provider or cls.get_provider()
        return (
            cls.env["payment.token"]
            .sudo()
            .create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": provider.payment_method_ids[:1].id,
                    "payment_details": "4242",
                    "partner_id": partner.id,
                    "provider_ref": "demo",
                    "demo_simulated_state": state,
                }
            )
        )

    @classmethod
    def pay_online(cls, invoice, amount=None, token=None):
        """Let the customer pay through the provider; return the transaction."""
        token = token or cls.create_token(invoice.partner_id)
        transaction = (
            cls.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": token.provider_id.id,
                    "payment_method_id": token.payment_method_id.id,
                    "token_id": token.id,
                    "operation": "offline",
                    "amount": invoice.amount_residual if amount is None else amount,
                    "currency_id": invoice.currency_id.id,
                    "partner_id": invoice.partner_id.id,
                    "invoice_ids": [Command.set(invoice.ids)],
                }
            )
        )
        transaction._charge_with_token()
        transaction._post_process()
        return transaction

    # === CANCELLATION === #

    @classmethod
    def run_steps(cls, subscription):
        """Take the follow-up steps that are due, as the scheduled action does."""
        for cancellation in subscription.cancellation_ids.sudo():
            cancellation._run_steps()
        return subscription.cancellation_ids.step_ids

    @classmethod
    def steps(cls, subscription, kind):
        """Return the follow-up steps of one kind."""
        steps = subscription.cancellation_ids.sudo().step_ids
        return steps.filtered(lambda step: step.kind == kind)

    @classmethod
    def cancel(cls, subscription, day=None, **options):
        """Request a cancellation, immediate unless told otherwise; return its dict."""
        if day:
            cls.travel_to(day)
        return subscription.request_cancellation(**{"timing": "immediate", **options})

    @classmethod
    def credit_memos(cls, subscription):
        """Return the credit memos of all cancellations of the subscription."""
        return subscription.cancellation_ids.credit_note_ids
