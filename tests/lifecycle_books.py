# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the lifecycle test compares, in plain values."""

from odoo.tests import Form

ADDON = "subscription_cancellation"
#: How many forms of each model are opened.
SAMPLE = 8


def read_books(env):
    """Return by customer: the posted journal items, and what is billed of which days.

    Only with what Odoo and upstream know, so that it can be read without the addon.
    """
    subscriptions = env["sale.subscription"].search([], order="id")
    return {
        subscription.partner_id.name: {
            "stage": subscription.stage_id.type,
            "next": str(subscription.recurring_next_date or ""),
            "total": subscription.recurring_total,
            "lines": sorted(subscription.sale_subscription_line_ids.mapped("name")),
            "reason": subscription.close_reason_id.name or "",
            "items": _read_items(subscription.partner_id),
            "history": subscription.message_ids.mapped("body"),
            "activities": [
                (activity.user_id.login, str(activity.date_deadline), activity.note)
                for activity in subscription.activity_ids
            ],
        }
        for subscription in subscriptions
    }


def _read_items(customer):
    """Return the journal items of a customer's documents, each as a list."""
    items = customer.env["account.move.line"].search(
        [("partner_id", "=", customer.id)], order="id"
    )
    return [
        [
            item.id,
            item.move_id.name,
            item.parent_state,
            str(item.date),
            item.account_id.code,
            item.name or "",
            item.amount_currency,
            item.balance,
            item.amount_residual,
            item.full_reconcile_id.id,
        ]
        for item in items
    ]


def read_installation(env):
    """Return what the addon knows of the invoices that were there before it."""
    items = env["account.move.line"]
    unlinked = items.search(items._get_unlinked_domain())
    module = env["ir.module.module"].search([("name", "=", ADDON)])
    reasons = env["sale.subscription.close.reason"].search([])
    return {
        "version": module.latest_version,
        "reasons": sorted(reasons.mapped("name")),
        "unlinked": sorted(unlinked.mapped("name")),
        "stamps": {
            subscription.partner_id.name: [
                [str(item.start_date), str(item.end_date), item.subscription_line_id.id]
                for item in subscription._get_invoices().invoice_line_ids.sorted("id")
            ]
            for subscription in env["sale.subscription"].search([])
        },
        "states": {
            subscription.partner_id.name: subscription.cancellation_state
            for subscription in env["sale.subscription"].search([])
        },
    }


def read_leftovers(env):
    """Return what should not be there without the addon."""
    env.cr.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE column_name LIKE '%%cancellation%%' OR table_name LIKE %s",
        [f"{ADDON}%"],
    )
    columns = env.cr.fetchall()
    form = env["sale.subscription"].get_view(view_type="form")["arch"]
    return {
        "state": env["ir.module.module"].search([("name", "=", ADDON)]).state,
        "records": env["ir.model.data"]
        .search([("module", "=", ADDON)])
        .mapped("complete_name"),
        "columns": columns,
        "models": [name for name in env if name.startswith("subscription.cancel")],
        "crons": _search_text(env, "ir.cron", "cron_name"),
        "menus": _search_text(env, "ir.ui.menu", "name"),
        "views": _search_text(env, "ir.ui.view", "key"),
        "menu_groups": {
            name: env.ref(f"subscription_oca.sale_subscription_{name}").group_ids.ids
            for name in ("root", "configuration_menu")
        },
        "all_documents": env.ref("sales_team.group_sale_salesman_all_leads").id,
        "form": form,
        "broken": _get_broken_views(env),
        "opened": open_forms(env),
        "letters": env.company.partner_id.activity_ids.mapped("note"),
    }


def _search_text(env, model, field):
    """Return the records whose name tells that they come from the addon."""
    records = env[model].with_context(active_test=False)
    found = records.search([(field, "ilike", "cancellation")])
    return found.mapped(field)


def _get_broken_views(env):
    """Return the views of the addon's surroundings that cannot be shown."""
    broken = []
    views = env["ir.ui.view"].search(
        [
            ("model", "in", ["sale.subscription", "account.move", "res.partner"]),
            ("mode", "=", "primary"),
        ]
    )
    for view in views:
        try:
            env[view.model].get_view(view.id, view.type)
        except ValueError as error:
            broken.append(f"{view.xml_id}: {error}")
    return broken


def open_forms(env):
    """Open lists and forms of all that the addon has to do with, as a client does.

    :return: how many forms, by model
    """
    names = [name for name in env if name.startswith(("subscription.", "sale.subscr"))]
    opened = {}
    for name in [*names, "account.move"]:
        model = env[name]
        if model._abstract or model._transient:
            continue
        model.get_views([(False, "form"), (False, "list"), (False, "search")])
        records = model.search([], limit=SAMPLE)
        for record in records:
            Form(record)
        opened[name] = len(records)
    return opened


def read_index(env):
    """Return on what the keys of requests are unique."""
    env.cr.execute(
        "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
        ["subscription_cancellation_idempotency_key_uniq"],
    )
    [(definition,)] = env.cr.fetchall()
    return definition.partition("btree ")[2]
