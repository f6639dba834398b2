# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is too much is kept, and looked at; nobody is refused or flooded (E2)."""

from html import unescape

from odoo.tests import HttpCase, tagged

from .common import CANCELLATION_USER
from .test_cancel_contract import CUSTOMER, MODEL, STRANGER, DeclarationCase, PageCase

PER_HOUR = "subscription_cancellation.declarations_per_hour"
PER_DAY = "subscription_cancellation.declarations_per_day"


class LimitCase(DeclarationCase):
    """Two an hour from one connection."""

    def setUp(self):
        super().setUp()
        self.set_limit(PER_HOUR, 2)

    def set_limit(self, name, limit):
        self.env["ir.config_parameter"].sudo().set_param(name, str(limit))

    def flood(self, number, **values):
        """Declare so many times, each to an address of its own."""
        declarations = self.env[MODEL].sudo()
        for count in range(number):
            declarations |= self.declare(
                **{"confirmation_email": f"ann{count}@azure.example", **values}
            )
        return declarations

    def count_mails(self, number):
        """Return how many of these addresses got a receipt."""
        return [
            len(self.get_mails(f"ann{count}@azure.example")) for count in range(number)
        ]


@tagged("post_install", "-at_install")
class TestReceiptsLater(LimitCase):
    """The receipts of one connection go out at the rate of the limit."""

    def test_receipts_are_mailed_at_the_rate_of_the_limit(self):
        """E2: all of them, in their order."""
        declarations = self.flood(5, contract_reference="NOSUCH")
        self.assertEqual(self.count_mails(5), [1, 1, 0, 0, 0])
        self.process()
        self.assertEqual(self.count_mails(5), [1, 1, 0, 0, 0])
        self.travel_to("2026-07-10 13:00:01")
        self.process()
        self.assertEqual(self.count_mails(5), [1, 1, 1, 1, 0])
        self.assertEqual(
            declarations.sorted("id").mapped("is_receipt_mailed"), [True] * 4 + [False]
        )
        self.process()
        self.assertEqual(self.count_mails(5), [1, 1, 1, 1, 0])
        self.travel_to("2026-07-10 14:00:02")
        self.process()
        self.assertEqual(self.count_mails(5), [1] * 5)
        self.travel_to("2026-07-10 16:00:00")
        self.process()
        self.assertEqual(self.count_mails(5), [1] * 5)

    def test_the_scheduled_action_is_woken_for_them(self):
        """E2: when the next ones may go out."""
        self.flood(3)
        cron = self.env.ref("subscription_cancellation.ir_cron_process_declarations")
        triggers = self.env["ir.cron.trigger"].sudo()
        self.process()
        known = triggers.search([("cron_id", "=", cron.id)])
        self.assertIn("2026-07-10 13:01", str(max(known.mapped("call_at"))))

    def test_the_receipt_is_the_one_that_was_shown(self):
        """D7, E2: with the moment of receipt, in the language of the page."""
        self.company.partner_id.tz = "Europe/Berlin"
        self.env["res.lang"]._activate_lang("de_DE")
        self.env["ir.module.module"]._load_module_terms(
            ["subscription_cancellation"], ["de_DE"]
        )
        english = self.env
        self.env = self.env[MODEL].with_context(lang="de_DE").env
        self.flood(3)
        self.env = english
        self.travel_to("2026-07-10 13:30:00")
        self.process()
        [mail] = self.get_mails("ann2@azure.example")
        self.assertIn("Eingangsbestätigung Ihrer Kündigung", mail.subject)
        self.assertIn("10. Juli 2026", mail.body_html)
        self.assertIn("14:00:00", mail.body_html)

    def test_what_waits_takes_effect_all_the_same(self):
        """E2: it is matched at once; only the mail waits."""
        declaration = self.flood(3)[-1:]
        others = self.env[MODEL].sudo().search([("id", "<", declaration.id)])
        self.assertFalse(declaration.is_receipt_mailed)
        self.process()
        self.assertIn("matched", (others | declaration).mapped("state"))
        self.assertNotIn("received", (others | declaration).mapped("state"))

    def test_one_address_gets_ten_a_day_and_the_rest_later(self):
        """E2: nobody is flooded, and nobody misses a receipt."""
        self.set_limit(PER_HOUR, 100)
        self.flood(12, confirmation_email=STRANGER, contract_reference="NOSUCH")
        self.process()
        self.assertEqual(len(self.get_mails(STRANGER)), 10)
        self.travel_to("2026-07-11 12:00:01")
        self.process()
        self.assertEqual(len(self.get_mails(STRANGER)), 12)

    def test_what_waits_does_not_hold_up_others(self):
        """E2: neither another connection nor another address."""
        self.flood(4)
        other = self.declare(client="198.51.100.1", confirmation_email=STRANGER)
        self.assertTrue(other.is_receipt_mailed)

    def test_nobody_gets_receipts_for_ever(self):
        """E2: after a week, what still waits is mailed no more; it stays kept."""
        declarations = self.flood(3)
        self.set_limit(PER_HOUR, 0)
        self.travel_to("2026-07-18 12:00:00")
        self.process()
        self.set_limit(PER_HOUR, 10)
        self.travel_to("2026-07-18 14:00:00")
        self.process()
        self.assertEqual(self.count_mails(3), [1, 1, 0])
        self.assertEqual(len(declarations.exists()), 3)

    def test_who_sent_it_is_forgotten_after_the_receipt(self):
        """E2: the hash counts while a limit looks back or a receipt waits."""
        first, second, third = self.flood(3).sorted("id")
        self.travel_to("2026-07-12 12:00:00")
        self.env[MODEL].sudo()._gc_client_hashes()
        self.assertFalse(first.client_hash)
        self.assertTrue(third.client_hash)
        self.process()
        self.travel_to("2026-07-14 12:00:00")
        self.env[MODEL].sudo()._gc_client_hashes()
        self.assertFalse(third.client_hash)
        self.assertTrue(second.is_receipt_mailed)

    def test_what_was_not_spam_gets_its_receipt(self):
        """E2: however many of the same connection there are."""
        self.flood(2)
        spam = self.declare(is_spam=True, confirmation_email=STRANGER)
        spam.with_user(self.create_user(CANCELLATION_USER)).action_not_spam()
        self.assertFalse(self.get_mails(STRANGER))
        self.travel_to("2026-07-10 13:30:00")
        self.process()
        self.assertEqual(len(self.get_mails(STRANGER)), 1)

    def test_what_is_over_the_limit_has_no_activity_of_its_own(self):
        """E2: staff are not flooded, either: one activity a day for all."""
        declarations = self.flood(5, contract_reference="NOSUCH").sorted("id")
        self.process()
        self.assertEqual(set(declarations.mapped("state")), {"to_check"})
        own = declarations[:2].activity_ids
        self.assertEqual(len(own), 2 * len(own.user_id))
        day = declarations[2:].activity_ids
        self.assertEqual(len(day), len(day.user_id))
        self.assertTrue(day)


