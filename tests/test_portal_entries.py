# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers enter: nothing is guessed, and nothing is lost (E2)."""

from odoo.tests import tagged

from .portal import PortalCase

BOTH = "You ticked items and chose the whole subscription"
UNUSED_DAY = "You entered a day, and chose another time"


class EntriesCase(PortalCase):
    """A subscription with two items, so that the form asks which one shall end."""

    def setUp(self):
        super().setUp()
        self.add_line(self.subscription, 10.0)
        self.base, self.other = self.subscription.sale_subscription_line_ids

    def get_entries(self, page):
        """Return what the form shows as chosen, without JavaScript."""
        _action, values = page.form("cancel")
        return [value for value in values if value[0] not in ("csrf_token", "key")]

    def assert_nothing_done(self):
        self.assertFalse(self.get_cancellation())


@tagged("post_install", "-at_install")
class TestContradictions(EntriesCase):
    """As a browser without JavaScript sends them."""

    def test_items_and_the_whole_subscription(self):
        """E2: a ticked item while the scope says all of it: asked back, both kept."""
        page = self.check_out(
            scope="whole", line_ids=str(self.base.id), timing="immediate"
        )
        self.assertIn(BOTH, page.text("problem"))
        entries = self.get_entries(page)
        self.assertIn(("scope", "whole"), entries)
        self.assertIn(("line_ids", str(self.base.id)), entries)
        self.assert_nothing_done()

    def test_the_link_of_an_item_and_then_all_of_it(self):
        """E2: the link of the item ticked it; the customer chose all of it then."""
        page = self.see(f"/cancel?line={self.base.id}")
        page = self.send(page, "cancel", scope="whole", timing="immediate")
        self.assertIn(BOTH, page.text("problem"))

    def test_a_day_without_its_choice(self):
        """E2: a typed day does not mean today."""
        page = self.check_out(timing="immediate", requested_date="2026-08-15")
        self.assertIn(UNUSED_DAY, page.text("problem"))
        self.assertIn(("requested_date", "2026-08-15"), self.get_entries(page))
        self.assert_nothing_done()

    def test_both_are_said_at_once(self):
        """E2: whoever corrects one need not meet the other."""
        page = self.check_out(
            scope="whole",
            line_ids=str(self.base.id),
            timing="immediate",
            requested_date="2026-08-15",
        )
        self.assertIn(BOTH, page.text("problem"))
        self.assertIn(UNUSED_DAY, page.text("problem"))

    def test_neither_is_confirmed(self):
        """E2: nor in a confirmation that was sent by hand, or from an old page."""
        page = self.check_out(timing="immediate")
        for changes in (
            {"line_ids": str(self.base.id)},
            {"requested_date": "2026-08-15"},
            {"scope": "both"},
            {"scope": None},
        ):
            with self.subTest(**changes):
                answer = self.send(page, "confirm", **changes)
                self.assertTrue(answer.has("problem"))
                self.assert_nothing_done()

    def test_a_scope_that_nobody_chose(self):
        """E2: absent, or not one of the two, does not mean all of it."""
        for scope in (None, "", "all"):
            with self.subTest(scope=scope):
                page = self.check_out(scope=scope, timing="immediate")
                self.assertIn("Choose what shall end", page.text("problem"))

    def test_a_day_that_is_none(self):
        """E2: as some browsers send what is typed; it is not cut to another day."""
        for day in ("15.08.2026", "2026-08-150", "2026-02-30"):
            with self.subTest(day=day):
                page = self.check_out(timing="specific_date", requested_date=day)
                self.assertIn("is not a date", page.text("problem"))
                self.assertIn(("requested_date", day), self.get_entries(page))

    def test_a_day_where_none_can_be_chosen(self):
        """E2, D1: the policy has changed since the form was shown."""
        page = self.see("/cancel")
        self.policy.write({"timing": "immediate", "allow_override_timing": False})
        page = self.send(
            page, "cancel", timing="immediate", requested_date="2026-08-15"
        )
        self.assertIn("cannot be chosen", page.text("problem"))
        page = self.send(page, "cancel", timing="immediate")
        self.assertTrue(page.has("confirm"))

    def test_what_fits_is_taken(self):
        """E2: an item with its choice, a day with its choice."""
        page = self.check_out(
            scope="lines",
            line_ids=str(self.base.id),
            timing="specific_date",
            requested_date="2026-08-15",
        )
        self.send(page, "confirm")
        cancellation = self.get_cancellation()
        self.assertEqual(cancellation.line_ids.subscription_line_id, self.base)
        self.assertEqual(str(cancellation.last_service_date), "2026-08-15")


