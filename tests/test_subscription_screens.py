# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the list and the form of subscriptions show, and what finds one (D4, D8)."""

from unittest.mock import patch

from lxml import etree

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import CANCELLATION_USER, SALESPERSON, CancellationCase


@tagged("post_install", "-at_install")
class TestSubscriptionScreens(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription([31.0])
        cls.pay(cls.bill(cls.subscription))
        cls.travel_to("2026-07-10")

    def is_shown(self, name, kind="form"):
        """Return whether a field or button of the subscription is visible.

        By the expression of its view, with what the client has read.
        """
        model = self.subscription.browse()
        view = model.get_views([(False, kind)])["views"][kind]["arch"]
        # Banners name fields, too.
        [node] = etree.fromstring(view).xpath(f"//*[@name='{name}'][not(@nolabel)]")
        values = self.subscription.read()[0]
        return not safe_eval(node.get("invisible", "False"), values)

    def search(self, **defaults):
        """Return what the list shows, by the filters of its search view."""
        [(name, value)] = defaults.items()
        return self.search_in(self.subscription, value, name)

    def search_in(self, records, value, name="name"):
        """Return what a list shows where somebody enters ``value``."""
        view = records.get_views([(False, "search")])["views"]["search"]
        node = etree.fromstring(view["arch"]).find(f".//*[@name='{name}']")
        domain = node.get("domain") or node.get("filter_domain")
        domain = domain or f"[('{name}', 'ilike', self)]"
        return records.search(safe_eval(domain, {"self": value}))

    def open_list(self):
        """Return what the menu shows: by the filters that it opens with."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "subscription_oca.sale_subscription_action"
        )
        view = self.subscription.get_views([(False, "search")])["views"]["search"]
        arch = etree.fromstring(view["arch"])
        names = [
            key.removeprefix("search_default_") for key in safe_eval(action["context"])
        ]
        filters = [arch.find(f".//filter[@name='{name}']") for name in names]
        return self.subscription.search(
            Domain.OR(safe_eval(node.get("domain")) for node in filters)
        )

    def test_the_list_opens_with_what_runs(self):
        """E1: and what is to start; what has ended is a click away."""
        draft = self.subscription.copy()
        self.assertEqual(
            self.open_list() & (self.subscription | draft), self.subscription | draft
        )
        self.cancel(self.subscription, timing="end_of_period")
        self.assertIn(self.subscription, self.open_list())
        self.subscription.revoke_cancellation()
        self.cancel(self.subscription)
        self.assertNotIn(self.subscription, self.open_list())
        self.assertEqual(
            self.search(cancelled=True) & self.subscription, self.subscription
        )

    def test_a_filter_of_the_kanban(self):
        """E1: upstream looked its columns up by the filter of the cards."""
        domain = [("cancellation_state", "=", "active")]
        subscriptions = self.subscription.with_context(read_group_expand=True)
        groups = subscriptions.web_read_group(domain, ["stage_id"], ["__count"])
        self.assertEqual(
            len(groups["groups"]), self.env["sale.subscription.stage"].search_count([])
        )

    def test_what_it_is_worth_in_a_month(self):
        """E4: of a cancelled one what it was; others by their lines of now."""
        quarterly = self.create_subscription([93.0], interval="3 months")
        self.assertEqual(quarterly.monthly_revenue, 31.0)
        self.add_line(quarterly, 30.0)
        self.assertEqual(quarterly.monthly_revenue, 41.0)
        self.bill(quarterly, "2026-07-10")
        self.cancel(quarterly)
        self.assertEqual(
            (quarterly.recurring_total, quarterly.monthly_revenue), (0.0, 41.0)
        )
        quarterly.reactivate_subscription()
        self.assertEqual(quarterly.monthly_revenue, 41.0)

    def test_what_it_is_worth_is_for_salespeople(self):
        """E1: who may not look up everybody's cancellations."""
        self.cancel(self.subscription)
        seller = self.create_user(SALESPERSON)
        self.subscription.user_id = seller
        self.assertEqual(self.subscription.with_user(seller).monthly_revenue, 31.0)

    # === SMART BUTTONS === #

    def assert_opens(self, action, records):
        """Fail unless a button opens the one record, or the list of several."""
        self.assertEqual(action["res_model"], records._name)
        if len(records) == 1:
            self.assertEqual(action["res_id"], records.id)
            self.assertEqual([kind for _id, kind in action["views"]], ["form"])
        else:
            self.assertFalse(action.get("res_id"))
            self.assertEqual(records.search(action["domain"]), records)

    def test_a_button_with_one_record_opens_it(self):
        """E1: cancellations, credit memos, invoices, pauses, subscriptions, events."""
        subscription = self.subscription
        subscription.action_pause(fields.Date.to_date("2026-07-20"))
        self.travel_to("2026-07-25")
        subscription.action_resume()
        self.cancel(subscription)
        cancellation = subscription.cancellation_ids
        invoices = subscription._get_invoices()
        self.assert_opens(subscription.action_view_cancellations(), cancellation)
        self.assert_opens(subscription.action_view_account_invoice_ids(), invoices)
        self.assert_opens(subscription.action_view_pauses(), subscription.pause_ids)
        self.assert_opens(
            cancellation.action_view_credit_notes(), cancellation.credit_note_ids
        )
        self.assert_opens(
            subscription.partner_id.action_view_subscription_ids(), subscription
        )
        self.assert_opens(
            subscription.template_id.action_view_subscription_ids(), subscription
        )

    def test_a_button_with_several_records_lists_them(self):
        """E1: as ever."""
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.revoke_cancellation()
        self.cancel(self.subscription, timing="end_of_period")
        cancellations = self.subscription.cancellation_ids
        self.assertEqual(len(cancellations), 2)
        self.assert_opens(self.subscription.action_view_cancellations(), cancellations)
        events = cancellations[0].event_ids
        self.assert_opens(cancellations[0].action_view_events(), events)

    # === UNDO, RESUME, REACTIVATE === #

    def get_ways_back(self, user=None):
        """Return which of the three buttons are offered."""
        self.env.invalidate_all()
        subscription = self.subscription.with_user(user or self.env.user)
        cancellation = subscription.cancellation_ids[:1]
        shown = {
            "Undo": cancellation.can_undo,
            "Resume": subscription.is_paused,
            "Reactivate": self.is_shown("action_reactivate")
            and subscription.can_reactivate,
        }
        return [name for name, is_offered in shown.items() if is_offered]

    def test_each_way_back_only_where_it_works(self):
        """B15: a pause, a mistake, and what has ended."""
        policy = self.get_default_policy()
        policy.undo_days = 3
        self.assertEqual(self.get_ways_back(), [])
        self.subscription.action_pause(fields.Date.to_date("2026-07-20"))
        self.assertEqual(self.get_ways_back(), ["Resume"])
        self.subscription.action_resume()
        self.cancel(self.subscription)
        self.assertEqual(self.get_ways_back(), ["Undo", "Reactivate"])
        self.travel_to("2026-07-14")
        self.assertEqual(self.get_ways_back(), ["Reactivate"])
        self.subscription.reactivate_subscription()
        self.assertEqual(self.get_ways_back(), [])

    def test_no_way_back_is_offered_that_is_refused(self):
        """B15: the customer or a product is archived, or a colleague cancelled it."""
        self.get_default_policy().undo_days = 3
        self.cancel(self.subscription)
        colleague = self.create_user(SALESPERSON, CANCELLATION_USER)
        self.subscription.user_id = colleague
        self.assertEqual(self.get_ways_back(colleague), [])
        for record in (
            self.subscription.partner_id,
            self.subscription.archived_line_ids.product_id,
        ):
            record.active = False
            self.assertEqual(self.get_ways_back(), [], record)
            record.active = True
        self.assertEqual(self.get_ways_back(), ["Undo", "Reactivate"])

    def test_a_term_that_is_over_is_started_anew_only(self):
        """B15: nothing to undo, but to reactivate."""
        self.get_default_policy().undo_days = 90
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=1
        )
        self.subscription = self.create_subscription([31.0], template=template)
        self.bill(self.subscription, "2026-07-01")
        self.cancel(self.subscription, "2026-07-20")
        self.assertEqual(self.get_ways_back(), ["Undo", "Reactivate"])
        self.travel_to("2026-08-02")
        self.assertEqual(self.get_ways_back(), ["Reactivate"])

    # === WHAT IS STILL INVOICED === #

    def test_no_invoice_is_promised_after_the_end(self):
        """B7: neither its date nor the button that would make it."""
        for kind in ("form", "list"):
            self.assertTrue(self.is_shown("recurring_next_date", kind))
        self.assertTrue(self.is_shown("manual_invoice"))
        self.cancel(self.subscription, timing="end_of_period")
        for kind in ("form", "list"):
            self.assertFalse(self.is_shown("recurring_next_date", kind))
        self.assertFalse(self.is_shown("manual_invoice"))

    def test_no_invoice_is_promised_for_days_that_are_charged(self):
        """B13, B7: moved on, its extra days are invoiced to the day."""
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.postpone_cancellation(
            requested_date="2026-08-20", charge_extension=True
        )
        self.assert_no_next_invoice()

    def test_no_invoice_is_promised_while_a_request_waits(self):
        """C11, B7: it would be refused until that is decided."""
        self.get_default_policy().approval_always = True
        self.cancel(self.subscription, timing="end_of_period")
        self.assertEqual(self.subscription.cancellation_ids.state, "to_approve")
        self.assert_no_next_invoice()

    def assert_no_next_invoice(self):
        for kind in ("form", "list"):
            self.assertFalse(self.is_shown("recurring_next_date", kind))
        self.assertFalse(self.is_shown("manual_invoice"))
        with self.assertRaises(UserError):
            self.subscription.manual_invoice()

    def test_a_list_asks_once_for_all(self):
        """D4: whether there is a next invoice, of two as of twelve."""
        many = self.subscription
        for number in range(11):
            many |= self.create_subscription([31.0])
            if number % 2:
                self.cancel(many[-1], timing="end_of_period")
        counts = []
        for some in (many[:2], many[-2:], many):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.mapped("has_next_invoice")
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], max(counts[:2]), counts)

    def test_what_has_not_started_is_started_first(self):
        """E1: its first button is *Start*; nothing is invoiced before that."""
        self.subscription = self.create_subscription([31.0], start="2026-07-01")
        draft = self.env["sale.subscription.stage"].search(
            [("type", "=", "draft")], limit=1
        )
        self.subscription = self.subscription.copy({"stage_id": draft.id})
        self.assertTrue(self.is_shown("action_start_subscription"))
        self.assertFalse(self.is_shown("manual_invoice"))

    def test_what_it_is_worth_stands_beside_its_dates(self):
        """D4: in the group, not in a banner; once it is cancelled, too."""
        arch = self.subscription.get_view(view_type="form")["arch"]
        [field] = etree.fromstring(arch).xpath("//field[@name='monthly_revenue']")
        self.assertEqual(field.getparent().get("name"), "right_group")
        self.cancel(self.subscription)
        self.assertTrue(self.is_shown("monthly_revenue"))

    def test_an_empty_list_does_not_speak_of_the_first_one(self):
        """E1: where there are some, it says how the others are found."""
        action = self.env.ref("subscription_oca.sale_subscription_action")
        model = self.env["sale.subscription"]
        told = action.read(["help", "res_model"])[0]["help"]
        self.assertIn("Remove these filters", told)
        with patch.object(type(model), "search_count", return_value=0):
            told = action.read(["help", "res_model"])[0]["help"]
        self.assertIn("Create your first subscription", told)

    def test_an_invoice_before_the_end_is_shown(self):
        """B7: August is billed as usual."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-08-15"
        )
        self.assertTrue(self.is_shown("recurring_next_date"))
        self.assertTrue(self.is_shown("manual_invoice"))

    def test_it_is_found_by_its_cancellation(self):
        """D4: by the reference that customers have in their mails."""
        self.cancel(self.subscription, timing="end_of_period")
        reference = self.subscription.cancellation_ids.name
        for written in self.get_spellings(reference):
            with self.subTest(written):
                self.assertEqual(self.search(name=written), self.subscription)

    def get_spellings(self, reference):
        """Return a reference as people write it: as in mails, in a letter, a part."""
        prefix, year, number = reference.split("/")
        return (
            reference,
            f"{prefix}-{year}-{number}",
            f" {prefix}-{year}-{number}\n",
            f"{prefix} {year} {number}",
            f"{prefix} – {year} – {number}",
            f"{prefix}.{year}.{number}".lower(),
            f"{year}-{number}",
            f"-{number}",
        )

    def test_cancellations_are_found_by_their_reference(self):
        """D4: list and search by name; another number is not found."""
        self.cancel(self.subscription, timing="end_of_period")
        cancellation = self.subscription.cancellation_ids
        for written in self.get_spellings(cancellation.name):
            with self.subTest(written):
                self.assertEqual(self.search_in(cancellation, written), cancellation)
                found = cancellation.name_search(written)
                self.assertEqual([one for one, _name in found], cancellation.ids)
                by_document = [("cancellation_id", "ilike", written)]
                steps = cancellation.step_ids.search(by_document)
                self.assertEqual(steps, cancellation.step_ids)
        for written in ("CAN-1999-00001", "CAN2-026", "C-AN"):
            with self.subTest(written):
                self.assertFalse(self.search_in(cancellation, written) & cancellation)

    def test_receipts_are_found_by_their_reference(self):
        """D4: as cancellations; an empty search finds all, as everywhere."""
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        token = declarations._receive(
            {
                "kind": "ordinary",
                "customer_name": "Azure",
                "contract_reference": "?",
                "contract_email": "azure@example.com",
                "confirmation_email": "azure@example.com",
                "wants_earliest": True,
            },
            self.company,
            nonce="n" * 20,
            client_address="192.0.2.1",
        )
        declaration = declarations.search([("access_token", "=", token)])
        for written in self.get_spellings(declaration.name):
            with self.subTest(written):
                self.assertEqual(self.search_in(declaration, written), declaration)
        self.assertIn(declaration.id, dict(declaration.name_search("")))

    def test_subscriptions_are_found_by_their_own_reference(self):
        """E1: by any mark between, too."""
        self.subscription.name = "MON/SUB/00042"
        for written in self.get_spellings(self.subscription.name):
            with self.subTest(written):
                self.assertEqual(self.search(name=written), self.subscription)
                found = self.subscription.name_search(written)
                self.assertEqual([one for one, _name in found], self.subscription.ids)

    def test_what_ends_this_month(self):
        """D4: by the last day of service, wherever its reader is."""
        self.travel_to("2026-07-10 12:00:00")
        for day, is_found, zone in (
            ("2026-07-31", True, "UTC"),
            ("2026-07-31", True, "Europe/Berlin"),
            ("2026-07-31", True, "Pacific/Auckland"),
            ("2026-07-31", True, "America/New_York"),
            ("2026-07-10", True, "UTC"),
            ("2026-08-01", False, "Europe/Berlin"),
            ("2026-08-01", False, "America/New_York"),
        ):
            with self.subTest(day, zone=zone), self.env.cr.savepoint() as savepoint:
                self.subscription = self.subscription.with_context(tz=zone)
                self.cancel(
                    self.subscription, timing="specific_date", requested_date=day
                )
                found = self.search(ends_this_month=True)
                self.assertEqual(self.subscription in found, is_found)
                savepoint.rollback()
                self.env.invalidate_all()
