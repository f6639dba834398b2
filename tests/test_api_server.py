# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""E3 against a real server: the documented examples, two at once, a locked record."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import requests

from odoo.tests import tagged

from .common import SALESPERSON
from .events import EVENT, PAYLOAD
from .real_server import ROOT, RealServerCase

GUIDE = ROOT / "subscription_cancellation" / "doc" / "api.md"
METHODS = (
    "preview_cancellation",
    "request_cancellation",
    "postpone_cancellation",
    "revoke_cancellation",
    "reactivate_subscription",
)


class ApiCase(RealServerCase):
    def setUp(self):
        super().setUp()
        self.key = self.create_key(SALESPERSON)
        self.subscription_id = self.create_billed()

    def call(self, method, **options):
        """POST one call as any client would; return the response."""
        return requests.post(
            f"{self.server.url}/json/2/sale.subscription/{method}",
            headers={"Authorization": f"Bearer {self.key}"},
            json={"ids": [self.subscription_id], **options},
            timeout=60,
        )

    def get_cancellations(self):
        """Return what is stored about the subscription's cancellations."""
        return self.committed(
            lambda env: (
                env["sale.subscription"]
                .browse(self.subscription_id)
                .cancellation_ids.sorted("id")
                .read(["state", "channel", "idempotency_key"], load=None)
            )
        )


