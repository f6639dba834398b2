# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Customers see their subscriptions, cancel them, and change their mind (E2)."""

from datetime import date
from unittest.mock import patch
from urllib.parse import quote

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import lose_races
from .portal import PortalCase

REASON = "subscription_cancellation.close_reason_too_expensive"


@tagged("post_install", "-at_install")
class TestPortalPages(PortalCase):
    def test_the_home_page_counts_them(self):
        """E2: the counter is that of the customer's company."""
        counters = self.make_jsonrpc_request(
            "/my/counters", {"counters": ["subscription_count"]}
        )
        self.assertEqual(counters["subscription_count"], 1)

    def test_the_list_is_filtered_by_state(self):
        """E2, B7: active, cancelled but still running, ended."""
        running = self.create_subscription([10.0], partner_id=self.customer.id)
        self.cancel(self.subscription, timing="end_of_period")
        ended = self.create_subscription([10.0], partner_id=self.customer.id)
        self.cancel(ended, "2026-07-10")
        for key, expected in {
            "active": running,
            "ending": self.subscription,
            "ended": ended,
            "all": running | self.subscription | ended,
            "nonsense": running | self.subscription | ended,
        }.items():
            with self.subTest(key):
                page = self.go(f"/my/subscriptions?filterby={key}")
                links = page.tree.xpath("//table//a/@href")
                self.assertCountEqual(links, expected.mapped("access_url"))

    def test_the_list_is_sorted_and_paged(self):
        """E2: 80 on a page, whatever the order."""
        template = self.subscription.template_id
        for number in range(81):
            self.create_subscription(
                [1.0 + number], template=template, partner_id=self.customer.id
            )
        page = self.go("/my/subscriptions?sortby=name")
        self.assertEqual(len(page.tree.xpath("//table//tbody//a")), 80)
        page = self.go("/my/subscriptions/page/2?sortby=name")
        self.assertEqual(len(page.tree.xpath("//table//tbody//a")), 2)
        for order in ("newest", "next", "end", "nonsense"):
            page = self.go(f"/my/subscriptions?sortby={order}")
            self.assertEqual(page.status, 200, order)

    def test_no_subscription(self):
        """E2: an empty list says so."""
        self.create_portal_user("new", self.create_customer(email="new@example.com"))
        self.authenticate("new", "new")
        self.assertIn("You have no subscription.", self.go("/my/subscriptions").text())

    def test_the_detail_shows_add_ons_under_their_parent(self):
        """E2, A5: in the order of the tree, with invoices and state."""
        subscription = self.create_subscription(
            [
                {"name": "Base"},
                {"name": "Other"},
                {"name": "Backup", "addon_of": "Base"},
            ],
            partner_id=self.customer.id,
        )
        invoice = self.bill(subscription, "2026-07-10")
        page = self.see(subscription=subscription)
        names = [
            " ".join(cell.text_content().split())
            for cell in page.tree.xpath("//table[@name='lines']//tbody//td[1]")
        ]
        self.assertEqual(names, ["Base", "Add-on: Backup", "Other"])
        self.assertIn(invoice.name, page.text("invoices"))
        self.assertEqual(page.text("state"), "Active")

    def test_states_in_plain_words(self):
        """E2: what the customer reads."""
        subscription = self.subscription
        self.assertEqual(subscription._get_portal_state(), "Active")
        subscription.action_pause(date(2026, 9, 1))
        self.assertEqual(
            subscription._get_portal_state(), "Paused until August 31, 2026"
        )
        subscription.action_resume()
        self.cancel(subscription, timing="end_of_period")
        self.assertEqual(
            subscription._get_portal_state(), "Cancelled: service until July 31, 2026"
        )
        subscription.revoke_cancellation()
        self.cancel(subscription)
        self.assertEqual(
            subscription._get_portal_state(), "Cancelled: service until July 10, 2026"
        )
        self.travel_to("2026-07-11")
        self.assertEqual(subscription._get_portal_state(), "Ended on July 10, 2026")
        draft = self.subscription.copy()
        self.assertEqual(draft._get_portal_state(), "Not started yet")
        trial = self.create_subscription(
            template=self.create_template(trial_days=30), start="2026-07-05"
        )
        self.assertEqual(trial._get_portal_state(), "Free trial until August 3, 2026")