@tagged("post_install", "-at_install")
class TestErrorsAtTheirFields(EntriesCase):
    """As on the public page: said at the field, and listed above with a link."""

    def assert_tied(self, page, entry, sentence):
        """Assert that an entry is marked and described by its sentence."""
        [field] = page.tree.xpath(f"//*[@id='{entry}']")
        self.assertEqual(field.get("aria-invalid"), "true", entry)
        described = field.get("aria-describedby").split()
        texts = [page.tree.get_element_by_id(one).text_content() for one in described]
        self.assertIn(sentence, " ".join(texts))
        [link] = page.tree.xpath(f"//*[@name='problem']//a[@href='#{entry}']")
        self.assertIn(sentence, link.text_content())

    def test_each_entry(self):
        """E2: the day, the reason, the comment."""
        self.policy.reason_required = True
        page = self.check_out(
            timing="specific_date", requested_date="2026-07-01", comment="x" * 1001
        )
        self.assert_tied(page, "requested_date", "The earliest possible day is")
        self.assert_tied(page, "reason_id", "choose a reason")
        self.assert_tied(page, "comment", "too long")

    def test_a_group_of_choices(self):
        """E2: the scope; the fieldset is described."""
        page = self.check_out(scope="lines", timing="immediate")
        [group] = page.tree.xpath("//fieldset[.//input[@id='scope_whole']]")
        self.assertEqual(group.get("aria-describedby"), "scope_error")
        self.assertIn(
            "Choose what shall end",
            page.tree.get_element_by_id("scope_error").text_content(),
        )
        self.assertTrue(
            page.tree.xpath("//*[@name='problem']//a[@href='#scope_whole']")
        )

    def test_no_error_no_mark(self):
        """E2: nothing is marked on a form that nobody has sent."""
        page = self.see("/cancel")
        self.assertFalse(page.tree.xpath("//main//*[@aria-invalid]"))
        self.assertFalse(page.has("problem"))


@tagged("post_install", "-at_install")
class TestReasonWithComment(EntriesCase):
    """The reason *Other* wants a comment, of up to 200 characters (D3)."""

    def setUp(self):
        super().setUp()
        reasons = self.env["sale.subscription.close.reason"]
        self.reason = reasons._from_code("other")

    def test_it_is_said_before(self):
        """D3, E2: with the reason, not only after it was sent."""
        page = self.see("/cancel")
        [hint] = page.tree.xpath("//*[@id='comment_help']")
        self.assertIn(self.reason.name, hint.text_content())
        self.assertIn("200 characters", hint.text_content())
        [comment] = page.tree.xpath("//textarea[@id='comment']")
        self.assertIn("comment_help", comment.get("aria-describedby"))

    def test_without_one(self):
        """D3, E2: it is said at the comment."""
        for comment in ("", "  ", "x" * 201):
            page = self.check_out(
                timing="immediate", reason_id=str(self.reason.id), comment=comment
            )
            [field] = page.tree.xpath("//textarea[@id='comment']")
            self.assertEqual(field.get("aria-invalid"), "true")
            self.assertIn("comment_error", field.get("aria-describedby"))

    def test_with_one(self):
        """D3, E2: 200 characters are enough; line breaks count once."""
        comment = "x\r\n" * 100
        page = self.check_out(
            timing="immediate", reason_id=str(self.reason.id), comment=comment
        )
        self.send(page, "confirm")
        self.assertEqual(self.get_cancellation().reason_id, self.reason)


