# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The public cancellation page: anybody may declare, and learns nothing (E2, D7)."""

import re
from html import unescape

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.subscription_cancellation.formatting import as_reference

from .common import CANCELLATION_MANAGER, CANCELLATION_USER, CancellationCase

MODEL = "subscription.cancellation.declaration"
CUSTOMER = "ann@azure.example"
STRANGER = "eve@elsewhere.example"
DAY = "2026-07-10 12:00:00"


class DeclarationCase(CancellationCase):
    """A customer with a billed subscription of $31 a month since July."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.public_user").sudo().write(
            {"company_ids": [(4, cls.company.id)], "company_id": cls.company.id}
        )
        cls.company.email = "office@company.example"
        cls.policy = cls.get_default_policy()
        cls.policy.timing = "end_of_period"
        cls.policy.end_alignment = "end_of_month"

    def setUp(self):
        super().setUp()
        self.customer = self.create_customer(name="Ann Azure", email=CUSTOMER)
        self.subscription = self.create_subscription(partner_id=self.customer.id)
        self.subscription.code = "SUBTEST1"
        self.bill(self.subscription, "2026-07-01")
        self.travel_to(DAY)

    @staticmethod
    def day(text):
        return fields.Date.to_date(text)

    def declare(self, **values):
        """Store a declaration as the page does; return it."""
        client = values.pop("client", "192.0.2.1")
        is_spam = values.pop("is_spam", False)
        company = values.pop("company", self.company)
        values = {
            "kind": "ordinary",
            "extraordinary_reason": False,
            "customer_name": "Ann Azure",
            "contract_reference": "SUBTEST1",
            "contract_email": CUSTOMER,
            "wants_earliest": not values.get("desired_date"),
            "desired_date": False,
            "confirmation_email": CUSTOMER,
            **values,
        }
        # sudo: the page may create what the public may not.
        declarations = self.env[MODEL].sudo()
        nonce = f"nonce-of-test-{declarations.search_count([])}"
        token = declarations._receive(
            values, company, nonce=nonce, client_address=client, is_spam=is_spam
        )
        return declarations.search([("access_token", "=", token)])

    def process(self):
        """Run the scheduled action, with commits that the test can roll back."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr, user=1)[MODEL]._cron_process_declarations()
        self.env.invalidate_all()

    def declare_and_process(self, **values):
        declaration = self.declare(**values)
        self.process()
        return declaration

    def get_mails(self, address):
        """Return the mails to an address."""
        models = (MODEL, "subscription.cancellation")
        mails = self.env["mail.mail"].sudo().search([("model", "in", models)])
        return mails.filtered(
            lambda mail: (
                address in (mail.email_to or "")
                or address in mail.recipient_ids.mapped("email")
            )
        )

    def assertWaits(self, declaration, reason):
        """Assert that a person has to look at it, and why."""
        self.assertEqual(declaration.state, "to_check")
        self.assertIn(reason, declaration.check_reason)
        self.assertTrue(declaration.activity_ids)
        self.assertIn(reason, unescape(declaration.activity_ids[0].note))
        self.assertFalse(declaration.cancellation_ids)


