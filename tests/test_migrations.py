# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the migration scripts make of data that older versions have left.

The upgrade itself, by Odoo's own command line, is in :mod:`test_lifecycle`.
"""

import importlib.util

from lxml import etree

from odoo.fields import Command, Date
from odoo.tests import tagged
from odoo.tools import SQL
from odoo.tools.misc import file_path
from odoo.tools.safe_eval import safe_eval

from .common import CancellationCase

FOLDER = "subscription_cancellation/migrations/19.0.1.3.0"
NEW_FOLDER = "subscription_cancellation/migrations/19.0.1.4.0"


@tagged("post_install", "-at_install")
class TestMigrations(CancellationCase):
    def migrate(self, script, version, folder=FOLDER):
        """Run a script as Odoo does, which has loaded nothing yet."""
        path = file_path(f"{folder}/{script}.py")
        spec = importlib.util.spec_from_file_location("migration", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, version)
        self.env.invalidate_all()

    def pause_as_version_1_3_0(self, **values):
        """Return a paused subscription that has no record of its pause."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.env.flush_all()
        assignments = {"is_paused": True, **values}
        for name, value in assignments.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE sale_subscription SET %s = %s WHERE id = %s",
                    SQL.identifier(name),
                    value,
                    subscription.id,
                )
            )
        self.env.invalidate_all()
        return subscription

    def test_what_is_paused_gets_a_record(self):
        """B7: nothing is credited afterwards, and nothing is billed for it."""
        limited = self.pause_as_version_1_3_0(paused_until="2026-09-15")
        unlimited = self.pause_as_version_1_3_0()
        ended = self.create_subscription()
        self.cancel(ended, "2026-07-01")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_subscription SET is_paused = true WHERE id = %s", [ended.id]
        )
        self.migrate("post-pauses", "19.0.1.3.0", NEW_FOLDER)
        self.migrate("post-pauses", "19.0.1.3.0", NEW_FOLDER)
        self.assertRecordValues(
            limited.pause_ids | unlimited.pause_ids,
            [
                {
                    "date_from": Date.to_date("2026-08-01"),
                    "date_to": date_to,
                    "state": "paused",
                    "refund_mode": "none",
                }
                for date_to in (Date.to_date("2026-09-14"), False)
            ],
        )
        self.assertFalse(ended.is_paused or ended.pause_ids)
        self.travel_to("2026-09-15")
        for subscription in (limited, unlimited):
            subscription.action_resume()
            self.assertEqual(str(subscription.recurring_next_date), "2026-09-15")

    def test_subscriptions_without_a_reference_get_one(self):
        """E2: customers can name them on the public page."""
        subscription = self.create_subscription()
        subscription.code = False
        self.migrate("post-subscription_codes", "19.0.1.3.0", NEW_FOLDER)
        self.assertTrue(subscription.code)

    def test_what_was_archived_while_it_ran_is_named(self):
        """A2: nobody would bill or end it; the list has a filter for it."""
        subscription = self.create_subscription()
        other = self.create_subscription()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_subscription SET active = false WHERE id = %s",
            [subscription.id],
        )
        with self.assertLogs("migration", "WARNING") as logs:
            self.migrate("post-archived", "19.0.1.3.0", NEW_FOLDER)
        name = subscription.name or f"#{subscription.id}"
        self.assertIn(name, logs.output[0])
        self.assertNotIn(f"{other.name or f'#{other.id}'},", logs.output[0])
        view = self.env.ref("subscription_cancellation.sale_subscription_view_search")
        [node] = etree.fromstring(view.arch).xpath("//*[@name='archived_running']")
        found = subscription.search(safe_eval(node.get("domain")))
        self.assertIn(subscription, found)
        self.assertNotIn(other, found)

    def test_what_waits_for_approval_says_its_credit(self):
        """D6: as of the upgrade."""
        self.get_default_policy().approval_always = True
        subscription = self.create_subscription([31.0])
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10")
        [waiting] = subscription.cancellation_ids
        self.assertEqual(waiting.state, "to_approve")
        waiting._as_engine().expected_credit = 0.0
        self.migrate("post-expected_credit", "19.0.1.3.0", folder=NEW_FOLDER)
        self.assertEqual(waiting.expected_credit, 21.0)

    def test_who_works_in_a_branch_reads_the_policies_of_the_head_company(self):
        """D7: what each database has of its own cannot be updated otherwise."""
        rules = self.env["ir.rule"].browse()
        for name in ("policy", "retention"):
            xmlid = f"subscription_cancellation_{name}_rule_company"
            rules |= self.env.ref(f"subscription_cancellation.{xmlid}").sudo()
        rules.perm_read = True
        self.migrate("post-branches", "19.0.1.3.0", NEW_FOLDER)
        self.assertEqual(rules.mapped("perm_read"), [False, False])
        self.assertEqual(rules.mapped("perm_write"), [True, True])

    def test_orders_of_what_has_ended_offer_served_days_only(self):
        """C9: 10 of 31 days where charges are invoiced, none where they are dropped."""
        for options, offered in (({}, 10.0), ({"unbilled_charges": "drop"}, 0.0)):
            product = self.create_product(
                subscribable=True,
                subscription_template_id=self.create_template().id,
                invoice_policy="order",
                list_price=31.0,
            )
            self.travel_to("2026-07-01")
            order = self.env["sale.order"].create(
                {
                    "partner_id": self.create_customer().id,
                    "order_line": [
                        Command.create(
                            {"product_id": product.id, "tax_ids": [Command.clear()]}
                        )
                    ],
                }
            )
            order.action_confirm()
            self.cancel(order.subscription_ids, "2026-07-10", **options)
            self.travel_to("2026-07-12")
            for charge in order.invoice_ids:
                charge.button_draft()
                charge.button_cancel()
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE sale_order_line SET subscription_end_date = NULL, "
                "qty_to_invoice = 1, invoice_status = 'to invoice' WHERE id = %s",
                [order.order_line.id],
            )
            self.env.invalidate_all()
            self.migrate("post-order_offers", "19.0.1.3.0", NEW_FOLDER)
            self.migrate("post-order_offers", "19.0.1.3.0", NEW_FOLDER)
            self.assertEqual(order.amount_to_invoice, offered)
            self.assertEqual(order.order_line.qty_to_invoice, 1.0 if offered else 0.0)

    def cancel_as_version_1_0_0(self, **options):
        """Return a cancellation without follow-up steps, which it did not have."""
        # The checker misses these steps.
        self.books_fit = False
        subscription = self.create_subscription()
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10", **options)
        self.env.cr.execute(
            "DELETE FROM subscription_cancellation_step WHERE cancellation_id = %s",
            [subscription.cancellation_ids.id],
        )
        self.env.invalidate_all()
        return subscription.cancellation_ids

    def test_old_cancellations_do_not_say_that_they_were_confirmed(self):
        """D4, D7: 1.0.0 confirmed nothing; what is still to come will be."""
        done = self.cancel_as_version_1_0_0()
        to_come = self.cancel_as_version_1_0_0(timing="end_of_period")
        self.migrate("post-confirmations", "19.0.1.0.0")
        self.assertFalse(done.send_confirmation)
        self.assertTrue(to_come.send_confirmation)

    def test_confirmations_of_later_versions_are_left_alone(self):
        """D4."""
        done = self.cancel_as_version_1_0_0()
        self.migrate("post-confirmations", "19.0.1.1.0")
        self.assertTrue(done.send_confirmation)

    def test_unbilled_days_are_dated_by_their_invoice(self):
        """C9: what a draft was going to bill."""
        subscription = self.create_subscription()
        self.bill(subscription, post=False)
        self.assert_dated(subscription, "2026-07-01", unbilled_charges="invoice")

    def test_unbilled_days_without_an_invoice_are_dated_by_the_period(self):
        """C9: what was never billed, and is dropped."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-08-05")
        self.assert_dated(subscription, "2026-08-01", unbilled_charges="drop")

    def assert_dated(self, subscription, day, **options):
        """Cancel, forget the day, and assert that it is found again."""
        self.cancel(subscription, **options)
        step = self.steps(subscription, "unbilled")
        self.assertEqual(str(step.first_day), day)
        self.env.cr.execute(
            "UPDATE subscription_cancellation_step SET first_day = NULL WHERE id = %s",
            [step.id],
        )
        self.migrate("post-unbilled_steps", "19.0.1.1.0")
        self.assertEqual(str(step.first_day), day)

    def change_template(self, user):
        """Let a user write other words in the confirmation; return it."""
        template = self.env.ref(
            "subscription_cancellation.mail_template_cancellation_done"
        )
        template.with_user(user).sudo().body_html = "<p>Goodbye.</p>"
        return template

    def test_the_confirmation_of_an_older_version_is_renewed(self):
        """D7: it says what becomes of the money, and is the users' own after that."""
        template = self.change_template(self.env.ref("base.user_root"))
        self.migrate("post-mail_template", "19.0.1.1.0")
        self.assertIn("_get_credit_text", template.body_html)
        [data] = self.env["ir.model.data"].search(
            [("model", "=", template._name), ("res_id", "=", template.id)]
        )
        self.assertTrue(data.noupdate)

    def test_words_of_the_users_stay(self):
        """D7: and so do those of a version that has them already."""
        template = self.change_template(self.env.ref("base.user_admin"))
        self.migrate("post-mail_template", "19.0.1.1.0")
        self.assertIn("Goodbye", template.body_html)
        template = self.change_template(self.env.ref("base.user_root"))
        self.migrate("post-mail_template", "19.0.1.2.0")
        self.assertIn("Goodbye", template.body_html)

    # === 19.0.1.4.0 === #

    def test_the_warning_of_an_unpaid_invoice_is_sent_by_staff(self):
        """D6: unless somebody has chosen another sender."""
        template = self.env.ref(
            "subscription_cancellation.mail_template_overdue_warning"
        )
        company = "object.company_id.email_formatted or user.email_formatted"
        was = f"{{{{ object.invoice_user_id.email_formatted or {company} }}}}"
        for before, after in ((was, "_get_warning_sender"), ("a@b.example",) * 2):
            template.email_from = before
            self.migrate("post-warning_sender", "19.0.1.3.0", NEW_FOLDER)
            self.assertIn(after, template.email_from)

    def test_the_warning_of_an_older_version_says_how_to_pay(self):
        """D6: unless somebody has written their own words."""
        template = self.env.ref(
            "subscription_cancellation.mail_template_overdue_warning"
        )
        for login, is_renewed in (("base.user_root", True), ("base.user_admin", False)):
            user = self.env.ref(login)
            template.with_user(user).sudo().body_html = "<p>Please pay.</p>"
            self.migrate("post-warning_template", "19.0.1.3.0", NEW_FOLDER)
            self.assertEqual("_get_warning_url" in template.body_html, is_renewed)

    def write_by_link(self, record, token):
        """Leave the copy of a mail in the chatter, as older versions did."""
        body = f'<a href="https://x/my/subscriptions/7?access_token={token}">See</a>'
        message = record.message_post(body="See")
        self.env.cr.execute(
            "UPDATE mail_message SET body = %s WHERE id = %s", [body * 2, message.id]
        )
        return message

    def test_links_leave_the_chatter_and_go_on_working(self):
        """B4: where the customer got them by mail, on every kind of record."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.cancel(subscription, timing="end_of_period")
        token = subscription._portal_ensure_token()
        messages = self.write_by_link(subscription, token)
        messages |= self.write_by_link(subscription.cancellation_ids, token)
        shared = self.write_by_link(subscription, f"{token}&pid=3&hash={'0a' * 32}")
        self.migrate("post-customer_links", "19.0.1.3.0", NEW_FOLDER)
        for body in (messages | shared).mapped("body"):
            self.assertNotIn(token, body)
            self.assertNotIn("0a0a", body)
            self.assertIn("See", body)
        self.assertEqual(subscription.access_token, token)
        told = subscription.cancellation_ids._show_links(messages[1].body)
        self.assertEqual(told.count(token), 2)

    def test_links_that_nobody_got_are_renewed(self):
        """B4: employees may know them; a mail without the link is a mail."""
        unknown = self.create_subscription()
        mailed = self.create_subscription()
        mailed.partner_id.email = "azure@example.com"
        tokens = [one._portal_ensure_token() for one in (unknown, mailed)]
        unknown.message_post(body="A note")
        mailed.message_post(body="Hello", partner_ids=mailed.partner_id.ids)
        self.migrate("post-customer_links", "19.0.1.3.0", NEW_FOLDER)
        self.assertFalse(unknown.access_token)
        self.assertNotEqual(unknown._portal_ensure_token(), tokens[0])
        self.assertEqual(mailed.access_token, tokens[1])

    def test_the_address_to_object_leaves_the_chatter(self):
        """B4: also from a message that has the other link, too."""
        subscription = self.create_subscription()
        self.bill(subscription)
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        declaration = declarations.create(
            {
                "company_id": self.company.id,
                "kind": "ordinary",
                "customer_name": "Jane",
                "contract_reference": "x",
                "contract_email": "jane@example.com",
                "confirmation_email": "jane@example.com",
                "access_token": "receipt",
            }
        )
        self.cancel(subscription, timing="end_of_period")
        cancellation = subscription.cancellation_ids
        self.env.cr.execute(
            "UPDATE subscription_cancellation SET declaration_id = %s WHERE id = %s",
            [declaration.id, cancellation.id],
        )
        secrets = f"{subscription._portal_ensure_token()} {declaration.objection_token}"
        messages = self.write_by_link(cancellation, secrets)
        messages |= self.write_by_link(declaration, secrets)
        self.migrate("post-customer_links", "19.0.1.3.0", NEW_FOLDER)
        for body in messages.mapped("body"):
            self.assertNotIn(declaration.objection_token, body)
        self.assertNotIn(subscription.access_token, messages[0].body)

    def test_old_cancellations_keep_what_their_reason_is_called_today(self):
        """B6: in every language; one without a reason has none."""
        self.env["res.lang"]._activate_lang("de_DE")
        reason = self.env["sale.subscription.close.reason"].create(
            {"name": "Too dear", "code": "dear"}
        )
        reason.with_context(lang="de_DE").name = "Zu teuer"
        done = self.cancel_as_version_1_0_0(reason_code="dear")
        without = self.cancel_as_version_1_0_0()
        self.env.cr.execute("UPDATE subscription_cancellation SET reason_name = NULL")
        self.migrate("post-reason_names", "19.0.1.3.0", NEW_FOLDER)
        reason.name = "Price"
        self.assertEqual(done.reason_name, "Too dear")
        self.assertEqual(done.with_context(lang="de_DE").reason_name, "Zu teuer")
        self.assertFalse(without.reason_name)

    def test_which_days_were_billed_is_read_from_what_is_left(self):
        """C9: a cancelled invoice counts; what has ended is not judged anew."""
        subscription = self.create_subscription([31.0, 62.0])
        july = self.bill(subscription, post=False)
        july.button_cancel()
        ended = self.get_line(subscription, "Line 2")
        self.cancel(subscription, line_ids=ended.ids, unbilled_charges="drop")
        never = self.create_subscription()
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_subscription_line SET billed_days = NULL")
        self.migrate("post-billed_days", "19.0.1.3.0", NEW_FOLDER)
        lines = self.get_line(subscription, "Line 1") | ended
        lines |= never.sale_subscription_line_ids
        days = [line.billed_days or [] for line in lines]
        self.assertEqual(days, [[["2026-07-01", "2026-07-31"]], [], []])
