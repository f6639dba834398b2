# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Dialogs, proofs and results: whose they are, and who may read and write (B6)."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import (
    CANCELLATION_MANAGER,
    CANCELLATION_USER,
    INVOICING,
    CancellationCase,
)

#: The dialogs, and the field that says what each is about.
DIALOGS = {
    "subscription.cancellation.wizard": "subscription_id",
    "subscription.cancellation.decision": "cancellation_id",
    "subscription.cancellation.postpone": "cancellation_id",
    "subscription.cancellation.reactivation": "subscription_id",
    "subscription.cancellation.policy.try": "subscription_id",
}


class DialogCase(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.get_default_policy()
        cls.other = cls._create_company(name="Other")
        cls.stranger = cls.create_user(
            CANCELLATION_MANAGER, INVOICING, login="stranger", company_id=cls.other.id
        )
        cls.manager = cls.create_user(CANCELLATION_MANAGER, INVOICING, login="manager")
        cls.user = cls.create_user(CANCELLATION_USER, login="user")
        cls.colleague = cls.create_user(CANCELLATION_USER, login="colleague")

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription()
        self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def cancel_as(self, user, **options):
        self.cancel(self.subscription.with_user(user), **options)
        return self.subscription.cancellation_ids.sorted("id")[-1]


@tagged("post_install", "-at_install")
class TestOtherCompanies(DialogCase):
    """A user of another company, with every right there, over RPC."""

    def setUp(self):
        super().setUp()
        self.policy.approval_always = True
        self.cancellation = self.cancel_as(self.user, timing="end_of_period")
        self.about = {
            "subscription_id": self.subscription.id,
            "cancellation_id": self.cancellation.id,
        }

    def get_values(self, model):
        """Return what the screen saves of a dialog."""
        field = DIALOGS[model]
        values = {field: self.about[field]}
        if model == "subscription.cancellation.wizard":
            values |= {
                "timing": "immediate",
                "refund_mode": "none",
                "unbilled_charges": "invoice",
                "unpaid_invoices": "keep",
                "credit_settlement": "keep",
            }
        return values

    def test_no_dialog_is_about_another_companys_record(self):
        """B6: neither made, nor as the screen asks for it before it is saved."""
        for model, field in DIALOGS.items():
            values = self.get_values(model)
            dialog = self.env[model].with_user(self.stranger)
            own = self.env[model].with_user(self.manager)
            spec = dict.fromkeys(dialog.fields_get(), {})
            with self.subTest(model):
                with self.assertRaises(AccessError):
                    dialog.create(values)
                told = spec.keys() - {field, "id", "display_name", "problem"}
                for name in told:
                    self.assert_tells_nothing(dialog, field, name)
                shown = own.create(values)
                self.assertTrue(shown.with_user(self.manager).read())
                with self.assertRaises(AccessError):
                    shown.with_user(self.stranger).read()
                self.assertFalse(dialog.search([("id", "in", shown.ids)]))

    def assert_tells_nothing(self, dialog, field, name):
        """Assert that a field of a dialog is refused, or what it always is at first.

        Asked for alone, as nothing else may refuse it.
        """
        spec = {field: {}, name: {}}
        named = dialog.with_context(**{f"default_{field}": self.about[field]})
        for call in (
            lambda: dialog.onchange({field: self.about[field]}, [], spec),
            lambda: named.onchange({}, [], spec),
        ):
            try:
                told = call()["value"].get(name)
            except AccessError:
                continue
            self.assertEqual(
                told or False, dialog.default_get([name]).get(name, False), name
            )

    def test_a_dialog_does_not_follow_into_the_next_company(self):
        """B6: of a user of both, who has left the first one in the switcher."""
        self.manager.company_ids += self.other
        for model in DIALOGS:
            dialog = self.env[model].with_user(self.manager)
            shown = dialog.create(self.get_values(model))
            elsewhere = shown.with_context(allowed_company_ids=self.other.ids)
            self.env.invalidate_all()
            with self.subTest(model), self.assertRaises(AccessError):
                elsewhere.read()

    def test_a_declaration_of_another_company(self):
        """B6."""
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        token = declarations._receive(
            {
                "kind": "ordinary",
                "customer_name": "Jane",
                "contract_reference": "unknown",
                "contract_email": "jane@example.com",
                "confirmation_email": "jane@example.com",
                "wants_earliest": True,
            },
            self.company,
            nonce="n" * 20,
            client_address="192.0.2.1",
        )
        declaration = declarations.search([("access_token", "=", token)])
        self.assertEqual(declaration.customer_name, "Jane")
        model = self.env["subscription.cancellation.declaration.assign"]
        dialog = model.with_user(self.stranger)
        values = {"declaration_id": declaration.id}
        own = model.with_user(self.manager).new(values)
        self.assertEqual(own.customer_name, "Jane")
        spec = dict.fromkeys(dialog.fields_get(), {})
        with self.assertRaises(AccessError):
            dialog.onchange(values, [], spec)
        with self.assertRaises(AccessError):
            dialog.create({**values, "subscription_id": self.subscription.id})

    def test_credit_memos_are_opened_by_who_may_read_them(self):
        """B6: the button names no document of somebody else."""
        self.policy.approval_always = False
        self.subscription = self.create_subscription()
        self.bill(self.subscription)
        cancellation = self.cancel_as(self.manager)
        memo = cancellation.credit_note_ids
        self.assertTrue(memo)
        for record in (cancellation, self.subscription):
            own = record.with_user(self.manager)
            self.assertEqual(own.action_view_credit_notes()["res_id"], memo.id)
            for user in (self.stranger, self.user, self.env.ref("base.public_user")):
                with self.assertRaises(AccessError):
                    record.with_user(user).action_view_credit_notes()
        for user in (self.stranger, self.user):
            with self.assertRaises(AccessError):
                cancellation.with_user(user).action_view_charge_invoices()


@tagged("post_install", "-at_install")
class TestBooksResult(DialogCase):
    """What the check found is what it found."""

    def setUp(self):
        super().setUp()
        self.cancel_as(self.user)
        self.books = self.env["subscription.cancellation.books"].with_user(self.manager)

    def assert_refused(self, call):
        with (
            mute_logger("odoo.addons.base.models.ir_model"),
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(AccessError),
        ):
            call()

    def test_the_result_is_not_written_by_hand(self):
        """B6: neither the sentence, nor the verdict, nor a finding."""
        books = self.books.create({})
        books.action_check()
        self.assertTrue(books.is_right)
        outcome = books.outcome
        self.assertIn("1 cancellations", outcome)
        finding = {"books_id": books.id, "sentence": "Fine", "kind": "wrong"}
        findings = self.env["subscription.cancellation.books.finding"]
        for values in (
            {"outcome": "The books are correct."},
            {"is_right": False},
            {"checked_on": "2026-07-01 12:00:00"},
            {"scope": "Everything"},
            {"finding_ids": [(0, 0, finding)]},
        ):
            self.assert_refused(lambda values=values: books.write(values))
            self.assert_refused(lambda values=values: self.books.create(values))
        self.assert_refused(lambda: findings.with_user(self.manager).create(finding))
        row = findings.sudo().create(finding)
        self.assert_refused(lambda: row.with_user(self.manager).write({"rule": "x"}))
        self.assert_refused(lambda: row.with_user(self.manager).unlink())
        self.assertEqual(books.outcome, outcome)
        named = self.books.with_context(default_outcome="Fine", default_is_right=True)
        self.assertRecordValues(
            named.create({}), [{"outcome": False, "is_right": False}]
        )

    def test_another_question_has_no_answer_yet(self):
        """B6: a result is about the day that was asked for."""
        books = self.books.create({"since": "2026-01-01"})
        books.action_check()
        books.since = "2027-01-01"
        self.assertRecordValues(books, [{"outcome": False, "is_right": False}])
        books.action_check()
        self.assertIn("0 cancellations", books.outcome)

    def test_a_colleague_does_not_read_or_run_it(self):
        """B6: a check is its user's own."""
        books = self.books.create({})
        books.action_check()
        other = self.create_user(INVOICING, login="other")
        self.assert_refused(lambda: books.with_user(other).read(["outcome"]))
        self.assert_refused(lambda: books.with_user(other).action_check())


@tagged("post_install", "-at_install")
class TestReactivateOfOthers(DialogCase):
    """Whoever may not revoke it may not reactivate it."""

    def test_a_colleagues_cancellation(self):
        """B6, B3: by button, dialog and API; a manager may, and who wanted it."""
        self.cancel_as(self.user)
        theirs = self.subscription.with_user(self.colleague)
        for call in (
            theirs.reactivate_subscription,
            lambda: theirs.reactivate_subscription(mode="new_term"),
            theirs.action_reactivate,
        ):
            with self.assertRaisesRegex(AccessError, "reactivate it"):
                call()
        dialog = self.env["subscription.cancellation.reactivation"]
        dialog = dialog.with_user(self.colleague)
        shown = dialog.create({"subscription_id": self.subscription.id})
        self.assertIn("reactivate it", shown.problem)
        with self.assertRaises(AccessError):
            shown.action_confirm()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        own = self.subscription.with_user(self.user)
        self.assertEqual(own.reactivate_subscription()["subscription_state"], "active")

    def test_a_manager_reactivates_what_others_cancelled(self):
        """B6."""
        self.cancel_as(self.user)
        own = self.subscription.with_user(self.manager)
        self.assertTrue(own.action_reactivate())
        own.reactivate_subscription()
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_what_ended_by_itself_was_nobodys_wish(self):
        """B6, B15: a fixed term that was over."""
        self.subscription.sudo()._request_cancellation(
            {"timing": "immediate"}, "system"
        )
        self.subscription.with_user(self.user).reactivate_subscription()
        self.assertEqual(self.subscription.cancellation_state, "active")


@tagged("post_install", "-at_install")
class TestReasonIsProof(DialogCase):
    """A reason stays what it was called when it was given."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("de_DE")
        cls.reason = cls.env["sale.subscription.close.reason"].create(
            {"name": "Too dear", "code": "dear"}
        )
        cls.reason.with_context(lang="de_DE").name = "Zu teuer"

    def read_names(self, cancellation):
        """Return what the form and the document show, in both languages."""
        report = "subscription_cancellation.subscription_cancellation_report_summary"
        names = []
        for lang in ("en_US", "de_DE"):
            said = cancellation.with_context(lang=lang)
            self.subscription.partner_id.lang = lang
            html, _kind = self.env["ir.actions.report"]._render_qweb_html(
                report, cancellation.ids
            )
            self.assertIn(said.reason_name, html.decode())
            names.append(said.reason_name)
        return names

    def test_renaming_and_translating_afterwards_changes_no_proof(self):
        """B6, D4: in no language, and not in the analysis."""
        cancellation = self.cancel_as(self.user, reason_code="dear")
        self.reason.name = "Price"
        self.reason.with_context(lang="de_DE").name = "Der Preis"
        self.env.invalidate_all()
        self.assertEqual(self.read_names(cancellation), ["Too dear", "Zu teuer"])
        row = self.env["subscription.cancellation.report"].search(
            [("cancellation_id", "=", cancellation.id)]
        )
        self.assertEqual(row.reason_name, "Too dear")
        self.assertEqual(row.with_context(lang="de_DE").reason_name, "Zu teuer")
        self.assertEqual(row.reason_id, self.reason)

    def test_a_new_request_is_called_by_the_new_name(self):
        """B6."""
        self.cancel_as(self.user, reason_code="dear", timing="end_of_period")
        self.subscription.cancellation_ids._revoke()
        self.reason.name = "Price"
        latest = self.cancel_as(self.user, reason_code="dear")
        self.assertEqual(latest.reason_name, "Price")

    def test_nobody_writes_the_name(self):
        """B6, D4."""
        cancellation = self.cancel_as(self.user, reason_code="dear")
        own = cancellation.with_user(self.manager)
        for write in (
            lambda: own.write({"reason_name": "x"}),
            lambda: own.update_field_translations("reason_name", {"de_DE": "x"}),
        ):
            with self.assertRaises(UserError):
                write()

    def test_without_a_reason_there_is_no_name(self):
        """B6."""
        self.assertFalse(self.cancel_as(self.user).reason_name)
