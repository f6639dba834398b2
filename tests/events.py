# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Events, the rule that sends them, and somebody who receives them over HTTP."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from odoo.addons.subscription_cancellation.models.events import event as event_module

from .common import INVOICING, SALESPERSON, CancellationCase

EVENT = "subscription.cancellation.event"
PAYLOAD = event_module.PAYLOAD
RETENTION_PARAMETER = event_module.RETENTION_PARAMETER
RULE = "subscription_cancellation.base_automation_event"


class Receiver:
    """A web server on this machine that keeps what it is sent.

    :param int status: what it answers
    :param float delay: seconds until it does, unless it is closed before
    """

    def __init__(self, status=200, delay=0.0):
        self.requests = []
        self.closing = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, self.headers, json.loads(body)))
                receiver.closing.wait(delay)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args):
                """Keep the tests' output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/cancellations"

    @property
    def payloads(self):
        return [payload for _path, _headers, payload in self.requests]

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class EventCase(CancellationCase):
    def setUp(self):
        super().setUp()
        self.policy = self.get_default_policy()
        self.accountant = self.create_user(INVOICING, login="accountant")
        self.salesperson = self.create_user(SALESPERSON, login="sales")

    def create_billed(self, lines=(31.0,), **values):
        """Return a subscription that is billed for July, on 10 July."""
        subscription = self.create_subscription(lines, **values)
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-10")
        return subscription

    def get_events(self, subscriptions, event=None):
        """Return what happened to subscriptions, the first first."""
        domain = [("subscription_id", "in", subscriptions.ids)]
        if event:
            domain.append(("event", "=", event))
        return self.env[EVENT].sudo().search(domain, order="id")

    def get_names(self, subscriptions):
        return self.get_events(subscriptions).mapped("event")

    def publish(self):
        """Publish as the scheduler does, with commits that the test can roll back."""
        action = self.env.ref("subscription_cancellation.ir_cron_publish_events")
        with self.enter_registry_test_mode():
            action.method_direct_trigger()
        self.env.invalidate_all()

    def create_rule(self, code, domain="[]", **values):
        """Return an active automation rule on events that runs Python code."""
        rule = {"trigger": "on_create", "filter_domain": domain, **values}
        return self.create_automation(EVENT, code, **rule)
