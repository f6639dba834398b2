# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What credits are computed from stays as it was posted (C1, C4, D4).

$31.00 for July; ended on 10 July, 21 of 31 days are credited: $21.00.
"""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import (
    CANCELLATION_MANAGER,
    INVOICING,
    SALESPERSON,
    CancellationCase,
)

ACCOUNTANT = "account.group_account_manager"
#: Refusals, by rule and way out.
POSTED = "is posted, and credits are computed from it.*Reset the document to draft"
CREDITED = "is credited by .*(Cancel that credit memo|Undo .*) first"
PROOF = "is the proof of .*Cancel the document instead"


class PostedLedgerCase(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls.create_user(INVOICING, login="biller")
        cls.accountant = cls.create_user(ACCOUNTANT, login="accountant")
        cls.manager = cls.create_user(
            SALESPERSON, INVOICING, CANCELLATION_MANAGER, login="manager"
        )
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.company_ids |= cls.company
        cls.admin.group_ids |= cls.env.ref(ACCOUNTANT)
        cls.bookkeepers = (cls.biller, cls.accountant, cls.manager, cls.admin)

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [{"name": "Base"}, {"name": "Other", "price_unit": 62.0}]
        )
        self.invoice = self.bill(self.subscription)
        self.line, self.other_line = self.invoice.invoice_line_ids
        self.travel_to("2026-07-10")

    def as_user(self, records, user=None):
        """Return records for a user: who only invoices, unless told otherwise."""
        return records.with_user(user or self.biller).with_company(self.company)

    def assert_refused(self, rule, action, *arguments):
        with self.assertRaisesRegex(UserError, rule), self.env.cr.savepoint():
            action(*arguments)
            self.env.flush_all()
        self.env.invalidate_all()

    def credit(self, *lines):
        """Let Odoo's own dialog credit some lines of the invoice; return the draft."""
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.biller)
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id, "date": "2026-07-10"})
        )
        memo = self.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        memo.invoice_line_ids.filtered(
            lambda item: item.origin_line_id.id not in [line.id for line in lines]
        ).unlink()
        return memo

    def get_credit(self):
        return self.subscription.preview_cancellation(timing="immediate")[
            "credit_total"
        ]


