# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The printed summary, the settings, and proof that nobody can forge (D4, E1)."""

from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from .common import (
    CANCELLATION_MANAGER,
    CANCELLATION_USER,
    INVOICING,
    SALESPERSON,
    CancellationCase,
)

REPORT = "subscription_cancellation.cancellation_summary"
ACCOUNTANT = "account.group_account_readonly"
#: Who may do everything that groups allow.
ADMIN = (
    "base.group_system",
    "sales_team.group_sale_manager",
    "account.group_account_manager",
)
ALL_OF_JULY = [{"name": "Hosting"}]
WITH_ADDON = [{"name": "Hosting"}, {"name": "Storage", "addon_of": "Hosting"}]


def get_text(element):
    """Return the visible text of an element, with single spaces."""
    return " ".join(element.text_content().split())


@tagged("post_install", "-at_install")
class TestSummary(CancellationCase):
    """The printable summary of a cancellation."""

    def setUp(self):
        super().setUp()
        self.user = self.create_user(SALESPERSON, login="rosa", name="Rosa")

    def create_billed(self, lines=ALL_OF_JULY, post=True, **values):
        """Return a subscription that is billed for July, on 10 July."""
        subscription = self.create_subscription(lines, **values)
        self.bill(subscription, post=post)
        self.travel_to("2026-07-10")
        return subscription

    def request(self, subscription, **options):
        """Request a cancellation as an ordinary user and return it."""
        self.cancel(subscription.with_user(self.user), **options)
        return subscription.cancellation_ids[:1]

    def render(self, cancellations, user=None):
        """Return the summary as a tree of HTML elements."""
        reports = self.env["ir.actions.report"].with_user(user or self.user)
        content, _kind = reports._render_qweb_html(REPORT, cancellations.ids)
        return html.fromstring(content)

    def read(self, page, name):
        """Return the text of the part with that name, ``None`` if it is not there."""
        elements = page.xpath(f"//*[@name='{name}']")
        return " | ".join(map(get_text, elements)) if elements else None

    def assert_read(self, page, expected):
        """Check the text of parts of the page, by name."""
        self.assertEqual({name: self.read(page, name) for name in expected}, expected)

    # === CONTENT === #

    def test_summary_says_who_when_how_and_why(self):
        """D4: requested, done, by whom, channel, timing, reason, comment, dates."""
        cancellation = self.request(
            self.create_billed(code="SUB00042"),
            reason_code="too_expensive",
            comment="Found a cheaper one",
        )
        page = self.render(cancellation)
        self.assertIn(f"Cancellation {cancellation._get_reference()}", get_text(page))
        self.assert_read(
            page,
            {
                "state": "Done",
                "outcome": "Service ended. Credit: $ 21.00.",
                "customer": "Customer Azure Interior",
                "subscription": "Subscription SUB00042 Every 1 months, draft",
                "scope": "What The whole subscription",
                "request_date": "Requested July 10, 2026 12:00 AM (UTC)",
                "requested_by": "Requested by Rosa",
                "channel": "Channel API",
                "timing": "When Immediately",
                "last_service_date": "Ends on July 10, 2026",
                "executed_date": "Done July 10, 2026 12:00 AM (UTC)",
                "refund_mode": "Refund mode Issue Credit Memo (prorated)",
                "reason": "Reason Too expensive",
                "comment": "Comment Found a cheaper one",
            },
        )

    def test_summary_shows_what_was_credited_line_by_line(self):
        """D4: $31 + 20 % for July, 21 of 31 days unused, on which invoice."""
        tax = self.create_tax(20.0)
        subscription = self.create_billed([{"name": "Hosting", "taxes": tax}])
        invoice = subscription.invoice_ids
        cancellation = self.request(subscription)
        memo = cancellation.credit_note_ids
        self.assert_read(
            self.render(cancellation),
            {
                "line": f"Hosting {invoice.name} Jul 1, 2026 – Jul 31, 2026 21 of 31 "
                "$ 21.00 $ 4.20 $ 25.20",
                "total": "Total $ 21.00 $ 4.20 $ 25.20",
                "step": f"Reduces invoice {invoice.name} $ 25.20 | "
                f"Invoice {invoice.name}: stays due $ 12.00",
                "credit_memo": f"Credit memo {memo.name} {invoice.name} Jul 10, 2026 "
                "Posted $ 25.20",
            },
        )

    def test_summary_tells_what_can_be_refunded(self):
        """D4, C5: on a paid invoice the whole credit."""
        subscription = self.create_billed()
        self.pay(subscription.invoice_ids)
        page = self.render(self.request(subscription))
        self.assert_read(page, {"step": "Kept as credit on your account $ 21.00"})

    def test_summary_tells_no_errors(self):
        """C8: the customer reads that the invoice stays due, not why."""
        subscription = self.create_billed()
        invoice = subscription.invoice_ids
        self.create_token(invoice.partner_id, state="error")
        cancellation = self.request(
            subscription, refund_mode="none", unpaid_invoices="collect"
        )
        told = f"Invoice {invoice.name}: to be charged to Demo 4242 $ 31.00"
        self.assert_read(self.render(cancellation), {"step": told})
        cancellation._run_steps()
        self.assertEqual(cancellation.settlement_state, "failed")
        told = f"Invoice {invoice.name}: stays due $ 31.00"
        self.assert_read(self.render(cancellation), {"step": told})

    def test_summary_names_lines_and_marks_addons(self):
        """D4, A6: which lines end, and of what they are an add-on."""
        subscription = self.create_billed([*WITH_ADDON, {"name": "Mail"}])
        line = self.get_line(subscription, "Hosting")
        page = self.render(self.request(subscription, line_ids=line.ids))
        self.assert_read(page, {"scope": "What Hosting Storage (add-on of Hosting)"})
        self.assertNotIn("Mail", get_text(page))

    def test_summary_of_a_scheduled_one_promises_no_amount(self):
        """D4, B8: the credit is computed on that day; what is expected is below."""
        cancellation = self.request(
            self.create_billed(WITH_ADDON), timing="end_of_period"
        )
        self.assert_read(
            self.render(cancellation),
            {
                "state": "Scheduled",
                "outcome": "Service goes on until July 31, 2026.",
                "last_service_date": "Ends on July 31, 2026",
                "executed_date": None,
                "lines": "Line Hosting Storage (add-on of Hosting)",
                "total": None,
                "credit_memos": None,
            },
        )

    def test_summary_of_a_scheduled_one_without_refund_says_so(self):
        """D4, A3: nothing will be credited."""
        cancellation = self.request(
            self.create_billed(), timing="end_of_period", refund_mode="none"
        )
        expected = self.read(self.render(cancellation), "expected")
        self.assertEqual(expected.count("Nothing will be credited."), 1)

    def test_summary_without_credit_says_so(self):
        """D4, A3: service ended, no document."""
        page = self.render(self.request(self.create_billed(), refund_mode="none"))
        self.assert_read(
            page,
            {
                "state": "Done",
                "outcome": "Service ended. Nothing was credited.",
                "lines": "Line Hosting",
                "credit_memos": None,
            },
        )

    def test_summary_calls_an_extraordinary_cancellation_so(self):
        """D4, B4: in words, for the customer."""
        self.get_default_policy().notice_period = 1
        cancellation = self.request(
            self.create_billed(), timing="specific_date", requested_date="2026-07-20"
        )
        self.assertEqual(
            self.read(self.render(cancellation), "timing"),
            "When On a specific date Extraordinary cancellation: notice periods and "
            "terms are ignored.",
        )

    def test_summary_of_a_revoked_one_says_that_nothing_ended(self):
        """D4, B12: it is no confirmation of an end."""
        cancellation = self.request(self.create_billed(), timing="end_of_period")
        cancellation.subscription_id.revoke_cancellation()
        self.assert_read(
            self.render(cancellation),
            {
                "state": "Revoked",
                "outcome": "This cancellation has no effect. It ended no "
                "service and credited nothing.",
                "last_service_date": "Service was to end on July 31, 2026",
            },
        )

    def test_summary_of_a_request_says_whether_it_was_approved(self):
        """D4: as long as nobody decided, and once it is refused, nothing ends."""
        self.get_default_policy().approval_always = True
        cancellation = self.request(self.create_billed())
        self.assert_read(
            self.render(cancellation),
            {
                "state": "To Approve",
                "outcome": "Waits for approval. Nothing ends and nothing is credited "
                "before.",
                "last_service_date": "Desired end July 10, 2026",
            },
        )
        cancellation._refuse("The contract runs until May.")
        self.assert_read(
            self.render(cancellation),
            {
                "state": "Refused",
                "outcome": "This cancellation has no effect. It ended no service and "
                "credited nothing.",
                "last_service_date": "Service was to end on July 10, 2026",
            },
        )

    def test_summary_of_a_failed_one_says_why(self):
        """D4: and that nothing is credited."""
        cancellation = self.request(self.create_billed(), timing="end_of_period")
        cancellation._fail("The journal is archived.")
        self.assert_read(
            self.render(cancellation),
            {
                "state": "Failed",
                "outcome": "Could not be carried out yet, so nothing is "
                "credited: The journal is archived.",
            },
        )

    def test_summary_says_who_approved_and_what_was_taken_back(self):
        """D4, B15: the decision, and the invoice that takes the credit back."""
        self.get_default_policy().write(
            {"approval_always": True, "allow_own_approval": True}
        )
        subscription = self.create_billed()
        cancellation = self.request(subscription)
        cancellation._approve("As agreed")
        subscription.reactivate_subscription()
        page = self.render(cancellation)
        self.assertIn(
            "every cancellation needs approval", self.read(page, "approval_reason")
        )
        self.assertIn("As agreed", self.read(page, "decision"))
        self.assertIn("Taken back: service goes on.", self.read(page, "outcome"))
        [memo] = cancellation.credit_note_ids
        self.assertIn(f"Takes back {memo.name}", get_text(page))

    def test_summary_lists_a_credit_memo_that_waits_for_review(self):
        """D4, C12: a draft has no number and says that it is one."""
        self.get_default_policy().post_credit_memos = False
        subscription = self.create_billed()
        invoice = subscription.invoice_ids
        page = self.render(self.request(subscription))
        self.assert_read(
            page,
            {
                "credit_memo": "Credit memo (no number yet) "
                f"{invoice.name} Jul 10, 2026 Draft $ 21.00"
            },
        )

    # === LANGUAGE AND TIME === #

    def test_summary_is_in_the_customers_language(self):
        """D4: not in that of whoever prints it."""
        self.env["res.lang"]._activate_lang("fr_FR")
        customer = self.create_customer(lang="fr_FR")
        page = self.render(self.request(self.create_billed(partner_id=customer.id)))
        self.assertIn("10 juillet 2026", self.read(page, "last_service_date"))
        self.assertIn("21,00", self.read(page, "total"))

    def test_summary_for_a_customer_without_a_language_is_in_the_users(self):
        """D4: rather than in English."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.user.lang = "fr_FR"
        customer = self.create_customer(lang=False)
        cancellation = self.request(self.create_billed(partner_id=customer.id))
        reports = self.env["ir.actions.report"].with_user(self.user)
        reports = reports.with_context(lang="fr_FR")
        content, _kind = reports._render_qweb_html(REPORT, cancellation.ids)
        self.assertIn("10 juillet 2026", content.decode())

    def test_summary_gives_moments_where_the_customer_is(self):
        """D4: two in the morning in UTC is ten in the evening before in New York."""
        customer = self.create_customer(tz="America/New_York")
        subscription = self.create_billed(partner_id=customer.id)
        self.travel_to("2026-07-10 02:00:00")
        self.assert_read(
            self.render(self.request(subscription)),
            {
                "request_date": "Requested July 9, 2026 10:00 PM (America/New_York)",
                "last_service_date": "Ends on July 9, 2026",
            },
        )

    # === DOORS === #

    def test_summary_is_in_the_print_menu(self):
        """D4, E1: of the list and the form, under the cancellation's name."""
        bindings = self.env["ir.actions.actions"].get_bindings(
            "subscription.cancellation"
        )
        [action] = bindings["report"]
        self.assertEqual(action["name"], "Cancellation Summary")
        report = self.env["ir.actions.report"].browse(action["id"])
        cancellation = self.request(self.create_billed())
        self.assertRegex(
            safe_eval(report.print_report_name, {"object": cancellation}),
            r"^Cancellation CAN-2026-\d{5}$",
        )

    def test_many_summaries_are_one_document_each(self):
        """D4, E1: printed from the list."""
        first = self.request(self.create_billed())
        second = self.request(self.create_billed())
        articles = self.render(first | second).xpath(
            "//div[contains(@class, 'article')]/@data-oe-id"
        )
        self.assertEqual(articles, [str(first.id), str(second.id)])

    def test_whoever_may_read_a_cancellation_may_print_it(self):
        """D4: no rights on subscriptions, invoices or users are needed."""
        subscription = self.create_billed(WITH_ADDON)
        subscription.invoice_ids.invoice_user_id = self.env.user
        cancellation = self.request(subscription, reason_code="too_expensive")
        expected = get_text(self.render(cancellation))
        for group in (SALESPERSON, CANCELLATION_USER, INVOICING, ACCOUNTANT):
            user = self.create_user("base.group_user", group, login=group)
            with self.subTest(group=group):
                self.env.invalidate_all()
                page = self.render(cancellation, user)
                self.assertEqual(get_text(page), expected)

    def test_whoever_may_not_read_a_cancellation_cannot_print_it(self):
        """D4: an employee without rights, and a user of another company."""
        cancellation = self.request(self.create_billed())
        other = self.env["res.company"].create({"name": "Other"})
        strangers = (
            self.create_user("base.group_user", login="employee"),
            self.create_user(SALESPERSON, login="abroad", company_id=other.id),
        )
        for user in strangers:
            self.env.invalidate_all()
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.render(cancellation, user)