@tagged("post_install", "-at_install")
class TestPortalMessages(PortalCase):
    """The chatter as portal pages have it."""

    def call(self, path, **values):
        token = self.see().tree.xpath("//div[@id='discussion']/@data-token")[0]
        return self.make_jsonrpc_request(
            path,
            {
                "thread_model": "sale.subscription",
                "thread_id": self.subscription.id,
                "token": token,
                **values,
            },
        )

    def test_a_customer_writes(self):
        """E2: signed with their own name."""
        self.call("/mail/message/post", post_data={"body": "Hello", **self.comment})
        message = self.subscription.message_ids[0]
        self.assertEqual(message.author_id, self.customer)
        self.assertIn("Hello", message.body)

    comment = {"message_type": "comment", "subtype_xmlid": "mail.mt_comment"}

    def test_notes_of_the_staff_stay_inside(self):
        """E2: what is logged is not for customers."""
        self.subscription.message_post(body="INTERNAL", message_type="comment")
        self.subscription.message_post(body="For you", **self.comment)
        answer = str(self.call("/mail/chatter_fetch"))
        self.assertIn("For you", answer)
        self.assertNotIn("INTERNAL", answer)


@tagged("post_install", "-at_install")
class TestPortalCancellation(PortalCase):
    def test_cancel_all_of_it(self):
        """E2, D5: dates and money first, then the result; as previewed."""
        page = self.check_out(timing="immediate", reason_id=self.get_reason())
        self.assertEqual(
            page.text("sentences"),
            "Service ends on July 10, 2026. A credit memo of $ 21.00 will be issued "
            "for July 11, 2026 – July 31, 2026.",
        )
        self.assertIn(
            "Will be kept as credit on your account $ 21.00", page.text("parts")
        )
        self.assertFalse(self.get_cancellation())
        result = self.send(page, "confirm")
        cancellation = self.get_cancellation()
        self.assertTrue(result.url.endswith(f"/cancellations/{cancellation.id}"))
        self.assertIn("We have received your cancellation.", result.text("message"))
        self.assertRecordValues(
            cancellation,
            [
                {
                    "state": "done",
                    "channel": "portal",
                    "requested_by_id": self.user.id,
                    "credit_total": 21.0,
                }
            ],
        )
        self.assertEqual(cancellation.reason_id.code, "too_expensive")

    def get_reason(self):
        reasons = self.env["sale.subscription.close.reason"]
        return str(reasons._from_code("too_expensive").id)

    def test_the_words_of_the_money(self):
        """E2, D5, C8: the customer is not told what the company writes off."""
        self.policy.unpaid_invoices = "write_off"
        august = self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-10")
        page = self.check_out(timing="immediate")
        self.assertIn(f"Will reduce invoice {august.name} $ 21.00", page.text("parts"))
        self.assertIn(f"Invoice {august.name}: stays due $ 10.00", page.text("parts"))
        self.assertNotIn("written off", page.text())

    def test_cancel_a_line_with_its_add_ons(self):
        """E2, A5: the add-on ends with it, the rest goes on."""
        subscription = self.subscription = self.create_subscription(
            [
                {"name": "Base"},
                {"name": "Backup", "addon_of": "Base"},
                {"name": "Rest"},
            ],
            partner_id=self.customer.id,
        )
        base, backup, rest = subscription.sale_subscription_line_ids
        page = self.see(f"/cancel?line={base.id}")
        page = self.send(page, "cancel", timing="end_of_period")
        self.assertIn("Backup (add-on)", page.text())
        self.send(page, "confirm")
        cancellation = self.get_cancellation()
        self.assertEqual(cancellation.line_ids.subscription_line_id, base | backup)
        self.assertEqual(subscription.cancellation_state, "active")
        self.assertFalse(rest.cancellation_date)
        self.assertIn("Ends separately: Base, Backup", self.see().text())

    def test_only_the_times_of_the_policy(self):
        """E2, D1: no override, no choice; a forged one is refused in plain words."""
        self.policy.write({"timing": "end_of_period", "allow_override_timing": False})
        page = self.see("/cancel")
        self.assertEqual(
            page.tree.xpath("//input[@name='timing']/@value"), ["end_of_period"]
        )
        self.assertIn("service until July 31, 2026", page.text())
        answer = self.send(page, "cancel", timing="immediate")
        self.assertEqual(
            answer.text("problem"), "Choose when your subscription shall end."
        )
        self.assertFalse(self.get_cancellation())

    def test_customers_keep_notice_and_minimum_term(self):
        """E2, B5: a month of notice, from the request: until 10 August, not before."""
        self.policy.write({"notice_period": 1, "timing": "earliest"})
        choices = {
            choice.timing: choice for choice in self.subscription._get_portal_timings()
        }
        self.assertNotIn("immediate", choices)
        self.assertEqual(choices["earliest"].last_day, date(2026, 8, 10))
        self.assertEqual(choices["earliest"].cancel_by, date(2026, 7, 10))
        self.assertEqual(choices["specific_date"].last_day, date(2026, 8, 10))
        answer = self.check_out(timing="specific_date", requested_date="2026-08-09")
        self.assertEqual(
            answer.text("problem"), "The earliest possible day is August 10, 2026."
        )
        self.cancel_as_customer(timing="specific_date", requested_date="2026-08-10")
        self.assertEqual(self.get_cancellation().effective_date, date(2026, 8, 11))

    def test_no_date_in_the_past_even_where_the_office_may(self):
        """E2: backdating is not for customers."""
        self.policy.allow_backdating = True
        answer = self.check_out(timing="specific_date", requested_date="2026-07-05")
        self.assertIn("earliest possible day is July 10", answer.text("problem"))

    def test_entries_survive_an_error(self):
        """E2: nobody types a comment twice."""
        answer = self.check_out(
            timing="specific_date", requested_date="", comment="<b>Bye</b> & thanks"
        )
        self.assertEqual(
            answer.text("problem"), "Choose the day on which it shall end."
        )
        _action, values = answer.form("cancel")
        self.assertIn(("comment", "<b>Bye</b> & thanks"), values)
        self.assertIn(("timing", "specific_date"), values)

    def test_reasons_as_the_policy_wants_them(self):
        """D3, E2: required, and only those that customers may see."""
        hidden = self.env["sale.subscription.close.reason"]._from_code("not_paid")
        self.policy.reason_required = True
        page = self.see("/cancel")
        shown = page.tree.xpath("//select[@name='reason_id']/option/@value")
        self.assertNotIn(str(hidden.id), shown)
        for reason, problem in {
            "": "Please choose a reason.",
            str(hidden.id): "Choose one of the reasons.",
            "4x": "Choose one of the reasons.",
        }.items():
            answer = self.send(page, "cancel", timing="immediate", reason_id=reason)
            self.assertEqual(answer.text("problem"), problem)

    def test_why_it_cannot_be_cancelled(self):
        """E2: the reason is shown instead of a missing button."""
        self.policy.portal_cancel = False
        self.assertIn("Please write to us", self.see().text("cannot_cancel_reason"))
        self.assertIn("write to us", self.see("/cancel").text("cannot_cancel_reason"))
        self.policy.portal_cancel = True
        self.cancel(self.subscription, timing="end_of_period")
        self.assertIn(
            "cancelled already: service ends on July 31, 2026",
            self.see("/cancel").text("cannot_cancel_reason"),
        )
        self.subscription.revoke_cancellation()
        self.cancel(self.subscription)
        self.travel_to("2026-07-11")
        self.assertEqual(
            self.see("/cancel").text("cannot_cancel_reason"), "Ended on July 10, 2026."
        )

    def test_no_day_to_end_on(self):
        """E2, B5: the policy wants the end of a term that there is not."""
        self.policy.write({"timing": "end_of_term", "allow_override_timing": False})
        self.assertIn("no day at present", self.see().text("cannot_cancel_reason"))
        self.assertFalse(self.see("/cancel").tree.xpath("//input[@name='timing']"))

    def test_what_needs_approval_says_so(self):
        """B4, E2: requested, not ended; the policy's reason is not told."""
        self.policy.approval_above = 5.0
        page = self.check_out(timing="immediate")
        self.assertIn("We check it first", page.text("sentences"))
        self.assertNotIn("above", page.text())
        result = self.send(page, "confirm")
        self.assertEqual(result.text("state"), "Received; we check it")
        self.assertEqual(self.get_cancellation().state, "to_approve")
        self.assertIn("We check it", self.see().text("cannot_cancel_reason"))

    def test_not_started(self):
        """E2: nothing to wait for."""
        template = self.subscription.template_id
        self.subscription = self.subscription.create(
            {
                "partner_id": self.customer.id,
                "pricelist_id": self.subscription.pricelist_id.id,
                "template_id": template.id,
            }
        )
        self.add_line(self.subscription, 5.0)
        page = self.cancel_as_customer()
        self.assertEqual(self.get_cancellation().state, "done")
        self.assertIn("We have received your cancellation", page.text())


