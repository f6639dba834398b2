# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whoever calls chooses the options: the context they come with changes nothing."""

#: What of it counts: how to speak to them, and for which companies they work.
CONTEXT = ("lang", "tz", "allowed_company_ids")


def forget_context(records):
    """Return records without what a dialog, a client or a program keeps in its context.

    Default values, archived records, or the switches of Odoo's own imports would
    change what is ended and credited.
    """
    context = records.env.context
    known = {name: context[name] for name in CONTEXT if name in context}
    return records.with_env(records.env(context=known))