@tagged("post_install", "-at_install")
class TestPosted(PostedLedgerCase):
    #: Values that no posted line takes, over RPC.
    VALUES = (
        {"end_date": "2040-12-31"},
        {"start_date": "2026-07-10"},
        {"start_date": False, "end_date": False},
        {"subscription_line_id": False},
        {"price_unit": 310.0},
        {"quantity": 10.0},
        {"discount": 50.0},
        {"price_subtotal": 310.0},
        {"parent_state": "draft"},
        {"display_type": "line_note"},
    )

    def test_days_links_and_amounts_of_what_is_posted(self):
        """C1: nobody rewrites them, by RPC, list or import."""
        for user in self.bookkeepers:
            line = self.as_user(self.line, user)
            for values in self.VALUES:
                with self.subTest(user=user.login, values=values):
                    self.assert_refused(POSTED, line.write, values)
        self.assertEqual(self.get_credit(), 63.0)

    def test_other_links(self):
        """C1: to another line, product or document."""
        line = self.as_user(self.line)
        other = self.create_subscription([5.0])
        draft = self.bill(other, "2026-07-10", post=False)
        for values in (
            {"subscription_line_id": other.sale_subscription_line_ids.id},
            {"origin_line_id": self.other_line.id},
            {"product_id": self.other_line.product_id.id},
            {"move_id": draft.id},
        ):
            with self.subTest(values=values):
                self.assert_refused(POSTED, line.write, values)

    def test_through_the_invoice(self):
        """C1: by commands of the form, and where a switch of Odoo's lets them in."""
        invoice = self.as_user(self.invoice).with_context(skip_readonly_check=True)
        update = Command.update(self.line.id, {"end_date": "2040-12-31"})
        for name in ("invoice_line_ids", "line_ids"):
            self.assert_refused(POSTED, invoice.write, {name: [update]})
        self.assert_refused(
            POSTED,
            invoice.with_context(force_delete=True).write,
            {"invoice_line_ids": [Command.delete(self.line.id)]},
        )
        self.assertEqual(self.get_credit(), 63.0)

    def test_in_the_form(self):
        """C1: Odoo closes the lines of what is posted."""
        with self.assertRaisesRegex(AssertionError, "not editable"):
            with Form(self.as_user(self.invoice)) as form:
                with form.invoice_line_ids.edit(0) as line:
                    line.end_date = "2040-12-31"
        self.env.invalidate_all()
        self.assertEqual(str(self.line.end_date), "2026-07-31")

    def test_by_an_import(self):
        """C1: the same sentence in the import's list of errors."""
        lines = self.as_user(self.env["account.move.line"])
        answer = lines.with_context(tracking_disable=True).load(
            [".id", "end_date"], [[str(self.line.id), "2040-12-31"]]
        )
        self.assertFalse(answer["ids"])
        self.assertRegex(answer["messages"][0]["message"], POSTED)

    def test_several_at_once(self):
        """C1: in a list where some may be changed; nothing is."""
        plain = self.create_plain_invoice().invoice_line_ids
        both = self.as_user(plain | self.line)
        period = {"start_date": "2026-01-01", "end_date": "2026-12-31"}
        self.assert_refused(POSTED, both.write, period)
        self.assertFalse(plain.start_date)

    def create_plain_invoice(self):
        """Return a posted invoice of something that is no subscription."""
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.subscription.partner_id.id,
                "invoice_date": "2026-07-01",
                "invoice_line_ids": [
                    Command.create({"name": "Advice", "price_unit": 100.0})
                ],
            }
        )
        invoice.action_post()
        return invoice

    def test_other_documents_stay_editable(self):
        """C1: cut-offs need the dates of what is no subscription."""
        line = self.as_user(self.create_plain_invoice().invoice_line_ids)
        line.write({"start_date": "2026-01-01", "end_date": "2026-12-31"})
        self.assertEqual(str(line.end_date), "2026-12-31")
        bill = self.init_invoice("in_invoice", products=self.product_a, post=True)
        bill.invoice_line_ids.with_user(self.accountant).write(
            {"start_date": "2026-01-01", "end_date": "2026-12-31"}
        )

    def test_what_is_free_of_the_posted_line(self):
        """C1: text, account and analytics decide on no credit; nor does the same."""
        line = self.as_user(self.line)
        line.write({"name": "Hosting in July", "analytic_distribution": False})
        line.account_id = self.line.account_id.copy()
        line.write({"start_date": "2026-07-01", "end_date": "2026-07-31"})
        line.write({"price_unit": 31.0, "tax_ids": [Command.clear()]})
        self.assertEqual(self.get_credit(), 63.0)

    def test_a_line_does_not_come_to_what_is_posted(self):
        """C1: it would be one more to credit."""
        lines = self.as_user(self.env["account.move.line"])
        self.assert_refused(
            POSTED,
            lines.create,
            {
                "move_id": self.invoice.id,
                "product_id": self.line.product_id.id,
                "price_unit": 0.0,
                "tax_ids": [],
                "subscription_line_id": self.line.subscription_line_id.id,
                "start_date": "2026-08-01",
                "end_date": "2026-08-31",
            },
        )

    def test_the_document(self):
        """C1: neither its kind, nor its currency, nor whose it is."""
        for values in (
            {"subscription_id": False},
            {"move_type": "out_receipt"},
            {"amount_total": 1.0},
            {"invoice_currency_rate": 2.0},
            {"posted_before": False},
            {"reversed_entry_id": self.create_plain_invoice().id},
            {"currency_id": self.get_currency("EUR").id},
            {"partner_id": self.create_customer(name="Somebody else").id},
        ):
            invoice = self.as_user(self.invoice).with_context(skip_readonly_check=True)
            with self.subTest(values=values):
                self.assert_refused(POSTED, invoice.write, values)

    def test_merged_customers_and_payments_are_odoo_s(self):
        """D4: what Odoo writes on posted documents goes on."""
        other = self.create_customer(name="Azure Interiors")
        self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": [
                    Command.set([other.id, self.subscription.partner_id.id])
                ],
                "dst_partner_id": other.id,
            }
        ).action_merge()
        self.env.invalidate_all()
        self.assertEqual(self.invoice.partner_id, other)
        self.env["account.payment.register"].with_user(self.biller).with_context(
            active_model="account.move", active_ids=self.invoice.ids
        ).create({}).action_create_payments()
        self.assertIn(self.invoice.payment_state, ("paid", "in_payment"))
        self.assertEqual(self.get_credit(), 63.0)


