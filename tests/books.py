# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Books that somebody tampers with, by SQL, as no rule of the engine would allow."""

import functools
import sys

from odoo.fields import Command
from odoo.tools import SQL

from odoo.addons.subscription_cancellation.books.rules import RULES

from .accounting import AccountingCase

#: Names of the tests by the sentence that they make the checker say.
TESTED = {}


def get_sentences():
    """Return all sentences of the rules, by the module that says them."""
    modules = {sys.modules[rule.__module__] for rule in RULES}
    modules.add(sys.modules[f"{RULES[0].__module__.rpartition('.')[0]}.requests"])
    return {
        sentence: module
        for module in modules
        for name, sentence in vars(module).items()
        if name.isupper() and isinstance(sentence, str) and "%(" in sentence
    }


def create_invoice(subscription, line, start, end):
    """Return a draft invoice of a line for a period, as by hand."""
    return subscription.env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": subscription.partner_id.id,
            "invoice_date": start,
            "invoice_line_ids": [
                Command.create(
                    {
                        "product_id": line.product_id.id,
                        "price_unit": 31.0,
                        "tax_ids": [Command.clear()],
                        "subscription_line_id": line.id,
                        "start_date": start,
                        "end_date": end,
                    }
                )
            ],
        }
    )


def finds(sentence):
    """Let a test prove that the checker says ``sentence``, and only by its rule.

    The test is a generator: the books fit until it yields; it tampers after that.
    """

    def decorate(test):
        TESTED[sentence] = test.__name__

        @functools.wraps(test)
        def run(self):
            tampering = test(self)
            next(tampering)
            self.assert_books_fit()
            for _end in tampering:
                self.fail("a test yields once")
            self.assert_finds(sentence)

        return run

    return decorate


class BooksCase(AccountingCase):
    """Tamper, and see what the checker says."""

    books_fit = False

    @classmethod
    def tamper(cls, records, **values):
        """Write to the database behind the back of every rule."""
        cls.env.flush_all()
        assignments = [
            SQL("%s = %s", SQL.identifier(name), value)
            for name, value in values.items()
        ]
        cls.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id IN %s",
                SQL.identifier(records._table),
                SQL(", ").join(assignments),
                tuple(records.ids),
            )
        )
        cls.env.invalidate_all()

    @classmethod
    def add_to(cls, records, name, amount):
        """Add an amount to a column."""
        column = SQL.identifier(name)
        cls.tamper(records, **{name: SQL("%s + %s", column, amount)})

    @classmethod
    def remove(cls, records):
        """Delete from the database behind the back of every rule."""
        cls.env.flush_all()
        cls.env.cr.execute(
            SQL(
                "DELETE FROM %s WHERE id IN %s",
                SQL.identifier(records._table),
                tuple(records.ids),
            )
        )
        cls.env.invalidate_all()

    @classmethod
    def double(cls, record, **values):
        """Insert a second row like the one of ``record``; return its record."""
        cls.env.flush_all()
        known = [
            name
            for name, field in record._fields.items()
            if field.store and field.column_type and name != "id"
        ]
        columns = SQL(", ").join(map(SQL.identifier, known))
        new = SQL(", ").join(
            SQL("%s", values[name]) if name in values else SQL.identifier(name)
            for name in known
        )
        cls.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(columns)s) SELECT %(new)s FROM %(table)s "
                "WHERE id = %(id)s RETURNING id",
                table=SQL.identifier(record._table),
                columns=columns,
                new=new,
                id=record.id,
            )
        )
        [(new_id,)] = cls.env.cr.fetchall()
        return record.browse(new_id)

    def assert_finds(self, sentence):
        """The checker says so, by its own rule; without that rule nobody does."""
        rule = get_sentences()[sentence]
        found = [finding.sentence for finding in self.check_books().all]
        self.assertIn(sentence, found, f"not found, but {found}")
        others = [check for check in RULES if check != rule.check]
        if len(others) < len(RULES):
            left = self.check_books(rules=others).all
            self.assertNotIn(sentence, [finding.sentence for finding in left])


class CreditedCase(BooksCase):
    """$31 and $62 with 10 % tax for July, not paid; ended on 10 July.

    21 of 31 days: $21 and $42, and $6.30 of tax.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.create_customer(email="azure@example.com")
        cls.subscription = cls.create_subscription(
            [
                {"name": "Base", "price_unit": 31.0, "taxes": cls.tax},
                {"name": "Other", "price_unit": 62.0, "taxes": cls.tax},
            ],
            partner_id=cls.partner.id,
        )
        cls.invoice = cls.bill(cls.subscription)
        cls.cancel(
            cls.subscription,
            "2026-07-10",
            timing="specific_date",
            requested_date="2026-07-10",
        )
        cls.run_steps(cls.subscription)
        cls.cancellation = cls.subscription.cancellation_ids
        cls.row, cls.other_row = cls.cancellation.line_ids
        cls.memo = cls.credit_memos(cls.subscription)
        cls.item, cls.other_item = cls.memo.invoice_line_ids

    def post(self, move):
        move.action_post()
        return move