@tagged("post_install", "-at_install")
class TestSettings(CancellationCase):
    """The page in Odoo's settings."""

    def open_settings(self, user=None):
        """Return the settings form, as somebody opens it."""
        return Form(self.env["res.config.settings"].with_user(user or self.env.user))

    def test_settings_show_what_applies_by_default(self):
        """D1, E1: the name of the policy and its example."""
        policy = self.get_default_policy()
        policy.write({"name": "House rules", "refund_mode": "none"})
        settings = self.open_settings(self.create_user(*ADMIN))
        self.assertEqual(settings.cancellation_policy_name, "House rules")
        self.assertEqual(settings.cancellation_policy_example, policy.example)

    def test_settings_skip_what_is_not_the_default(self):
        """D1: a policy with a condition, or for another channel."""
        policy = self.get_default_policy()
        policy.copy(
            {
                "name": "Old customers",
                "sequence": 1,
                "subscription_domain": "[('date_start', '<', '2020-01-01')]",
            }
        )
        policy.copy({"name": "Portal", "sequence": 2, "channel": "portal"})
        settings = self.open_settings(self.create_user(*ADMIN))
        self.assertEqual(settings.cancellation_policy_name, policy.name)

    def test_settings_are_those_of_the_company(self):
        """D1: each has its own policies."""
        other = self.env["res.company"].create({"name": "Other"})
        policies = self.env["subscription.cancellation.policy"]
        policies._search_channel(other, "backend").name = "Theirs"
        user = self.create_user(*ADMIN, company_id=other.id)
        settings = self.open_settings(user)
        self.assertEqual(settings.cancellation_policy_name, "Theirs")

    def test_settings_without_a_policy_show_the_built_in_default(self):
        """D1: which applies then."""
        self.get_default_policy().active = False
        settings = self.open_settings(self.create_user(*ADMIN))
        self.assertTrue(settings.cancellation_policy_name)
        example = settings.cancellation_policy_example.replace("\xa0", "")
        self.assertIn("$21.00", example)

    def test_settings_are_for_cancellation_managers(self):
        """D1, E1: other administrators can open the page, without the block."""
        stranger = self.create_user("base.group_system", login="administrator")
        manager = self.create_user(
            "base.group_system", CANCELLATION_MANAGER, login="manager"
        )
        for user, is_shown in ((stranger, False), (manager, True)):
            with self.subTest(user=user.login):
                settings = self.env["res.config.settings"].with_user(user)
                arch = settings.get_view(view_type="form")["arch"]
                self.assertEqual("subscription_cancellation" in arch, is_shown)
                self.open_settings(user).save()

    def test_settings_are_in_the_configuration_menu(self):
        """E1: for administrators; nobody else may open them."""
        menu = self.env.ref("subscription_cancellation.res_config_settings_menu")
        parent = self.env.ref("subscription_oca.sale_subscription_configuration_menu")
        self.assertEqual(menu.parent_id, parent)
        self.assertEqual(menu.group_ids, self.env.ref("base.group_system"))