@tagged("post_install", "-at_install")
class TestReset(PostedLedgerCase):
    def reset(self):
        invoice = self.as_user(self.invoice)
        invoice.button_draft()
        return invoice

    def tell(self):
        """Return what the chatter says of changed values: field, before, after."""
        values = self.invoice.message_ids.sudo().tracking_value_ids
        return {
            (
                value.field_id.name,
                *(
                    str(
                        value[f"{age}_value_datetime"].date()
                        if value[f"{age}_value_datetime"]
                        else value[f"{age}_value_char"]
                    )
                    for age in ("old", "new")
                ),
            )
            for value in values
        }

    def test_edited_and_posted_again(self):
        """C1: the way out; the document tells the old days and the new ones."""
        invoice = self.reset()
        with Form(invoice) as form:
            with form.invoice_line_ids.edit(0) as line:
                line.start_date = "2026-07-01"
                line.end_date = "2026-08-31"
                line.price_unit = 62.0
        invoice.action_post()
        self.assertIn(("end_date", "2026-07-31", "2026-08-31"), self.tell())
        # 52 of 62 days of 62.00, and 21 of 31 of 62.00.
        self.assertEqual(self.get_credit(), 94.0)

    def test_an_import_tells_it_too(self):
        """C1: it asks Odoo not to."""
        self.reset()
        lines = self.as_user(self.env["account.move.line"])
        answer = lines.with_context(tracking_disable=True).load(
            [".id", "end_date"], [[str(self.line.id), "2026-08-31"]]
        )
        self.assertEqual(answer["messages"], [])
        self.assertIn(("end_date", "2026-07-31", "2026-08-31"), self.tell())

    def test_deleted_typed_again_and_cancelled(self):
        """C1: nothing was credited, so that all of it is Odoo's."""
        invoice = self.reset().with_context(tracking_disable=False)
        line = invoice.invoice_line_ids.filtered(lambda item: item.id == self.line.id)
        again = line.copy_data()[0]
        line.unlink()
        self.assertIn(("end_date", "2026-07-31", "False"), self.tell())
        invoice.write({"invoice_line_ids": [Command.create(again)]})
        invoice.action_post()
        self.assertEqual(self.get_credit(), 63.0)
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(self.get_credit(), 0.0)

    def test_a_line_with_a_standing_credit_stays_in_the_draft(self):
        """C4: days, links and amounts; the other line is free."""
        memo = self.credit(self.line)
        for state in ("draft", "posted"):
            if state == "posted":
                self.as_user(memo).action_post()
            invoice = self.reset()
            line, other = (self.as_user(item) for item in (self.line, self.other_line))
            for user in self.bookkeepers:
                for values in (
                    {"end_date": "2040-12-31"},
                    {"subscription_line_id": False},
                    {"price_unit": 310.0},
                    {"product_id": self.other_line.product_id.id},
                    {"tax_ids": [Command.set(self.tax_sale_a.ids)]},
                ):
                    with self.subTest(state=state, user=user.login, values=values):
                        self.assert_refused(
                            CREDITED, self.as_user(line, user).write, values
                        )
            self.assert_refused(CREDITED, line.unlink)
            self.assert_refused(CREDITED, invoice.unlink)
            self.assert_refused(CREDITED, invoice.button_cancel)
            for values in ({"state": "cancel"}, {"posted_before": False}):
                self.assert_refused(CREDITED, invoice.write, values)
            self.assert_refused(
                CREDITED, invoice.write, {"invoice_line_ids": [Command.clear()]}
            )
            currency = self.get_currency("EUR")
            self.assert_refused(CREDITED, invoice.write, {"currency_id": currency.id})
            other.price_unit = 93.0 if state == "draft" else 62.0
            invoice.write({"narration": "Corrected", "invoice_date": "2026-07-01"})
            invoice.action_post()
        self.assertEqual(self.get_credit(), 42.0)

    def test_in_the_form_of_the_draft(self):
        """C4: as an accountant goes."""
        self.credit(self.line).action_post()
        invoice = self.reset()
        for name, value in (("price_unit", 310.0), ("end_date", "2040-12-31")):
            with self.assertRaisesRegex(UserError, CREDITED):
                with Form(invoice) as form:
                    with form.invoice_line_ids.edit(0) as line:
                        line[name] = value
            self.env.invalidate_all()
        with Form(invoice) as form:
            with form.invoice_line_ids.edit(0) as line:
                line.name = "Hosting in July"
        invoice.action_post()
        self.assertEqual(self.get_credit(), 42.0)

    def test_what_a_cancellation_credited_stays_in_the_draft(self):
        """C4, D4: until its credit memo is cancelled."""
        self.cancel(self.subscription)
        invoice = self.reset()
        line = self.as_user(self.line)
        self.assert_refused(CREDITED, line.write, {"end_date": "2040-12-31"})
        self.assert_refused(CREDITED, invoice.unlink)
        invoice.action_post()
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 63.0)

    def test_a_cancelled_credit_memo_lets_go(self):
        """C4: the way out that the refusal names."""
        memo = self.credit(self.line)
        memo.action_post()
        memo.button_draft()
        memo.button_cancel()
        invoice = self.reset()
        self.as_user(self.line).end_date = "2026-08-31"
        invoice.action_post()
        # 52 of 62 days, and 21 of 31.
        self.assertEqual(self.get_credit(), 68.0)


