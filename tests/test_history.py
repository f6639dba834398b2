# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the chatter tells: who did what, why, the amounts and documents (E1, D4)."""

import re

from odoo.tests import tagged

from .common import CANCELLATION_USER, SALESPERSON, CancellationCase


@tagged("post_install", "-at_install")
class TestHistory(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.track_changes()
        cls.policy = cls.get_default_policy()
        cls.seller = cls.create_user(SALESPERSON, CANCELLATION_USER, login="seller")

    def show(self, title, records):
        self.end_transaction()
        for record in records:
            for message in (record.message_ids - self.known).sorted("id"):
                tracked = [(v.field_id.name, v.old_value_char or v.old_value_datetime, v.new_value_char or v.new_value_datetime) for v in message.sudo().tracking_value_ids]
                print("   ", record._name[-12:], "|", message.author_id.name, "|", message.body, "|", tracked)
                self.known |= message
        print("-----", title)

    def test_drive(self):
        self.known = self.env["mail.message"]
        s = self.create_subscription([31.0]).with_user(self.seller)
        s.sudo().user_id = self.seller
        self.pay(self.bill(s.sudo()))
        self.end_transaction()
        self.known |= s.message_ids
        self.travel_to("2026-07-10")
        c = lambda: s.cancellation_ids
        s.request_cancellation(timing="end_of_period", reason_code="too_expensive", comment="Found <b>cheaper</b>\nsecond line")
        self.show("request", s | s and [s, *c()])
        s.postpone_cancellation(requested_date="2026-08-15", charge_extension=True)
        self.show("move+ext", [s, *c()])
        s.postpone_cancellation(requested_date="2026-08-05", charge_extension=False)
        self.show("move back", [s, *c()])
        s.postpone_cancellation(requested_date="2026-08-15", charge_extension=True)
        self.show("move+ext", [s, *c()])
        s.revoke_cancellation()
        self.show("revoke", [s, *c()])
        s.request_cancellation(timing="specific_date", requested_date="2026-07-20", reason_code="too_expensive")
        self.show("request", [s, *c()])
        self.travel_to("2026-07-21")
        c()._execute_if_due()
        self.show("execute", [s, *c()])
        c()[0].action_undo()
        self.show("undo", [s, *c()])
        s.request_cancellation(timing="immediate", reason_code="too_expensive")
        self.show("immediate", [s, *c()])
        s.reactivate_subscription()
        self.show("reactivate", [s, *c()])
        self.policy.approval_always = True if "approval_always" in self.policy else False
        print([n for n in self.policy._fields if "approv" in n])
