"""Copies of subscriptions with their customers and documents, made by SQL.

The ORM makes the first one of each kind, upstream bills it, Odoo posts it; what
`INSERT … SELECT` makes of it is the same but for ids, numbers and customers.
"""

from __future__ import annotations

import contextlib

from odoo.tools import SQL

#: Models that are copied, where there are such, each before those that point to it.
MODELS = (
    "res.partner",
    "sale.subscription",
    "sale.subscription.line",
    "account.move",
    "account.move.line",
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
}


def clone(subscriptions, copies, **values):
    """Copy subscriptions, each ``copies`` times, in turn.

    :param values: columns of ``sale.subscription`` and ``account.move`` to set, such
        as ``partner_id``
    :return: ``sale.subscription``
    """
    env = subscriptions.env
    env.flush_all()
    models = [model for model in MODELS if model in env]
    for model in models:
        _number_copies(env, _get_originals(subscriptions, model), copies)
        _copy_rows(env[model], values)
    for model in models:
        _copy_relations(env[model])
    env.cr.execute(
        SQL("SELECT new FROM %s ORDER BY new", _get_map("sale.subscription"))
    )
    clones = subscriptions.browse(new for (new,) in env.cr.fetchall())
    for model in models:
        env.cr.execute(SQL("DROP TABLE %s", _get_map(model)))
    env.invalidate_all()
    return clones


def _get_originals(subscriptions, model):
    """Return the records of a model that belong to the subscriptions."""
    paths = {
        "res.partner": "partner_id",
        "sale.subscription": "",
        "sale.subscription.line": "sale_subscription_line_ids",
        "account.move": "invoice_ids",
        "account.move.line": "invoice_ids.line_ids",
        "subscription.cancellation": "cancellation_ids",
        "subscription.cancellation.line": "cancellation_ids.line_ids",
    }
    return subscriptions.mapped(paths[model])


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


def _copy_rows(model, values):
    """Insert the copies of one model; links among the copied lead to copies."""
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
        elif field.type == "many2one" and field.comodel_name in MODELS:
            is_made = MODELS.index(field.comodel_name) <= MODELS.index(model._name)
            if is_made:
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


def _join_map(comodel, alias, column):
    return SQL(
        "LEFT JOIN %(map)s %(alias)s ON %(alias)s.old = %(column)s"
        " AND %(alias)s.copy = copy.copy",
        map=_get_map(comodel),
        alias=alias,
        column=column,
    )


def _copy_relations(model):
    """Copy what the rows are tagged or taxed with."""
    for field in model._fields.values():
        if not (field.store and field.type == "many2many"):
            continue
        model.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s (%(own)s, %(other)s)"
                " SELECT copy.new, t.%(other)s FROM %(table)s t"
                " JOIN %(map)s copy ON copy.old = t.%(own)s"
                " ON CONFLICT DO NOTHING",
                table=SQL.identifier(field.relation),
                own=SQL.identifier(field.column1),
                other=SQL.identifier(field.column2),
                map=_get_map(model._name),
            )
        )


# === MANY OF THEM === #


@contextlib.contextmanager
def without_indexes(env):
    """Make indexes and foreign keys of the copied tables anew afterwards: faster."""
    tables = [env[model]._table for model in MODELS]
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