@tagged("post_install", "-at_install")
class TestCreditMemos(PostedLedgerCase):
    def test_the_links_of_a_posted_credit_memo(self):
        """C4: cleared, its days would be credited twice."""
        memo = self.credit(self.line)
        memo.action_post()
        self.assertEqual(self.get_credit(), 42.0)
        for user in self.bookkeepers:
            item = self.as_user(memo.invoice_line_ids, user)
            for values in (
                {"origin_line_id": False},
                {"origin_line_id": self.other_line.id},
                {"start_date": "2020-01-01", "end_date": "2020-01-31"},
                {"price_unit": 1.0},
            ):
                with self.subTest(user=user.login, values=values):
                    self.assert_refused(POSTED, item.write, values)
        for values in (
            {"reversed_entry_id": False},
            {"reversed_entry_id": self.bill(self.subscription).id},
            {"move_type": "entry"},
        ):
            self.assert_refused(POSTED, self.as_user(memo).write, values)
        self.travel_to("2026-07-10")

    def test_a_typed_credit_memo_gets_no_link_once_it_is_posted(self):
        """C4: it would credit what nobody saw; in the draft it may."""
        memo = self.credit(self.line)
        item = self.as_user(memo.invoice_line_ids)
        item.origin_line_id = False
        item.subscription_line_id = False
        memo.reversed_entry_id = False
        memo.action_post()
        link = {"origin_line_id": self.line.id}
        self.assert_refused(POSTED, item.write, link)
        self.assert_refused(
            POSTED, self.as_user(memo).write, {"reversed_entry_id": self.invoice.id}
        )
        self.as_user(memo).button_draft()
        item.write(link)
        memo.action_post()
        self.assertEqual(self.get_credit(), 42.0)

    def test_the_links_of_ours(self):
        """D4: also in the draft; what it is about may be reviewed there."""
        self.get_default_policy().post_credit_memos = False
        self.cancel(self.subscription)
        memo = self.credit_memos(self.subscription)
        for state in ("draft", "posted", "reset"):
            if state == "posted":
                self.as_user(memo).action_post()
            if state == "reset":
                self.as_user(memo).button_draft()
            for user in self.bookkeepers:
                item = self.as_user(memo.invoice_line_ids[0], user)
                for values in (
                    {"origin_line_id": False},
                    {"subscription_line_id": False},
                    {"end_date": "2026-07-11"},
                ):
                    with self.subTest(state=state, user=user.login, values=values):
                        self.assert_refused(PROOF, item.write, values)
            self.assert_refused(
                PROOF, self.as_user(memo).write, {"reversed_entry_id": False}
            )
        self.as_user(memo).action_post()

    def test_modified_by_odoo_s_dialog(self):
        """C4: reversed, and a new draft of the same; only that one is credited."""
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.biller)
            .with_context(active_model="account.move", active_ids=self.invoice.ids)
            .create({"journal_id": self.invoice.journal_id.id, "date": "2026-07-10"})
        )
        action = wizard.modify_moves()
        new = self.as_user(self.env["account.move"].browse(action["res_id"]))
        new.invoice_line_ids[0].price_unit = 15.5
        new.action_post()
        self.assertEqual(self.get_credit(), 52.5)  # 21/31 of 15.50 and 62.00

    def test_a_copy_is_free(self):
        """C1: until it is posted."""
        copy = self.as_user(self.invoice).copy()
        copy.invoice_line_ids[0].write(
            {"start_date": "2026-08-01", "end_date": "2026-08-31", "price_unit": 1.0}
        )
        copy.unlink()
        self.assertEqual(self.get_credit(), 63.0)