@tagged("post_install", "-at_install")
class TestPortalTwice(PortalCase):
    """Double click, back button, stale page, expired session."""

    def test_double_click(self):
        """E2: the same page sent twice is one cancellation, and the same answer."""
        page = self.check_out(timing="end_of_period")
        first = self.send(page, "confirm")
        second = self.send(page, "confirm")
        self.assertEqual(first.url, second.url)
        self.assertEqual(len(self.subscription.cancellation_ids), 1)

    def test_double_click_on_a_line(self):
        """E2: also where the rest could still be cancelled."""
        self.add_line(self.subscription, 10.0)
        base = self.subscription.sale_subscription_line_ids[0]
        page = self.send(self.see(f"/cancel?line={base.id}"), "cancel")
        first = self.send(page, "confirm")
        second = self.send(page, "confirm")
        self.assertEqual(first.url, second.url)
        self.assertEqual(len(self.subscription.cancellation_ids), 1)

    def test_two_windows(self):
        """E2: the second one says that it is done already."""
        pages = [self.check_out(timing="end_of_period") for _window in range(2)]
        self.send(pages[0], "confirm")
        answer = self.send(pages[1], "confirm")
        self.assertIn("cancelled already", answer.text("message"))
        self.assertEqual(len(self.subscription.cancellation_ids), 1)

    def test_back_button_after_taking_it_back(self):
        """E2: an old page does not cancel anew what was taken back."""
        page = self.check_out(timing="end_of_period")
        self.send(page, "confirm")
        self.send(self.see(), "revoke")
        answer = self.send(page, "confirm")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.assertEqual(len(self.subscription.cancellation_ids), 1)
        self.assertIn("was taken back. Confirm again", answer.text("changed"))
        self.send(answer, "confirm")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")

    def test_a_stale_page_shows_the_new_figures(self):
        """D5, E2: a day later the credit is another one."""
        page = self.check_out(timing="immediate")
        self.travel_to("2026-07-11")
        answer = self.send(page, "confirm")
        self.assertIn("Service would now end on July 11", answer.text("changed"))
        self.assertIn("$ 20.00", answer.text("parts"))
        self.assertFalse(self.get_cancellation())
        self.send(answer, "confirm")
        self.assertEqual(self.get_cancellation().credit_total, 20.0)

    def test_without_a_preview_nothing_is_cancelled(self):
        """D5, E2: a made-up request sees the figures first."""
        page = self.check_out(timing="immediate")
        answer = self.send(page, "confirm", fingerprint=None)
        self.assertTrue(answer.has("confirm"))
        self.assertFalse(self.get_cancellation())

    def test_an_expired_session(self):
        """E2: begin again, or log in; nothing is lost or done."""
        page = self.check_out(timing="immediate")
        answer = self.send(page, "confirm", csrf_token="old")
        self.assertIn("Your session has expired", answer.text("changed"))
        self.logout()
        answer = self.send(page, "confirm")
        self.assertTrue(answer.url.endswith("/web/login"))
        self.assertFalse(self.get_cancellation())

    @mute_logger("odoo.sql_db")
    def test_somebody_else_is_at_it(self):
        """E2: a locked subscription is a sentence, not an error."""
        page = self.check_out(timing="immediate")
        self.patch(type(self.subscription), "lock_for_update", self.raise_locked)
        answer = self.send(page, "confirm")
        self.assertIn("being changed at this moment", answer.text("message"))

    @mute_logger("odoo.sql_db", "odoo.http")
    def test_what_was_tried_in_vain(self):
        """B8, E2: lost against others five times is a sentence, not an error."""
        page = self.check_out(timing="immediate")
        lose_races(self.env)
        # Odoo's pauses between its tries, up to half a minute.
        with patch("odoo.service.model.time.sleep") as sleep:
            answer = self.send(page, "confirm")
        self.assertEqual(sleep.call_count, 4)
        self.assertEqual(answer.status, 200)
        self.assertIn("being changed at this moment", answer.text("message"))
        self.assertFalse(self.subscription.cancellation_ids)

    @staticmethod
    def raise_locked(records, **_kwargs):
        from odoo.exceptions import LockError

        raise LockError(records.env._("locked"))


