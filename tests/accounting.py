# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What proves the books: journal items, tax report, and what the customer owes."""

from odoo.fields import Command

from .common import CancellationCase

#: $31.00 and 10 % tax for July, ended on 10 July: 10 days are served, 21 are not.
BILLED = 34.10  # 31.00 + 3.10
CREDIT = 23.10  # 21.00 + 2.10
SERVED = 11.00  # 10.00 + 1.00
LAST_DAY = "2026-07-10"


class AccountingCase(CancellationCase):
    """A tax that is reported, a write-off account, and the three proofs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Tag = cls.env["account.account.tag"]
        country = cls.company.account_fiscal_country_id
        cls.tags = {
            name: Tag.create(
                {
                    "name": f"Proof {name}",
                    "applicability": "taxes",
                    "country_id": country.id,
                }
            )
            for name in ("base", "tax", "base-", "tax-")
        }
        cls.tax = cls.create_reported_tax(10.0)
        cls.loss = cls.create_account("Bad debts", "expense")
        cls.company.sudo().write(
            {
                "cancellation_write_off_account_id": cls.loss.id,
                "cancellation_write_off_journal_id": cls.company_data[
                    "default_journal_misc"
                ].id,
            }
        )

    @classmethod
    def create_account(cls, name, account_type, **values):
        """Return an account whose name the proofs show."""
        return cls.env["account.account"].create(
            {
                "name": name,
                "code": f"PR{abs(hash(name)) % 10**6}",
                "account_type": account_type,
                **values,
            }
        )

    @classmethod
    def create_reported_tax(cls, amount, account=None, **values):
        """Return a sales tax whose bases and amounts are lines of the tax report.

        What takes turnover back is reported in lines of its own.
        """
        account = account or cls.company_data["default_account_tax_sale"]
        repartition = {
            f"{document}_repartition_line_ids": [
                Command.create(
                    {
                        "repartition_type": kind,
                        "tag_ids": [Command.set(cls.tags[kind + sign].ids)],
                        "account_id": account.id if kind == "tax" else False,
                    }
                )
                for kind in ("base", "tax")
            ]
            for document, sign in (("invoice", ""), ("refund", "-"))
        }
        return cls.create_tax(amount, **repartition, **values)

    def subscribe(self, price=31.0, **values):
        """Return a subscription to $31.00 and 10 % tax for July, and its invoice."""
        line = {"price_unit": price, "taxes": values.pop("taxes", self.tax)}
        subscription = self.create_subscription([line], **values)
        return subscription, self.bill(subscription)

    def settle(self, subscription, day=LAST_DAY, **options):
        """Cancel, and take the steps that follow; return the credit memos."""
        self.cancel(subscription, day, **options)
        self.run_steps(subscription)
        return self.credit_memos(subscription)

    # === PROOFS === #

    def assert_items(self, move, *expected):
        """The entry consists of exactly these items.

        :param expected: kind or name of the account, debit, credit, and tags
        """
        found = [
            (
                self._get_account_label(item.account_id),
                round(item.debit, 3),
                round(item.credit, 3),
                *sorted(tag.name.split()[-1] for tag in item.tax_tag_ids),
            )
            for item in move.line_ids
            if item.display_type not in ("line_section", "line_note")
        ]
        self.assertCountEqual(found, expected)

    def _get_account_label(self, account):
        """Return how these tests call an account."""
        known = {
            self.company_data["default_account_revenue"]: "revenue",
            self.company_data["default_account_tax_sale"]: "tax due",
            self.company_data["default_account_receivable"]: "receivable",
        }
        return known.get(account, account.name)

    def assert_open(self, move, residual, payment_state):
        """So much of the document is open."""
        self.assertAlmostEqual(move.amount_residual, residual, 3, move.name)
        self.assertEqual(move.payment_state, payment_state, move.name)

    def assert_report(self, base, tax, company=None):
        """The tax report shows this turnover and this tax of all posted documents."""
        company = company or self.company
        found = tuple(
            round(self._sum_tags(self.tags[kind] | self.tags[f"{kind}-"], company), 3)
            for kind in ("base", "tax")
        )
        self.assertEqual(found, (base, tax))

    def _sum_tags(self, tags, company):
        """Return what these lines of the tax report show: turnover is positive."""
        AccountMoveLine = self.env["account.move.line"]
        items = AccountMoveLine.search(
            [
                ("tax_tag_ids", "in", tags.ids),
                ("parent_state", "=", "posted"),
                ("company_id", "=", company.id),
                # Not before it is paid, where a tax is due on payment
                *AccountMoveLine._get_tax_exigible_domain(),
            ]
        )
        return -sum(items.mapped("balance"))

    def assert_balance(self, expected, subscription, discount=0.0):
        """The customer owes ``expected``, by documents and by journal items alike.

        :param float expected: computed by hand, in the currency of the invoices
        :param float discount: what the customer took off for paying early
        """
        customer = subscription.partner_id.commercial_partner_id
        company = subscription.company_id
        currency = subscription._get_invoice_currency()
        items = self.get_receivable_items(customer, company)
        own = items.filtered(lambda item: item.currency_id == currency)
        by_items = sum(own.mapped("amount_currency"))
        by_documents = self._sum_documents(customer, company, currency) - discount
        self.assertAlmostEqual(by_documents, expected, 3, "by documents")
        self.assertAlmostEqual(by_items, expected, 3, "by journal items")
        # What is open makes up the balance, in the company's currency too.
        balance = sum(items.mapped("balance"))
        self.assertAlmostEqual(sum(items.mapped("amount_residual")), balance, 3)
        if not expected and items == own:
            self.assertAlmostEqual(balance, 0.0, 3, "in the company's currency")

    def get_receivable_items(self, customer, company):
        """Return the customer's account."""
        return self.env["account.move.line"].search(
            [
                ("partner_id", "child_of", customer.ids),
                ("company_id", "=", company.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )

    def _sum_documents(self, customer, company, currency):
        """Return billed minus credited minus paid plus refunded minus written off."""
        moves = self.env["account.move"].search(
            [
                ("partner_id", "child_of", customer.ids),
                ("company_id", "=", company.id),
                ("currency_id", "=", currency.id),
                ("state", "=", "posted"),
            ]
        )
        payments = self.env["account.payment"].search(
            [
                ("partner_id", "child_of", customer.ids),
                ("company_id", "=", company.id),
                ("currency_id", "=", currency.id),
                ("state", "in", ("in_process", "paid")),
            ]
        )
        written_off = self.env["subscription.cancellation.step"].search(
            [
                ("partner_id", "child_of", customer.ids),
                ("company_id", "=", company.id),
                ("currency_id", "=", currency.id),
                ("kind", "=", "write_off"),
                ("state", "=", "done"),
            ]
        )
        return (
            self._sum_where(moves, "amount_total", move_type="out_invoice")
            - self._sum_where(moves, "amount_total", move_type="out_refund")
            - self._sum_where(payments, "amount", payment_type="inbound")
            + self._sum_where(payments, "amount", payment_type="outbound")
            - sum(written_off.mapped("amount"))
        )

    def _sum_where(self, records, amount, **values):
        """Return the sum of an amount of the records with these values."""
        [[name, value]] = values.items()
        return sum(records.filtered(lambda one: one[name] == value).mapped(amount))
