# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Many due cancellations with mixed settings, and what has to come of each."""

from typing import NamedTuple

from odoo.sql_db import Cursor

from ..fault_data import FaultData


class Outcome(NamedTuple):
    """What has to come of one kind of customer, worked out by hand."""

    billed: float
    credited: float
    paid: float
    refunded: float
    written_off: float
    #: What the customer owes afterwards; negative: is owed.
    owed: float
    #: By kind, the amount.
    steps: dict
    #: What is refunded and collected online, one call to the provider each.
    calls: tuple = ()
    #: Mails: when it was scheduled, and when it was done.
    mails: int = 2
    state: str = "cancelled"


#: By name of the customer: $31 for July, of which $21 are for unused days.
OUTCOMES = {
    "Ann": Outcome(31.0, 21.0, 31.0, 21.0, 0.0, 0.0, {"refund": 21.0}, (-21.0,)),
    "Bob": Outcome(
        31.0, 21.0, 25.0, 15.0, 0.0, 0.0, {"reduce": 6.0, "refund": 15.0}, (-15.0,)
    ),
    "Cora": Outcome(31.0, 21.0, 25.0, 0.0, 0.0, -15.0, {"reduce": 6.0, "keep": 15.0}),
    "Dan": Outcome(
        46.5,
        21.0,
        31.0,
        5.5,
        0.0,
        0.0,
        {"apply_credits": 15.5, "refund": 5.5},
        (-5.5,),
    ),
    "Eve": Outcome(
        31.0, 21.0, 10.0, 0.0, 0.0, 0.0, {"reduce": 21.0, "collect": 10.0}, (10.0,)
    ),
    "Fay": Outcome(
        31.0, 21.0, 0.0, 0.0, 10.0, 0.0, {"reduce": 21.0, "write_off": 10.0}
    ),
    "Gus": Outcome(
        10.0, 0.0, 10.0, 0.0, 0.0, 0.0, {"unbilled": 10.0, "collect": 10.0}, (10.0,)
    ),
    # One line of two; the other one runs on.
    "Hal": Outcome(46.5, 10.5, 46.5, 0.0, 0.0, -10.5, {"keep": 10.5}, state="active"),
    # No refund, and nobody is told.
    "Ida": Outcome(31.0, 0.0, 31.0, 0.0, 0.0, 0.0, {}, mails=0),
    # The whole period, online.
    "Jon": Outcome(31.0, 31.0, 31.0, 31.0, 0.0, 0.0, {"refund": 31.0}, (-31.0,)),
}


class ManyFaults(FaultData):
    """The customers of the fault test and some more, again and again."""

    number = 0

    @classmethod
    def prepare_many(cls, accountant, number):
        """Commit ``number`` due cancellations, as many of each kind as possible."""
        cls.number = number
        return cls.prepare(accountant)

    @classmethod
    def _create_all(cls):
        due = cls.env["sale.subscription"]
        while len(due) < cls.number:
            cls.suffix = f" {len(due)}"
            due |= cls._create_paid() | cls._create_unpaid() | cls._create_others()
            Cursor.commit(cls.cr)
            cls.env.invalidate_all()
        return due

    @classmethod
    def _create_others(cls):
        one_line = cls._create("Hal", 31.0, 15.5)
        cls.pay(cls.bill(one_line))
        no_refund, full = cls._create("Ida"), cls._create("Jon")
        cls.pay(cls.bill(no_refund))
        cls.pay_online(cls.bill(full))
        last = one_line.sale_subscription_line_ids[-1]
        return (
            cls._end(one_line, line_ids=last.ids, credit_settlement="keep")
            | cls._end(no_refund, refund_mode="none", send_confirmation=False)
            | cls._end(full, refund_mode="full", credit_settlement="refund")
        )
