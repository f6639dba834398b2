"""P1, P2: due cancellations with credit memos, against Odoo's own documents."""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo.fields import Command

from .clones import clone
from .database import Cost, Database, count, interleave
from .samples import DAYS_SERVED, create_billed, create_scheduled, put_off
from .table import Row

ROUNDS = 5
BATCH = 100
ONE_BY_ONE = 15
#: How the credited invoices were paid, and how that is called.
PAID = {None: "not paid", "online": "paid online", "bank": "paid by bank"}


def measure(databases):
    """Yield what ending and crediting costs against its parts in Odoo."""
    for paid in PAID:
        yield from _measure(databases, paid)


def _measure(databases, paid):
    small = databases.small
    sides = Sides(small, databases.bare, paid)
    kind = f", {PAID[paid]}"
    cost = interleave(
        small.scale(ROUNDS, 2),
        {
            "ours": sides.execute_due,
            "bare": sides.post_credit_memos,
            "by hand": sides.reverse_one_by_one,
        },
    )
    ours, bare = cost["ours"], cost["bare"]
    yield Row(
        "P1",
        f"scheduled action ÷ create and _post of the same credit memos{kind}",
        ours.seconds / bare.seconds,
        "≤ 1.25",
        f"{ours.seconds * 1000:.1f} ms and {ours.queries:.1f} queries ÷ "
        f"{bare.seconds * 1000:.1f} ms and {bare.queries:.1f}, batches of {BATCH}",
    )
    yield Row(
        "P2",
        f"reversal wizard and upstream's close, one by one ÷ scheduled action{kind}",
        cost["by hand"].seconds / ours.seconds,
        "≥ 6",
        f"{cost['by hand'].seconds * 1000:.0f} ms ÷ {ours.seconds * 1000:.1f} ms",
    )


class Sides:
    """What is compared; each call ends other subscriptions of the same kind."""

    def __init__(self, small: Database, bare: Database, paid: str | None) -> None:
        self.database, self.bare, self.paid = small, bare, paid
        with bare.environment() as env:
            self.bare_id = create_billed(env, paid=paid).id
        with small.environment() as env:
            put_off(env)
            self.scheduled_id = create_scheduled(env, paid=paid).id
            # The originals are for copying only.
            put_off(env)

    def clone(self, env, original_id: int, copies: int):
        """Return new subscriptions, committed."""
        clones = clone(env["sale.subscription"].browse(original_id), copies)
        env.cr.commit()
        return clones

    def execute_due(self) -> Cost:
        """Ours: what is due, with its commits."""
        with self.database.environment() as env:
            subscriptions = self.clone(env, self.scheduled_id, BATCH)
            make_due(subscriptions)
            cost = count(env, env["subscription.cancellation"]._cron_execute_due, BATCH)
            check_done(subscriptions, BATCH, self.paid)
            memos = subscriptions.cancellation_ids.credit_note_ids
            self.credit = memos[0].amount_total
        return cost

    def post_credit_memos(self) -> Cost:
        """Bare Odoo: one create and one _post of the same credit memos."""
        with self.bare.environment() as env:
            invoices = self.clone(env, self.bare_id, BATCH).invoice_ids
            values = [prepare_credit_memo(invoice) for invoice in invoices]
            Move = env["account.move"]

            def create_and_post():
                memos = Move.create(values)
                memos._post(soft=False)
                env.cr.commit()
                return memos

            cost = count(env, create_and_post, BATCH)
            check_credited(invoices, self.credit, self.paid)
        return cost

    def reverse_one_by_one(self) -> Cost:
        """A person without the addon: Odoo's wizard, then upstream's close."""
        with self.bare.environment() as env:
            subscriptions = self.clone(env, self.bare_id, ONE_BY_ONE)

            def reverse_all():
                for subscription in subscriptions:
                    reverse(subscription.invoice_ids)
                    subscription.close_subscription()
                    env.cr.commit()
                    # Each is a request of its own.
                    env.invalidate_all()

            return count(env, reverse_all, ONE_BY_ONE)