@tagged("post_install", "-at_install")
class TestDeclarations(DeclarationCase):
    """What becomes of a declaration."""

    # === MATCHED === #

    def test_what_matches_is_scheduled_at_the_earliest_date(self):
        """E2: under the policy for customers, with channel portal."""
        declaration = self.declare_and_process()
        cancellation = declaration.cancellation_id
        self.assertRecordValues(
            cancellation,
            [
                {
                    "state": "scheduled",
                    "channel": "portal",
                    "timing": "earliest",
                    "last_service_date": self.day("2026-07-31"),
                    "is_extraordinary": False,
                    "subscription_id": self.subscription.id,
                    "declaration_id": declaration.id,
                }
            ],
        )
        self.assertEqual(declaration.state, "matched")
        self.assertEqual(declaration.subscription_id, self.subscription)
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")

    def test_case_and_spaces_do_not_matter(self):
        """E2: people copy references as they like."""
        name = self.subscription.name.lower()
        self.assertEqual(
            self.declare_and_process(contract_reference=name).state, "matched"
        )

    def test_the_order_and_the_address_of_the_invoices_match_too(self):
        """E2: what a customer finds on the papers they have."""
        self.customer.email = "first@azure.example"
        billing = self.create_customer(
            name="Billing", email=CUSTOMER, parent_id=self.customer.id, type="invoice"
        )
        self.subscription.partner_invoice_id = billing
        order = self.env["sale.order"].create({"partner_id": self.customer.id})
        self.subscription.sale_order_id = order
        declaration = self.declare_and_process(contract_reference=order.name)
        self.assertEqual(declaration.state, "matched")
        self.assertTrue(self.get_mails("first@azure.example"))

    def test_wildcards_match_nothing(self):
        """E2: the reference is a text, not a pattern."""
        for reference in ("%", "SUBTEST_", "%TEST1", "\\", "'"):
            declaration = self.declare_and_process(contract_reference=reference)
            self.assertEqual(declaration.state, "to_check", reference)

    def test_a_fixed_timing_of_the_policy_is_kept(self):
        """D1, D2: the earliest date is the one that customers may choose."""
        self.policy.write({"allow_override_timing": False, "reason_required": True})
        declaration = self.declare_and_process()
        self.assertEqual(declaration.cancellation_id.timing, "end_of_period")
        self.assertEqual(declaration.state, "matched")

    # === DESIRED DATE === #

    def test_a_desired_date_that_keeps_the_terms_counts(self):
        """E2: it ends then, and is ordinary."""
        declaration = self.declare_and_process(desired_date=self.day("2026-08-15"))
        cancellation = declaration.cancellation_id
        self.assertEqual(cancellation.last_service_date, self.day("2026-08-15"))
        self.assertEqual(cancellation.timing, "specific_date")
        self.assertFalse(cancellation.is_extraordinary)

    def test_a_desired_date_that_is_too_early_becomes_the_earliest_one(self):
        """E2: nobody gets out of the terms by naming a date."""
        declaration = self.declare_and_process(desired_date=self.day("2026-07-20"))
        cancellation = declaration.cancellation_id
        self.assertEqual(cancellation.last_service_date, self.day("2026-07-31"))

    def test_whoever_names_a_day_is_served_on_it(self):
        """B6: also where the day of cancellation is not a served one, fixed."""
        self.policy.write(
            {"cancel_day_billed": False, "allow_override_cancel_day_billed": False}
        )
        declaration = self.declare_and_process(desired_date=self.day("2026-08-15"))
        self.assertEqual(
            declaration.cancellation_id.last_service_date, self.day("2026-08-15")
        )

    # === A PERSON DECIDES === #

    def test_a_person_decides_where_the_policy_says_so(self):
        """D2: it waits for approval; approved, the date is the declared one."""
        self.policy.declaration_needs_person = True
        declaration = self.declare_and_process()
        cancellation = declaration.cancellation_id
        self.assertEqual(cancellation.state, "to_approve")
        self.assertIn("public page", cancellation.approval_reason)
        self.assertTrue(cancellation.activity_ids)
        cancellation.sudo()._approve()
        self.assertEqual(cancellation.state, "scheduled")
        self.assertEqual(cancellation.last_service_date, self.day("2026-07-31"))

    def test_an_extraordinary_one_always_waits_for_a_person(self):
        """E2: with its reason, on the day that was named, at once if none was."""
        declaration = self.declare_and_process(
            kind="extraordinary", extraordinary_reason="The service is down."
        )
        cancellation = declaration.cancellation_id
        self.assertRecordValues(
            cancellation,
            [
                {
                    "state": "to_approve",
                    "comment": "The service is down.",
                    "is_extraordinary": True,
                    "last_service_date": self.day("2026-07-10"),
                }
            ],
        )
        self.assertIn("extraordinary", cancellation.approval_reason)

    def test_an_extraordinary_one_on_a_day(self):
        declaration = self.declare_and_process(
            kind="extraordinary",
            extraordinary_reason="We move.",
            desired_date=self.day("2026-07-20"),
        )
        cancellation = declaration.cancellation_id
        self.assertEqual(cancellation.state, "to_approve")
        self.assertEqual(cancellation.last_service_date, self.day("2026-07-20"))

    def test_what_has_not_started_waits_for_a_person(self):
        """B10: it would end at once, without a chance to object."""
        template = self.subscription.template_id
        future = self.subscription.create(
            {
                "partner_id": self.customer.id,
                "pricelist_id": self.subscription.pricelist_id.id,
                "template_id": template.id,
                "date_start": "2026-09-01",
                "recurring_next_date": "2026-09-01",
                "code": "FUTURE1",
            }
        )
        self.add_line(future, 31.0)
        declaration = self.declare_and_process(contract_reference="FUTURE1")
        self.assertEqual(declaration.cancellation_id.state, "to_approve")

    # === NOT MATCHED === #

    def test_an_unknown_reference_is_left_to_a_person(self):
        """E2: kept, acknowledged, and queued with an activity."""
        declaration = self.declare_and_process(contract_reference="NOSUCH")
        self.assertWaits(declaration, "No subscription has the reference")
        self.assertTrue(self.get_mails(CUSTOMER))

    def test_a_wrong_address_is_left_to_a_person(self):
        """E2: who knows only the reference ends nothing."""
        declaration = self.declare_and_process(contract_email=STRANGER)
        self.assertWaits(declaration, "the e-mail address is not")
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_several_matches_are_left_to_a_person(self):
        """E2: nothing is guessed."""
        twin = self.create_subscription(partner_id=self.customer.id)
        twin.code = self.subscription.code
        declaration = self.declare_and_process(contract_reference="SUBTEST1")
        self.assertWaits(declaration, "Several subscriptions match")

    def test_a_subscription_of_another_company_does_not_match(self):
        """E2: each page ends the contracts of its company."""
        other = self.setup_other_company()["company"]
        declaration = self.declare_and_process(company=other)
        self.assertEqual(declaration.state, "to_check")

    def test_an_unexpected_error_loses_nothing(self):
        """E2: a person gets it, with what went wrong."""

        def explode(*_args, **_kwargs):
            raise ZeroDivisionError("boom")

        self.patch(type(self.env[MODEL]), "_match", explode)
        logger = "odoo.addons.subscription_cancellation.models.declarations.matching"
        with mute_logger(logger):
            declaration = self.declare_and_process()
        self.assertWaits(declaration, "boom")

    def test_one_broken_declaration_does_not_stop_the_next(self):
        """E2: in one run."""
        unknown = self.declare(contract_reference="NOSUCH")
        known = self.declare()
        self.process()
        self.assertEqual((unknown.state, known.state), ("to_check", "matched"))

    # === STAFF === #

    def test_staff_assign_the_subscription_that_is_meant(self):
        """E1: the customer is told, and the activity is done."""
        declaration = self.declare_and_process(contract_reference="my hosting")
        user = self.create_user(CANCELLATION_USER, login="staff")
        wizard = (
            self.env["subscription.cancellation.declaration.assign"]
            .with_user(self.create_user("sales_team.group_sale_salesman_all_leads"))
            .create(
                {
                    "declaration_id": declaration.id,
                    "subscription_id": self.subscription.id,
                }
            )
        )
        wizard.action_assign()
        self.assertEqual(declaration.state, "matched")
        self.assertEqual(declaration.cancellation_id.channel, "portal")
        self.assertFalse(declaration.activity_ids)
        with self.assertRaisesRegex(UserError, "does not wait"):
            declaration.with_user(user)._assign(self.subscription)

    def test_staff_mark_as_answered(self):
        """E1: for what was settled otherwise."""
        declaration = self.declare_and_process(contract_reference="NOSUCH")
        user = self.create_user(CANCELLATION_USER)
        declaration.with_user(user).action_answered()
        self.assertEqual(declaration.state, "answered")
        self.assertFalse(declaration.activity_ids)

    def test_staff_take_back_the_verdict_of_spam(self):
        """E1: it is acknowledged and processed after all."""
        declaration = self.declare(is_spam=True)
        self.process()
        self.assertEqual(declaration.state, "spam")
        self.assertFalse(self.get_mails(CUSTOMER))
        declaration.with_user(self.create_user(CANCELLATION_USER)).action_not_spam()
        self.process()
        self.assertEqual(declaration.state, "matched")
        self.assertTrue(self.get_mails(CUSTOMER))

    # === PROOF AND RIGHTS === #

    def test_what_was_declared_cannot_be_changed_or_deleted(self):
        """D4: it is proof, also against us."""
        declaration = self.declare()
        for name in ("customer_name", "desired_date", "received_at", "kind"):
            with self.assertRaisesRegex(UserError, "cannot be changed"):
                declaration.sudo().write({name: False})
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            declaration.sudo().unlink()

    def test_only_cancellation_users_see_declarations(self):
        """E2, E3: nobody else, and nobody writes."""
        declaration = self.declare_and_process(contract_reference="NOSUCH")
        public = self.env.ref("base.public_user")
        portal = self.create_user("base.group_portal", login="portal")
        internal = self.create_user("base.group_user", login="internal")
        for user in (public, portal, internal):
            theirs = declaration.with_user(user)
            with self.assertRaises(AccessError):
                theirs.read(["customer_name"])
            for verb in ("action_answered", "action_assign", "action_not_spam"):
                with self.assertRaises(AccessError):
                    getattr(theirs, verb)()
            with self.assertRaises(AccessError):
                theirs.create({"customer_name": "Eve"})
        user = self.create_user(CANCELLATION_USER, login="user")
        self.assertTrue(declaration.with_user(user).read(["customer_name"]))
        with self.assertRaises(AccessError):
            declaration.with_user(user).write({"state": "matched"})
        with self.assertRaises(AccessError):
            declaration.with_user(user).read(["objection_token"])

    # === OBJECTION === #

    def test_the_address_to_object_is_there_while_it_is_open(self):
        """E2: for cancellations that came from a declaration only."""
        cancellation = self.declare_and_process().cancellation_id
        token = cancellation.declaration_id.sudo().objection_token
        url = cancellation._get_objection_url()
        self.assertTrue(url.startswith("http"))
        whole = cancellation._show_links(url)
        self.assertTrue(whole.endswith(f"/cancel-contract/object/{token}"))
        self.assertNotIn(token, url)
        user = self.create_user(CANCELLATION_MANAGER)
        self.assertEqual(cancellation.with_user(user)._get_objection_url(), url)
        cancellation._revoke()
        self.assertFalse(cancellation._get_objection_url())
        self.cancel(self.subscription, timing="end_of_period")
        last = self.subscription.cancellation_ids.filtered("is_open")
        self.assertFalse(last._get_objection_url())

    def test_links_of_records_with_like_ids_are_not_mixed_up(self):
        """E2: one mail has the links of a subscription and of a declaration."""
        declarations = "subscription_cancellation_declaration_id_seq"
        self.env.cr.execute("SELECT nextval(%s)", [declarations])
        [[next_id]] = self.env.cr.fetchall()
        while self.subscription.id < next_id:
            self.subscription = self.create_subscription(partner_id=self.customer.id)
        for factor in (1, 10):
            subscription = self.create_subscription(partner_id=self.customer.id)
            subscription.code = f"SUBLIKE{factor}"
            self.bill(subscription, "2026-07-01")
            self.travel_to(DAY)
            # The same, and one that begins with the other.
            declaration_id = subscription.id * factor
            self.env.cr.execute(
                "SELECT setval(%s, %s, false)", [declarations, declaration_id]
            )
            declaration = self.declare_and_process(contract_reference=subscription.code)
            self.assertEqual(declaration.id, declaration_id)
            [mail] = self.get_mails(CUSTOMER).filtered(
                lambda mail, record=declaration.cancellation_id: (
                    (mail.model, mail.res_id) == (record._name, record.id)
                )
            )
            self.assertEqual(
                re.findall(r"(?:object/|access_token=)([^\s\"&<]+)", mail.body_html),
                [subscription.access_token, declaration.sudo().objection_token],
            )

    def test_the_address_to_object_is_known_when_it_is_scheduled(self):
        """E2: for a mail that goes out right then."""
        seen = []
        Cancellation = type(self.env["subscription.cancellation"])
        schedule = Cancellation._schedule

        def watch(records, *args, **values):
            seen.append(records._get_objection_url())
            return schedule(records, *args, **values)

        self.patch(Cancellation, "_schedule", watch)
        self.declare_and_process()
        self.assertTrue(seen[0])

    def test_an_objection_takes_the_cancellation_back(self):
        """E2: the contract goes on, and staff learn of it; twice is once."""
        declaration = self.declare_and_process()
        declaration._object()
        self.assertEqual(declaration.state, "objected")
        self.assertEqual(declaration.cancellation_id.state, "revoked")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.assertEqual(len(declaration.activity_ids), 1)
        declaration._object()
        self.assertEqual(len(declaration.activity_ids), 1)

    def test_an_objection_to_what_waits_for_a_person(self):
        """E2: the request is withdrawn."""
        self.policy.declaration_needs_person = True
        declaration = self.declare_and_process()
        declaration._object()
        self.assertEqual(declaration.cancellation_id.state, "revoked")

    def test_an_objection_after_the_end_is_left_to_a_person(self):
        """E2: nothing is undone by itself."""
        declaration = self.declare_and_process()
        self.travel_to("2026-08-02")
        declaration.cancellation_id._execute_or_fail()
        self.assertEqual(declaration.cancellation_id.state, "done")
        declaration._object()
        self.assertEqual(declaration.state, "objected")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertIn("is finished", unescape(declaration.activity_ids.note))

    def test_an_objection_on_the_last_day_is_left_to_a_person(self):
        """E2: service has ended, the scheduled action has not run yet."""
        declaration = self.declare_and_process()
        self.travel_to("2026-08-01 08:00:00")
        declaration._object()
        self.assertEqual(declaration.cancellation_id.state, "scheduled")
        self.assertIn("could not be revoked", unescape(declaration.activity_ids.note))

    # === MAILS === #

    def test_the_receipt_goes_out_at_once_in_the_language_of_the_page(self):
        """D7: content, date and time of receipt, and what comes next."""
        self.company.partner_id.tz = "Europe/Berlin"
        self.env["res.lang"]._activate_lang("de_DE")
        self.env["ir.module.module"]._load_module_terms(
            ["subscription_cancellation"], ["de_DE"]
        )
        declarations = self.env[MODEL].with_context(lang="de_DE")
        self.env = declarations.env
        self.declare(confirmation_email=STRANGER, contract_reference="<b>X</b>")
        mail = self.get_mails(STRANGER)
        self.assertEqual(len(mail), 1)
        self.assertIn("Eingangsbestätigung Ihrer Kündigung", mail.subject)
        body = str(mail.body_html)
        self.assertIn("10. Juli 2026", body)
        self.assertIn("14:00:00", body)
        self.assertIn("&lt;b&gt;X&lt;/b&gt;", body)
        self.assertIn("bestätig", body)
        self.assertIn("company.example", mail.email_from)

    def test_the_address_on_file_is_told_where_another_one_was_given(self):
        """E2: nobody ends the contract of somebody else unnoticed."""
        declaration = self.declare_and_process(confirmation_email=STRANGER)
        [receipt] = self.get_mails(STRANGER)
        self.assertNotIn("July 31", receipt.body_html)
        self.assertNotIn("/cancel-contract/object/", receipt.body_html)
        [told] = self.get_mails(CUSTOMER)
        self.assertIn("July 31, 2026", told.body_html)
        token = declaration.sudo().objection_token
        self.assertIn(f"/cancel-contract/object/{token}", told.body_html)
        for message in declaration.message_ids:
            self.assertNotIn(token, message.body)
        self.assertNotIn(STRANGER, told.body_html)

    def test_who_is_not_on_file_is_never_told_the_end(self):
        """E2: staff assigned it; the customer has no address."""
        self.customer.email = False
        declaration = self.declare_and_process(contract_email=STRANGER)
        declaration._assign(self.subscription)
        self.assertEqual(declaration.state, "matched")
        self.assertFalse(self.get_mails(STRANGER))

    def test_the_same_address_is_not_told_twice(self):
        """D7: the receipt, and the confirmation of the cancellation; no third mail."""
        self.declare_and_process()
        self.assertEqual(len(self.get_mails(CUSTOMER)), 2)

    def test_the_customer_is_told_where_the_policy_sends_no_confirmation(self):
        """E2, D7: the end date and the link are never kept from them."""
        self.policy.send_confirmation = False
        self.declare_and_process()
        self.assertEqual(len(self.get_mails(CUSTOMER)), 2)

    def test_ten_receipts_a_day_to_one_address(self):
        """E2: the page cannot be used to flood somebody; nothing is lost."""
        declarations = [self.declare(client=f"192.0.2.{n}") for n in range(12)]
        self.assertEqual(len(self.get_mails(CUSTOMER)), 10)
        mailed = [declaration.is_receipt_mailed for declaration in declarations]
        self.assertEqual(mailed, [True] * 10 + [False] * 2)
        self.travel_to("2026-07-11 12:00:01")
        self.declare()
        self.assertEqual(len(self.get_mails(CUSTOMER)), 11)

    def test_a_deleted_template_stops_nothing(self):
        """E2: the declaration counts without its mail."""
        self.env.ref(
            "subscription_cancellation.mail_template_declaration_receipt"
        ).sudo().unlink()
        self.assertEqual(self.declare_and_process().state, "matched")

    # === CLIENTS === #

    def test_addresses_of_clients_are_not_kept(self):
        """E2: only a hash, for as long as a limit looks back; IPv6 by network."""
        first = self.declare(client="2001:db8:1:2::1")
        second = self.declare(client="2001:db8:1:2:ffff::9")
        other = self.declare(client="2001:db8:1:3::1")
        hashes = [record.client_hash for record in (first, second, other)]
        self.assertEqual(hashes[0], hashes[1])
        self.assertNotEqual(hashes[0], hashes[2])
        self.assertNotIn("2001", hashes[0])
        self.travel_to("2026-07-12")
        self.env[MODEL].sudo()._gc_client_hashes()
        self.assertFalse(first.client_hash)


