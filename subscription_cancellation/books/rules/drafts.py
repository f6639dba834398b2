# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C10, C12: no document of a cancellation was left behind as a draft."""

from ..finding import translatable as _lt
from .report import report

RULE = "drafts"
ORPHAN = _lt(
    "%(document)s of %(cancellation)s is a draft that nobody is going to post."
)


def check(ledger):
    """Yield a finding for each draft that is not waiting for a review."""
    for cancellation in ledger.cancellations:
        is_off = cancellation.state in ("revoked", "refused")
        for move in ledger.moves_of.get(cancellation.id, []):
            is_to_review = (
                move.move_type == "out_refund"
                and not cancellation.post_credit_memos
                and not is_off
            )
            if move.state == "draft" and not is_to_review:
                yield report(ledger, RULE, ORPHAN, cancellation, move)
