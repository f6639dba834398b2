# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a credit is computed from stays as it was posted.

Guarded is what a subscription line billed and what somebody credited. Every other
document, and whatever no credit depends on, is left to Odoo.
"""

import contextlib

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

#: Which days of which line a journal item bills or credits.
PERIOD = {"start_date", "end_date"}
LINKS = PERIOD | {"subscription_line_id", "origin_line_id", "discounted_line_id"}
#: What the amount of a credit comes from. Odoo derives some of it from the rest, but
#: over RPC each of them can be written.
AMOUNTS = {
    "amount_currency",
    "balance",
    "credit",
    "currency_id",
    "debit",
    "discount",
    "display_type",
    "extra_tax_data",
    "move_id",
    "parent_state",
    "price_subtotal",
    "price_total",
    "price_unit",
    "product_id",
    "product_uom_id",
    "quantity",
    "tax_ids",
    "tax_line_id",
}
#: The same of a document; its subscription tells what is billed.
DOCUMENT = {
    "amount_tax",
    "amount_total",
    "amount_untaxed",
    "company_id",
    "currency_id",
    "invoice_currency_rate",
    "move_type",
    "partner_id",
    "posted_before",
    "reversed_entry_id",
    "subscription_id",
}
#: Items that Odoo adds for all lines of a document together.
ADDED = ("tax", "epd", "rounding")
#: Context value of what Odoo writes there by itself when lines change. An object,
#: because a context that comes in over RPC can hold anything but this.
ADDING = object()


def map_changes(records, vals, names):
    """Return which of these fields the values would change, by record.

    Only for customers' documents that were posted once, and for those that
    cancellations issued.
    """
    changes = {
        record: {
            name
            for name in names & vals.keys()
            if _normalize(record, name, vals[name])
            != _normalize(record, name, record[name])
        }
        for record in records.filtered(_is_settled)
    }
    return {record: changed for record, changed in changes.items() if changed}


def _is_settled(record):
    move = record.move_id if record._name == "account.move.line" else record
    is_customers = move.move_type in ("out_invoice", "out_refund")
    return is_customers and (move.posted_before or move._get_credit_source())


def _normalize(record, name, value):
    field = record._fields[name]
    value = field.convert_to_cache(value, record, validate=False)
    return set(value) if field.type == "many2many" else value


def _tell_fields(record, names):
    """Return the labels of these fields, as on the screens."""
    labels = [
        record._fields[name]._description_string(record.env) for name in sorted(names)
    ]
    return ", ".join(labels)


class AccountMove(models.Model):
    """Keep what credits are computed from of a document as a whole."""

    _inherit = "account.move"

    def write(self, vals):
        if vals.get("state") == "cancel":
            self._check_not_credited()
        if not self.env.su:
            if vals.get("state") in ("draft", "cancel"):
                self._check_not_taken_back()
            if DOCUMENT & vals.keys():
                self._check_documents_kept(vals)
        return super().write(vals)

    @contextlib.contextmanager
    def _sync_dynamic_lines(self, container):
        """Tell apart what follows from the lines and what somebody writes."""
        adding = self.with_context(adding=ADDING)
        with super(AccountMove, adding)._sync_dynamic_lines(container):
            yield
            container["records"] = container["records"].with_context(adding=ADDING)

    def _check_not_credited(self):
        """Raise where a credit would be left of what is billed no longer.

        Whoever cancels, and however: what a cancellation has credited may be paid back
        already.
        """
        # sudo: whoever cancels an invoice need not see all credit memos.
        invoices = self.sudo().filtered(
            lambda move: move.move_type == "out_invoice" and move.posted_before
        )
        memos = invoices._search_credit_memos().filtered(
            lambda memo: memo._get_credit_source()
        )
        for memo in memos - memos._filter_taken_back_in_full():
            memo._raise_still_credits(memo.reversed_entry_id.display_name)
        if not self.env.su:
            self.invoice_line_ids._check_not_credited()

    def _raise_still_credits(self, what):
        """Say that this credit memo has to go before what it credits.

        :param str what: the invoice, or which line of it
        """
        values = {"what": what, "memo": self.display_name}
        source = self._get_credit_source()
        if source:
            raise UserError(
                self.env._(
                    "%(what)s is credited by %(memo)s and can be neither cancelled nor "
                    "deleted. Undo %(name)s first, or post the invoice again and "
                    "credit what is left of it.",
                    name=source.display_name,
                    **values,
                )
            )
        raise UserError(
            self.env._(
                "%(what)s is credited by %(memo)s and can be neither cancelled nor "
                "deleted. Cancel that credit memo first.",
                **values,
            )
        )

    def _check_not_taken_back(self):
        """Raise where an invoice would be left that takes one of these back."""
        # sudo: whoever resets a credit memo need not see all invoices.
        for memo, invoice in self.sudo()._map_take_backs().items():
            raise UserError(
                self.env._(
                    "%(memo)s is taken back by %(invoice)s and can be neither reset "
                    "nor cancelled. Cancel or reverse that invoice first.",
                    memo=memo.display_name,
                    invoice=invoice.display_name,
                )
            )

    def _check_documents_kept(self, vals):
        """Raise where these values would change what a credit is computed from."""
        # Odoo sets that it was posted; nobody takes that back.
        is_posting = vals.get("posted_before")
        names = DOCUMENT - {"posted_before"} if is_posting else DOCUMENT
        changes = map_changes(self, vals, names)
        memos = self.browse().union(*changes).invoice_line_ids._map_credit_memos()
        credited = {item.move_id: memo for item, memo in memos.items()}
        # sudo: what is guarded does not depend on what the user may read.
        for move in self.sudo().filtered(changes.get):
            related = move | move.reversed_entry_id
            related |= move.browse(vals.get("reversed_entry_id") or ())
            move._raise_where_kept(
                move.display_name,
                _tell_fields(move, changes[move]),
                memo=credited.get(move),
                is_proof=bool(move._get_credit_source()),
                is_ledger=any(
                    item._is_in_ledger() for item in related.invoice_line_ids
                ),
            )

    def _raise_where_kept(self, what, names, memo, is_proof, is_ledger):
        """Raise a UserError where one of the reasons to keep something is true.

        :param str what: the document, or which line of it
        :param str names: of the fields that would change
        :param memo: the ``account.move`` that credits it, if any
        """
        values = {"what": what, "fields": names}
        if memo:
            raise UserError(
                self.env._(
                    "%(what)s is credited by %(memo)s, so that %(fields)s cannot be "
                    "changed, also not in a draft. Cancel that credit memo first.",
                    memo=memo.display_name,
                    **values,
                )
            )
        if is_proof:
            raise UserError(
                self.env._(
                    "%(what)s is the proof of %(name)s, so that %(fields)s cannot be "
                    "changed. Cancel the document instead.",
                    name=self._get_credit_source().display_name,
                    **values,
                )
            )
        if is_ledger and self.state == "posted":
            raise UserError(
                self.env._(
                    "%(what)s is posted, and credits are computed from it, so that "
                    "%(fields)s cannot be changed. Reset the document to draft first.",
                    **values,
                )
            )


class AccountMoveLine(models.Model):
    """Keep which days were billed or credited, and at which amount."""

    _inherit = "account.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        if not self.env.su:
            items._check_not_posted(self.env._("its lines"))
        return items

    def write(self, vals):
        if self.env.su or not (LINKS | AMOUNTS) & vals.keys():
            return super().write(vals)
        self._check_items_kept(vals)
        if not LINKS & vals.keys():
            return super().write(vals)
        # The document tells what it billed before, whoever asks it not to.
        told = self.with_context(tracking_disable=False)
        return super(AccountMoveLine, told).write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_kept(self):
        if not self.env.su:
            self._check_not_credited()
            self._check_not_posted(self.env._("its lines"))

    def _check_items_kept(self, vals):
        """Raise where these values would change what a credit is computed from."""
        changes = map_changes(self, vals, LINKS | AMOUNTS)
        changed = self.filtered(changes.get)
        changed -= changed._filter_linkable(changes)
        memos = changed._map_credit_memos()
        # sudo: what is guarded does not depend on what the user may read.
        for item in changed.sudo():
            names = changes[item]
            linked = item | item.browse(vals.get("origin_line_id") or ())
            item.move_id._raise_where_kept(
                item._tell_item(),
                _tell_fields(item, names),
                memo=memos.get(item),
                is_proof=bool(names & LINKS and item.move_id._get_credit_source()),
                is_ledger=bool(
                    vals.get("subscription_line_id")
                    or any(one._is_in_ledger() for one in linked)
                ),
            )

    def _tell_item(self):
        return self.env._(
            "“%(line)s” of %(document)s",
            line=self.name or self.product_id.display_name or "",
            document=self.move_id.display_name,
        )

    def _is_in_ledger(self):
        """Return whether this bills or credits a subscription line, or is added to."""
        if self.display_type in ADDED:
            return any(item._is_in_ledger() for item in self.move_id.invoice_line_ids)
        return bool(
            self.subscription_line_id
            or self.origin_line_id.subscription_line_id
            or self.discounted_line_id.subscription_line_id
        )

    def _map_credit_memos(self):
        """Return the credit memo, drafts included, of each of these that has one.

        Not one that was taken back and that nothing was paid out of. What Odoo adds
        for all lines together has that of any of them.
        """
        invoiced = self.filtered(
            lambda item: (
                item.display_type == "product"
                and item.move_id.move_type == "out_invoice"
                and item.move_id.posted_before
            )
        )
        # sudo: whoever changes an invoice need not see all credit memos.
        items = self.sudo()._search_all_credits(invoiced) if invoiced else ()
        idle = items.move_id._filter_taken_back_in_full() if items else ()
        memos = {
            item.origin_line_id: item.move_id
            for item in items
            if item.move_id not in idle
        }
        if self.env.context.get("adding") is not ADDING:
            added = self.filtered(lambda item: item.display_type in ADDED)
            lines = added.move_id.invoice_line_ids - added
            credited = lines._map_credit_memos() if lines else {}
            by_invoice = {item.move_id: memo for item, memo in credited.items()}
            memos |= {
                item: by_invoice[item.move_id]
                for item in added
                if item.move_id in by_invoice
            }
        return memos

    def _check_not_credited(self):
        """Raise where a credit would be left of what is billed no longer."""
        for item, memo in self._map_credit_memos().items():
            memo._raise_still_credits(item._tell_item())

    def _check_not_posted(self, names):
        """Raise where lines would come to, or go from, what is posted."""
        posted = self.filtered(
            lambda item: (
                item.display_type == "product" and item.parent_state == "posted"
            )
        )
        # sudo: as in _check_items_kept.
        for item in posted.sudo():
            item.move_id._raise_where_kept(
                item.move_id.display_name,
                names,
                memo=None,
                is_proof=False,
                is_ledger=item._is_in_ledger(),
            )

    # === LINKING === #

    def _filter_linkable(self, changes):
        """Return those of these that only get what *Lines Not Linked* asks for.

        That is a subscription line where there is none, and a period where there is
        no valid one.
        """
        posted = self.filtered(
            lambda item: (
                item.parent_state == "posted"
                and changes[item] <= PERIOD | {"subscription_line_id"}
            )
        )
        if not posted or not self.env.user.has_group("account.group_account_invoice"):
            return self.browse()
        to_link = posted.filtered(lambda item: "subscription_line_id" in changes[item])
        dateless = (posted - to_link).filtered(lambda item: not item._has_period())
        if to_link:
            own = Domain("id", "in", to_link.ids)
            domain = own & Domain(self._get_unlinked_domain())
            # sudo: whoever keeps the books need not be allowed to read sales orders.
            to_link = self.sudo().search(domain).sudo(False)
        return to_link | dateless
