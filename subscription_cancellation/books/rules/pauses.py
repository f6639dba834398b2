# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B7, C1, C4: a pause is on record, its paid days are credited once, none is billed."""

from datetime import date

from ..amounts import SAME_MOMENT, still_creditable
from ..discounts import get_entries
from ..finding import Days, Finding
from ..finding import translatable as _lt
from .endings import get_last_endings
from .report import report, report_amounts

RULE = "pauses"
NO_RECORD = _lt("%(subscription)s is paused, but no record says from when to when.")
NOT_PAUSED = _lt(
    "The pause of %(subscription)s from %(since)s on has not ended, but the "
    "subscription is not paused."
)
ENDED = _lt("%(subscription)s is cancelled, but still paused.")
LEFT = _lt(
    "%(found)s of %(document)s are billed for paused days of %(subscription)s and not "
    "credited."
)
BILLED = _lt(
    "%(document)s bills “%(service)s” for %(found)s, although %(subscription)s is "
    "paused for %(expected)s."
)
WRONG = _lt(
    "The pause of %(subscription)s from %(since)s on credits %(found)s of a line of "
    "%(document)s, where %(expected)s was left for its days."
)
EARLY = _lt(
    "Credit memo %(document)s credits days from %(found)s on, but the pause of "
    "%(subscription)s begins on %(expected)s."
)
NOT_POSTED = _lt(
    "Credit memo %(document)s of a pause of %(subscription)s is not posted, although "
    "nobody was to review it."
)
UNFOUNDED = _lt(
    "Credit memo %(document)s of a pause of %(subscription)s credits days that were "
    "not to be credited."
)


def check(ledger):
    """Yield a finding for each pause whose days are not settled as they should be."""
    for subscription in ledger.subscription.values():
        yield from _check_flag(ledger, subscription)
    endings = get_last_endings(ledger)
    for pause in ledger.pauses:
        for memo in ledger.issued_by(pause, "out_refund"):
            yield from _check_memo(ledger, pause, memo)
        if pause.state != "taken_back":
            yield from _check_days(ledger, pause, endings)


def _get_name(subscription):
    """Return what people find a subscription by; not every company names them."""
    return subscription.name or f"#{subscription.id}"


def _report(ledger, sentence, pause, move=None, expected=None, found=None, **named):
    name = _get_name(ledger.subscription[pause.subscription_id])
    named.update(subscription=name, since=pause.date_from)
    return report(ledger, RULE, sentence, pause, move, expected, found, **named)


def _report_amounts(ledger, sentence, pause, move, *amounts):
    name = _get_name(ledger.subscription[pause.subscription_id])
    return report_amounts(
        ledger,
        RULE,
        sentence,
        pause,
        move,
        move.currency_id,
        *amounts,
        subscription=name,
        since=pause.date_from,
    )


# === THE RECORD === #


def _check_flag(ledger, subscription):
    """Yield where upstream's flag and our record say different things."""
    pauses = ledger.pauses_of.get(subscription.id, [])
    running = [pause for pause in pauses if pause.state == "paused"]
    is_paused = subscription.is_paused
    if subscription.stage_type == "post" and (is_paused or running):
        yield _report_flag(ENDED, subscription)
    elif is_paused and not running:
        yield _report_flag(NO_RECORD, subscription)
    elif running and not is_paused:
        yield _report(ledger, NOT_PAUSED, running[0])


def _report_flag(sentence, subscription):
    return Finding(
        RULE,
        sentence,
        {"subscription": _get_name(subscription)},
        subscription_id=subscription.id,
        subscription=subscription.name or "",
        document=_get_name(subscription),
    )


# === WHAT IS CREDITED === #


def _check_memo(ledger, pause, memo):
    is_standing = memo.state != "cancel" and not ledger.take_backs_of(memo)
    if is_standing and (pause.state == "taken_back" or pause.refund_mode == "none"):
        yield _report(ledger, UNFOUNDED, pause, memo)
    elif is_standing and pause.post_credit_memos:
        if memo.state != "posted":
            yield _report(ledger, NOT_POSTED, pause, memo)
        for line in ledger.product_lines(memo):
            if not line.discounted_line_id:
                yield from _check_line(ledger, pause, memo, line)


