# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the fault test prepares."""

from odoo.sql_db import Cursor

from .common import CANCELLATION_USER, INVOICING, CancellationCase
from .fault_books import REF

#: So far away that no run takes it.
NEVER = "2100-01-01"


class FaultData(CancellationCase):
    """Committed for real: each customer's subscription ends on 2026-07-10.

    Billed $31 for July, of which $21 is for unused days.
    """

    #: What tells customers of the same kind apart: their names end with it.
    suffix = ""
    #: Customers are made for each of these.
    suffixes = ("",)

    @classmethod
    def prepare(cls, accountant, suffixes=suffixes):
        """Commit everything; return the number of cancellations that are due.

        :param suffixes: customers are made for each of these endings of their names
        """
        cls.suffixes = suffixes
        cls.setUpClass()
        try:
            cls._forget_others()
            cls._set_up()
            cls.create_user(INVOICING, CANCELLATION_USER, login=accountant)
            subscriptions = cls._create_all()
            # `cr.commit` is forbidden to tests, which this is not.
            Cursor.commit(cls.cr)
        finally:
            cls.doClassCleanups()
        return len(subscriptions)

    @classmethod
    def _create_all(cls):
        """Return subscriptions with a cancellation that is due."""
        subscriptions = cls.env["sale.subscription"]
        for suffix in cls.suffixes:
            cls.suffix = suffix
            subscriptions |= cls._create_paid() | cls._create_unpaid()
        return subscriptions

    @classmethod
    def _forget_others(cls):
        """Never take what other tests have left in the database."""
        cls.cr.execute(
            "UPDATE subscription_cancellation SET due_at = %s"
            " WHERE state = 'scheduled'",
            [NEVER],
        )
        cls.cr.execute(
            "UPDATE subscription_cancellation_step SET next_attempt_at = %s"
            " WHERE state IN ('pending', 'failed')",
            [NEVER],
        )

    @classmethod
    def _set_up(cls):
        cls.env["ir.config_parameter"].set_param("ir_attachment.location", "db")
        cls.company.write(
            {
                "cancellation_write_off_account_id": cls.company_data[
                    "default_account_expense"
                ].id,
                "cancellation_write_off_journal_id": cls.company_data[
                    "default_journal_misc"
                ].id,
            }
        )

    @classmethod
    def _create(cls, name, *lines):
        """Return a new customer's subscription."""
        name += cls.suffix
        email = f"{name.lower().replace(' ', '.')}@example.com"
        customer = cls.create_customer(name=name, ref=REF, email=email)
        return cls.create_subscription(lines or [31.0], partner_id=customer.id)

    @classmethod
    def _end(cls, subscription, **options):
        """Schedule the end; return the subscription."""
        cls.cancel(
            subscription,
            "2026-07-02",
            timing="specific_date",
            requested_date="2026-07-10",
            **options,
        )
        return subscription

    @classmethod
    def _create_paid(cls):
        """Return what is paid, some of it in part only."""
        online = cls._create("Ann")
        cls.pay_online(cls.bill(online))
        partly = cls._create("Bob")
        cls.pay_online(cls.bill(partly), 25.0)
        by_bank = cls._create("Cora")
        cls.pay(cls.bill(by_bank), 25.0)
        applied = cls._create("Dan")
        cls.pay_online(cls.bill(applied))
        cls.bill(cls.create_subscription([15.5], partner_id=applied.partner_id.id))
        return (
            cls._end(online, credit_settlement="refund")
            | cls._end(partly, credit_settlement="refund")
            | cls._end(by_bank, credit_settlement="keep")
            | cls._end(applied, credit_settlement="refund", apply_credits=True)
        )

    @classmethod
    def _create_unpaid(cls):
        """Return what is owed, or not even invoiced."""
        collected, written_off = cls._create("Eve"), cls._create("Fay")
        cls.create_token(collected.partner_id)
        cls.bill(collected)
        cls.bill(written_off)
        unbilled = cls._create("Gus")
        cls.create_token(unbilled.partner_id)
        cls.bill(unbilled, post=False)
        return (
            cls._end(collected, unpaid_invoices="collect")
            | cls._end(written_off, unpaid_invoices="write_off")
            | cls._end(unbilled, unbilled_charges="invoice")
        )