@tagged("post_install", "-at_install")
class TestLookedAt(LimitCase):
    """What the honeypot caught is looked at: one activity a day for all."""

    def get_activities(self):
        declarations = self.env[MODEL].sudo().search([])
        return declarations.activity_ids.filtered(
            lambda activity: "program" in (activity.summary or "")
        )

    def test_one_activity_a_day_for_all(self):
        """E2: it says how many; those of the next day get another one."""
        self.set_limit(PER_HOUR, 100)
        spam = self.flood(3, is_spam=True)
        self.process()
        activity = self.get_activities()
        self.assertEqual(len(activity), len(activity.user_id))
        self.assertTrue(activity)
        self.assertIn("3", unescape(activity[0].note))
        self.assertIn("Not Spam", unescape(activity[0].note))
        self.assertEqual(set(spam.mapped("state")), {"spam"})
        self.flood(2, is_spam=True)
        self.travel_to("2026-07-10 20:00:00")
        self.process()
        self.assertEqual(self.get_activities(), activity)
        self.travel_to("2026-07-11 12:00:01")
        self.process()
        [later] = (self.get_activities() - activity)[:1]
        self.assertIn("2", unescape(later.note))
        count = len(self.get_activities())
        self.travel_to("2026-07-13 12:00:00")
        self.process()
        self.assertEqual(len(self.get_activities()), count)

    def test_the_scheduled_action_is_woken_by_it(self):
        """E2: it may be a customer whose browser filled in everything."""
        cron = self.env.ref("subscription_cancellation.ir_cron_process_declarations")
        triggers = self.env["ir.cron.trigger"].sudo()
        before = triggers.search_count([("cron_id", "=", cron.id)])
        self.flood(1, is_spam=True)
        self.assertGreater(triggers.search_count([("cron_id", "=", cron.id)]), before)

    def test_each_company_looks_at_its_own(self):
        """E2: an activity for those who work there."""
        other = self.setup_other_company()["company"]
        self.flood(1, is_spam=True)
        self.flood(1, is_spam=True, company=other)
        self.process()
        hosts = self.env[MODEL].sudo().search([("activity_ids", "!=", False)])
        self.assertIn(self.company, hosts.company_id)
        for activity in self.get_activities():
            company = self.env[MODEL].sudo().browse(activity.res_id).company_id
            self.assertIn(company, activity.user_id.company_ids)

    def test_it_stays_when_the_declaration_is_not_spam(self):
        """E2: the others are still to be looked at."""
        self.set_limit(PER_HOUR, 100)
        spam = self.flood(2, is_spam=True)
        self.process()
        spam.with_user(self.create_user(CANCELLATION_USER)).action_not_spam()
        self.process()
        self.assertTrue(self.get_activities())