class PageCase(DeclarationCase):
    """The page itself, as a browser sees it. To be mixed with ``HttpCase``."""

    other = None

    # === HELPERS === #

    def get(self, path="/cancel-contract", **kwargs):
        return self.url_open(path, **kwargs)

    def entries(self, page=None, **values):
        """Return what a visitor sends, with the hidden fields of the page."""
        page = page or self.get()
        hidden = dict(
            re.findall(r'name="(csrf_token|nonce)" value="([^"]*)"', page.text)
        )
        return {
            **hidden,
            "kind": "ordinary",
            "customer_name": "Ann Azure",
            "contract_reference": self.subscription.name,
            "contract_email": CUSTOMER,
            "end": "earliest",
            "confirmation_email": CUSTOMER,
            **values,
        }

    def send(self, path="/cancel-contract", **values):
        """Fill in the page and click the button."""
        entries = self.entries(self.get(path), **values)
        return self.url_open(path, data=entries)

    def declarations(self):
        """Return what was declared in this test."""
        company = self.subscription.company_id
        known = company | self.other if self.other else company
        return self.env[MODEL].sudo().search([("company_id", "in", known.ids)])

    def assertReceipt(self, response):
        self.assertEqual(response.status_code, 200)
        self.assertIn("/cancel-contract/receipt/", response.url)

    def assertRefused(self, response, text, status=422):
        self.assertEqual(response.status_code, status)
        self.assertIn(text, unescape(response.text))
        self.assertFalse(self.declarations())

    def text_of(self, response):
        """Return the page without what differs from one declaration to the next."""
        text = re.sub(r"[0-9a-f]{40,}o?\d*", "TOKEN", response.text)
        text = re.sub(r"CD-\d+-\d+", "NUMBER", text)
        return re.sub(r"\d+:\d\d:\d\d", "TIME", text)


