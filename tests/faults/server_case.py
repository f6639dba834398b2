# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A real server on a database of its own, and subscriptions that many work on."""

import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta

import freezegun

from odoo import sql_db
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import get_db_name
from odoo.tools import config

from ..common import CANCELLATION_MANAGER, SALESPERSON
from ..fault_books import count_locks
from ..real_server import ROOT, RealServerCase
from . import databases
from .invariants import check_invariants, find_weekly
from .sizes import choose, say

#: A week costs seven, so that each day is worth exactly one.
WEEK = 7.0
CUSTOMER = "faults-customer"
#: How long the scheduled actions may take to do all that is due, in seconds.
PATIENCE = 600


class CopiedServerCase(RealServerCase):
    """Break what you like: the database is thrown away."""

    @classmethod
    def prepare_database(cls):
        source = get_db_name()
        database = f"{source}_{cls.__name__.lower()}"
        databases.copy_with_files(source, database)
        cls.addClassCleanup(cls._throw_away, database)
        # Loading a second registry must not begin to test its modules.
        config["test_enable"] = False
        try:
            Registry(database)
        finally:
            config["test_enable"] = True
        return database

    @classmethod
    def _throw_away(cls, database):
        sql_db.close_db(database)
        Registry.delete(database)
        databases.drop(database)
        databases.drop_files(database)

    def start_scheduler(self, *options):
        """Start a process that runs the scheduled actions again and again.

        :param options: of ``scheduler``
        """
        scheduler = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.faults.scheduler",
                config["config"],
                self.database,
                *options,
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(scheduler.stdout.readline(), "ready\n")
        return scheduler

    def stop_scheduler(self, scheduler):
        """Let it end; return how many rounds it made, and the errors."""
        scheduler.stdin.close()
        rounds, *errors = scheduler.stdout.read().splitlines()
        self.assertEqual(scheduler.wait(PATIENCE), 0)
        scheduler.stdout.close()
        return int(rounds), errors

    def pass_time(self, days):
        """Let the scheduled actions run so many days later, until nothing is due.

        :return: how much was due
        """
        later = datetime.now() + timedelta(days=days)
        due = self.committed(lambda env: _count_due(env, later))
        scheduler = self.start_scheduler(f"days={days}")
        end = time.monotonic() + PATIENCE
        try:
            while self.committed(lambda env: _count_due(env, later)):
                self.assertLess(time.monotonic(), end, "something stays due")
                time.sleep(0.5)
        finally:
            _rounds, errors = self.stop_scheduler(scheduler)
        self.assertEqual(errors, [])
        return due

    def create_manager_key(self):
        """Return the API key of somebody who may do all this."""
        return self.create_key(
            CANCELLATION_MANAGER,
            SALESPERSON,
            "account.group_account_invoice",
            "sales_team.group_sale_manager",
        )

    def create_portal_customer(self):
        """Return the partner id of a customer who can log in with their name."""

        def create(env):
            login = f"{CUSTOMER}-{time.monotonic_ns()}"
            partner = env["res.partner"].create(
                {"name": login, "email": f"{login}@example.com"}
            )
            env["res.users"].with_context(no_reset_password=True).create(
                {
                    "login": login,
                    "password": login,
                    "partner_id": partner.id,
                    "group_ids": [Command.set(env.ref("base.group_portal").ids)],
                }
            )
            return partner.id, login

        return self.committed(create)

    def create_weekly(self, number, partner_id, mode="invoice", lines=2):
        """Return the ids of subscriptions with many weeks to bill."""

        def create(env):
            return [
                _create_weekly(env, partner_id, mode, lines).id
                for _number in range(number)
            ]

        return self.committed(create)

    def pay_online(self, ids):
        """Pay online what is owed for some subscriptions; settle all that way."""
        self.committed(lambda env: _pay_online(env, ids))
        self.committed(_settle_online)

    def check_nothing_is_left(self):
        """Assert that everything was settled, and nobody holds anything."""
        self.committed(lambda env: _check_nothing_is_left(self, env))

    def check_invariants(self):
        """Assert what always holds, and that the server has logged no traceback."""
        self.committed(lambda env: check_invariants(self, env))
        log = self.server.read_log()
        self.assertNotIn("Traceback", log, log[-8000:])


