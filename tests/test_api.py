# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The public methods over JSON-2, with a real key and a plain HTTP client (E3)."""

from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.api_doc.controllers.api_doc import parse_signature
from odoo.addons.subscription_cancellation.callers import is_id

from .common import CANCELLATION_USER, SALESPERSON, lose_races

METHODS = (
    "preview_cancellation",
    "request_cancellation",
    "postpone_cancellation",
    "revoke_cancellation",
    "reactivate_subscription",
)


#: What JSON can say, and PostgreSQL cannot store.
UNSTORABLE = ("a\x00b", "a\ud800b")
#: What an id is not.
NO_IDS = (
    "x",
    ["\ud800"],
    ["1"],
    [True],
    [0],
    [-1],
    [1.5],
    [None],
    [""],
    [[1]],
    [10**30],
    {"a": 1},
)


@tagged("post_install", "-at_install")
class TestApi(HttpCase):
    def setUp(self):
        super().setUp()
        user = new_test_user(self.env, login="robot", groups=SALESPERSON)
        self.headers = {"Authorization": f"Bearer {self.create_key(user)}"}
        self.subscription = self.create_billed_subscription()
        self.later = str(date.today() + timedelta(days=45))

    def create_key(self, user):
        keys = self.env["res.users.apikeys"].with_user(user)
        expiry = datetime.now() + timedelta(days=1)
        return keys._generate("rpc", "test", expiry)

    def create_billed_subscription(self):
        """Return a running subscription, billed by upstream for the running month."""
        product = self.env["product.product"].create(
            {"name": "Plan", "type": "service", "list_price": 31.0, "taxes_id": []}
        )
        subscription = self.env["sale.subscription"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Api Inc"}).id,
                "pricelist_id": self.env["product.pricelist"].create({"name": "P"}).id,
                "template_id": self.env["sale.subscription.template"]
                .create({"name": "Monthly"})
                .id,
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
        return subscription

    def call(self, method, ids=None, **options):
        """POST one call; return status and JSON."""
        response = self.url_open(
            f"/json/2/sale.subscription/{method}",
            json={"ids": ids or self.subscription.ids, **options},
            headers=self.headers,
        )
        return response.status_code, response.json()

    def test_preview_request_and_revoke(self):
        """E3, D5: plain JSON in and out; the channel is the API."""
        status, preview = self.call("preview_cancellation", timing="end_of_period")
        self.assertEqual((status, preview["state"]), (200, "scheduled"))
        self.assertFalse(preview["cancellation_id"])
        status, result = self.call("request_cancellation", timing="end_of_period")
        self.assertEqual((status, result["state"]), (200, "scheduled"))
        self.assertEqual(result["effective_date"], preview["effective_date"])
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.id, result["cancellation_id"])
        self.assertEqual(cancellation.channel, "api")
        status, result = self.call("revoke_cancellation")
        self.assertEqual((status, result["state"]), (200, "revoked"))

    def test_immediate_cancellation_credits(self):
        """E3, A4: the amounts of the answer are those of the credit memo."""
        status, result = self.call(
            "request_cancellation", timing="immediate", reason_code="too_expensive"
        )
        self.assertEqual((status, result["state"]), (200, "done"))
        memo = self.subscription.cancellation_ids.credit_note_ids
        self.assertEqual(memo.amount_total, result["credit_total"])

    def test_every_option_has_its_effect(self):
        """E3: each value of each option is taken, and nothing else changes."""
        tomorrow = str(date.today() + timedelta(days=1))
        accepted = {
            "timing": ["immediate", "end_of_period", "earliest"],
            "refund_mode": ["none", "prorated", "full"],
            "line_ids": [self.subscription.sale_subscription_line_ids.ids],
            "reason_code": ["too_expensive"],
            "comment": ["Too dear"],
            "cancel_day_billed": [True, False],
            "unpaid_invoices": ["keep", "collect", "write_off"],
            "unbilled_charges": ["invoice", "drop"],
            "credit_settlement": ["keep", "refund"],
            "apply_credits": [True, False],
            "send_confirmation": [True, False],
        }
        for name, values in accepted.items():
            for value in values:
                with self.subTest(option=name, value=value):
                    status, answer = self.call("preview_cancellation", **{name: value})
                    self.assertEqual(status, 200, answer)
        status, answer = self.call(
            "preview_cancellation", timing="specific_date", requested_date=tomorrow
        )
        self.assertEqual((status, answer["last_service_date"]), (200, tomorrow))
        credit = self.preview_credit(refund_mode="prorated")
        self.assertEqual(self.preview_credit(refund_mode="none"), 0.0)
        self.assertGreater(self.preview_credit(refund_mode="full"), credit)
        self.assertGreater(self.preview_credit(cancel_day_billed=False), credit)
        self.assertFalse(self.subscription.cancellation_ids)

    def preview_credit(self, **options):
        """Return what an immediate end would credit."""
        status, answer = self.call(
            "preview_cancellation",
            **{"timing": "immediate", "refund_mode": "prorated", **options},
        )
        self.assertEqual(status, 200, answer)
        return answer["credit_total"]

    def test_options_are_stored_with_the_cancellation(self):
        """E3, D4: what was asked for is on the record."""
        line = self.subscription.sale_subscription_line_ids
        options = {
            "timing": "end_of_period",
            "refund_mode": "full",
            "cancel_day_billed": False,
            "unpaid_invoices": "write_off",
            "unbilled_charges": "drop",
            "credit_settlement": "refund",
            "apply_credits": True,
            "send_confirmation": False,
            "comment": "Moving",
        }
        status, _answer = self.call(
            "request_cancellation",
            line_ids=line.ids,
            reason_code="switching_service",
            **options,
        )
        self.assertEqual(status, 200)
        cancellation = self.subscription.cancellation_ids
        for name, value in options.items():
            self.assertEqual(cancellation[name], value, name)
        self.assertEqual(cancellation.line_ids.subscription_line_id, line)
        self.assertEqual(cancellation.reason_id.code, "switching_service")

    def test_a_refused_override_is_422(self):
        """E3, D2: the policy of the channel decides what an option may change."""
        self.env["subscription.cancellation.policy"].create(
            {
                "name": "Other software",
                "channel": "api",
                "sequence": -1,
                "timing": "end_of_period",
                "allow_override_timing": False,
            }
        )
        with mute_logger("odoo.http"):
            status, answer = self.call("request_cancellation", timing="immediate")
        self.assertEqual(status, 422)
        self.assertIn("Other software", answer["message"])
        status, answer = self.call("request_cancellation")
        self.assertEqual((status, answer["timing"]), (200, "end_of_period"))

    def test_postpone_and_reactivate(self):
        """E3, B13, B15: the other verbs, with their options and answers."""
        self.call("request_cancellation", timing="end_of_period")
        status, answer = self.call(
            "postpone_cancellation", requested_date=self.later, charge_extension=True
        )
        self.assertEqual((status, answer["state"]), (200, "scheduled"))
        self.assertEqual(answer["last_service_date"], self.later)
        self.assertTrue(self.subscription.cancellation_ids.charge_extension)
        self.call("revoke_cancellation")
        self.call("request_cancellation", timing="immediate")
        status, answer = self.call("reactivate_subscription", mode="new_term")
        self.assertEqual((status, answer["subscription_state"]), (200, "active"))
        self.assertEqual(answer["date_start"], str(date.today()))

    # === IDEMPOTENCY === #

    def test_a_key_is_answered_once(self):
        """E3: the same key gives the same answer, whatever happened since."""
        options = {"timing": "end_of_period", "idempotency_key": "ticket-7"}
        first = self.call("request_cancellation", **options)
        self.assertEqual(first[0], 200)
        self.assertEqual(self.call("request_cancellation", **options), first)
        self.call("revoke_cancellation")
        self.assertEqual(self.call("request_cancellation", **options), first)
        self.assertEqual(
            self.subscription.cancellation_ids.mapped("state"), ["revoked"]
        )
        self.assertEqual(first[1]["state"], "scheduled")

    @mute_logger("odoo.http")
    def test_a_key_is_for_one_request(self):
        """E3: other options, or another subscription, want a key of their own."""
        self.call("request_cancellation", timing="end_of_period", idempotency_key="k")
        other = self.create_billed_subscription()
        for ids, options in (
            (self.subscription.ids, {"timing": "immediate"}),
            (self.subscription.ids, {"timing": "end_of_period", "comment": "Hm"}),
            (other.ids, {"timing": "end_of_period"}),
        ):
            with self.subTest(ids=ids, options=options):
                status, answer = self.call(
                    "request_cancellation", ids, idempotency_key="k", **options
                )
                self.assertEqual(status, 422)
                self.assertIn("“k” was used for another request", answer["message"])
        self.assertFalse(other.cancellation_ids)
        self.assertEqual(len(self.subscription.cancellation_ids), 1)

    @mute_logger("odoo.http")
    def test_a_refused_request_does_not_use_up_its_key(self):
        """E3: nothing is stored of what failed."""
        status, _answer = self.call(
            "request_cancellation", timing="tomorrow", idempotency_key="again"
        )
        self.assertEqual(status, 422)
        status, _answer = self.call(
            "request_cancellation", timing="immediate", idempotency_key="again"
        )
        self.assertEqual(status, 200)

    @mute_logger("odoo.http")
    def test_what_is_no_key(self):
        """E3: a key is a text, not empty and not endless."""
        for key in ("", "  ", 7, True, ["k"], {"k": 1}, "k" * 256, *UNSTORABLE):
            with self.subTest(key=key):
                status, answer = self.call("request_cancellation", idempotency_key=key)
                self.assertEqual(status, 422)
                self.assertIn("idempotency_key", answer["message"])
        self.assertFalse(self.subscription.cancellation_ids)

    @mute_logger("odoo.http")
    def test_a_known_key_tells_nobody_else(self):
        """E3: without the right to cancel, a known key is not answered either."""
        self.call("request_cancellation", idempotency_key="mine")
        user = new_test_user(self.env, login="nosy", groups="base.group_user")
        self.headers = {"Authorization": f"Bearer {self.create_key(user)}"}
        status, _answer = self.call("request_cancellation", idempotency_key="mine")
        self.assertEqual(status, 403)

    @mute_logger("odoo.http")
    def test_what_was_tried_in_vain_is_409(self):
        """B8, E3: lost against others five times, a request may come again."""
        lose_races(self.env)
        # Odoo's pauses between its tries, up to half a minute.
        with patch("odoo.service.model.time.sleep") as sleep:
            status, answer = self.call("request_cancellation")
        self.assertEqual(status, 409)
        self.assertIn("Please try again", answer["message"])
        self.assertEqual(sleep.call_count, 4)
        self.env.cr.execute("DROP TRIGGER lose_race ON subscription_cancellation")
        self.assertEqual(self.call("request_cancellation")[0], 200)

    # === DOCUMENTATION === #

    def open_documentation(self):
        return self.url_open("/doc-bearer/sale.subscription.json", headers=self.headers)

    @mute_logger("odoo.http")
    def test_the_documentation_page_needs_a_group(self):
        """E3: as the guide says; administrators are in it."""
        self.assertEqual(self.open_documentation().status_code, 403)
        administrators = self.env.ref("base.group_system")
        self.assertIn(
            self.env.ref("api_doc.group_allow_doc"), administrators.all_implied_ids
        )

    def test_the_documentation_page_says_all(self):
        """E3: Odoo's own API documentation shows each parameter, answer and error."""
        group = self.env.ref("api_doc.group_allow_doc")
        user = new_test_user(self.env, login="reader", groups=SALESPERSON)
        user.group_ids += group
        self.headers = {"Authorization": f"Bearer {self.create_key(user)}"}
        with self.assertNoLogs("odoo.addons.api_doc.controllers.api_doc", "WARNING"):
            signatures = [
                parse_signature(getattr(type(self.subscription), name))
                for name in METHODS
            ]
        self.assertEqual(len(signatures), 5)
        response = self.open_documentation()
        self.assertEqual(response.status_code, 200)
        methods = response.json()["methods"]
        for name in METHODS:
            method = methods[name]
            with self.subTest(method=name):
                self.assertEqual(method["module"], "subscription_cancellation")
                self.assertTrue(method["doc"])
                self.assertTrue(method["return"]["doc"])
                self.assertTrue({"UserError", "AccessError"} <= set(method["raise"]))
                for parameter, described in method["parameters"].items():
                    self.assertTrue(described.get("doc"), parameter)
                    self.assertTrue(described.get("annotation"), parameter)

    @mute_logger("odoo.http")
    def test_errors_have_the_right_status(self):
        """E3: 422 for what cannot be, 403 for rights, 404 for what is not there."""
        for options in (
            {"timing": "tomorrow"},
            {"timing": "specific_date"},
            {"line_ids": [0]},
            {"colour": "red"},
            {"reason_code": "bored"},
            {"refund_mode": 7},
            {"line_ids": {"a": 1}},
            {"line_ids": [True]},
            {"line_ids": [float(self.subscription.sale_subscription_line_ids.id)]},
            {"line_ids": [10**30]},
            *(
                {name: [text] if name == "line_ids" else text}
                for name in ("comment", "reason_code", "requested_date", "line_ids")
                for text in UNSTORABLE
            ),
            {"timing": ["immediate"]},
            {"comment": {"a": 5}},
            {"timing": "specific_date", "requested_date": {"a": 1}},
            {"ids": [self.subscription.id, self.subscription.id + 1]},
            *({"fingerprint": value} for value in ("", False, 7, ["a"], {"a": 1})),
            *({"fingerprint": text} for text in UNSTORABLE),
        ):
            with self.subTest(options=options):
                status, _answer = self.call("request_cancellation", **options)
                self.assertEqual(status, 422)
        missing = self.subscription.id + 10**6
        self.assertEqual(self.call("request_cancellation", ids=[missing])[0], 404)
        self.assertFalse(self.subscription.cancellation_ids)

    @mute_logger("odoo.http")
    def test_what_is_no_id(self):
        """E3: each method says so, and reads nothing."""
        options = {
            "postpone_cancellation": {"requested_date": str(date.today())},
            "request_cancellation": {"idempotency_key": "no-id"},
        }
        for method in METHODS:
            for ids in NO_IDS:
                with self.subTest(method=method, ids=ids):
                    status, answer = self.call(method, ids, **options.get(method, {}))
                    self.assertEqual(status, 422, answer)
                    self.assertIn("is not the id of a subscription", answer["message"])

    def test_true_is_not_the_id_1(self):
        """E3: Python takes the two for equal."""
        self.assertTrue(is_id(1))
        self.assertFalse(is_id(True))

    @mute_logger("odoo.http")
    def test_a_key_without_rights_gets_403(self):
        """E3: rights are those of the key's user."""
        user = new_test_user(self.env, login="nobody", groups="base.group_user")
        self.headers = {"Authorization": f"Bearer {self.create_key(user)}"}
        self.assertEqual(self.call("request_cancellation")[0], 403)

    def test_the_cancellation_right_is_enough(self):
        """E3: a key of other software needs this right, and no other one."""
        user = new_test_user(self.env, login="software", groups=CANCELLATION_USER)
        self.headers = {"Authorization": f"Bearer {self.create_key(user)}"}
        status, [subscription] = self.call(
            "read",
            fields=["code", "partner_id", "sale_subscription_line_ids"],
            load=None,
        )
        self.assertEqual(status, 200)
        self.assertEqual(subscription["partner_id"], self.subscription.partner_id.id)
        line_ids = subscription["sale_subscription_line_ids"]
        self.assertEqual(line_ids, self.subscription.sale_subscription_line_ids.ids)
        for method, options, state in (
            ("preview_cancellation", {"timing": "immediate"}, "done"),
            ("request_cancellation", {"timing": "end_of_period"}, "scheduled"),
            ("postpone_cancellation", {"requested_date": self.later}, "scheduled"),
            ("revoke_cancellation", {}, "revoked"),
            (
                "request_cancellation",
                {"timing": "immediate", "line_ids": line_ids, "idempotency_key": "s"},
                "done",
            ),
            ("reactivate_subscription", {}, "done"),
        ):
            with self.subTest(method=method, options=options):
                status, answer = self.call(method, **options)
                self.assertEqual((status, answer.get("state")), (200, state), answer)
        cancellation = self.subscription.cancellation_ids[0]
        self.assertEqual(cancellation.requested_by_id, user)

    @mute_logger("odoo.http")
    def test_private_methods_are_not_reachable(self):
        """E3: only the designed methods are public."""
        for method in ("_plan_cancellation", "_request_cancellation"):
            self.assertIn(self.call(method)[0], (403, 404))