@tagged("post_install", "-at_install")
class TestDocumentedExamples(ApiCase):
    def get_examples(self, language):
        """Return the code blocks of the guide, with this test's ids and dates."""
        text = GUIDE.read_text("utf-8")
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
        self.assertTrue(blocks)
        return [
            re.sub(r"\b42\b", str(self.subscription_id), block).replace(
                "ticket-", f"ticket-{self.subscription_id}-"
            )
            for block in blocks
        ]

    def run_example(self, *command, text):
        """Run a program on an example, with address and key in its environment."""
        environment = {**os.environ, "ODOO": self.server.url, "KEY": self.key}
        return subprocess.run(
            [*command, text],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def check_states(self):
        """Assert what the examples lead to: one was revoked, one is done."""
        states = [one["state"] for one in self.get_cancellations()]
        self.assertEqual(states, ["revoked", "done"])
        subscription_state = self.committed(
            lambda env: (
                env["sale.subscription"].browse(self.subscription_id).cancellation_state
            )
        )
        self.assertEqual(subscription_state, "active", "it was resumed")

    def test_curl(self):
        """E3: each curl command of the guide works as it stands there."""
        examples = self.get_examples("bash")
        for method in METHODS:
            self.assertTrue(any(f"/{method}" in block for block in examples), method)
        for example in examples:
            with self.subTest(example=example):
                run = self.run_example("bash", "-ec", text=example)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.check_states()

    def test_no_example_expires(self):
        """E3: a date that is written out is one day in the past."""
        for example in [*self.get_examples("bash"), *self.get_examples("python")]:
            self.assertNotRegex(example, r"\b\d{4}-\d\d-\d\d\b")

    def test_asking_for_events(self):
        """D8, E3: the documented fields and no others, in the order they happened."""
        *_others, example = self.get_examples("bash")
        self.committed(lambda env: env[EVENT]._cron_publish())
        last = self.committed(
            lambda env: env[EVENT].search([], order="number desc", limit=1).number
        )
        self.call("request_cancellation", timing="end_of_period")
        self.committed(lambda env: env[EVENT]._cron_publish())
        self.assertIn("1234", example)
        example = example.replace("1234", str(last))
        run = self.run_example("bash", "-ec", text=example)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        events = json.loads(run.stdout)
        self.assertEqual(
            [(event["event"], event["subscription_id"]) for event in events],
            [
                ("requested", self.subscription_id),
                ("scheduled", self.subscription_id),
            ],
        )
        for event in events:
            self.assertEqual(set(event), {"id", *PAYLOAD})

    def test_python(self):
        """E3: the Python of the guide works as it stands there."""
        [example] = self.get_examples("python")
        for method in METHODS:
            self.assertIn(f'"{method}"', example)
        run = self.run_example(sys.executable, "-c", text=example)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.check_states()

    def test_an_error_of_the_python_example_says_why(self):
        """E3: what Odoo answers is what the example raises."""
        [example] = self.get_examples("python")
        self.call("request_cancellation", timing="immediate")
        run = self.run_example(sys.executable, "-c", text=example)
        self.assertIn("RuntimeError: 422: Subscription", run.stderr)
        self.assertIn("is already cancelled", run.stderr)


@tagged("post_install", "-at_install")
class TestApiTogether(ApiCase):
    def test_the_same_key_at_once_cancels_once(self):
        """E3: eight clients with one idempotency key get one answer."""
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _number: self.call_again(), range(8)))
        self.assertEqual({answer.status_code for answer in answers} - {409}, {200})
        answers = [answer.json() for answer in answers if answer.ok]
        for answer in answers:
            self.assertEqual(answer, answers[0])
        [cancellation] = self.get_cancellations()
        self.assertEqual(cancellation["state"], "done")
        self.assertEqual(cancellation["id"], answers[0]["cancellation_id"])
        self.assertEqual(self.call_again().json(), answers[0])

    def call_again(self):
        key = f"storm-{self.subscription_id}"
        return self.call(
            "request_cancellation", timing="immediate", idempotency_key=key
        )

    def assert_busy(self, answer):
        """Assert that it is refused with a sentence that names what is locked."""
        self.assertEqual(answer.status_code, 409, answer.text)
        self.assertRegex(
            answer.json()["message"],
            "^Subscription .+ is being changed by somebody else. Please try again in",
        )

    def test_what_somebody_else_changes_is_409(self):
        """E3: each verb refuses a locked subscription, and does nothing."""
        self.call("request_cancellation", timing="end_of_period")
        other_day = str(date.today() + timedelta(days=45))
        with self.registry.cursor() as holder:
            holder.execute(
                "SELECT id FROM sale_subscription WHERE id = %s FOR UPDATE",
                [self.subscription_id],
            )
            for method, options in (
                ("request_cancellation", {"timing": "immediate"}),
                (
                    "request_cancellation",
                    {"timing": "immediate", "idempotency_key": "locked"},
                ),
                ("postpone_cancellation", {"requested_date": other_day}),
                ("revoke_cancellation", {}),
            ):
                with self.subTest(method=method, options=options):
                    self.assert_busy(self.call(method, **options))
            preview = self.call("preview_cancellation", timing="immediate")
            self.assertEqual(preview.status_code, 422, "it is scheduled already")
        [cancellation] = self.get_cancellations()
        self.assertEqual(cancellation["state"], "scheduled")
        self.assertEqual(self.call("revoke_cancellation").status_code, 200)

    def test_a_locked_one_is_not_billed(self):
        """B7, E3: upstream's billing answers 409, too, and not 500 in the end."""
        with self.registry.cursor() as holder:
            holder.execute(
                "SELECT id FROM sale_subscription WHERE id = %s FOR UPDATE",
                [self.subscription_id],
            )
            for method in ("generate_invoice", "manual_invoice", "create_invoice"):
                with self.subTest(method=method):
                    self.assert_busy(self.call(method))
        self.assertEqual(self.call("generate_invoice").status_code, 200)

    def test_a_locked_one_is_not_reactivated(self):
        """E3: reactivating waits for nobody, either."""
        self.call("request_cancellation", timing="immediate")
        with self.registry.cursor() as holder:
            holder.execute(
                "SELECT id FROM sale_subscription WHERE id = %s FOR UPDATE",
                [self.subscription_id],
            )
            self.assert_busy(self.call("reactivate_subscription"))
        self.assertEqual(self.call("reactivate_subscription").status_code, 200)

    def test_without_a_key_or_with_a_wrong_one_is_401(self):
        """E3: who is asking has to be known."""
        for key in ("", "0" * 40):
            self.key = key
            with self.subTest(key=key):
                answer = self.call("preview_cancellation")
                self.assertEqual(answer.status_code, 401)
