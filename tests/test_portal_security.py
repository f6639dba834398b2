# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who reaches which page, and what happens to forged requests (E2)."""

from urllib.parse import urlencode

from odoo.exceptions import AccessError
from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.subscription_cancellation.formatting import as_reference

from .common import INVOICING, SALESPERSON
from .portal import PortalCase

GETS = ("", "/cancel", "/cancellations/{cancellation}")
POSTS = (
    "/cancel",
    "/cancel/confirm",
    "/revoke",
    "/extend",
    "/reactivate",
    "/pause",
)
#: Whether a visitor gets in, with no, a wrong, and the right token.
VISITORS = {
    None: (False, False, True),
    "azure": (True, True, True),
    "colleague": (True, True, True),
    "stranger": (False, False, True),
    "employee": (False, False, True),
    # May read it in the back office, and has nothing to do in the portal.
    "invoicing": (False, False, True),
    "seller": (False, False, True),
}
HTML = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@tagged("post_install", "-at_install")
class TestPortalAccess(PortalCase):
    """Every visitor at every page, with every kind of token."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_partner = cls.create_customer(name="Azure Inc", is_company=True)
        cls.customer.parent_id = cls.company_partner
        cls.create_portal_user(
            "colleague",
            cls.create_customer(name="C", parent_id=cls.company_partner.id),
        )
        cls.create_portal_user("stranger", cls.create_customer(name="Stranger"))
        cls.create_user("base.group_user", login="employee")
        cls.create_user(INVOICING, login="invoicing")
        cls.create_user(SALESPERSON, login="seller")

    def setUp(self):
        super().setUp()
        self.subscription.sale_subscription_line_ids.name = "SECRET"
        self.policy.portal_reactivate = True
        other = self.create_subscription([5.0], partner_id=self.customer.id)
        self.add_line(other, 6.0)
        line = self.subscription.sale_subscription_line_ids
        self.add_line(self.subscription, 7.0)
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.cancellation = self.subscription.cancellation_ids
        self.tokens = (None, "wrong", self.subscription._portal_ensure_token())

    def log_in(self, login):
        self.authenticate(login, login)

    def visits(self):
        """Yield login, token, and whether that may get in."""
        for login, rights in VISITORS.items():
            self.log_in(login)
            for token, may in zip(self.tokens, rights, strict=True):
                yield login, token, may

    def test_every_page(self):
        """E2: own ones, those of the own company, and those of a link; no others."""
        for login, token, may in self.visits():
            for suffix in GETS:
                suffix = suffix.format(cancellation=self.cancellation.id)
                query = f"?access_token={token}" if token else ""
                with self.subTest(login=login, token=token, page=suffix):
                    page = self.see(suffix + query)
                    path = self.get_path(suffix)
                    self.assertEqual(page.url.endswith(path), may, page.url)
                    if not may:
                        self.assertNotIn("SECRET", page.text() or "")

    def test_the_pdf(self):
        """E2, D7: also the document."""
        suffix = f"/cancellations/{self.cancellation.id}?report_type=html"
        for login, token, may in self.visits():
            query = f"&access_token={token}" if token else ""
            with self.subTest(login=login, token=token):
                answer = self.url_open(self.get_path(suffix + query))
                self.assertEqual(self.cancellation._get_reference() in answer.text, may)

    def test_every_post(self):
        """E2: whoever does not get in changes nothing, whatever is sent."""
        for login, token, may in self.visits():
            if may:
                continue
            for suffix in POSTS:
                with self.subTest(login=login, token=token, post=suffix):
                    self.assert_nothing_changed(suffix, token)

    def assert_nothing_changed(self, suffix, token):
        before = self.take_picture()
        data = {
            "csrf_token": Request.csrf_token(self),
            "timing": "immediate",
            "scope": "whole",
            "key": "k",
            "access_token": token or "",
        }
        answer = self.url_open(self.get_path(suffix), data=data)
        self.assertNotIn("SECRET", answer.text)
        self.assertLess(answer.status_code, 500)
        self.assertEqual(self.take_picture(), before)

    def take_picture(self):
        """Return what a request could have changed."""
        self.env.invalidate_all()
        subscription = self.subscription
        return (
            subscription.cancellation_ids.mapped("state"),
            subscription.cancellation_state,
            subscription.is_paused,
            subscription.paused_until,
            len(subscription.message_ids),
        )

    def test_csrf(self):
        """E2: no POST works without the token of the session."""
        self.authenticate("azure", "azure")
        for suffix in POSTS:
            for token in ("", "wrong", None):
                with self.subTest(post=suffix, token=token):
                    before = self.take_picture()
                    data = {"timing": "immediate", "scope": "whole", "key": "k"}
                    if token is not None:
                        data["csrf_token"] = token
                    answer = self.url_open(self.get_path(suffix), data=data)
                    self.assertIn("Your session has expired", answer.text)
                    self.assertEqual(self.take_picture(), before)

    def test_there_is_no_such_subscription(self):
        """E2: a number that does not exist looks like one of somebody else."""
        self.log_in("stranger")
        missing = self.go("/my/subscriptions/999999999")
        foreign = self.see()
        self.assertEqual(missing.url, foreign.url)
        self.assertEqual(missing.status, foreign.status)

    def test_a_cancellation_of_another_subscription(self):
        """E2: an own subscription's address does not open a foreign cancellation."""
        foreign = self.create_subscription([1.0])
        self.cancel(foreign)
        self.log_in("azure")
        page = self.see(f"/cancellations/{foreign.cancellation_ids.id}")
        self.assertTrue(page.url.endswith(self.get_path()))
        self.assertNotIn(as_reference(foreign.cancellation_ids.name), page.text())

    def test_a_damaged_token(self):
        """E2: 400 and a sentence, for whoever it is; nothing is changed."""
        pages = [suffix.format(cancellation=self.cancellation.id) for suffix in GETS]
        for login in (None, "azure", "stranger"):
            self.log_in(login)
            for token in ("ä", f"{self.subscription.access_token}”"):
                query = urlencode({"access_token": token})
                for suffix in pages:
                    with self.subTest(login=login, token=token, page=suffix):
                        answer = self.url_open(self.get_path(f"{suffix}?{query}"))
                        self.assertEqual(answer.status_code, 400)
                        self.assertIn("This address or form is damaged", answer.text)

    def test_entries_that_no_page_holds(self):
        """E2: 400 for a file in the place of a text, and for damaged keys."""
        self.log_in("azure")
        before = self.take_picture()
        for suffix in POSTS:
            csrf = Request.csrf_token(self)
            form = {"csrf_token": csrf, "timing": "immediate", "scope": "whole"}
            for name in ("access_token", "csrf_token", "key", "fingerprint"):
                with self.subTest(post=suffix, name=name):
                    damaged = {**form, name: "éo9999999999"}
                    answer = self.url_open(self.get_path(suffix), data=damaged)
                    self.assertEqual(answer.status_code, 400)
            for name in (*form, "access_token", "key", "fingerprint", "comment"):
                with self.subTest(post=suffix, file=name):
                    kept = {key: form[key] for key in form if key != name}
                    answer = self.url_open(
                        self.get_path(suffix), data=kept, files={name: ("a", b"x")}
                    )
                    self.assertEqual(answer.status_code, 400)
        answer = self.url_open("/my/subscriptions", files={"sortby": ("a", b"x")})
        self.assertLess(answer.status_code, 500)
        self.assertGreaterEqual(answer.status_code, 400)
        for page in ("²", "9" * 5000, "x"):
            self.assertEqual(self.go(f"/my/subscriptions?page={page}").status, 200)
        self.assertEqual(self.take_picture(), before)

    def test_the_list_is_ones_own(self):
        """E2: also for employees and strangers."""
        for login, may in {"colleague": True, "stranger": False}.items():
            self.log_in(login)
            page = self.go("/my/subscriptions")
            self.assertEqual(self.subscription.display_name in page.text(), may)
        self.log_in(None)
        self.assertTrue(self.go("/my/subscriptions").url.endswith("/web/login"))