def make_due(subscriptions) -> None:
    """Let the scheduled action find these; committed."""
    cr = subscriptions.env.cr
    cr.execute(
        "UPDATE subscription_cancellation SET due_at = now() AT TIME ZONE 'UTC'"
        " WHERE state = 'scheduled' AND subscription_id = ANY(%s)",
        [subscriptions.ids],
    )
    cr.commit()


def check_done(subscriptions, memos: int, paid: str | None = None) -> None:
    """Make sure that what was measured was done.

    The credit of what was paid is left, for a refund that is a step of its own.
    """
    subscriptions.env.invalidate_all()
    cancellations = subscriptions.cancellation_ids
    assert set(cancellations.mapped("state")) == {"done"}, cancellations.mapped("state")
    assert set(subscriptions.mapped("stage_id.type")) == {"post"}
    credit_memos = cancellations.credit_note_ids
    assert len(credit_memos.filtered(lambda memo: memo.state == "posted")) == memos
    partials = credit_memos.line_ids.matched_debit_ids
    assert len(partials) == (0 if paid else memos)
    refunds = cancellations.step_ids.filtered(lambda step: step.kind == "refund")
    assert len(refunds) == (memos if paid else 0)
    assert bool(refunds.source_transaction_id) == (paid == "online")


def prepare_credit_memo(invoice) -> dict:
    """Return the values of the document that the scheduled action makes."""
    [line] = invoice.invoice_line_ids
    today = date.today()
    return {
        "move_type": "out_refund",
        "subscription_id": invoice.subscription_id.id,
        "reversed_entry_id": invoice.id,
        "company_id": invoice.company_id.id,
        "journal_id": invoice.journal_id.id,
        "partner_id": invoice.partner_id.id,
        "partner_shipping_id": invoice.partner_shipping_id.id,
        "fiscal_position_id": invoice.fiscal_position_id.id,
        "currency_id": invoice.currency_id.id,
        "invoice_currency_rate": invoice.invoice_currency_rate,
        "invoice_date": today,
        "date": today,
        "invoice_payment_term_id": False,
        "invoice_user_id": invoice.invoice_user_id.id,
        "invoice_origin": invoice.subscription_id.name,
        "ref": f"Credit for {invoice.name}",
        "line_ids": [Command.create(_prepare_line(line, today))],
    }


def _prepare_line(line, today: date) -> dict:
    start = line.move_id.invoice_date - timedelta(days=DAYS_SERVED)
    days = (start + relativedelta(months=1) - start).days
    return {
        "origin_line_id": line.id,
        "product_id": line.product_id.id,
        "name": line.name,
        "account_id": line.account_id.id,
        "quantity": line.quantity,
        "product_uom_id": line.product_uom_id.id,
        "price_unit": round(line.price_subtotal * (days - DAYS_SERVED) / days, 2),
        "tax_ids": [Command.set(line.tax_ids.ids)],
        "analytic_distribution": line.analytic_distribution,
        "start_date": today,
        "end_date": start + relativedelta(months=1, days=-1),
    }


def check_credited(invoices, credit: float, paid: str | None) -> None:
    """Make sure that these were credited, with the amount that ours has."""
    invoices.env.invalidate_all()
    memos = invoices.reversal_move_ids
    assert set(memos.mapped("state")) == {"posted"}
    assert {round(memo.amount_total, 2) for memo in memos} == {round(credit, 2)}
    partials = memos.line_ids.matched_debit_ids
    assert len(partials) == (0 if paid else len(invoices))


def reverse(invoice) -> None:
    """Credit an invoice with Odoo's wizard; posting reconciles what is open."""
    Wizard = invoice.env["account.move.reversal"].with_context(
        active_model="account.move", active_ids=invoice.ids
    )
    wizard = Wizard.create({"journal_id": invoice.journal_id.id})
    action = wizard.reverse_moves()
    memo = invoice.browse(action["res_id"])
    is_open = bool(invoice.amount_residual)
    memo.action_post()
    expected = ("paid", "reversed") if is_open else ("not_paid",)
    assert memo.payment_state in expected, memo.payment_state