def _count_due(env, moment):
    """Return how much our scheduled actions have to do at a moment."""
    cancellations = env["subscription.cancellation"]
    with freezegun.freeze_time(moment):
        steps = cancellations.step_ids.search_count(
            cancellations._get_due_steps_domain()
        )
        return steps + cancellations._count_due()


def _pay_online(env, ids):
    company = env.company
    provider = env["payment.provider"].search(
        [("code", "=", "demo"), ("company_id", "=", company.id)], limit=1
    )
    provider.state = "test"
    invoices = env["sale.subscription"].browse(ids).invoice_ids
    for invoice in invoices.filtered(lambda move: move.state == "posted"):
        method = {
            "provider_id": provider.id,
            "payment_method_id": provider.payment_method_ids[:1].id,
            "partner_id": invoice.partner_id.id,
        }
        token = env["payment.token"].create(
            {**method, "provider_ref": "demo", "demo_simulated_state": "done"}
        )
        transaction = env["payment.transaction"].create(
            {
                **method,
                "token_id": token.id,
                "operation": "offline",
                "amount": invoice.amount_residual,
                "currency_id": invoice.currency_id.id,
                "invoice_ids": [Command.set(invoice.ids)],
            }
        )
        transaction._charge_with_token()
        transaction._post_process()


def _settle_online(env):
    """Let the customers' requests, too, be followed by refunds and collections."""
    env["subscription.cancellation.policy"].search([]).write(
        {"credit_settlement": "refund", "unpaid_invoices": "collect"}
    )


def _check_nothing_is_left(test, env):
    """No step is open, no draft is the engine's, nobody holds an advisory lock."""
    test.assertEqual(count_locks(env.cr), 0)
    cancellations = find_weekly(env).cancellation_ids
    drafts = env["account.move"].search_count(
        [("cancellation_id", "in", cancellations.ids), ("state", "=", "draft")]
    )
    test.assertEqual(drafts, 0)
    steps = cancellations.step_ids
    errors = steps.filtered(lambda step: step.state == "failed").mapped("error")
    test.assertEqual(errors, [])
    by_kind = Counter((step.kind, step.state) for step in steps)
    say(f"steps: {dict(by_kind)}")
    moved = by_kind["refund", "done"] + by_kind["collect", "done"]
    # A short storm may be over before any money was moved.
    test.assertGreaterEqual(moved, choose(0, 1))


def _create_weekly(env, partner_id, mode, lines):
    product = env["product.product"].create(
        {
            "name": "Plan",
            "type": "service",
            "list_price": WEEK,
            "taxes_id": [Command.clear()],
        }
    )
    template = env["sale.subscription.template"].create(
        {
            "name": "Weekly",
            "recurring_interval": 1,
            "recurring_rule_type": "weeks",
            "invoicing_mode": mode,
        }
    )
    subscription = env["sale.subscription"].create(
        {
            "partner_id": partner_id,
            "pricelist_id": env["product.pricelist"].create({"name": "P"}).id,
            "template_id": template.id,
            "sale_subscription_line_ids": [
                Command.create({"product_id": product.id, "name": f"Line {number}"})
                for number in range(lines)
            ],
        }
    )
    subscription.action_start_subscription()
    start = subscription._today() - timedelta(days=7 * 4)
    subscription.write({"date_start": start, "recurring_next_date": start})
    for _week in range(5):
        subscription.generate_invoice()
    subscription.invoice_ids.filtered(lambda move: move.state == "draft")._post()
    return subscription
