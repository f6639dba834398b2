"""Copies of subscriptions with their customers and documents, made by SQL.

The ORM makes the first one of each kind, upstream bills it, Odoo posts it; what
`INSERT … SELECT` makes of it is the same but for ids, numbers and customers.
"""

from __future__ import annotations

import contextlib

from odoo.tools import SQL

#: Models that are copied, where there are such, each before those that point to it;
#: links to later ones are set afterwards.
MODELS = (
    "res.partner",
    "payment.token",
    "sale.subscription",
    "sale.subscription.line",
    "account.full.reconcile",
    "account.move",
    "account.payment",
    "account.bank.statement.line",
    "payment.transaction",
    "account.move.line",
    "account.partial.reconcile",
    "subscription.cancellation",
    "subscription.cancellation.line",
)
#: Columns that are computed anew.
COLUMNS = {
    ("account.move", "name"): SQL(
        "t.sequence_prefix || to_char(copy.first + copy.number, 'FM99999900000')"
    ),
    ("account.move", "sequence_number"): SQL("copy.first + copy.number"),
    ("account.move.line", "move_name"): SQL(
        "(SELECT name FROM account_move WHERE id = to_move_id.new)"
    ),
    ("account.move.line", "matching_number"): SQL(
        "COALESCE(to_full_reconcile_id.new::text, t.matching_number)"
    ),
    ("account.payment", "name"): SQL(
        "(SELECT name FROM account_move WHERE id = to_move_id.new)"
    ),
    ("payment.transaction", "reference"): SQL("t.reference || '-' || copy.new"),
}


def clone(subscriptions, copies, **values):
    """Copy subscriptions, each ``copies`` times, in turn.

    :param values: columns of ``sale.subscription`` and ``account.move`` to set, such
        as ``partner_id``
    :return: ``sale.subscription``
    """
    env = subscriptions.env
    env.flush_all()
    originals = _get_originals(subscriptions)
    for records in originals.values():
        _number_copies(env, records, copies)
    for model in originals:
        _copy_rows(env[model], values, originals)
    for model in originals:
        _link_to_later(env[model], originals)
        _copy_relations(env[model], originals)
    env.cr.execute(
        SQL("SELECT new FROM %s ORDER BY new", _get_map("sale.subscription"))
    )
    clones = subscriptions.browse(new for (new,) in env.cr.fetchall())
    for model in originals:
        env.cr.execute(SQL("DROP TABLE %s", _get_map(model)))
    env.invalidate_all()
    return clones


def _get_originals(subscriptions):
    """Return what belongs to the subscriptions, by model, in the order of MODELS."""
    invoices = subscriptions.invoice_ids
    moves, matched = _get_documents(invoices)
    found = [
        subscriptions.partner_id,
        invoices.transaction_ids.token_id,
        subscriptions,
        subscriptions.sale_subscription_line_ids,
        moves.line_ids.full_reconcile_id,
        moves,
        moves.origin_payment_id,
        moves.statement_line_id,
        invoices.transaction_ids,
        moves.line_ids,
        matched,
    ]
    if "subscription.cancellation" in subscriptions.env:
        cancellations = subscriptions.cancellation_ids
        found += [cancellations, cancellations.line_ids]
    by_model = {records._name: records for records in found}
    return {model: by_model[model] for model in MODELS if model in by_model}


def _get_documents(invoices):
    """Return invoices and what paid them, however far away, and how it is matched."""
    moves, known = invoices, None
    while moves != known:
        known = moves
        items = moves.line_ids
        matched = items.matched_debit_ids | items.matched_credit_ids
        moves |= (matched.debit_move_id | matched.credit_move_id).move_id
    return moves, matched


def _get_map(model):
    """Return the temporary table that says which row became which."""
    return SQL.identifier(f"copied_{model.replace('.', '_')}")


def _number_copies(env, records, copies):
    """Give each copy an id, and invoices a number of their journal."""
    table = records._table
    first = SQL("0")
    if records._name == "account.move":
        first = SQL(
            "(SELECT max(sequence_number) FROM account_move m"
            " WHERE m.journal_id = t.journal_id"
            " AND m.sequence_prefix = t.sequence_prefix)"
        )
    env.cr.execute(
        SQL(
            "CREATE TEMPORARY TABLE %(map)s AS"
            " SELECT old, copy, first, row_number() OVER () AS number,"
            "  nextval(%(sequence)s)::int AS new"
            " FROM (SELECT t.id AS old, %(first)s AS first FROM %(table)s t"
            "  WHERE t.id = ANY(%(ids)s) ORDER BY t.id) AS original,"
            "  generate_series(1, %(copies)s) AS copy ORDER BY copy, old",
            map=_get_map(records._name),
            sequence=f"{table}_id_seq",
            first=first,
            table=SQL.identifier(table),
            ids=records.ids,
            copies=copies,
        )
    )
    env.cr.execute(SQL("ANALYZE %s", _get_map(records._name)))