@tagged("post_install", "-at_install")
class TestEntriesAreKept(EntriesCase):
    """Back to the form, an expired session, new figures."""

    def setUp(self):
        super().setUp()
        reasons = self.env["sale.subscription.close.reason"]
        self.choices = {
            "scope": "lines",
            "line_ids": str(self.other.id),
            "timing": "specific_date",
            "requested_date": "2026-08-15",
            "reason_id": str(reasons._from_code("too_expensive").id),
            "comment": "Bye & <thanks>",
        }

    def assert_kept(self, page):
        entries = self.get_entries(page)
        for choice in self.choices.items():
            self.assertIn(choice, entries)
        self.assertEqual(
            [value for name, value in entries if name == "line_ids"],
            [str(self.other.id)],
        )

    def test_change_on_the_summary(self):
        """E2: the form again, with what was entered, without JavaScript."""
        page = self.check_out(**self.choices)
        [button] = page.tree.xpath("//form[@name='confirm']//button[@name='change']")
        action, values = page.form("confirm")
        values = [*values, ("change", button.get("value") or "")]
        answer = type(page)(self.url_open(button.get("formaction"), data=values))
        self.assertFalse(answer.has("problem"))
        self.assert_kept(answer)
        self.assertTrue(self.send(answer, "cancel").has("confirm"))
        self.assert_nothing_done()

    def test_an_expired_token(self):
        """E2: the summary again, of what was entered; the next click confirms it."""
        page = self.check_out(**self.choices)
        answer = self.send(page, "confirm", csrf_token="old")
        self.assertIn("Your session has expired", answer.text("changed"))
        self.assert_nothing_done()
        self.send(answer, "confirm")
        self.assertEqual(
            self.get_cancellation().line_ids.subscription_line_id, self.other
        )

    def test_an_expired_login(self):
        """E2: whoever logs in again is where they were, with what they had entered."""
        for name in ("cancel", "confirm"):
            with self.subTest(form=name):
                page = self.see("/cancel")
                if name == "confirm":
                    page = self.send(page, "cancel", **self.choices)
                self.authenticate(None, None)
                changes = self.choices if name == "cancel" else {}
                login = self.send(page, name, **changes)
                self.assertTrue(login.url.endswith("/web/login"))
                answer = self.log_in_on(login)
                self.assertIn("Your session has expired", answer.text("changed"))
                self.assertIn(self.other.name, answer.text())
                self.assert_nothing_done()
        # Once: who opens the form anew begins anew.
        self.assertIn(("scope", "whole"), self.get_entries(self.see("/cancel")))
        self.send(answer, "confirm")
        self.assertEqual(self.get_cancellation().comment, self.choices["comment"])

    def log_in_on(self, page):
        """Fill the login page; return the page that comes then."""
        [form] = page.tree.xpath("//form[contains(@class, 'oe_login_form')]")
        values = {**dict(form.form_values()), "login": "azure", "password": "azure"}
        return type(page)(self.url_open("/web/login", data=values))

    def test_somebody_else_logs_in(self):
        """E2: what was entered is shown to nobody else."""
        self.create_portal_user("other", self.create_customer(name="Other"))
        page = self.check_out(**self.choices)
        self.authenticate(None, None)
        login = self.send(page, "confirm")
        [form] = login.tree.xpath("//form[contains(@class, 'oe_login_form')]")
        values = {**dict(form.form_values()), "login": "other", "password": "other"}
        answer = self.url_open("/web/login", data=values)
        self.assertNotIn("thanks", answer.text)
        self.assertNotIn(self.other.name, answer.text)

    def test_back_to_the_page_that_was_asked_for(self):
        """E2: a link to a page of the subscription leads there, by way of the login."""
        self.cancel(self.subscription, timing="end_of_period")
        cancellation = self.get_cancellation()
        for suffix in ("", "/cancel", f"/cancellations/{cancellation.id}"):
            with self.subTest(page=suffix):
                self.authenticate(None, None)
                answer = self.log_in_on(self.see(suffix))
                self.assertTrue(answer.url.endswith(self.get_path(suffix)))

    def test_new_figures(self):
        """D5, E2: shown on that page, which does not ask to open it again."""
        page = self.check_out(
            **{**self.choices, "timing": "immediate"} | {"requested_date": ""}
        )
        self.travel_to("2026-07-11")
        answer = self.send(page, "confirm")
        text = answer.text("changed")
        self.assertIn("Service would now end on July 11, 2026.", text)
        self.assertIn("Nothing was cancelled yet", text)
        self.assertNotIn("open the preview again", text)
        self.assertNotIn("preview", text)
        self.send(answer, "confirm")
        self.assertEqual(self.get_cancellation().state, "done")

    def test_no_words_of_the_staff_about_new_figures(self):
        """D5, E2: what the company writes off is its own business."""
        august = self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-10")
        page = self.check_out(timing="immediate", reason_id="", comment="")
        self.policy.write({"unpaid_invoices": "write_off", "refund_mode": "none"})
        text = self.send(page, "confirm").text("changed")
        for word in ("write", "writ", "refund mode", "No Refund"):
            self.assertNotIn(word, text)
        self.assertTrue(august.amount_residual)
