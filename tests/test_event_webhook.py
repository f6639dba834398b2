# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D8: the webhook arrives at a real receiver, after real commits.

What these tests create stays in the test database.
"""

import socket
import time
from datetime import date, timedelta

from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged

from .events import EVENT, PAYLOAD, RULE, Receiver

#: Where Odoo says what came of a webhook.
ACTIONS_LOGGER = "odoo.addons.base.models.ir_actions"


@tagged("post_install", "-at_install")
class TestWebhook(BaseCase):
    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        # What other tests left is none of ours.
        self.publish()
        self.subscription_id = self.committed(self.create_billed)

    # === HELPERS === #

    def committed(self, work):
        """Run ``work(env)`` in a transaction of its own; commit; return its result."""
        with self.registry.cursor() as cr:
            return work(Environment(cr, SUPERUSER_ID, {}))

    def create_billed(self, env):
        """Return the id of a subscription, billed for a month since five days ago."""
        product = env["product.product"].create(
            {"name": "Plan", "type": "service", "list_price": 31.0, "taxes_id": []}
        )
        template = {"name": "Monthly", "invoicing_mode": "draft"}
        subscription = env["sale.subscription"].create(
            {
                "partner_id": env["res.partner"].create({"name": "Hook Inc"}).id,
                "pricelist_id": env["product.pricelist"].create({"name": "P"}).id,
                "template_id": env["sale.subscription.template"].create(template).id,
                "sale_subscription_line_ids": [
                    Command.create({"product_id": product.id})
                ],
            }
        )
        subscription.action_start_subscription()
        start = date.today() - timedelta(days=5)
        subscription.write({"date_start": start, "recurring_next_date": start})
        subscription.generate_invoice()
        subscription.invoice_ids.action_post()
        return subscription.id

    def switch_on(self, url):
        """Do what an administrator does: enter the address, activate the rule."""

        def switch(env, url, active):
            rule = env.ref(RULE)
            rule.action_server_ids.webhook_url = url
            rule.active = active

        self.committed(lambda env: switch(env, url, True))
        self.addCleanup(
            self.committed,
            lambda env: switch(env, "https://example.com/replace-this-address", False),
        )

    def receive(self, **values):
        """Return a receiver that the rule sends to."""
        receiver = Receiver(**values)
        self.addCleanup(receiver.close)
        self.switch_on(receiver.url)
        return receiver

    def publish(self):
        """Publish as the scheduled action does, with real commits."""
        self.committed(lambda env: env[EVENT]._cron_publish())

    def cancel(self, env, **options):
        subscription = env["sale.subscription"].browse(self.subscription_id)
        options = {"timing": "immediate", "send_confirmation": False, **options}
        return subscription.request_cancellation(**options)

    def read_events(self):
        """Return the payloads of what happened, as software over JSON-2 gets them."""

        def read(env):
            domain = [("subscription_id", "=", self.subscription_id)]
            return env[EVENT].search_read(domain, PAYLOAD, order="id", load=None)

        return self.committed(read)

    def check_done(self):
        """Assert that the cancellation is done and its events are published."""
        events = self.read_events()
        self.assertEqual(
            [event["event"] for event in events][:2], ["requested", "done"]
        )
        self.assertTrue(all(event["number"] for event in events))

    # === TESTS === #

    def test_it_arrives_with_the_documented_payload(self):
        """D8: once per event, in order, and not before the commit."""
        receiver = self.receive()
        with self.assertRaises(ZeroDivisionError), self.registry.cursor() as cr:
            self.cancel(Environment(cr, SUPERUSER_ID, {}))
            raise ZeroDivisionError
        self.publish()
        self.assertEqual(receiver.requests, [], "Nothing has happened.")
        options = {"reason_code": "too_expensive", "comment": "s3cret"}
        answer = self.committed(lambda env: self.cancel(env, **options))
        self.assertEqual(receiver.requests, [], "Whoever cancels waits for nobody.")
        self.publish()
        self.publish()
        events = [payload["event"] for payload in receiver.payloads]
        self.assertEqual(events[:2], ["requested", "done"])
        self.assertEqual(set(events[2:]), {"step"})
        self.assertEqual(len(events), len(self.read_events()))
        path, headers, done = receiver.requests[1]
        self.assertEqual(path, "/cancellations")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.check_payload(done, answer)
        self.assertNotIn("s3cret", str(receiver.payloads))

    def check_payload(self, payload, answer):
        """Assert that a payload is exactly the documented one."""
        keys = {"_action", "_id", "_model", "id", *PAYLOAD}
        self.assertEqual(set(payload), keys)
        self.assertEqual(payload["_model"], EVENT)
        [stored] = [row for row in self.read_events() if row["id"] == payload["_id"]]
        for name in PAYLOAD:
            told, kept = payload[name], stored[name]
            is_date = name.endswith("_date") and kept
            self.assertEqual(told, str(kept) if is_date else kept, name)
        last = date.fromisoformat(answer["last_service_date"])
        self.assertEqual(last, date.today())
        for name, value in {
            "event": "done",
            "state": "done",
            "cancellation_id": answer["cancellation_id"],
            "subscription_id": self.subscription_id,
            "effective_date": answer["effective_date"],
            "last_service_date": answer["last_service_date"],
            "reason_code": "too_expensive",
            "currency": answer["currency"],
            "credit_total": answer["credit_total"],
        }.items():
            self.assertEqual(payload[name], value, name)
        self.assertGreater(payload["credit_total"], 0.0)
        self.assertEqual(len(payload["credit_note_ids"]), 1)

    def test_nobody_listens(self):
        """D8: the cancellation is done, the event published, the log says it."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.switch_on(f"http://127.0.0.1:{port}/")
        self.committed(self.cancel)
        with self.assertLogs(ACTIONS_LOGGER, "WARNING") as logs:
            self.publish()
        self.assertIn("Webhook call failed", logs.output[0])
        self.check_done()

    def test_the_receiver_answers_with_an_error(self):
        """D8: a server error of theirs is not one of ours."""
        receiver = self.receive(status=500)
        self.committed(self.cancel)
        with self.assertLogs(ACTIONS_LOGGER, "WARNING") as logs:
            self.publish()
        self.assertIn("500 Server Error", logs.output[0])
        self.assertEqual(len(receiver.requests), len(self.read_events()))
        self.check_done()

    def test_the_receiver_never_answers(self):
        """D8: Odoo waits for a second (ten, where it runs its own tests)."""
        receiver = self.receive(delay=60.0)
        self.only_send_done()
        self.committed(self.cancel)
        began = time.monotonic()
        with self.assertLogs(ACTIONS_LOGGER, "WARNING") as logs:
            self.publish()
        self.assertLess(time.monotonic() - began, 20.0)
        self.assertIn("timed out", logs.output[0])
        self.assertEqual([payload["event"] for payload in receiver.payloads], ["done"])
        self.check_done()

    def only_send_done(self):
        """Narrow the rule down to one kind of event, as an administrator may."""

        def narrow(env, domain):
            env.ref(RULE).filter_domain = domain

        self.committed(lambda env: narrow(env, "[('event', '=', 'done')]"))
        self.addCleanup(self.committed, lambda env: narrow(env, False))

    # === SEVERAL AT ONCE === #

    def test_what_is_committed_later_gets_the_higher_number(self):
        """D8: so that whoever has asked up to a number misses nothing."""
        later_id = self.subscription_id
        earlier_id = self.committed(self.create_billed)
        with self.registry.cursor() as slow:
            env = Environment(slow, SUPERUSER_ID, {})
            # Without credit memos, whose numbers would wait for each other.
            self.cancel(env, timing="end_of_period")
            env.flush_all()
            self.subscription_id = earlier_id
            self.committed(lambda env: self.cancel(env, timing="end_of_period"))
            self.publish()
        self.publish()
        first = self.read_events()
        self.subscription_id = later_id
        second = self.read_events()
        self.assertLess(second[0]["id"], first[0]["id"])
        self.assertGreater(second[0]["number"], first[-1]["number"])

    def test_two_publish_at_once(self):
        """D8: one is at it, the other leaves it to them; each is sent once."""
        receiver = self.receive()
        self.committed(self.cancel)
        with self.registry.cursor() as cr:
            other = Environment(cr, SUPERUSER_ID, {})[EVENT]
            self.assertTrue(other._lock_unpublished(20))
            self.publish()
            self.assertEqual(receiver.requests, [])
            other._cron_publish()
        self.publish()
        self.assertEqual(len(receiver.requests), len(self.read_events()))
        self.check_done()