@tagged("post_install", "-at_install")
class TestLinking(PostedLedgerCase):
    #: What the list asks for.
    PERIOD = {"start_date": "2026-07-01", "end_date": "2026-07-31"}

    def setUp(self):
        super().setUp()
        # Typed by hand for a day that no period begins on: it is not guessed.
        self.typed = self.bill(self.subscription, "2026-08-01", post=False)
        self.typed.invoice_date = "2026-08-05"
        self.typed.invoice_line_ids.unlink()
        self.typed.invoice_line_ids = [
            Command.create(
                {
                    "product_id": self.line.product_id.id,
                    "price_unit": 31.0,
                    "tax_ids": [Command.clear()],
                }
            )
        ]
        self.typed.action_post()
        self.travel_to("2026-08-10")
        self.unlinked = self.typed.invoice_line_ids
        self.link = {
            "subscription_line_id": self.line.subscription_line_id.id,
            "start_date": "2026-08-01",
            "end_date": "2026-08-31",
        }

    def test_the_list_links_and_the_invoice_tells(self):
        """C1: once; then it is as fixed as the rest."""
        self.assertEqual(self.get_credit(), 0.0)
        line = self.as_user(self.unlinked)
        action = line.action_view_not_linked()
        self.assertEqual(line.search(action["domain"]), line)
        line.with_context(tracking_disable=True).web_save(self.link, {})
        self.assertEqual(self.get_credit(), 21.0)
        told = self.typed.message_ids.sudo().tracking_value_ids.field_id
        self.assertEqual(set(told.mapped("name")), set(self.link))
        for values in (
            {"end_date": "2040-12-31"},
            {"subscription_line_id": False},
            {"subscription_line_id": self.other_line.subscription_line_id.id},
        ):
            self.assert_refused(POSTED, line.write, values)

    def test_only_who_invoices_links(self):
        """C1: buyers write journal items too."""
        if "purchase.order" in self.env:
            buyer = self.create_user("purchase.group_purchase_user", login="buyer")
            self.assert_refused(
                POSTED, self.as_user(self.unlinked, buyer).write, self.link
            )
        seller = self.create_user(SALESPERSON, login="sales")
        with self.assertRaises(AccessError):
            self.as_user(self.unlinked, seller).write(self.link)
        with self.assertRaises(AccessError):
            self.as_user(self.line, seller).write({"end_date": "2040-12-31"})

    def test_what_is_no_subscription_invoice_is_not_linked(self):
        """C1: an invoice that the list does not show."""
        invoice = self.typed.copy({"subscription_id": False, "invoice_origin": False})
        invoice.action_post()
        line = self.as_user(invoice.invoice_line_ids)
        self.assertNotIn(line, line.search(line.action_view_not_linked()["domain"]))
        self.assert_refused(POSTED, line.write, self.link)

    def test_a_lost_period_is_entered_once(self):
        """C1: of a line that is linked; the list shows it, too."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET start_date = NULL, end_date = NULL "
            "WHERE id = %s",
            [self.line.id],
        )
        self.env.invalidate_all()
        line = self.as_user(self.line)
        self.assert_refused(POSTED, line.write, {"subscription_line_id": False})
        line.write(self.PERIOD)
        self.assert_refused(POSTED, line.write, {"end_date": "2040-12-31"})