@tagged("post_install", "-at_install")
class TestProof(CancellationCase):
    """What a client of the remote interfaces cannot do, whatever its rights."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(ALL_OF_JULY)
        self.bill(self.subscription)
        self.cancel(self.subscription, "2026-07-10")
        self.cancellation = self.subscription.cancellation_ids
        self.memo = self.cancellation.credit_note_ids
        self.admin = self.create_user(*ADMIN, login="administrator")
        self.clerk = self.create_user("base.group_user", INVOICING, login="clerk")
        self.env.invalidate_all()

    def call(self, user, records, method, *args, **kwargs):
        """Call a method the way the web client, XML-RPC and JSON-2 do."""
        model = self.env[records._name].with_user(user)
        ids = [records.ids] if records else []
        return call_kw(model, method, [*ids, *args], kwargs)

    def import_rows(self, user, model, columns, row):
        """Import one row; return the messages."""
        result = self.call(user, self.env[model], "load", columns, [row])
        return [message["message"] for message in result["messages"]]

    def read_facts(self, record):
        """Return everything that is stored of a record but its chatter."""
        self.env.invalidate_all()
        names = [
            name
            for name, field in record._fields.items()
            if field.store and field.column_type
        ]
        return record.sudo().read(names)

    # === THE RECORD === #

    def test_an_administrator_cannot_write_a_done_cancellation(self):
        """D4: neither it nor what it credited, by write."""
        for record, values in (
            (self.cancellation, {"comment": "Else"}),
            (self.cancellation, {"state": "scheduled"}),
            (self.cancellation, {"line_ids": [(5, 0, 0)]}),
            (self.cancellation.line_ids, {"credit_untaxed": 1.0}),
            (self.cancellation.line_ids, {"cancellation_id": False}),
        ):
            for method in ("write", "web_save"):
                with self.subTest(values=values, method=method):
                    extra = {"specification": {}} if method == "web_save" else {}
                    with self.assertRaisesRegex(UserError, "kept as proof"):
                        self.call(self.admin, record, method, values, **extra)

    def test_an_administrator_cannot_import_over_a_done_cancellation(self):
        """D4: nor through the import of a file."""
        line = self.cancellation.line_ids
        before = self.read_facts(self.cancellation) + self.read_facts(line)
        for record, column, value in (
            (self.cancellation, "comment", "Else"),
            (line, "credit_untaxed", "1.0"),
        ):
            messages = self.import_rows(
                self.admin, record._name, [".id", column], [str(record.id), value]
            )
            self.assertIn("kept as proof", " ".join(messages))
        after = self.read_facts(self.cancellation) + self.read_facts(line)
        self.assertEqual(before, after)

    def test_an_administrator_cannot_delete_or_add_proof(self):
        """D4: by unlink, create, copy or import."""
        line = self.cancellation.line_ids
        forged = {
            "cancellation_id": self.cancellation.id,
            "subscription_line_id": line.subscription_line_id.id,
            "currency_id": line.currency_id.id,
        }
        attempts = [
            (self.cancellation, "unlink", []),
            (line, "unlink", []),
            (self.cancellation, "copy", []),
            (line.browse(), "create", [[forged]]),
        ]
        for record, method, args in attempts:
            with self.subTest(model=record._name, method=method):
                with self.assertRaises(AccessError):
                    self.call(self.admin, record, method, *args)
        messages = self.import_rows(
            self.admin,
            line._name,
            [f"{name}/.id" for name in forged],
            list(map(str, forged.values())),
        )
        self.assertIn("not allowed to create", " ".join(messages))
        self.assertEqual(self.cancellation.line_ids, line)

    def test_a_line_cannot_be_added_even_with_all_rights(self):
        """D4: by code of another addon, say."""
        with (
            self.assertRaisesRegex(UserError, "kept as proof"),
            self.env.cr.savepoint(),
        ):
            self.cancellation.line_ids.sudo().copy()

    # === THE CREDIT MEMOS === #

    def assert_not_linked(self, method, *args, record=None, **kwargs):
        """Check that the clerk is refused."""
        record = self.env["account.move"] if record is None else record
        with (
            self.assertRaisesRegex(UserError, "part of its proof"),
            self.env.cr.savepoint(),
        ):
            self.call(self.clerk, record, method, *args, **kwargs)

    def test_no_document_can_be_passed_off_as_a_credit_memo_of_it(self):
        """D4: create, with or without a default, write, import."""
        invoice = self.init_invoice("out_refund", amounts=[5.0])
        values = {
            "move_type": "out_refund",
            "partner_id": invoice.partner_id.id,
            "cancellation_id": self.cancellation.id,
        }
        link = {"cancellation_id": self.cancellation.id}
        self.assert_not_linked("create", [values])
        self.assert_not_linked(
            "create",
            [{"move_type": "out_refund"}],
            context={"default_cancellation_id": self.cancellation.id},
        )
        self.assert_not_linked("write", link, record=invoice)
        self.assert_not_linked("web_save", link, record=invoice, specification={})
        for columns, row in (
            ([".id", "cancellation_id/.id"], [invoice.id, self.cancellation.id]),
            (
                ["move_type", "cancellation_id/.id"],
                ["out_refund", self.cancellation.id],
            ),
        ):
            messages = self.import_rows(
                self.clerk, "account.move", columns, list(map(str, row))
            )
            self.assertIn("part of its proof", " ".join(messages))
        self.env.invalidate_all()
        self.assertEqual(self.cancellation.credit_note_ids, self.memo)

    def test_a_credit_memo_cannot_be_taken_from_its_cancellation(self):
        """D4: neither to another one nor to none."""
        other = self.create_subscription(ALL_OF_JULY)
        self.cancel(other)
        for new_id in (other.cancellation_ids.id, False):
            values = {"cancellation_id": new_id}
            self.assert_not_linked("write", values, record=self.memo)
        self.assertEqual(self.memo.cancellation_id, self.cancellation)

    def test_a_credit_memo_can_be_imported_unchanged(self):
        """D4: an export that is corrected elsewhere comes back."""
        messages = self.import_rows(
            self.clerk,
            "account.move",
            [".id", "cancellation_id/.id", "ref"],
            [str(self.memo.id), str(self.cancellation.id), "Corrected"],
        )
        self.assertEqual(messages, [])
        self.assertEqual(self.memo.ref, "Corrected")

    @mute_logger("odoo.sql_db")
    def test_a_copy_or_reversal_belongs_to_no_cancellation(self):
        """D4: made by hand, it is no proof of anything."""
        # Somebody bills again what was credited.
        self.books_fit = False
        copy = self.memo.with_user(self.clerk).copy()
        reversal = self.memo.with_user(self.clerk)._reverse_moves()
        self.assertFalse((copy | reversal).cancellation_id)

    def test_invoice_lines_can_still_be_linked_by_hand(self):
        """D4: which subscription line an old invoice line billed."""
        other = self.create_subscription(ALL_OF_JULY)
        line = self.init_invoice("out_invoice", amounts=[5.0]).invoice_line_ids
        subscription_line = other.sale_subscription_line_ids
        values = {
            "subscription_line_id": subscription_line.id,
            "start_date": "2026-07-01",
            "end_date": "2026-07-31",
        }
        self.call(self.clerk, line, "write", values)
        self.assertEqual(line.subscription_line_id, subscription_line)
