# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a company has before the addon is there, made by upstream's and Odoo's own code.

Nothing here knows the addon. Every customer has one subscription from 1 July 2026, by
whose name it is found.
"""

from odoo.fields import Command

START = "2026-07-01"
AUGUST = "2026-08-01"


class Company:
    """The main company of a database, and its customers."""

    def __init__(self, env, clock):
        """
        :param clock: what ``freezegun.freeze_time(…).start()`` returned
        """
        self.env = env
        self.clock = clock

    # === FIND === #

    def get_subscription(self, name):
        """Return the subscription of the customer of that name."""
        return self.env["sale.subscription"].search([("partner_id.name", "=", name)])

    def get_invoices(self, name):
        """Return all invoices and credit memos of a customer, oldest first."""
        return self.env["account.move"].search(
            [("partner_id.name", "=", name)], order="id"
        )

    # === MAKE === #

    def create_product(self, name="Hosting", **values):
        account = self.env["account.account"].search(
            [("account_type", "=", "income")], limit=1
        )
        return self.env["product.product"].create(
            {
                "name": name,
                "type": "service",
                "taxes_id": [],
                # Upstream's invoices need one.
                "property_account_income_id": account.id,
                **values,
            }
        )

    def create_template(self, mode="draft"):
        return self.env["sale.subscription.template"].create(
            {
                "name": f"Monthly, {mode}",
                "recurring_interval": 1,
                "recurring_rule_type": "months",
                "invoicing_mode": mode,
            }
        )

    def create_subscription(self, name, *lines, mode="draft", **values):
        """Return a running subscription.

        :param lines: values of subscription lines; none: one of 31.00
        """
        customer = self.env["res.partner"].create({"name": name})
        subscription = self.env["sale.subscription"].create(
            {
                "partner_id": customer.id,
                "pricelist_id": self.env["product.pricelist"].create({"name": name}).id,
                "template_id": self.create_template(mode).id,
                "date_start": START,
                "recurring_next_date": START,
                "user_id": self.env.ref("base.user_admin").id,
                **values,
            }
        )
        for line in lines or ({},):
            self.add_line(subscription, **line)
        subscription.action_start_subscription()
        # Starting moves both dates to today.
        subscription.write({"date_start": START, "recurring_next_date": START})
        return subscription

    def add_line(self, subscription, price=31.0, **values):
        name = values.setdefault("name", "Hosting")
        values.setdefault("product_id", self.create_product(name).id)
        self.env["sale.subscription.line"].create(
            {
                "sale_subscription_id": subscription.id,
                "price_unit": price,
                "discount": 0.0,
                "tax_ids": [Command.clear()],
                **values,
            }
        )

    def bill(self, subscription, post=True):
        """Let upstream bill the next period; return the invoice."""
        self.clock.move_to(str(subscription.recurring_next_date))
        subscription.generate_invoice()
        invoice = self.get_invoices(subscription.partner_id.name)[-1:]
        if post and invoice.state == "draft":
            invoice.action_post()
        return invoice

    def pay(self, invoice):
        """Register the payment with Odoo's own dialog."""
        context = {"active_model": "account.move", "active_ids": invoice.ids}
        wizard = self.env["account.payment.register"].with_context(**context)
        wizard.create({}).action_create_payments()

    def reverse(self, invoice, amount=None):
        """Credit an invoice with Odoo's own dialog; return the posted credit memo."""
        wizard = self.env["account.move.reversal"].create(
            {
                "move_ids": [Command.set(invoice.ids)],
                "journal_id": invoice.journal_id.id,
                "date": str(invoice.invoice_date),
            }
        )
        wizard.refund_moves()
        memo = wizard.new_move_ids
        if amount:
            memo.invoice_line_ids.price_unit = amount
        memo.action_post()
        return memo


class BeforeInstallation(Company):
    """Every kind of invoice, billed for July."""

    def make(self):
        self._bill_directly()
        self._bill_through_orders()
        self._bill_in_euros()
        self._credit()
        self._leave_unclear()
        self._close()
        for name in RUNNING:
            self.bill(self.create_subscription(name))
        self.pay(self.bill(self.create_subscription("Paid")))
        self.bill(self.create_subscription("Not posted"), post=False)
        for name in RUNNING_WITH_TWO_LINES:
            self.bill(self.create_subscription(name, *TWO_LINES))

    def _bill_directly(self):
        tax = self.env["account.tax"].create({"name": "Twenty", "amount": 20.0})
        with_tax = {"tax_ids": [Command.set(tax.ids)], "discount": 10.0}
        self.bill(self.create_subscription("Direct"))
        self.bill(self.create_subscription("Taxed and discounted", with_tax))
        self.bill(self.create_subscription("Posted by itself", mode="invoice"))
        self.bill(self.create_subscription("Draft"), post=False)
        in_advance = self.create_subscription("In advance")
        self.bill(in_advance)
        self.bill(in_advance)

    def _bill_through_orders(self):
        self.bill(self.create_subscription("By orders", mode="sale_and_invoice"))
        self.clock.move_to(START)
        product = self.create_product(
            subscribable=True, subscription_template_id=self.create_template().id
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Sold"}).id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 31.0})
                ],
            }
        )
        order.action_confirm()
        order._create_invoices().action_post()

    def _bill_in_euros(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "name": "2026-01-01", "rate": 0.5}
        )
        journal = self.env["account.journal"].create(
            {"name": "Euro", "code": "EUR", "type": "sale", "currency_id": euro.id}
        )
        self.bill(self.create_subscription("In euros", journal_id=journal.id))

    def _credit(self):
        self.reverse(self.bill(self.create_subscription("Rebate")), 10.0)
        self.reverse(self.bill(self.create_subscription("Taken back")))

    def _leave_unclear(self):
        """Two lines that nobody can tell from each other, and one that is clear."""
        twin = {"product_id": self.create_product("Twin").id}
        subscription = self.create_subscription("Twins", twin, twin, {"price": 62.0})
        self.bill(subscription)

    def _close(self):
        subscription = self.create_subscription("Closed before")
        self.bill(subscription)
        subscription.close_subscription()


TWO_LINES = {"name": "Hosting"}, {"name": "Mail", "price": 62.0}
#: Billed for July, for what :mod:`lifecycle_worker` does with them later.
RUNNING = (
    "Runs on",
    "Ends later",
    "Due",
    "Cannot be credited",
    "Waits for approval",
    "Revoked",
    "Ended and reopened",
)
RUNNING_WITH_TWO_LINES = ("One line", "One line later", "Line by line")
