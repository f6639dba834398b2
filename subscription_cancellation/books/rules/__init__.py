# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""One file per rule: ``check(ledger)`` yields a finding for all that does not fit."""

from . import (
    billing,
    confirmations,
    coverage,
    dates,
    drafts,
    endings,
    figures,
    invoices,
    memo_lines,
    memos,
    payments,
    reductions,
    refunds,
    rows,
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
        taxes,
        invoices,
        totals,
        reductions,
        steps,
        refunds,
        payments,
        take_backs,
        endings,
        billing,
        drafts,
        confirmations,
    )
)

__all__ = ["RULES"]
