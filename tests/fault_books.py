# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books of the fault test's customers, in a form that two runs have in common."""

#: What the customers of the fault test are found by.
REF = "faults"


def read_books(env):
    """Return the books of each customer, and what must not be left over."""
    # Not above: addons are found once the configuration has been read.
    from odoo.addons.subscription_cancellation.books import check_books

    customers = env["res.partner"].search([("ref", "=", REF)], order="name")
    subscriptions = env["sale.subscription"].search(
        [("partner_id", "in", customers.ids)]
    )
    moves = _get_moves(customers)
    company = subscriptions.company_id
    everything = env["account.move"].search([("company_id", "=", company.id)])
    return {
        "customers": {
            customer.name: _read_customer(customer, own)
            for customer, own in subscriptions.grouped("partner_id").items()
        },
        "drafts": len(everything.filtered(lambda move: move.state == "draft")),
        "orphans": len(everything - moves),
        "locks": count_locks(env.cr),
        "findings": [finding.tell() for finding in check_books(env.cr).findings],
    }


def _get_moves(customers):
    return customers.env["account.move"].search(
        [("line_ids.partner_id", "in", customers.ids)]
    )


def count_locks(cr):
    """Return how many advisory locks any session holds in this database."""
    cr.execute(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE locktype = 'advisory' AND datname = current_database()"
    )
    [count] = cr.fetchone()
    return count


def _read_customer(customer, subscriptions):
    """Return a customer's documents by kind and amount, in no order of their own."""
    env = customer.env
    cancellations = subscriptions.cancellation_ids
    moves = _get_moves(customer)
    of_customer = [("partner_id", "=", customer.id)]
    payments = env["account.payment"].search(of_customer)
    transactions = env["payment.transaction"].search(of_customer)
    lines = moves.line_ids.filtered(
        lambda line: (
            line.account_type == "asset_receivable" and line.parent_state == "posted"
        )
    )
    partials = lines.matched_debit_ids | lines.matched_credit_ids
    return {
        "subscriptions": sorted(subscriptions.mapped("cancellation_state")),
        "cancellations": cancellations.mapped("state"),
        "steps": sorted(
            [step.kind, step.state, step.amount] for step in cancellations.step_ids
        ),
        "errors": sorted(filter(None, cancellations.step_ids.mapped("error"))),
        "moves": sorted(map(_read_move, moves)),
        "payments": sorted(
            [payment.payment_type, payment.state, payment.amount]
            for payment in payments
        ),
        "transactions": sorted(map(_read_transaction, transactions)),
        "reconciled": sorted(partials.mapped("amount")),
        "receivable": round(sum(lines.mapped("balance")), 2),
        "confirmations": _count_confirmations(customer, cancellations),
        "activities": len(cancellations.activity_ids),
    }


def _read_move(move):
    """Return one document: kind, state, amount, what is open of it."""
    kind = "payment" if move.origin_payment_id else move.move_type
    return [
        kind,
        move.state,
        move.amount_total,
        move.amount_residual,
        move.payment_state or "",
    ]


def _read_transaction(transaction):
    """Return one transaction; Odoo's own post-processing must be through with it."""
    return [
        transaction.reference,
        transaction.state,
        transaction.is_post_processed,
        transaction.amount,
    ]


def _count_confirmations(customer, cancellations):
    """Return the number of messages to the customer, and of mails."""
    env = customer.env
    of_cancellations = [
        ("model", "=", cancellations._name),
        ("res_id", "in", cancellations.ids),
    ]
    messages = env["mail.message"].search(
        [*of_cancellations, ("notified_partner_ids", "in", customer.ids)]
    )
    mails = env["mail.mail"].search(
        [*of_cancellations, ("recipient_ids", "in", customer.ids)]
    )
    return [len(messages), len(mails)]
