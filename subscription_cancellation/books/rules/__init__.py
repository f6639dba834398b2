# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""One file per rule: ``check(ledger)`` yields a finding for all that does not fit."""

from . import (
    billing,
    bookings,
    confirmations,
    coverage,
    dates,
    drafts,
    endings,
    figures,
    invoices,
    items,
    memo_lines,
    memos,
    overdue,
    payments,
    reductions,
    refunds,
    rows,
    settlements,
    steps,
    take_backs,
    taxes,
    totals,
)

RULES = tuple(
    module.check
    for module in (
        dates,
        rows,
        figures,
        coverage,
        memos,
        memo_lines,
        items,
        taxes,
        invoices,
        totals,
        reductions,
        steps,
        settlements,
        refunds,
        bookings,
        payments,
        take_backs,
        overdue,
        endings,
        billing,
        drafts,
        confirmations,
    )
)

__all__ = ["RULES"]
