# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the migration scripts make of data that older versions have left.

The upgrade itself, by Odoo's own command line, is in :mod:`test_lifecycle`.
"""

import importlib.util

from odoo.tests import tagged
from odoo.tools.misc import file_path

from .common import CancellationCase

FOLDER = "subscription_cancellation/migrations/19.0.1.3.0"


@tagged("post_install", "-at_install")
class TestMigrations(CancellationCase):
    def migrate(self, script, version):
        """Run a script as Odoo does, which has loaded nothing yet."""
        path = file_path(f"{FOLDER}/{script}.py")
        spec = importlib.util.spec_from_file_location("migration", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, version)
        self.env.invalidate_all()

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