@tagged("post_install", "-at_install")
class TestPage(PageCase, HttpCase):
    """One page, a receipt, and an objection."""

    # === THE WAY THROUGH === #

    def test_one_page_and_a_receipt(self):
        """E2: no login, the button on the page, and a receipt to keep."""
        page = self.get()
        self.assertEqual(page.status_code, 200)
        self.assertIn("Cancel contracts here", page.text)
        self.assertIn("Cancel now", page.text)
        receipt = self.send()
        self.assertReceipt(receipt)
        declaration = self.declarations()
        self.assertEqual(declaration.state, "received")
        number = as_reference(declaration.name)
        for text in (number, "Ann Azure", CUSTOMER, "earliest possible"):
            self.assertIn(text, receipt.text)
        self.assertIn("no-store", receipt.headers["Cache-Control"])
        self.assertEqual(receipt.headers["Referrer-Policy"], "no-referrer")
        kept = self.get(f"{receipt.url}/text")
        self.assertIn("attachment", kept.headers["Content-Disposition"])
        self.assertIn(number, kept.text)
        self.assertIn("Ann Azure", kept.text)
        self.assertTrue(self.get_mails(CUSTOMER))

    def test_a_date_beside_another_choice_is_asked_back(self):
        """E2: nothing that was entered is left out silently; both are seen again."""
        answer = self.send(end="earliest", desired_date="2030-12-31")
        self.assertRefused(
            answer, "You entered a date, and chose the earliest possible"
        )
        self.assertIn('value="2030-12-31"', answer.text)
        self.assertNotIn("o_date_only", answer.text)
        none = self.send(end="", desired_date="2030-12-31")
        self.assertRefused(none, "Choose when the contract is to end")
        self.assertReceipt(self.send(end="date", desired_date="2030-12-31"))
        self.assertIn("o_date_only", self.get().text)

    def test_the_receipt_says_nothing_of_what_became_of_it(self):
        """E2: whoever declared it does not learn by coming back, either."""
        first = self.send()
        text = self.text_of(first)
        self.process()
        self.assertEqual(self.declarations().state, "matched")
        self.assertEqual(self.text_of(self.get(first.url)), text)

    def test_the_answer_is_the_same_whether_there_is_a_contract_or_not(self):
        """E2: byte by byte, but for number, time and what was entered."""
        values = {"contract_reference": "X" * len(self.subscription.name)}
        known = self.text_of(self.send())
        unknown = self.text_of(self.send(**values))
        known = known.replace(self.subscription.name, values["contract_reference"])
        self.assertEqual(known, unknown)

    def test_the_answer_takes_the_same_queries_with_or_without_a_contract(self):
        """E2: so that nothing is told by how long it takes."""
        counts = []
        known = {"contract_reference": self.subscription.name}
        unknown = {"contract_reference": "NOSUCH", "contract_email": STRANGER}
        # The first ones fill the caches.
        for number, values in enumerate((known, unknown, known, unknown)):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.declare(confirmation_email=f"x{number}@y.example", **values)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[2], counts[3])

    def test_two_clicks_are_one_declaration(self):
        """E2: and the way back with a correction is another one."""
        entries = self.entries()
        first = self.url_open("/cancel-contract", data=entries)
        second = self.url_open("/cancel-contract", data=entries)
        self.assertEqual(first.url, second.url)
        self.assertEqual(len(self.declarations()), 1)
        entries["contract_reference"] = "CORRECTED"
        third = self.url_open("/cancel-contract", data=entries)
        self.assertNotEqual(third.url, first.url)
        self.assertEqual(len(self.declarations()), 2)

    def test_an_expired_page_keeps_what_was_entered(self):
        """E2: one sentence, and it can be sent again as it is."""
        for token in ("", "expired", "ÄÖÜ", "0o1", "ao" + "9" * 5000):
            entries = self.entries(csrf_token=token)
            response = self.url_open("/cancel-contract", data=entries)
            self.assertRefused(response, "This page had expired")
            self.assertIn('value="Ann Azure"', response.text)
        again = self.url_open("/cancel-contract", data=self.entries(response))
        self.assertReceipt(again)

    # === WHAT IS ENTERED === #

    def test_every_entry_has_its_limit_and_its_sentence(self):
        """E2: with a sentence each, and the entries are kept."""
        table = [
            ({"customer_name": ""}, "Enter your name."),
            ({"customer_name": "   \x00"}, "Enter your name."),
            ({"contract_reference": ""}, "Enter the number"),
            ({"contract_email": ""}, "Enter an e-mail address"),
            ({"contract_email": "nobody"}, "“nobody” is not an e-mail address"),
            ({"confirmation_email": "a@b.example, c@d.example"}, "is not an e-mail"),
            ({"confirmation_email": "a@b.example\r\nBcc: c@d.example"}, "is not an"),
            ({"confirmation_email": "Eve <eve@b.example>"}, "is not an e-mail"),
            ({"kind": "nonsense"}, "Choose the kind"),
            ({"kind": "extraordinary"}, "Give the reason"),
            ({"end": "never"}, "Choose when the contract"),
            ({"end": "date"}, "Enter the date on which"),
            ({"end": "date", "desired_date": "tomorrow"}, "is not a date"),
            ({"end": "date", "desired_date": "2026-02-30"}, "is not a date"),
            ({"end": "date", "desired_date": "0001-01-01"}, "lies in the future"),
            ({"end": "date", "desired_date": "9999-12-31"}, "lies in the future"),
            ({"end": "date", "desired_date": "99999-12-31"}, "is not a date"),
            ({"end": "date", "desired_date": "2" * 41}, "up to 40 characters"),
            ({"customer_name": "x" * 121}, "up to 120 characters; yours has 121"),
            ({"contract_reference": "x" * 201}, "up to 200 characters"),
            ({"contract_email": "x" * 243 + "@azure.example"}, "up to 254 characters"),
            ({"confirmation_email": "x" * 300}, "up to 254 characters"),
            (
                {"kind": "extraordinary", "extraordinary_reason": "x" * 2001},
                "up to 2000 characters",
            ),
        ]
        page = self.get()
        for values, sentence in table:
            with self.subTest(values=str(values)[:60]):
                response = self.url_open(
                    "/cancel-contract", data=self.entries(page, **values)
                )
                self.assertRefused(response, sentence)
                self.assertIn('role="alert"', response.text)

    def test_entries_at_their_limit_are_taken(self):
        """E2: and line breaks of the reason are kept."""
        reason = ("x" * 998 + "\r\n") * 2
        self.assertReceipt(
            self.send(
                kind="extraordinary",
                extraordinary_reason=reason,
                customer_name="x" * 120,
                contract_reference="y" * 200,
                end="date",
                desired_date="2199-12-31",
            )
        )
        declaration = self.declarations()
        self.assertEqual(len(declaration.extraordinary_reason.splitlines()), 2)
        self.assertEqual(str(declaration.desired_date), "2199-12-31")

    def test_html_is_text(self):
        """E2: on the receipt, and on the page where something is wrong."""
        evil = "<script>alert(1)</script>"
        receipt = self.send(customer_name=evil, contract_reference="a\x00b\x1bc")
        self.assertReceipt(receipt)
        self.assertNotIn(evil, receipt.text)
        self.assertIn("&lt;script&gt;", receipt.text)
        self.assertEqual(self.declarations().contract_reference, "abc")
        refused = self.send(customer_name=evil, contract_email='"><script>')
        self.assertEqual(refused.status_code, 422)
        self.assertNotIn(evil, refused.text)

    def test_strange_requests_are_answered(self):
        """E2: whatever is sent, never a server error."""
        entries = self.entries()
        uploads = {"customer_name": ("name.txt", b"Ann")}
        del entries["customer_name"]
        response = self.url_open("/cancel-contract", data=entries, files=uploads)
        self.assertRefused(response, "Enter your name.")
        for values in ({"company_id": "999999"}, {"nonce": "x"}, {"token": "y"}):
            self.assertReceipt(self.send(**values))
        self.assertReceipt(self.send(nonce="x" * 30))
        json = self.url_open("/cancel-contract", json={"a": 1})
        self.assertLess(json.status_code, 500)

    def test_what_no_page_of_ours_holds_is_refused(self):
        """E2: a damaged key, or a file in the place of one; the entries are kept."""
        for name in ("csrf_token", "nonce"):
            with self.subTest(name=name):
                refused = self.send(**{name: "ü" * 30})
                self.assertRefused(refused, "This page had expired")
                entries = self.entries()
                del entries[name]
                refused = self.url_open(
                    "/cancel-contract", data=entries, files={name: ("a", b"x")}
                )
                self.assertRefused(refused, "This page had expired")
                self.assertIn('value="Ann Azure"', refused.text)
        self.assertReceipt(
            self.url_open("/cancel-contract", data=self.entries(refused))
        )

    def test_a_file_in_the_place_of_any_entry(self):
        """E2: never a server error."""
        for name in (*self.entries(), "company_id", "company_homepage"):
            entries = self.entries()
            entries.pop(name, None)
            with self.subTest(name=name):
                answer = self.url_open(
                    "/cancel-contract", data=entries, files={name: ("a", b"x")}
                )
                self.assertLess(answer.status_code, 500)

    # === ABUSE === #

    def test_programs_that_fill_in_everything_get_a_receipt_and_nothing_else(self):
        """E2: no mail, no matching; kept, so that nothing is lost."""
        receipt = self.send(company_homepage="http://spam.example")
        self.assertReceipt(receipt)
        honest = self.text_of(self.send())
        self.assertEqual(self.text_of(receipt), honest)
        spam = self.declarations()[-1]
        self.assertEqual(spam.state, "spam")
        self.assertEqual(len(self.get_mails(CUSTOMER)), 1)
        self.process()
        self.assertEqual(spam.state, "spam")

    # === SWITCH AND COMPANIES === #

    def test_switched_off_there_is_no_page(self):
        """E2: and no link to it; receipts and objections stay."""
        receipt = self.send()
        self.assertIn('href="/cancel-contract"', receipt.text)
        self.company.cancellation_page_enabled = False
        self.assertEqual(self.get().status_code, 404)
        posted = self.url_open("/cancel-contract", data={"kind": "ordinary"})
        self.assertEqual(posted.status_code, 404)
        kept = self.get(receipt.url)
        self.assertEqual(kept.status_code, 200)
        self.assertNotIn('href="/cancel-contract"', kept.text)

    def test_every_company_has_its_page(self):
        """E2: with its own switch; numbers that are none are not found."""
        self.other = other = self.setup_other_company()["company"]
        path = other._get_cancellation_page_path()
        self.assertEqual(path, f"/cancel-contract/{other.id}")
        self.assertReceipt(self.send(path))
        self.assertEqual(self.declarations().company_id, other)
        other.cancellation_page_enabled = False
        self.assertEqual(self.get(path).status_code, 404)
        for number in (0, 999999, 2**31, 10**30):
            page = self.get(f"/cancel-contract/{number}")
            self.assertEqual(page.status_code, 404)
        settings = self.env["res.config.settings"].create({})
        self.assertTrue(settings.cancellation_page_url.endswith("/cancel-contract"))

    # === OBJECTION === #

    def test_looking_at_the_objection_does_nothing(self):
        """E2: mail programs open links to scan them; the button acts."""
        declaration = self.declare_and_process()
        path = f"/cancel-contract/object/{declaration.sudo().objection_token}"
        page = self.get(path)
        self.assertIn(self.subscription.name, page.text)
        self.assertIn("Object: keep the contract", page.text)
        self.assertEqual(declaration.state, "matched")
        done = self.url_open(path, data={"x": "1"})
        self.env.invalidate_all()
        self.assertEqual(declaration.state, "objected")
        self.assertEqual(declaration.cancellation_id.state, "revoked")
        self.assertIn("We have received your objection", done.text)
        self.assertIn("goes on", done.text)
        again = self.url_open(path, data={"x": "1"})
        self.assertEqual(again.status_code, 200)
        self.assertEqual(len(declaration.activity_ids), 1)

    def test_who_objects_by_link_gets_a_mail_about_it(self):
        """D7, E2: also where the policy tells nobody of revocations."""
        self.policy.confirm_revoked = False
        declaration = self.declare_and_process()
        path = f"/cancel-contract/object/{declaration.sudo().objection_token}"
        told = self.get_mails(CUSTOMER)
        self.url_open(path, data={"x": "1"})
        self.env.invalidate_all()
        self.assertEqual(declaration.cancellation_id.state, "revoked")
        mail = self.get_mails(CUSTOMER) - told
        self.assertEqual(len(mail), 1, mail.mapped("subject"))
        self.assertIn("your cancellation is revoked", mail.subject)
        self.assertIn("Service goes on", mail.body_html)
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertTrue(declaration.cancellation_id.told_date)
        self.url_open(path, data={"x": "1"})
        self.assertEqual(self.get_mails(CUSTOMER) - told, mail)

    def test_who_objects_is_told_once(self):
        """D7: where the policy tells of every revocation, not twice."""
        self.policy.confirm_revoked = True
        declaration = self.declare_and_process()
        told = self.get_mails(CUSTOMER)
        declaration._object()
        self.assertEqual(len(self.get_mails(CUSTOMER) - told), 1)

    def test_who_objects_in_vain_is_not_told_that_it_goes_on(self):
        """D7: what has ended is left to a person."""
        declaration = self.declare_and_process()
        self.travel_to("2026-08-05")
        declaration.cancellation_id._execute_batch()
        told = self.get_mails(CUSTOMER)
        declaration._object()
        self.assertEqual(declaration.state, "objected")
        self.assertFalse(self.get_mails(CUSTOMER) - told)

    def test_a_former_customer_does_not_object_by_link(self):
        """B4: another customer has the contract now; the next one gets a link anew."""
        declaration = self.declare_and_process()
        old = f"/cancel-contract/object/{declaration.sudo().objection_token}"
        self.subscription.partner_id = self.create_customer(name="Next")
        for answer in (self.get(old), self.url_open(old, data={"x": "1"})):
            self.assertEqual(answer.status_code, 404)
            self.assertNotIn(self.subscription.name, answer.text)
        self.env.invalidate_all()
        self.assertEqual(declaration.state, "matched")
        self.assertTrue(declaration.cancellation_id.is_open)
        new = f"/cancel-contract/object/{declaration.sudo().objection_token}"
        self.url_open(new, data={"x": "1"})
        self.env.invalidate_all()
        self.assertEqual(declaration.state, "objected")

    def test_employees_do_not_object_by_link(self):
        """B4: they revoke in the back office, where their own rights count."""
        declaration = self.declare_and_process()
        path = f"/cancel-contract/object/{declaration.sudo().objection_token}"
        self.create_user(CANCELLATION_USER, login="user")
        self.authenticate("user", "user")
        for answer in (self.get(path), self.url_open(path, data={"x": "1"})):
            self.assertIn("logged in as an employee", answer.text)
            self.assertNotIn("<button", answer.text.partition("<main")[2])
        self.env.invalidate_all()
        self.assertEqual(declaration.state, "matched")

    def test_a_wrong_address_of_a_receipt_or_objection_is_not_found(self):
        """E2: without any hint."""
        declaration = self.declare_and_process()
        for path in (
            f"object/{declaration.sudo().access_token}",
            f"receipt/{declaration.sudo().objection_token}",
            "object/x",
            "receipt/%00",
            "receipt/%C3%A4",
            "receipt/x/text",
        ):
            page = self.get(f"/cancel-contract/{path}")
            self.assertEqual(page.status_code, 404, path)
            self.assertNotIn(self.subscription.name, page.text)

    # === LANGUAGE === #

    def test_the_page_speaks_the_language_of_the_visitor(self):
        """E2: with the words that German and French law want."""
        for lang in ("de_DE", "fr_FR"):
            self.env["res.lang"]._activate_lang(lang)
        self.env["ir.module.module"]._load_module_terms(
            ["subscription_cancellation"], ["de_DE", "fr_FR"]
        )
        table = [
            ("de-DE", "Verträge hier kündigen", "jetzt kündigen"),
            ("fr-FR", "résilier votre contrat", "notifier la résiliation"),
            ("en-US", "Cancel contracts here", "Cancel now"),
        ]
        for accepted, title, button in table:
            self.opener.cookies.clear()
            self.opener.headers["Accept-Language"] = accepted
            page = self.get()
            self.assertRegex(page.text, rf"<h1[^>]*>\s*{title}")
            self.assertRegex(page.text, rf"<button[^>]*>\s*{button}\s*</button>")
            receipt = self.url_open(page.url, data=self.entries(page))
            self.assertReceipt(receipt)
        languages = set(self.declarations().mapped("lang"))
        self.assertEqual(languages, {"de_DE", "fr_FR", "en_US"})

    # === API === #

    def test_the_api_gives_nothing_to_customers(self):
        """E3: JSON-2 with the key of a portal user."""
        self.declare()
        user = new_test_user(self.env, login="ann", groups="base.group_portal")
        key = (
            self.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate("rpc", "test", None)
        )
        response = self.url_open(
            f"/json/2/{MODEL}/search_read",
            json={"domain": []},
            headers={"Authorization": f"Bearer {key}"},
        )
        self.assertEqual(response.status_code, 403)
