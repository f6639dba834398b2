# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D7: the customer was told, by one step, where the record says so."""

from ..finding import translatable as _lt
from .report import report

RULE = "confirmations"
NOT_TOLD = _lt(
    "%(cancellation)s says that the customer was told, but there is no message to them."
)
TWICE = _lt("%(cancellation)s has %(found)s confirmations instead of one.")


def check(ledger):
    """Yield a finding for each confirmation that is missing, or there twice."""
    for cancellation in ledger.cancellations:
        steps = [
            step
            for step in ledger.steps_of.get(cancellation.id, [])
            if step.kind == "confirm"
        ]
        if len(steps) > 1:
            yield report(ledger, RULE, TWICE, cancellation, None, 1, len(steps))
        is_told = (cancellation.id, cancellation.partner_id) in ledger.told
        if any(step.state == "done" for step in steps) and not is_told:
            yield report(ledger, RULE, NOT_TOLD, cancellation)
