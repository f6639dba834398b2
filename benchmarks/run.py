"""Measures the engine against bare Odoo (`make bench`) and prints ratios.

All sides of a ratio are measured in the same run, one after the other in each round,
on the same subscriptions; the table shows medians. Everything is rolled back.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from datetime import date, timedelta

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import config

BATCH = 100
ROUNDS = 3
CLOSE = 20


def main(arguments: list[str]) -> None:
    """Connect, measure, print."""
    config.parse_config(arguments, setup_logging=True)
    logging.getLogger("odoo").setLevel(logging.WARNING)
    registry = Registry(config["db_name"][0])
    with registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
        bench = Bench(env)
        rows = [*bench.measure_execution(), bench.measure_preview()]
        cr.rollback()
    print_table(rows)


class Bench:
    """Subscriptions to cancel, and the ways to cancel them."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.partner = env["res.partner"].create({"name": "Bench"})
        self.pricelist = env["product.pricelist"].create({"name": "Bench"})
        self.template = env["sale.subscription.template"].create({"name": "Bench"})
        self.tax = env["account.tax"].search([("type_tax_use", "=", "sale")], limit=1)
        self.product = env["product.product"].create(
            {
                "name": "Bench",
                "type": "service",
                "list_price": 31.0,
                "taxes_id": [Command.set(self.tax.ids)],
            }
        )

    # === MEASUREMENTS === #

    def measure_execution(self):
        """Scheduled cancellations in a batch, against Odoo's own documents."""
        sides = {
            "ours": self.execute_batch,
            "bare": self.post_bare_credit_memos,
            "reversal": self.reverse_one_by_one,
        }
        times = {name: [] for name in sides}
        queries = {name: [] for name in sides}
        for _round in range(ROUNDS):
            for name, side in sides.items():
                seconds, count = side()
                times[name].append(seconds)
                queries[name].append(count)
        median = {name: statistics.median(values) for name, values in times.items()}
        per_one = statistics.median(queries["ours"])
        yield (
            "queries per cancellation, batch of 100",
            f"{per_one:.1f}",
            f"bare credit memos: {statistics.median(queries['bare']):.1f}",
        )
        yield (
            "scheduled action / bare create + _post of the same credit memos",
            f"{median['ours'] / median['bare']:.2f}",
            f"{median['ours'] * 1000:.0f} ms each",
        )
        yield (
            "Odoo's reversal and upstream's close, one by one / ours",
            f"{median['reversal'] / median['ours']:.2f}",
            f"{median['reversal'] * 1000:.0f} ms each",
        )

    def measure_preview(self):
        """Queries of a preview with 50 lines against one with one line."""
        counts = [self.count_preview(lines) for lines in (1, 1, 50)]
        return (
            "queries of a preview, 50 lines / 1 line",
            f"{counts[2] / counts[1]:.2f}",
            f"{counts[1]} queries",
        )

    # === SIDES; each returns seconds and queries per cancellation === #

    def execute_batch(self):
        """Ours: due cancellations, executed together."""
        with self.rolled_back():
            subscriptions = self.create_billed(BATCH)
            for subscription in subscriptions:
                subscription.request_cancellation(timing="end_of_period")
            cancellations = subscriptions.cancellation_ids
            # Due in the middle of the period instead, so that there is a credit.
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE subscription_cancellation SET effective_date = %s"
                " WHERE id = ANY(%s)",
                [date.today(), cancellations.ids],
            )
            self.env.invalidate_all()
            result = self.timed(cancellations._execute, BATCH)
            assert len(cancellations.credit_note_ids) == BATCH
            return result

    def post_bare_credit_memos(self):
        """Bare Odoo: one create and one _post of the same credit memos."""
        with self.rolled_back():
            invoices = self.create_billed(BATCH).invoice_ids
            values = [self.prepare_credit_memo(invoice) for invoice in invoices]
            Move = self.env["account.move"]
            self.env.flush_all()
            self.env.invalidate_all()
            return self.timed(lambda: Move.create(values)._post(soft=False), BATCH)

    def reverse_one_by_one(self):
        """Odoo's wizard with reconcile, then upstream's close."""
        with self.rolled_back():
            subscriptions = self.create_billed(CLOSE)
            self.env.flush_all()
            self.env.invalidate_all()
            return self.timed(lambda: self.reverse_and_close(subscriptions), CLOSE)

    def reverse_and_close(self, subscriptions):
        for subscription in subscriptions:
            invoice = subscription.invoice_ids
            wizard = (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create({"journal_id": invoice.journal_id.id})
            )
            memo = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
            memo.action_post()
            subscription._close(False)

    # === HELPERS === #

    def create_billed(self, number, lines=1):
        """Return running subscriptions, invoiced by upstream and posted together."""
        start = date.today() - timedelta(days=10)
        command = Command.create({"product_id": self.product.id})
        subscriptions = self.env["sale.subscription"].create(
            [
                {
                    "partner_id": self.partner.id,
                    "pricelist_id": self.pricelist.id,
                    "template_id": self.template.id,
                    "sale_subscription_line_ids": [command] * lines,
                }
                for _number in range(number)
            ]
        )
        subscriptions.action_start_subscription()
        subscriptions.write({"date_start": start, "recurring_next_date": start})
        for subscription in subscriptions:
            subscription.generate_invoice()
        subscriptions.invoice_ids._post()
        return subscriptions

    def prepare_credit_memo(self, invoice):
        [line] = invoice.invoice_line_ids
        return {
            "move_type": "out_refund",
            "reversed_entry_id": invoice.id,
            "partner_id": invoice.partner_id.id,
            "journal_id": invoice.journal_id.id,
            "invoice_date": date.today(),
            "invoice_line_ids": [
                Command.create(
                    {
                        "product_id": line.product_id.id,
                        "name": line.name,
                        "account_id": line.account_id.id,
                        "quantity": line.quantity,
                        "price_unit": line.price_unit * 20 / 31,
                        "tax_ids": [Command.set(line.tax_ids.ids)],
                    }
                )
            ],
        }

    def count_preview(self, lines):
        with self.rolled_back():
            subscription = self.create_billed(1, lines)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            subscription.preview_cancellation()
            return self.env.cr.sql_log_count - before

    def timed(self, work, number):
        before, start = self.env.cr.sql_log_count, time.perf_counter()
        work()
        self.env.flush_all()
        seconds = time.perf_counter() - start
        return seconds / number, (self.env.cr.sql_log_count - before) / number

    def rolled_back(self):
        """Return a context whose work is undone at its end."""
        return RolledBack(self.env)


class RolledBack:
    """A savepoint that is always rolled back."""

    def __init__(self, env):
        self.env = env

    def __enter__(self):
        self.savepoint = self.env.cr.savepoint()
        self.savepoint.__enter__()

    def __exit__(self, *error):
        self.savepoint.close(rollback=True)
        self.env.invalidate_all(flush=False)


def print_table(rows) -> None:
    """Print name, ratio and remark of each measurement."""
    width = max(len(name) for name, _ratio, _remark in rows)
    print(f"\nOdoo {odoo.release.version}, {ROUNDS} rounds, medians\n")
    for name, ratio, remark in rows:
        print(f"{name:<{width}}  {ratio:>8}  {remark}")


if __name__ == "__main__":
    main(sys.argv[1:])