@tagged("post_install", "-at_install")
class TestFurther(DeclarationCase):
    """Once more for a contract that is cancelled: acknowledged, and that is all."""

    def assertAcknowledged(self, declaration):
        self.assertEqual(declaration.state, "answered", declaration.check_reason)
        self.assertEqual(declaration.subscription_id, self.subscription)
        self.assertIn("is already cancelled", declaration.check_reason)
        self.assertFalse(declaration.activity_ids)
        self.assertFalse(declaration.cancellation_ids)
        self.assertTrue(declaration.is_receipt_mailed)

    def test_a_second_time_the_same(self):
        """E2: impatient customers send it twice; they learn the end once more."""
        first = self.declare_and_process()
        known = self.get_mails(CUSTOMER)
        second = self.declare_and_process(confirmation_email=STRANGER)
        self.assertEqual(first.state, "matched")
        self.assertAcknowledged(second)
        self.assertEqual(len(self.get_mails(STRANGER)), 1)
        [told] = self.get_mails(CUSTOMER) - known
        self.assertIn("July 31, 2026", told.body_html)
        self.assertIn(self.subscription.display_name, told.body_html)
        self.assertEqual(first.cancellation_id.state, "scheduled")
        third = self.declare_and_process(confirmation_email=STRANGER)
        self.assertAcknowledged(third)
        # Not with every one of them.
        self.assertEqual(self.get_mails(CUSTOMER), known | told)

    def test_cancelled_in_the_back_office_or_ended(self):
        """B11, E2: whoever cancelled it, and also when it is over."""
        self.cancel(self.subscription, timing="end_of_period")
        self.assertAcknowledged(self.declare_and_process())
        self.travel_to("2026-08-02 08:00:00")
        self.subscription.cancellation_ids.sudo()._execute_or_fail()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        declaration = self.declare_and_process()
        self.assertAcknowledged(declaration)
        [told] = self.get_mails(CUSTOMER).sorted("id")[-1:]
        self.assertIn("ended on July 31, 2026", told.body_html)

    def test_what_waits_for_approval(self):
        """D2, E2: the approvers know already."""
        self.policy.declaration_needs_person = True
        first = self.declare_and_process()
        self.assertEqual(first.cancellation_id.state, "to_approve")
        second = self.declare_and_process()
        self.assertAcknowledged(second)
        self.assertEqual(first.cancellation_id.state, "to_approve")

    def test_an_earlier_end_than_the_scheduled_one_is_left_to_a_person(self):
        """E2: that is another declaration, not a further one."""
        self.declare_and_process(desired_date=self.day("2026-10-15"))
        declaration = self.declare_and_process()
        self.assertWaits(declaration, "already cancelled")
        declaration = self.declare_and_process(desired_date=self.day("2026-12-31"))
        self.assertAcknowledged(declaration)

    def test_an_extraordinary_one_is_left_to_a_person(self):
        """E2: it may want an end at once."""
        self.declare_and_process()
        declaration = self.declare_and_process(
            kind="extraordinary", extraordinary_reason="The service is down."
        )
        self.assertWaits(declaration, "already cancelled")

    def test_without_the_address_nobody_learns_anything(self):
        """E2: the reference alone is not enough."""
        self.declare_and_process()
        known = self.get_mails(CUSTOMER)
        declaration = self.declare_and_process(
            contract_email=STRANGER, confirmation_email=STRANGER
        )
        self.assertWaits(declaration, "the e-mail address is not")
        self.assertEqual(self.get_mails(CUSTOMER), known)

    def test_several_cancelled_ones_are_left_to_a_person(self):
        """E2: it is not known which one is meant."""
        twin = self.create_subscription(partner_id=self.customer.id)
        twin.code = self.subscription.code
        self.cancel(twin)
        self.cancel(self.subscription)
        self.assertWaits(self.declare_and_process(), "is already cancelled")

    def test_after_an_objection_it_is_a_new_one(self):
        """E2: the contract runs again, so it can be cancelled again."""
        self.declare_and_process()._object()
        self.assertEqual(self.declare_and_process().state, "matched")