@tagged("post_install", "-at_install")
class TestPortalChangeOfMind(PortalCase):
    def test_revoke(self):
        """B12, E2: what was cancelled in the portal goes on."""
        self.cancel_as_customer(timing="end_of_period")
        answer = self.send(self.see(), "revoke")
        self.assertIn("your subscription goes on", answer.text("message"))
        self.assertEqual(self.get_cancellation().state, "revoked")
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_only_the_one_that_was_meant(self):
        """B12, E2: two lines end by two cancellations; one is taken back."""
        self.subscription = self.create_subscription(
            [{"name": "Alpha"}, {"name": "Beta"}, {"name": "Rest"}],
            partner_id=self.customer.id,
        )
        alpha, beta, _rest = self.subscription.sale_subscription_line_ids
        for line in (alpha, beta):
            page = self.see(f"/cancel?line={line.id}")
            page = self.send(page, "cancel", timing="end_of_period")
            page = self.send(page, "confirm")
        self.send(page, "revoke")
        self.env.invalidate_all()
        self.assertTrue(alpha.cancellation_date)
        self.assertFalse(beta.cancellation_date)
        self.assertIn("Take Back the Cancellation (Alpha)", self.see().text("revoke"))

    def test_coming_back_to_the_address_of_a_button(self):
        """E2: a restored tab shows the subscription."""
        for suffix in (
            "/cancel/confirm",
            "/revoke",
            "/extend",
            "/reactivate",
            "/pause",
        ):
            page = self.see(suffix)
            self.assertEqual(page.status, 200)
            self.assertTrue(page.url.endswith(self.get_path()))

    def test_what_the_office_cancelled_stays(self):
        """B12, E2: the reason is shown; a forged post changes nothing."""
        self.cancel(self.subscription, timing="end_of_period")
        page = self.see()
        self.assertFalse(page.has("revoke"))
        self.assertIn("entered by us", page.text("cannot_revoke_reason"))
        self.post("/revoke")
        self.assertEqual(self.get_cancellation().state, "scheduled")

    def post(self, suffix, **values):
        """Send what no form offers, with a valid token."""
        token = dict(self.check_token())["csrf_token"]
        data = {"csrf_token": token, **values}
        return self.url_open(self.get_path(suffix), data=data)

    def check_token(self):
        """Return the values of a form of another subscription."""
        other = self.create_subscription([1.0], partner_id=self.customer.id)
        return self.see("/cancel", other).form("cancel")[1]

    def test_reactivate_where_the_policy_allows_it(self):
        """B15, E2: the page says what it means; the credit is taken back."""
        self.cancel_as_customer(timing="immediate")
        self.assertFalse(self.see().has("reactivate"))
        self.post("/reactivate")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.policy.portal_reactivate = True
        page = self.see()
        self.assertIn("$ 21.00, which we had credited", page.text("reactivate"))
        answer = self.send(page, "reactivate")
        self.assertIn("goes on", answer.text("message"))
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_what_ended_for_another_reason_is_not_reactivated(self):
        """B15, D6, E2: not what the company ended."""
        self.policy.portal_reactivate = True
        self.cancel(self.subscription, reason_code="not_paid")
        self.assertFalse(self.see().has("reactivate"))
        self.post("/reactivate")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_the_pdf(self):
        """D7, E2: the proof can be saved; staff remarks are not on it."""
        self.cancel(
            self.subscription, timing="end_of_period", comment="A difficult one."
        )
        cancellation = self.get_cancellation()
        page = self.see(f"/cancellations/{cancellation.id}?report_type=html")
        self.assertIn(cancellation._get_reference(), page.text())
        self.assertNotIn("difficult", page.text())
        self.assertNotIn("Requested by", page.text())
        cancellation._as_engine()._set_state("failed", failure_message="KeyError: x")
        page = self.see(f"/cancellations/{cancellation.id}?report_type=html")
        self.assertNotIn("KeyError", page.text())
        self.assertIn("We are working on it", page.text())
        self.assertNotIn(
            "difficult", self.see(f"/cancellations/{cancellation.id}").text()
        )

    def test_each_document_that_the_page_offers(self):
        """D7, E2: saved and seen, in every form, by the customer and by link."""
        self.cancel(self.subscription, timing="end_of_period")
        cancellation = self.get_cancellation()
        path = self.get_path(f"/cancellations/{cancellation.id}")
        link = self.subscription._portal_ensure_token()
        for login, query in (("azure", ""), (None, f"?access_token={link}")):
            self.authenticate(login, login)
            [offered] = self.go(path + query).tree.xpath(
                "//a[contains(@href, 'report_type')]/@href"
            )
            self.assertEqual(login is None, "access_token" in offered)
            for form in ("pdf", "html", "text"):
                with self.subTest(login=login, form=form):
                    answer = self.url_open(offered.replace("pdf", form, 1))
                    self.assertEqual(answer.status_code, 200)
                    self.assertIn(cancellation._get_reference(), answer.text)
                    is_pdf = answer.headers["Content-Type"] == "application/pdf"
                    self.assertEqual(is_pdf, form == "pdf")
            answer = self.url_open(offered)
            name = f"Cancellation {cancellation._get_reference()}.pdf"
            self.assertIn(quote(name), answer.headers["Content-Disposition"])

    def test_the_number_is_written_in_one_way(self):
        """E2: as in mails: titles, breadcrumbs, lists, and what goes wrong."""
        line = self.add_line(self.subscription, {"name": "Other", "price_unit": 9.0})
        choice = {
            "scope": "lines",
            "line_ids": [str(line.id)],
            "timing": "end_of_period",
        }
        stale = self.see("/cancel")
        self.send(self.send(stale, "cancel", **choice), "confirm")
        cancellation = self.get_cancellation()
        self.assertEqual(cancellation.state, "scheduled")
        number = cancellation._get_reference()
        self.assertRegex(number, r"^CAN-2026-\d+$")
        page = self.see(f"/cancellations/{cancellation.id}")
        [title] = page.tree.xpath("//title")
        [crumb] = page.tree.xpath("//li[contains(@class, 'breadcrumb-item')][last()]")
        for element in (title, crumb, page.tree.xpath("//h1")[0]):
            self.assertIn(number, element.text_content())
        self.assertIn(number, self.see().text("cancellations"))
        again = self.send(stale, "cancel", **choice)
        self.assertIn(number, again.text("problem"))
        for one in (page, self.see(), again, self.go("/my/subscriptions")):
            self.assertNotIn(cancellation.name, one.tree.text_content())


