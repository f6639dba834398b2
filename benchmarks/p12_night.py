"""P12: a night with its confirmations, PDFs included, against the core alone."""

from __future__ import annotations

from odoo.addons.base.models.ir_actions_report import _wkhtml

from tests.faults.smtp_sink import listening

from .clones import clone
from .database import Cost, Database, count, interleave
from .p1_p2_scheduled_action import check_done, make_due
from .samples import create_scheduled, put_off
from .table import Row

ROUNDS = 3
BATCH = 100


def measure(databases):
    """Yield what a night costs for each cancellation, until the last mail is sent."""
    small = databases.small
    with listening() as sink:
        night = Night(small, sink)
        cost = interleave(
            small.scale(ROUNDS, 1),
            {"night": night.do_all, "core": night.execute_due},
        )
    whole, core = cost["night"], cost["core"]
    is_patched = _wkhtml().is_patched_qt
    yield Row(
        "P12",
        "a night with its confirmations ÷ the core alone",
        whole.seconds / core.seconds,
        "≤ 4" if is_patched else "≤ 8",
        f"{whole.seconds * 1000:.0f} ms and {whole.queries:.0f} queries ÷ "
        f"{core.seconds * 1000:.1f} ms and {core.queries:.1f}, wkhtmltopdf "
        f"{_wkhtml().version} {'with' if is_patched else 'without'} patched Qt",
    )


class Night:
    """Cancellations that are due, of customers who want to be told."""

    def __init__(self, database: Database, sink) -> None:
        self.database, self.sink = database, sink
        with database.environment() as env:
            put_off(env)
            env.company.partner_id.email = "office@example.com"
            # Of an earlier run in this database.
            env["ir.mail_server"].search([]).active = False
            env["mail.mail"].search([("state", "=", "outgoing")]).cancel()
            env["ir.mail_server"].create(
                {"name": "Sink", "smtp_host": "127.0.0.1", "smtp_port": sink.port}
            )
            original = create_scheduled(env)
            original.partner_id.email = "customer@example.com"
            self.scheduled_id = original.id
            put_off(env)

    def clone(self, env):
        """Return due subscriptions, committed; steps of earlier ones are over."""
        env.cr.execute(
            "UPDATE subscription_cancellation_step SET next_attempt_at = NULL"
            " WHERE state IN ('pending', 'failed')"
        )
        original = env["sale.subscription"].browse(self.scheduled_id)
        subscriptions = clone(original, BATCH)
        env.cr.commit()
        make_due(subscriptions)
        return subscriptions

    def execute_due(self) -> Cost:
        """The core: service ends, the credit is posted."""
        with self.database.environment() as env:
            subscriptions = self.clone(env)
            cost = count(env, env["subscription.cancellation"]._cron_execute_due, BATCH)
            check_done(subscriptions, BATCH)
        return cost

    def do_all(self) -> Cost:
        """The core, what follows it, and the mails, until the server has them."""
        with self.database.environment() as env:
            subscriptions = self.clone(env)
            known = len(self.sink.received)

            def work():
                env["subscription.cancellation"]._cron_execute_due()
                env["subscription.cancellation"]._cron_run_steps()
                env["mail.mail"].process_email_queue()

            cost = count(env, work, BATCH)
            check_done(subscriptions, BATCH)
            self.check_told(subscriptions, len(self.sink.received) - known)
        return cost

    @staticmethod
    def check_told(subscriptions, received: int) -> None:
        """Make sure that each customer got a PDF."""
        assert received == len(subscriptions), received
        documents = subscriptions.cancellation_ids.message_ids.attachment_ids
        assert len(documents) == len(subscriptions), len(documents)
        assert set(documents.mapped("mimetype")) == {"application/pdf"}
