"""P1, P2: due cancellations with credit memos, against Odoo's own documents."""

from __future__ import annotations

from .clones import clone
from .database import Cost, Database, count, interleave
from .samples import create_billed, create_scheduled, put_off
from .table import Row

ROUNDS = 5
BATCH = 100
ONE_BY_ONE = 15


def measure(small: Database, _large: Database):
    """Yield what ending and crediting costs against its parts in Odoo."""
    sides = Sides(small)
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
        "scheduled action ÷ create and _post of the same credit memos",
        ours.seconds / bare.seconds,
        "≤ 1.25",
        f"{ours.seconds * 1000:.1f} ms and {ours.queries:.1f} queries ÷ "
        f"{bare.seconds * 1000:.1f} ms and {bare.queries:.1f}, batches of {BATCH}",
    )
    yield Row(
        "P2",
        "reversal wizard and upstream's close, one by one ÷ scheduled action",
        cost["by hand"].seconds / ours.seconds,
        "≥ 6",
        f"{cost['by hand'].seconds * 1000:.0f} ms ÷ {ours.seconds * 1000:.1f} ms",
    )


class Sides:
    """What is compared; each call ends other subscriptions of the same kind."""

    def __init__(self, small: Database) -> None:
        self.database = small
        with small.environment() as env:
            put_off(env)
            self.scheduled_id = create_scheduled(env).id
            self.billed_id = create_billed(env).id
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
            check_done(subscriptions, BATCH)
        return cost

    def post_credit_memos(self) -> Cost:
        """Bare Odoo: one create and one _post of the same credit memos."""
        with self.database.environment() as env:
            subscriptions = self.clone(env, self.scheduled_id, BATCH)
            values = prepare_credit_memos(subscriptions.cancellation_ids)
            Move = env["account.move"]

            def create_and_post():
                Move.create(values)._post(soft=False)
                env.cr.commit()

            return count(env, create_and_post, BATCH)

    def reverse_one_by_one(self) -> Cost:
        """A person: for each invoice Odoo's wizard, then upstream's close."""
        with self.database.environment() as env:
            subscriptions = self.clone(env, self.billed_id, ONE_BY_ONE)

            def reverse_all():
                for subscription in subscriptions:
                    reverse(subscription.invoice_ids)
                    subscription._close(False)
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


def check_done(subscriptions, memos: int) -> None:
    """Make sure that what was measured was done."""
    subscriptions.env.invalidate_all()
    cancellations = subscriptions.cancellation_ids
    assert set(cancellations.mapped("state")) == {"done"}, cancellations.mapped("state")
    assert set(subscriptions.mapped("stage_id.type")) == {"post"}
    credit_memos = cancellations.credit_note_ids
    assert len(credit_memos.filtered(lambda memo: memo.state == "posted")) == memos
    partials = credit_memos.line_ids.matched_debit_ids
    assert len(partials) == memos


def prepare_credit_memos(cancellations) -> list[dict]:
    """Return the values of the very documents that the scheduled action makes."""
    engine = cancellations._as_engine()
    savepoint = engine.env.cr.savepoint()
    engine._store_rows()
    values = [
        cancellation._prepare_credit_note(invoice, lines)
        for cancellation in engine
        for invoice, lines in cancellation.line_ids._get_lines_to_credit().items()
    ]
    savepoint.close(rollback=True)
    engine.env.invalidate_all(flush=False)
    for value in values:
        del value["cancellation_id"]
    return values


def reverse(invoice) -> None:
    """Credit an invoice with Odoo's wizard; posting reconciles it."""
    Wizard = invoice.env["account.move.reversal"].with_context(
        active_model="account.move", active_ids=invoice.ids
    )
    wizard = Wizard.create({"journal_id": invoice.journal_id.id})
    action = wizard.reverse_moves()
    memo = invoice.browse(action["res_id"])
    memo.action_post()
    assert memo.payment_state in ("paid", "reversed"), memo.payment_state