@tagged("post_install", "-at_install")
class TestLimitsOnThePage(PageCase, LimitCase, HttpCase):
    """What visitors see."""

    def test_over_the_limit_the_receipt_is_shown_at_once(self):
        """E2: kept, never refused; the page says that the mail comes later."""
        for _number in range(2):
            page = self.send()
            self.assertIn("within a few minutes", page.text)
        page = self.send()
        self.assertReceipt(page)
        self.assertIn("We have received your cancellation", page.text)
        self.assertIn("later", page.text)
        self.assertNotIn("within a few minutes", page.text)
        self.assertEqual(len(self.declarations()), 3)
        self.assertEqual(len(self.get_mails(CUSTOMER)), 2)
        self.travel_to("2026-07-10 13:30:00")
        self.process()
        self.assertIn("within a few minutes", self.get(page.url).text)

    def test_beyond_so_many_a_day_the_page_says_so(self):
        """E2: with a way out; the entries are kept."""
        self.set_limit(PER_DAY, 3)
        for _number in range(3):
            self.assertReceipt(self.send(contract_reference="NOSUCH"))
        page = self.send()
        self.assertEqual(page.status_code, 429)
        self.assertIn("Too many cancellations", page.text)
        self.assertIn("tomorrow", page.text)
        self.assertIn("office@company.example", page.text)
        self.assertIn('value="Ann Azure"', page.text)
        self.assertEqual(len(self.declarations()), 3)
        self.travel_to("2026-07-11 12:00:01")
        self.assertReceipt(self.send())

    def test_only_the_undecided_count(self):
        """E2: what was settled makes room; programs take nobody's place."""
        self.set_limit(PER_DAY, 1)
        self.assertReceipt(self.send())
        self.process()
        self.assertEqual(self.declarations().state, "matched")
        self.assertReceipt(self.send(company_homepage="http://spam.example"))
        self.assertReceipt(self.send(contract_reference="NOSUCH"))
        page = self.send(company_homepage="http://spam.example")
        self.assertEqual(page.status_code, 429)
        self.assertEqual(self.send().status_code, 429)

    def test_the_limit_is_ten_thousand_a_day(self):
        """E2: unless the system parameter says otherwise, or nonsense."""
        declarations = self.env[MODEL].sudo()
        self.assertEqual(declarations._get_daily_limit(), 10_000)
        self.set_limit(PER_DAY, "many")
        self.assertEqual(declarations._get_daily_limit(), 10_000)

    def test_two_clicks_at_the_limit_are_one_declaration(self):
        """E2: the second one leads to the receipt of the first."""
        self.set_limit(PER_DAY, 1)
        entries = self.entries()
        first = self.url_open("/cancel-contract", data=entries)
        self.assertReceipt(first)
        second = self.url_open("/cancel-contract", data=entries)
        self.assertEqual(first.url, second.url)

    # === COOKIES OFF === #

    def test_it_works_with_cookies_off(self):
        """E2: page, entries with an error, receipt, text and objection."""
        self.opener.cookies.clear()
        page = self.get()
        entries = self.entries(page)
        self.opener.cookies.clear()
        refused = self.url_open("/cancel-contract", data={**entries, "kind": "x"})
        self.assertRefused(refused, "Choose the kind")
        self.opener.cookies.clear()
        answer = self.url_open(
            "/cancel-contract", data=self.entries(refused), allow_redirects=False
        )
        self.assertEqual(answer.status_code, 303)
        self.opener.cookies.clear()
        receipt = self.get(answer.headers["Location"])
        self.assertReceipt(receipt)
        self.opener.cookies.clear()
        self.assertEqual(self.get(f"{receipt.url}/text").status_code, 200)
        self.process()
        declaration = self.declarations()
        path = f"/cancel-contract/object/{declaration.sudo().objection_token}"
        self.opener.cookies.clear()
        done = self.url_open(path, data={"x": "1"}, allow_redirects=False)
        self.opener.cookies.clear()
        self.assertIn("received your objection", self.get(path).text)
        self.assertEqual(done.status_code, 303)

    def test_a_page_that_lay_open_for_long(self):
        """E2: a week; then it is shown again, and can be sent as it is."""
        entries = self.entries()
        self.travel_to("2026-07-16 12:00:00")
        self.assertReceipt(self.url_open("/cancel-contract", data=entries))
        self.travel_to("2026-07-18 12:00:00")
        entries["customer_name"] = "Ann Again"
        expired = self.url_open("/cancel-contract", data=entries)
        self.assertEqual(expired.status_code, 422)
        self.assertIn("This page had expired", expired.text)
        again = self.entries(expired, customer_name="Ann Again")
        self.assertReceipt(self.url_open("/cancel-contract", data=again))

    def test_what_somebody_made_up_is_not_our_page(self):
        """E2: nor a time that was changed, nor the key of another thing."""
        entries = self.entries()
        mark, _o, moment = entries["csrf_token"].rpartition("o")
        for token in (
            f"{mark}o{int(moment) + 1}",
            f"{'0' * len(mark)}o{moment}",
            f"o{moment}",
            mark,
            f"{mark}o-1",
            f"{mark}o٣",
        ):
            with self.subTest(token=token):
                answer = self.url_open(
                    "/cancel-contract", data={**entries, "csrf_token": token}
                )
                self.assertRefused(answer, "This page had expired")
