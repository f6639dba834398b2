# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the public methods share in their docstrings.

Odoo's own API documentation (``/doc``) shows them: each method has to say all of it.
The texts are plain reStructuredText, without the roles of Sphinx, which it cannot read.
"""

import inspect

#: The options of a preview and of a request.
OPTIONS = """
:param str timing: ``immediate``, ``end_of_period`` (the billed period in which the
    customer's day lies), ``end_of_billed`` (the last day that is billed, also in
    advance), ``end_of_term``, ``earliest`` or ``specific_date``
:param str requested_date: ``"YYYY-MM-DD"``; required with ``specific_date``
:param str refund_mode: ``none``, ``prorated`` (the unused days) or ``full`` (all of the
    latest billed period)
:param list[int] line_ids: ids of ``sale.subscription.line``, whose add-ons end with
    them; absent: the whole subscription
:param str reason_code: code of a ``sale.subscription.close.reason``
:param str comment: free text of the person who cancels
:param bool cancel_day_billed: the day of cancellation is a served, billed day
:param str unpaid_invoices: ``keep``, ``collect`` (charge the saved payment method) or
    ``write_off``, once the whole subscription has ended
:param str unbilled_charges: ``invoice`` drafts and elapsed days, to the day, or
    ``drop`` them
:param str credit_settlement: ``keep`` what exceeds what is due on the customer's
    account, or ``refund`` it to where the money came from
:param bool apply_credits: credits and excess payments first pay the customer's other
    open invoices
:param bool send_confirmation: the customer is told by e-mail
"""

#: What only a request takes.
KEYS = """
:param str fingerprint: of the preview that was confirmed; where dates or amounts have
    changed since, nothing is done and the error names what did; absent: nobody looked
:param str idempotency_key: any text of up to 255 characters, new for each cancellation:
    the same key with the same options gives the same answer again, and never a second
    cancellation; with other options it is refused
"""

#: What both of them answer.
ANSWER = """
:rtype: dict
:return: ``cancellation_id`` (false in a preview), ``state`` (``to_approve``,
    ``scheduled``, ``done``, ``revoked``, ``refused`` or ``failed``), ``timing``,
    ``effective_date`` (first day without service), ``last_service_date``,
    ``earliest_end`` (last day of service that keeps the policy's terms),
    ``cancel_by`` (last day to ask for it), ``extraordinary``, ``approval_reason``,
    ``currency``, ``credit_untaxed``, ``credit_tax``, ``credit_total``,
    ``reduces_invoices`` and ``refundable`` (amounts in that currency), ``upcoming``
    (what is still invoiced until service ends, and then credited, with tax: ``kind``,
    ``invoice`` or ``credit``, ``date``, ``amount``, ``what``), ``lines`` (one
    per credited invoice line, with its period and days, both ends inclusive),
    ``settlement`` (one per step: ``kind``, ``state``, ``amount``, ``currency``,
    ``document``, ``text``), ``warnings`` (among them how much of the unused days is not
    credited, and why) and ``fingerprint``. Where it is to be executed later, the
    figures are those of the preview, as of now; amounts are what is expected, invoices
    still to come included
"""

#: How both of them refuse.
ERRORS = """
:raise UserError: status 422; an option, a date, the policy or the state of the
    subscription forbids it: the message names which, and the way out
:raise AccessError: status 403; the user may not cancel subscriptions
:raise MissingError: status 404; there is no such subscription
"""

#: What only happens where something is written.
LOCKED = """
:raise LockError: status 409; somebody else is changing the subscription: try again
"""


def documented(*texts):
    """Return a decorator that adds shared texts to a method's docstring."""

    def decorate(method):
        parts = [inspect.cleandoc(method.__doc__), *map(str.strip, texts)]
        # Fields have to follow each other; the prose before them ends with a blank.
        method.__doc__ = "\n\n".join([parts[0], "\n".join(parts[1:])])
        return method

    return decorate