def _copy_rows(model, values, originals):
    """Insert the copies of one model; links to earlier models lead to copies."""
    columns, expressions, joins = [], [], []
    for field in model._fields.values():
        if not (field.store and field.column_type):
            continue
        column = SQL.identifier("t", field.name)
        expression = COLUMNS.get((model._name, field.name), column)
        if field.name == "id":
            expression = SQL("copy.new")
        elif field.name in values and model._name in (
            "sale.subscription",
            "account.move",
        ):
            expression = SQL("%s", values[field.name])
        elif field.type == "many2one" and field.comodel_name in originals:
            if not _is_later(field.comodel_name, model._name):
                alias = SQL.identifier(f"to_{field.name}")
                joins.append(_join_map(field.comodel_name, alias, column))
                expression = SQL("COALESCE(%s.new, %s)", alias, column)
        columns.append(SQL.identifier(field.name))
        expressions.append(expression)
    model.env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s t"
            " JOIN %s copy ON copy.old = t.id %s",
            SQL.identifier(model._table),
            SQL(", ").join(columns),
            SQL(", ").join(expressions),
            SQL.identifier(model._table),
            _get_map(model._name),
            SQL(" ").join(joins),
        )
    )


def _is_later(comodel, model):
    """Return whether copies of ``comodel`` are made after those of ``model``."""
    return MODELS.index(comodel) > MODELS.index(model)


def _link_to_later(model, originals):
    """Let copies point to the copies of what was made after them."""
    for field in model._fields.values():
        is_link = field.store and field.column_type and field.type == "many2one"
        if not (is_link and field.comodel_name in originals):
            continue
        if _is_later(field.comodel_name, model._name):
            model.env.cr.execute(
                SQL(
                    "UPDATE %(table)s t SET %(column)s = other.new"
                    " FROM %(map)s copy, %(other)s other WHERE t.id = copy.new"
                    " AND other.old = t.%(column)s AND other.copy = copy.copy",
                    table=SQL.identifier(model._table),
                    column=SQL.identifier(field.name),
                    map=_get_map(model._name),
                    other=_get_map(field.comodel_name),
                )
            )


def _join_map(comodel, alias, column):
    return SQL(
        "LEFT JOIN %(map)s %(alias)s ON %(alias)s.old = %(column)s"
        " AND %(alias)s.copy = copy.copy",
        map=_get_map(comodel),
        alias=alias,
        column=column,
    )


def _copy_relations(model, originals):
    """Copy what the rows are tagged or taxed with, and which payments are theirs."""
    for field in model._fields.values():
        if not (field.store and field.type == "many2many"):
            continue
        other, join = SQL.identifier("t", field.column2), SQL()
        if field.comodel_name in originals:
            join = _join_map(field.comodel_name, SQL.identifier("other"), other)
            other = SQL("COALESCE(other.new, %s)", other)
        model.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(own)s, %(to)s) SELECT copy.new, %(other)s"
                " FROM %(table)s t JOIN %(map)s copy ON copy.old = t.%(own)s %(join)s"
                " ON CONFLICT DO NOTHING",
                table=SQL.identifier(field.relation),
                own=SQL.identifier(field.column1),
                to=SQL.identifier(field.column2),
                other=other,
                map=_get_map(model._name),
                join=join,
            )
        )


# === MANY OF THEM === #


@contextlib.contextmanager
def without_indexes(env):
    """Make indexes and foreign keys of the copied tables anew afterwards: faster."""
    tables = [env[model]._table for model in MODELS if model in env]
    env.cr.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname),"
        " pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
        [tables],
    )
    keys = env.cr.fetchall()
    env.cr.execute(
        "SELECT quote_ident(indexname), indexdef FROM pg_indexes"
        " WHERE tablename = ANY(%s) AND indexdef NOT LIKE 'CREATE UNIQUE%%'",
        [tables],
    )
    indexes = env.cr.fetchall()
    for table, name, _definition in keys:
        env.cr.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _definition in indexes:
        env.cr.execute(f"DROP INDEX {name}")
    yield
    env.cr.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for _name, definition in indexes:
        env.cr.execute(definition)
    for table, name, definition in keys:
        env.cr.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