@tagged("post_install", "-at_install")
class TestForgedForms(PortalCase):
    """What the form never offered."""

    def assert_refused(self, page, problem=None):
        self.assertEqual(page.status, 200)
        self.assertTrue(page.has("cancel") or page.has("confirm"), page.text())
        if problem:
            self.assertIn(problem, page.text("problem"))
        self.assertFalse(self.get_cancellation())

    def test_forged_entries(self):
        """E2: each is a sentence; nothing is changed."""
        foreign = self.create_subscription([9.0]).sale_subscription_line_ids
        cases = [
            {"timing": "never"},
            {"timing": ""},
            {"timing": "specific_date", "requested_date": "31/12/2026"},
            {"timing": "specific_date", "requested_date": "2026-13-45"},
            {"timing": "specific_date", "requested_date": "9999-12-31"},
            {"timing": "specific_date", "requested_date": "0001-01-01"},
            {"timing": "specific_date", "requested_date": "\x00"},
            {"scope": "lines"},
            {"scope": "lines", "line_ids": ["x"]},
            {"scope": "lines", "line_ids": [str(foreign.id)]},
            {"scope": "lines", "line_ids": ["-1"]},
            {"scope": "lines", "line_ids": ["9" * 30]},
            {"scope": "lines", "line_ids": ["1"] * 1500},
            {"reason_id": "999999"},
            {"reason_id": "-1"},
            {"reason_id": "1; DROP TABLE"},
            {"comment": "x" * 1001},
        ]
        page = self.see("/cancel")
        for case in cases:
            with self.subTest(str(case)[:80]):
                answer = self.send(page, "cancel", **{"timing": "immediate", **case})
                self.assert_refused(answer)
                self.assertTrue(answer.text("problem"))

    def test_options_that_customers_do_not_have(self):
        """E2, D1: the policy decides, whatever is sent."""
        page = self.check_out(timing="immediate")
        self.send(
            page,
            "confirm",
            refund_mode="full",
            credit_settlement="refund",
            cancel_day_billed="",
            effective_date="2026-01-01",
            send_confirmation="0",
            channel="backend",
        )
        self.assertRecordValues(
            self.get_cancellation(),
            [
                {
                    "refund_mode": "prorated",
                    "credit_settlement": "keep",
                    "cancel_day_billed": True,
                    "send_confirmation": True,
                    "channel": "portal",
                    "credit_total": 21.0,
                }
            ],
        )

    def test_other_entries_than_those_that_were_shown(self):
        """D5, E2: another date in the confirmation shows the new figures first."""
        page = self.check_out(timing="end_of_period")
        answer = self.send(page, "confirm", timing="immediate")
        self.assertTrue(answer.text("changed"))
        self.assertFalse(self.get_cancellation())

    @mute_logger("odoo.http")
    def test_forged_fingerprints(self):
        """D5, E2: rubbish is shown the figures."""
        page = self.check_out(timing="immediate")
        for fingerprint in ("", "{}", "[]", "null", "\x00", "9" * 5000, HTML):
            with self.subTest(fingerprint[:20]):
                answer = self.send(page, "confirm", fingerprint=fingerprint)
                self.assert_refused(answer)

    def test_html_in_a_comment_is_text(self):
        """E2: on every page, in the back office, and on paper."""
        page = self.check_out(timing="end_of_period", comment=HTML)
        result = self.send(page, "confirm")
        cancellation = self.get_cancellation()
        self.assertEqual(cancellation.comment, HTML)
        self.assertIn(HTML, result.text())
        pages = [page, result, self.see()]
        pages.append(self.see(f"/cancellations/{cancellation.id}?report_type=html"))
        for shown in pages:
            self.assertFalse(shown.tree.xpath("//script[contains(., 'alert(1)')]"))
            self.assertFalse(shown.tree.xpath("//img[@src='x']"))


