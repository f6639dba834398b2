# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How a rule says what does not fit."""

from ..finding import Finding
from ..ledger import is_pause


def report(
    ledger, rule, sentence, cancellation, move=None, expected=None, found=None, **named
):
    """Return a finding about a cancellation, or a pause, and possibly a document.

    :param Ledger ledger: where names are looked up
    :param str rule: name of the rule
    :param str sentence: may use ``%(cancellation)s``, ``%(document)s``,
        ``%(expected)s``, ``%(found)s`` and the names of ``named``
    """
    subscription = ledger.subscription[cancellation.subscription_id]
    document = move.name if move else cancellation.name
    return Finding(
        rule,
        sentence,
        {
            "cancellation": cancellation.name,
            "document": document,
            "expected": expected,
            "found": found,
            **named,
        },
        None if is_pause(cancellation) else cancellation.id,
        "" if is_pause(cancellation) else cancellation.name,
        subscription.id,
        subscription.name or "",
        move.id if move else None,
        document,
        expected,
        found,
    )


def report_amounts(
    ledger, rule, sentence, cancellation, move, currency_id, expected, found, **named
):
    """Return a finding about two amounts, given in units of a currency."""
    finding = report(
        ledger,
        rule,
        sentence,
        cancellation,
        move,
        ledger.amount(expected, currency_id),
        ledger.amount(found, currency_id),
        **named,
    )
    currency = ledger.reader.currency_names[currency_id]
    return finding._replace(currency_id=currency_id, currency=currency)
