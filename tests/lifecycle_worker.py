# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""One process that does one thing to a database.

    python -m tests.lifecycle_worker ODOO_CONF DATABASE JOB OPTIONS

It commits what it has done and prints the result as JSON.
"""

import json
import sys

import freezegun

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import config

from .lifecycle_books import (
    open_forms,
    read_books,
    read_index,
    read_installation,
    read_leftovers,
)
from .lifecycle_data import AUGUST, BeforeInstallation, Company
from .lifecycle_version import to_version_1_2_0

#: The day on which most of them are cancelled, and the one on which the addon goes.
CANCELLED, UNINSTALLED = "2026-07-10", "2026-07-15"
#: What ends on a day that lies in between.
DUE = {"timing": "specific_date", "requested_date": "2026-07-12"}
LATER = {"timing": "specific_date", "requested_date": "2026-07-20"}
AT_ONCE = {"timing": "immediate"}


# === BEFORE === #


def sell(env, clock):
    """Make what was there before the addon."""
    # As in all tests, mails get the page in place of its PDF.
    config["test_enable"] = True
    BeforeInstallation(env, clock).make()
    return read_books(env)


def read(env, clock):
    """Return what the addon has found and stored when it was installed."""
    return {"books": read_books(env), **read_installation(env)}


# === WITH THE ADDON === #


def cancel(env, clock, names):
    """Cancel subscriptions, others in every way.

    :return: what was found before, the answers by name, and the books
    """
    installed = read(env, clock)
    clock.move_to(CANCELLED)
    company = Company(env, clock)
    company.get_invoices("Draft").action_post()
    answers = {
        name: company.get_subscription(name).request_cancellation(**AT_ONCE)
        for name in names
    }
    OnTheWay(env, clock).make()
    return {"installed": installed, "answers": answers, "books": read_books(env)}


class OnTheWay(Company):
    """Cancellations that are done, to come, refused to come, and taken back."""

    def make(self):
        self.clock.move_to("2026-07-05")
        self.end("Line by line", AT_ONCE, line="Hosting")
        self.end("Ended and reopened", AT_ONCE)
        self.clock.move_to(CANCELLED)
        self.get_subscription("Ended and reopened").reactivate_subscription()
        self.end("Line by line", AT_ONCE)
        self.end("One line", AT_ONCE, line="Mail", reason="technical_issues")
        self.end("One line later", LATER, line="Mail")
        self.end("Ends later", LATER)
        self.end("Due", DUE)
        self.end("Revoked", LATER)
        self.get_subscription("Revoked").revoke_cancellation()
        self._end_with_approval("Waits for approval")
        self._end_without_account("Cannot be credited")
        self.end("Not posted", AT_ONCE)
        self.end("Paid", {**AT_ONCE, "credit_settlement": "refund"})
        self._leave_work("Runs on")

    def end(self, name, options, line=None, reason="missing_features"):
        subscription = self.get_subscription(name)
        if line:
            lines = subscription.sale_subscription_line_ids
            chosen = lines.filtered(lambda one: one.name == line)
            options = {**options, "line_ids": chosen.ids}
        subscription.request_cancellation(**options, reason_code=reason)

    def _end_with_approval(self, name):
        policy = self.env["subscription.cancellation.policy"].create(
            {"name": "Ask", "approval_always": True, "sequence": 2000}
        )
        self.get_subscription(name).cancellation_policy_id = policy
        self.end(name, LATER)

    def _end_without_account(self, name):
        """Its credit cannot be posted: the invoice's account is archived since."""
        account = self.env["account.account"].create(
            {"name": "Old Sales", "code": "400999", "account_type": "income"}
        )
        [invoice] = self.get_invoices(name)
        invoice.button_draft()
        invoice.invoice_line_ids.account_id = account
        invoice.action_post()
        self.end(name, DUE)
        account.active = False

    def _leave_work(self, name):
        """Something to do about a subscription that goes on, and a letter."""
        self.get_subscription(name).activity_schedule(
            "subscription_cancellation.mail_activity_type_overdue", note="Call them"
        )
        self.env["subscription.cancellation.declaration"]._receive(
            {
                "kind": "ordinary",
                "customer_name": "Somebody",
                "contract_reference": "Unknown",
                "contract_email": "somebody@example.com",
                "confirmation_email": "somebody@example.com",
            },
            self.env.company,
            nonce="once",
            client_address="192.0.2.1",
        )


# === UPGRADE === #


def take_back(env, clock):
    """Make it a database of the version before; return what is in it."""
    to_version_1_2_0(env)
    return read(env, clock)


def use(env, clock):
    """Do with an upgraded database what people do; return what came of it."""
    upgraded = read(env, clock)
    clock.move_to(UNINSTALLED)
    company = Company(env, clock)
    opened = open_forms(env)
    revoked = company.get_subscription("One line later")
    revoked.revoke_cancellation()
    approved = company.get_subscription("Waits for approval").cancellation_ids
    approved._approve()
    back = company.get_subscription("Direct")
    back.reactivate_subscription(mode="new_term")
    cancellations = env["subscription.cancellation"]
    cancellations.search(cancellations._get_due_domain())._execute_batch()
    done = company.get_subscription("Due").cancellation_ids
    for cancellation in done:
        cancellation._run_steps()
    unbilled = company.get_subscription("Not posted").cancellation_ids.step_ids
    preview = company.get_subscription("Runs on").preview_cancellation(**AT_ONCE)
    return {
        **upgraded,
        "opened": opened,
        "revoked": revoked.cancellation_state,
        "approved": approved.state,
        "back": back.cancellation_state,
        "done": [done.state, done.credit_total],
        "steps": [[step.kind, step.state, step.error] for step in done.step_ids],
        "preview": preview["credit_total"],
        "failed": company.get_subscription("Cannot be credited").cancellation_ids.state,
        "unbilled_from": [str(day) for day in unbilled.mapped("first_day") if day],
        "index": read_index(env),
        "keys": list(filter(None, cancellations.search([]).mapped("idempotency_key"))),
    }


# === AFTER === #


def uninstall(env, clock):
    """Press the button."""
    clock.move_to(UNINSTALLED)
    module = env["ir.module.module"].search(
        [("name", "=", "subscription_cancellation")]
    )
    module.button_immediate_uninstall()


def look_around(env, clock):
    """Return what is left of the addon, and what upstream would bill in August."""
    found = {"books": read_books(env), **read_leftovers(env)}
    clock.move_to(AUGUST)
    env["sale.subscription"].cron_subscription_management()
    august = read_books(env)
    env.cr.rollback()
    return {**found, "august": august}


JOBS = {
    job.__name__: job
    for job in (sell, read, cancel, take_back, use, uninstall, look_around)
}


def main(conf, database, job, options):
    config.parse_config(["-c", conf, "-d", database, "--log-level=warn"])
    with freezegun.freeze_time("2026-07-01") as clock:
        registry = Registry(database)
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            result = JOBS[job](env, clock, **json.loads(options))
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