@tagged("post_install", "-at_install")
class TestPortalOverApi(PortalCase):
    """A customer with an API key reaches no more than the pages show."""

    def setUp(self):
        super().setUp()
        self.env["ir.config_parameter"].sudo().set_param("portal.allow_api_keys", True)
        keys = self.env["res.users.apikeys"].with_user(self.user).sudo()
        # The database's clock does not stand still.
        key = keys._generate("rpc", "test", None)
        self.headers = {"Authorization": f"Bearer {key}"}
        self.foreign = self.create_subscription([31.0])
        self.cancel(self.foreign, timing="end_of_period")
        self.cancellation = self.foreign.cancellation_ids

    def call(self, model, method, ids=(), **arguments):
        answer = self.url_open(
            f"/json/2/{model}/{method}",
            json={"ids": list(ids), **arguments},
            headers=self.headers,
        )
        return answer.status_code, answer.json()

    def test_own_subscriptions_only(self):
        """E2: by record rules, not by the pages alone."""
        status, found = self.call("sale.subscription", "search_read", fields=["code"])
        self.assertEqual(status, 200)
        self.assertEqual([row["id"] for row in found], self.subscription.ids)
        status, _error = self.call(
            "sale.subscription", "read", self.foreign.ids, fields=["code"]
        )
        self.assertEqual(status, 403)

    def test_notes_of_the_staff_are_not_readable(self):
        """E2: nor which policy applies."""
        for name in (
            "description",
            "tag_ids",
            "applied_policy",
            "applied_policy_reason",
            "cancellation_policy_id",
            "refund_mode_override",
            "close_reason_id",
            "crm_team_id",
        ):
            status, _error = self.call(
                "sale.subscription", "read", self.subscription.ids, fields=[name]
            )
            self.assertEqual(status, 403, name)

    def test_no_other_model(self):
        """E2: cancellations, policies, steps and messages are closed."""
        for model in (
            "subscription.cancellation",
            "subscription.cancellation.line",
            "subscription.cancellation.step",
            "subscription.cancellation.policy",
            "subscription.cancellation.retention",
            "subscription.cancellation.wizard",
            "sale.subscription.line",
            "sale.subscription.close.reason",
            "sale.subscription.template",
        ):
            for method in ("search_read", "search_count"):
                status, _error = self.call(model, method, domain=[])
                self.assertEqual(status, 403, f"{model}.{method}")

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model")
    def test_no_verb(self):
        """E2: everything a customer does goes through the pages."""
        ids = self.subscription.ids
        calls = [
            ("preview_cancellation", {}),
            ("request_cancellation", {"timing": "immediate"}),
            ("revoke_cancellation", {}),
            ("postpone_cancellation", {"requested_date": "2026-08-01"}),
            ("reactivate_subscription", {}),
            ("write", {"vals": {"active": False}}),
            ("unlink", {}),
            ("action_pause", {}),
            ("action_deactivate", {}),
            ("generate_invoice", {}),
            ("manual_invoice", {}),
            ("action_start_subscription", {}),
            ("_request_for_customer", {"options": {}, "fingerprint": "", "key": ""}),
            ("_plan_for_customer", {"options": {}}),
        ]
        for method, arguments in calls:
            with self.subTest(method):
                status, _answer = self.call(
                    "sale.subscription", method, ids, **arguments
                )
                self.assertIn(status, (403, 404, 422))
        self.env.invalidate_all()
        self.assertFalse(self.subscription.cancellation_ids)
        self.assertFalse(self.subscription.is_paused)
        self.assertEqual(self.subscription._get_invoices(), self.invoice)

    def test_the_rule_in_python(self):
        """E2: the same without HTTP."""
        own = self.subscription.with_user(self.user)
        own.check_access("read")
        with self.assertRaises(AccessError):
            own.check_access("write")
        with self.assertRaises(AccessError):
            self.foreign.with_user(self.user).check_access("read")
        with self.assertRaises(AccessError):
            own.request_cancellation(timing="immediate")