def _check_line(ledger, pause, memo, line):
    """Derive anew what a credit memo line had to credit of its days."""
    origin = ledger.line.get(line.origin_line_id)
    debit = origin and ledger.discounts.net_of(origin)
    if not debit or not line.start_date:
        yield _report(ledger, UNFOUNDED, pause, memo)
        return
    if line.start_date < pause.date_from:
        expected, found = pause.date_from, line.start_date
        yield _report(ledger, EARLY, pause, memo, expected, found)
    issued = {one.id for one in ledger.issued_by(pause, "out_refund")}
    all_credits = [
        credit
        for credit in ledger.discounts.credits_of(origin)
        if ledger.discounts.is_on_memo(credit)
        and ledger.move[credit.move_id].state != "cancel"
        and not ledger.take_backs.was_before(ledger.move[credit.move_id], memo, line.id)
    ]
    own = [credit for credit in all_credits if credit.move_id in issued]
    earlier = get_entries(
        credit
        for credit in all_credits
        if credit not in own and min(credit.ids) < line.id
    )
    days = (pause.date_from, line.end_date)
    expected = still_creditable(debit, earlier, *days)
    lines = [ledger.line[line_id] for credit in own for line_id in credit.ids]
    found = ledger.sum_units(lines, "price_subtotal")
    if found != expected and not ledger.is_used_up(origin.move_id, memo.id):
        invoice = ledger.move[origin.move_id]
        yield _report_amounts(ledger, WRONG, pause, invoice, expected, found)


# === WHAT IS BILLED === #


def _check_days(ledger, pause, endings):
    """Yield what is billed for paused days: nothing is, credits counted."""
    for service in ledger.services_of.get(pause.subscription_id, []):
        if _has_ended_before(pause, endings.get(service.id)):
            continue
        for line in ledger.billed_of.get(service.id, []):
            invoice = ledger.move[line.move_id]
            is_billed = invoice.move_type == "out_invoice" and invoice.state != "cancel"
            is_billed = is_billed and not ledger.take_backs.is_one(invoice)
            if is_billed and _is_within(line, pause, service):
                yield from _check_billed(ledger, pause, service, line, invoice)


def _has_ended_before(pause, ending):
    """Return whether a service had ended, to the day, when the rest was paused."""
    return bool(ending and pause.paused_on and ending.executed_date <= pause.paused_on)


def _is_within(line, pause, service):
    """Return whether a line bills paused days of a service that had not ended."""
    if not (line.start_date and line.end_date):
        return False
    ended = service.cancellation_date or date.max
    first_day = max(line.start_date, pause.date_from)
    return first_day < ended and first_day <= min(
        line.end_date, pause.date_to or date.max
    )


def _is_younger(pause, invoice):
    """Return whether an invoice was made after the subscription was paused."""
    return pause.paused_on and invoice.create_date > pause.paused_on + SAME_MOMENT


def _check_billed(ledger, pause, service, line, invoice):
    # What replaces an invoice that was reversed by hand bills what that one billed.
    is_younger = _is_younger(pause, invoice) and not any(
        older.start_date == line.start_date
        and not _is_younger(pause, ledger.move[older.move_id])
        and ledger.is_used_up(older.move_id)
        for older in ledger.billed_of[service.id]
    )
    net = ledger.discounts.net_of(line)
    credits_ = ledger.discounts.standing_credits_of(line)
    # A pause that ended early had credited all days from its beginning on: rounded
    # once, so that a part of them may differ by a cent.
    left = min(
        (
            still_creditable(net, credits_, pause.date_from, last_day)
            for last_day in (pause.date_to, None)
        ),
        key=abs,
    )
    # More than was billed may have been given back already: that is not charged.
    if left * net[0] <= 0 or ledger.is_all_used_up(invoice.id):
        return
    if is_younger or (invoice.state == "draft" and pause.paused_on):
        yield _report(
            ledger,
            BILLED,
            pause,
            invoice,
            Days(pause.date_from, pause.date_to),
            Days(line.start_date, line.end_date),
            service=service.name,
        )
    elif invoice.state == "posted" and _is_to_be_credited(ledger, pause, invoice):
        yield _report_amounts(ledger, LEFT, pause, invoice, 0, left)


def _is_to_be_credited(ledger, pause, invoice):
    """Return whether paid days are to be credited, and nobody has refused that."""
    memos = [
        memo
        for memo in ledger.issued_by(pause, "out_refund")
        if memo.reversed_entry_id == invoice.id
    ]
    return pause.refund_mode != "none" and not (memos and not pause.post_credit_memos)
