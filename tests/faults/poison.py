# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Ways to break what a due cancellation needs, and to mend it again."""

from typing import NamedTuple

from odoo.exceptions import UserError
from odoo.tools import SQL

#: PostgreSQL's codes of errors that are raised for one record.
CANCELLED, LOCKED = "57014", "55P03"


class Poison(NamedTuple):
    """One way to break a subscription that is due to end."""

    #: Method of :class:`Poisons` that breaks it and returns how to mend it.
    name: str
    #: What the failure says (a regular expression); empty: it is done all the same.
    says: str = ""
    #: Whether it neither fails nor is done, but stays due.
    waits: bool = False

    @property
    def breaks(self):
        """Return whether it keeps the cancellation from being done."""
        return bool(self.says) or self.waits


POISONS = (
    Poison("archive_account", "its account .* is archived. Unarchive the account"),
    Poison("archive_receivable", "its account .* is archived. Unarchive the account"),
    Poison("archive_journal", "its journal .* is archived. Unarchive the journal"),
    Poison("drop_rates", "no exchange rate for GBP. Enter one"),
    Poison("archive_currency", "currency: JPY"),
    Poison("beyond_limit", "its account .* is archived. Unarchive the account"),
    Poison("nobody_responsible", "its account .* is archived. Unarchive the account"),
    Poison("lose_period", "bills “.*” without a period. Enter"),
    Poison("reverse_period", "bills “.*” without a period. Enter"),
    Poison("crash", "^Unexpected error: division by zero. See the server log.$"),
    Poison("cancel_statement", "^The database stopped .*: poisoned. Try again"),
    Poison("lock", waits=True),
    Poison("unknown_zone"),
    Poison("archive_product"),
    Poison("archive_customer"),
    Poison("break_domain"),
    Poison("take_receivable_from_customer"),
)


class Poisons:
    """For a ``CancellationCase``: break one subscription; return how to mend it."""

    #: Currency of those that need one.
    CURRENCIES = {"drop_rates": "GBP", "archive_currency": "JPY"}

    def poison(self, name, subscription):
        """Break a subscription in one way."""
        return getattr(self, f"_{name}")(subscription)

    def _archive(self, record):
        record.active = False
        return lambda: record.write({"active": True})

    def _own_account(self, subscription, account_type="income"):
        """Return an account that only this subscription's invoice uses."""
        item = subscription.invoice_ids.line_ids.filtered(
            lambda item: item.account_type == account_type
        )
        code = f"{account_type[:1]}{subscription.id}"
        item.account_id = item.account_id.copy({"code": code})
        return item.account_id

    def _archive_account(self, subscription):
        account = self._own_account(subscription)
        # Archived stands for deleted: Odoo keeps an account that is in use.
        with self.assertRaisesRegex(UserError, "cannot perform this action"):
            account.unlink()
        return self._archive(account)

    def _archive_receivable(self, subscription):
        return self._archive(self._own_account(subscription, "asset_receivable"))

    def _archive_journal(self, subscription):
        return self._archive(subscription.invoice_ids.journal_id)

    def _drop_rates(self, subscription):
        currency = subscription.invoice_ids.currency_id
        currency.rate_ids.unlink()
        return lambda: currency.write(
            {"rate_ids": [(0, 0, {"name": "1900-01-01", "rate": 0.5})]}
        )

    def _archive_currency(self, subscription):
        return self._archive(subscription.invoice_ids.currency_id)

    def _beyond_limit(self, subscription):
        policy = self.get_default_policy().copy({"approval_above": 1000.0})
        self._set(subscription.cancellation_ids, policy_id=policy.id)
        return self._archive_account(subscription)

    def _unknown_zone(self, subscription):
        partner = subscription.partner_id
        self._set(partner, tz="Mars/Phobos")
        return lambda: self._set(partner, tz="UTC")

    def _nobody_responsible(self, subscription):
        user = self.create_user(login=f"gone-{subscription.id}")
        subscription.user_id = user
        user.active = False
        return self._archive_account(subscription)

    def _archive_product(self, subscription):
        return self._archive(subscription.sale_subscription_line_ids.product_id)

    def _archive_customer(self, subscription):
        return self._archive(subscription.partner_id)

    def _break_domain(self, subscription):
        policy = self.get_default_policy().copy({"approval_above": 1000.0})
        self._set(policy, subscription_domain="[('no_field', '=', 1)]")
        self._set(subscription.cancellation_ids, policy_id=policy.id)
        return lambda: None

    def _take_receivable_from_customer(self, subscription):
        subscription.partner_id.property_account_receivable_id = False
        return lambda: None

    def _lose_period(self, subscription):
        return self._set_period(subscription, None, None)

    def _reverse_period(self, subscription):
        item = subscription.invoice_ids.invoice_line_ids
        return self._set_period(subscription, item.end_date, item.start_date)

    def _set_period(self, subscription, start, end):
        """Let the invoice bill other days than it did."""
        item = subscription.invoice_ids.invoice_line_ids
        days = {"start_date": item.start_date, "end_date": item.end_date}
        self._set(item, start_date=start, end_date=end)
        return lambda: self._set(item, **days)

    def _crash(self, subscription):
        """Let the engine's own code raise what nobody foresaw."""
        model = self.registry["subscription.cancellation"]
        original = model._prepare_credit_note

        def prepare(cancellation, *args):
            if cancellation.subscription_id.id == subscription.id:
                return 1 / 0
            return original(cancellation, *args)

        self.patch(model, "_prepare_credit_note", prepare)
        return lambda: self.patch(model, "_prepare_credit_note", original)

    def _cancel_statement(self, subscription):
        """Let its statement be cancelled, as a time limit does."""
        return self._raise_on_credit(subscription, CANCELLED)

    def _lock(self, subscription):
        """Let its row be locked by somebody who never lets go of it."""
        return self._raise_on_credit(subscription, LOCKED)

    def _raise_on_credit(self, subscription, code):
        """Let PostgreSQL raise an error when this one's credit memo is written.

        In a test, nobody else sees the records: nobody can lock them for real.
        """
        name = SQL.identifier(f"poison_{code.lower()}")
        self.env.cr.execute(
            SQL(
                "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN RAISE ''poisoned'' USING ERRCODE = ''%s''; END'",
                name,
                SQL(code),
            )
        )
        self.env.cr.execute(
            SQL(
                "CREATE TRIGGER %s BEFORE INSERT ON account_move FOR EACH ROW"
                " WHEN (NEW.reversed_entry_id = %s) EXECUTE FUNCTION %s()",
                name,
                SQL(str(subscription.invoice_ids.id)),
                name,
            )
        )
        return lambda: self.env.cr.execute(SQL("DROP TRIGGER %s ON account_move", name))

    def _set(self, records, **values):
        """Write past every check, as a broken import or an old version would."""
        records.flush_recordset()
        for name, value in values.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = ANY(%s)",
                    SQL.identifier(records._table),
                    SQL.identifier(name),
                    value,
                    records.ids,
                )
            )
        records.invalidate_recordset()
