# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What holds for the subscriptions of the storms, whatever happened to them."""

from collections import Counter
from datetime import timedelta

DAY = timedelta(days=1)


def find_weekly(env):
    """Return the subscriptions of the storms; other tests have left other ones."""
    return env["sale.subscription"].search(
        [("template_id.recurring_rule_type", "=", "weeks")]
    )


def check_invariants(test, env):
    """Assert it for each weekly subscription, whose days are worth one each."""
    subscriptions = find_weekly(env)
    test.assertTrue(subscriptions)
    for subscription in subscriptions:
        with test.subTest(subscription=subscription.id):
            _check_cancellations(test, subscription)
            _check_documents(test, subscription)
            for line in subscription._get_all_lines():
                _check_days(test, line)


def _check_cancellations(test, subscription):
    """One is open, the state fits, nothing is stuck."""
    cancellations = subscription.cancellation_ids
    states = Counter(cancellations.mapped("state"))
    test.assertFalse(states["failed"], cancellations.mapped("failure_message"))
    whole = cancellations.filtered(lambda one: one.is_open and one.is_whole)
    test.assertLessEqual(len(whole), 1)
    rows = subscription._get_all_lines().cancellation_line_ids.filtered("is_open")
    for _line, own in rows.grouped("subscription_line_id").items():
        test.assertEqual(len(own.cancellation_id), 1, own)
    has_ended = not subscription.sale_subscription_line_ids
    test.assertEqual(subscription.cancellation_state == "cancelled", has_ended)
    test.assertEqual(subscription.stage_type == "post", has_ended)


def _check_documents(test, subscription):
    """No draft is left of the engine, and no invoice is credited beyond itself."""
    lines = subscription._get_all_lines()
    items = subscription.env["account.move.line"].search(
        [("subscription_line_id", "in", lines.ids)]
    )
    for move in items.move_id:
        if move.cancellation_id:
            test.assertEqual(move.state, "posted", move.display_name)
        if move.move_type == "out_invoice":
            # One that was taken back stands against the document that took it back.
            memos = move.reversal_move_ids.filtered(
                lambda memo: memo.state == "posted" and not memo.is_taken_back
            )
            credited = round(sum(memos.mapped("amount_total")), 2)
            test.assertLessEqual(credited, move.amount_total, move.display_name)


def _check_days(test, line):
    """Each day is billed once or not at all; none after the end of service."""
    worth = Counter()
    items = line.env["account.move.line"].search(
        [("subscription_line_id", "=", line.id), ("parent_state", "=", "posted")]
    )
    for item in items:
        days = (item.end_date - item.start_date).days + 1
        for number in range(days):
            # On the receivable's side: an invoice adds, a credit memo takes off.
            worth[item.start_date + number * DAY] -= item.balance / days
    # Without a refund, what was billed ahead stays billed.
    ended = line.cancellation_line_ids.cancellation_id.filtered("executed_date")
    end = line.cancellation_date if "none" not in ended.mapped("refund_mode") else None
    for day, amount in sorted(worth.items()):
        test.assertIn(round(amount, 6), (0.0, 1.0), f"{line.name} on {day}")
        if end and not line.active and day >= end:
            test.assertEqual(round(amount, 6), 0.0, f"{line.name} after {end}: {day}")
