# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What people are told of an error: never what the database says.

Its messages hold values of the record, in the words of programmers.
"""

from contextlib import contextmanager

import psycopg2
from psycopg2.errors import NotNullViolation, QueryCanceled

from odoo.exceptions import LockError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: Somebody else is at the same record.
CONFLICTS = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, LockError)


class WrongCompanyError(UserError):
    """What would be credited was billed by another company."""


class EntriesError(UserError):
    """What a customer entered cannot be.

    ``errors`` has a sentence by entry, for the field that it is about.
    """

    def __init__(self, errors):
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class TooManyDeclarationsError(Exception):
    """As many declarations as are kept per day wait for a decision."""


def explain(env, error):
    """Return an error in words that people understand.

    :param Exception error: any; what only a programmer understands is to be logged
    """
    if isinstance(error, UserError):
        return str(error)
    refusal = _find_database_error(error)
    if refusal:
        return _explain_database_error(env, refusal)
    return env._("Unexpected error: %(error)s. See the server log.", error=error)


@contextmanager
def explained(env):
    """Do something whole or not at all; raise in plain words what a database refuses.

    :raise UserError: something does not fit a rule of the database
    """
    env.flush_all()
    try:
        # Odoo's own flushing would log changes in the middle of a transaction: one by
        # one, and those of documents that are new in it.
        with env.cr.savepoint(flush=False):
            yield
            env.flush_all()
    except psycopg2.IntegrityError as error:
        env.cr.clear()
        raise UserError(_explain_database_error(env, error)) from error


def _find_database_error(error):
    """Return the error of the database that led to another one, or ``None``.

    Odoo's actions and templates quote what went wrong in them.
    """
    while error and not isinstance(error, psycopg2.Error):
        error = error.__cause__ or error.__context__
    return error


def _explain_database_error(env, error):
    """Return what a database's refusal means, by record and field."""
    if isinstance(error, QueryCanceled):
        return env._(
            "The database stopped the work before it was finished: %(reason)s. "
            "Try again; if it is stopped again, ask your administrator.",
            reason=error.diag.message_primary,
        )
    model = _find_model(env, error.diag.table_name)
    if model is None:
        return env._(
            "The database could not do it. Ask your administrator to look at the "
            "server log, then try again."
        )
    name = env["ir.model"]._get(model._name).display_name
    if isinstance(error, NotNullViolation):
        return env._(
            "“%(field)s” is required on “%(document)s” and has no value. Give it a "
            "default value, or do not require it; then try again.",
            field=_get_label(model, error.diag.column_name),
            document=name,
        )
    return _get_message(model, error.diag) or env._(
        "A rule of the database does not allow to save “%(document)s”. Ask your "
        "administrator to look at the server log, then try again.",
        document=name,
    )


def _find_model(env, table):
    """Return the model whose records are in a table, or ``None``."""
    names = (name for name, model in env.registry.items() if model._table == table)
    return env[min(names, key=len)] if table and (names := [*names]) else None


def _get_label(model, column):
    """Return what people call a field, and its name."""
    field = model._fields.get(column)
    return f"{field._description_string(model.env)} ({column})" if field else column


def _get_message(model, diagnostics):
    """Return what a model says itself of a rule that was broken, if anything."""
    rule = model._table_objects.get(diagnostics.constraint_name)
    return rule and rule.get_error_message(model, diagnostics)