@tagged("post_install", "-at_install")
class TestRetention(PortalCase):
    """Before the button: honestly (E2)."""

    def create_message(self, **values):
        values = {"policy_id": self.policy.id, "title": "Wait", **values}
        return self.env["subscription.cancellation.retention"].create(values)

    def test_the_way_on_is_beside_it(self):
        """E2: the message of the reason comes first; the button is on the page."""
        reason = self.env["sale.subscription.close.reason"]._from_code("too_expensive")
        self.create_message(title="For everybody")
        self.create_message(
            title="Half the price?",
            kind="contact",
            reason_id=reason.id,
            body="<p>Ask</p>",
        )
        page = self.check_out(timing="immediate")
        self.assertIn("For everybody", page.text("retention"))
        page = self.check_out(timing="immediate", reason_id=str(reason.id))
        self.assertIn("Half the price? Ask Write to Us", page.text("retention"))
        self.send(page, "confirm")
        self.assertEqual(self.get_cancellation().state, "done")

    def test_no_message_no_block(self):
        """E2: nothing in the way where the policy says nothing."""
        self.assertFalse(self.check_out(timing="immediate").has("retention"))

    def test_pause_instead(self):
        """E2: for the months of the offer; nothing is cancelled."""
        self.create_message(kind="pause", pause_months=2)
        page = self.check_out(timing="immediate")
        self.assertIn("Pause Until September 9, 2026", page.text("retention"))
        answer = self.send(page, "pause")
        self.assertIn("is paused. Nothing was cancelled.", answer.text("message"))
        self.assertEqual(str(self.subscription.paused_until), "2026-09-10")
        self.assertEqual(
            str(self.subscription._get_portal_next_invoice_date()), "2026-09-10"
        )
        self.assertFalse(self.get_cancellation())
        # Nobody pauses what is paused.
        self.assertFalse(self.check_out(timing="immediate").has("retention"))

    def test_a_pause_that_is_not_offered(self):
        """E2: a forged offer, or one of another policy, changes nothing."""
        message = self.create_message(kind="pause")
        page = self.check_out(timing="immediate")
        text = self.create_message(kind="text")
        for forged in (str(text.id), "0", "x", None):
            answer = self.send(page, "pause", retention_id=forged)
            self.assertIn("not available any more", answer.text("message"))
        message.unlink()
        self.send(page, "pause")
        self.assertFalse(self.subscription.is_paused)

    def test_the_length_of_a_pause(self):
        """D2: a number of months that makes sense."""
        for months in (0, 25):
            with self.assertRaisesRegex(Exception, "Enter a number from 1 to 24"):
                self.create_message(kind="pause", pause_months=months)
