# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...arithmetic.proration import Period, get_uncovered, unite
from ...engine import LINES, is_engine, let_write


class SaleSubscriptionLine(models.Model):
    _inherit = "sale.subscription.line"
    _check_company_auto = True

    sale_subscription_id = fields.Many2one(index=True)
    active = fields.Boolean(
        default=True,
        copy=False,
        help="A deactivated line stays on record but is no longer billed.",
    )
    parent_line_id = fields.Many2one(
        comodel_name="sale.subscription.line",
        string="Add-on of",
        domain="[('sale_subscription_id', '=', sale_subscription_id)]",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The line this one is an add-on of; it ends together with it.",
    )
    addon_line_ids = fields.One2many(
        comodel_name="sale.subscription.line",
        inverse_name="parent_line_id",
        string="Add-ons",
    )
    order_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Sales Order Line",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The order line that sold this subscription line.",
    )
    cancellation_date = fields.Date(
        copy=False,
        readonly=True,
        help="First day without service; nothing is billed from it on.",
    )
    last_service_date = fields.Date(
        string="Ends On",
        compute="_compute_last_service_date",
        help="The last day of service.",
    )
    billed_days = fields.Json(
        copy=False,
        readonly=True,
        help="First and last days of what was ever billed here, by an invoice, a draft "
        "or the order, whatever became of it: no other days are ever found to be "
        "unbilled.",
    )
    cancellation_line_ids = fields.One2many(
        comodel_name="subscription.cancellation.line",
        inverse_name="subscription_line_id",
        string="Cancellations",
    )
    cancellation_reason_id = fields.Many2one(
        comodel_name="sale.subscription.close.reason",
        compute="_compute_cancellation_reason_id",
    )

    # === COMPUTE METHODS === #

    @api.depends("cancellation_date")
    def _compute_last_service_date(self):
        for line in self:
            end = line.cancellation_date
            line.last_service_date = end and fields.Date.subtract(end, days=1)

    @api.depends("cancellation_line_ids.cancellation_id.state")
    def _compute_cancellation_reason_id(self):
        for line in self:
            done = line.cancellation_line_ids.cancellation_id.filtered(
                lambda cancellation: cancellation.state == "done"
            )
            line.cancellation_reason_id = done.sorted("executed_date")[-1:].reason_id

    def _compute_tax_ids(self):
        # Upstream takes those of the active company, and none of the one above it.
        result = None
        for line in self:
            taxes = line.product_id.taxes_id
            taxes = taxes._filter_taxes_by_company(self.env.company)
            in_company = line.with_company(taxes.company_id[:1] or self.env.company)
            result = super(SaleSubscriptionLine, in_company)._compute_tax_ids()
        return result

    # === CONSTRAINTS === #

    @api.constrains("parent_line_id", "sale_subscription_id")
    def _check_parent_line_id(self):
        for line in self:
            parent = line.parent_line_id
            if parent and parent.sale_subscription_id != line.sale_subscription_id:
                raise ValidationError(
                    self.env._(
                        "“%(line)s” cannot be an add-on of “%(parent)s”: they belong "
                        "to different subscriptions. Choose a line of the same one.",
                        line=line.name,
                        parent=parent.name,
                    )
                )
        if self._has_cycle("parent_line_id"):
            raise ValidationError(
                self.env._(
                    "A subscription line cannot be an add-on of itself, directly or "
                    "through its own add-ons. Choose another parent line."
                )
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        # Not the values: a default may set it too.
        lines.filtered("billed_days")._check_billed_by_engine()
        lines._link_addons()
        return lines

    def write(self, vals):
        guarded = {"active", "cancellation_date"} & vals.keys()
        if guarded and not is_engine(self, LINES):
            raise UserError(
                self.env._(
                    "A subscription line is ended with Deactivate, so that its unused "
                    "days are credited, not by changing it."
                )
            )
        if "billed_days" in vals:
            self._check_billed_by_engine()
        if "sale_subscription_id" in vals:
            self._check_stays(vals["sale_subscription_id"])
        result = super().write(vals)
        if "active" in vals:
            # One2many caches do not notice that a line was archived.
            self.sale_subscription_id.invalidate_recordset(
                ["sale_subscription_line_ids", "archived_line_ids"], flush=False
            )
        return result

    def _check_billed_by_engine(self):
        """Raise where anybody else says which days were billed: others are charged."""
        if self and not self.env.su:
            raise UserError(
                self.env._(
                    "“%(field)s” of %(document)s is kept by the cancellation engine: "
                    "it cannot be set or changed.",
                    field=self._fields["billed_days"]._description_string(self.env),
                    document=self[0].display_name,
                )
            )

    def _get_used(self):
        """Return the first of these that was invoiced or cancelled, or none."""
        # sudo: a salesperson may change a line but not read journal items.
        billed = (
            self.env["account.move.line"]
            .sudo()
            .search([("subscription_line_id", "in", self.ids)], limit=1)
        )
        return billed.subscription_line_id or self.cancellation_line_ids[:1].mapped(
            "subscription_line_id"
        )

    def _check_stays(self, subscription_id):
        """Raise where a line with a history would leave its subscription."""
        leaving = self.filtered(
            lambda line: line.sale_subscription_id.id not in (False, subscription_id)
        )
        used = leaving._get_used()
        if used:
            raise UserError(
                self.env._(
                    "“%(line)s” was invoiced or cancelled and stays on subscription "
                    "%(subscription)s. Deactivate the line, and add it to the other "
                    "one anew.",
                    line=used.name,
                    subscription=used.sale_subscription_id.display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed(self):
        used = self._get_used()
        if used:
            raise UserError(
                self.env._(
                    "“%(line)s” of subscription %(subscription)s cannot be deleted: "
                    "it was invoiced or cancelled, and that history is kept. "
                    "Deactivate the line instead.",
                    line=used.name,
                    subscription=used.sale_subscription_id.display_name,
                )
            )

    # === ADD-ONS === #

    def _link_addons(self):
        """Give new lines, and lines they are the base of, their parent line.

        From the linked lines of the sales order where there is one, else from the
        product's "Add-on of". A parent that is already set is left alone.
        """
        for subscription in self.sale_subscription_id:
            lines = subscription.sale_subscription_line_ids
            for line in lines.filtered(lambda line: not line.parent_line_id):
                parent = line._get_default_parent(lines, new_lines=self)
                if parent:
                    line.parent_line_id = parent

    def _get_default_parent(self, lines, new_lines):
        """Return the line of ``lines`` that this one is an add-on of, or none.

        Only pairs with one of ``new_lines`` in them are considered: what a person
        unlinked earlier stays unlinked.
        """
        self.ensure_one()
        candidates = (lines if self in new_lines else lines & new_lines) - self
        linked = self.order_line_id.linked_line_id
        by_order = candidates.filtered(
            lambda line: linked and line.order_line_id == linked
        )
        by_product = candidates.filtered(
            lambda line: (
                line.product_id.product_tmpl_id in self.product_id.addon_of_ids
                and not line._is_below(self)
            )
        )
        before = by_product.filtered(lambda line: line.id < self.id)
        return by_order[:1] or before[-1:] or by_product[:1]

    def _stamp_on_order(self, period):
        """Remember on the sales order that it sells these days of these."""
        for line in self.filtered("order_line_id"):
            line._note_billed_days(period)
            line.order_line_id.write(
                {
                    "subscription_line_id": line.id,
                    "subscription_period_start": period.start,
                    "subscription_period_end": period.last_day,
                    "subscription_end_date": False,
                }
            )

    def _is_rebate(self):
        """Return whether this is sold at a negative price: it reduces others."""
        self.ensure_one()
        return (self.price_unit < 0) != (self.product_uom_qty < 0)

    def _is_below(self, line):
        """Return whether this line is an add-on of ``line``, at any depth."""
        parent = self.parent_line_id
        while parent:
            if parent == line:
                return True
            parent = parent.parent_line_id
        return False

    def _with_addons(self):
        """Return these lines and all their active add-ons, to any depth."""
        siblings = self.sale_subscription_id.sale_subscription_line_ids
        by_parent = siblings.grouped("parent_line_id")
        lines = found = self
        while found:
            found = (
                self.union(*(by_parent.get(line, self.browse()) for line in found))
                - lines
            )
            lines |= found
        return lines

    # === BILLING === #

    def _prepare_account_move_line(self):
        values = super()._prepare_account_move_line()
        if not values.get("account_id"):
            # Upstream sends False where neither product nor category has an income
            # account, which a database check refuses; without it Odoo finds one.
            values.pop("account_id", None)
        return {**values, **self._prepare_period_stamp()}

    def _prepare_sale_order_line(self):
        values = super()._prepare_sale_order_line()
        stamp = self._prepare_period_stamp()
        return {
            **values,
            "subscription_line_id": stamp["subscription_line_id"],
            "subscription_period_start": stamp["start_date"],
            "subscription_period_end": stamp["end_date"],
        }

    def _prepare_period_stamp(self):
        """Return what an invoice line must say of the line and period it bills."""
        period = self.sale_subscription_id._get_next_billed_period()
        return {
            "subscription_line_id": self.id,
            "start_date": period.start,
            "end_date": period.last_day,
        }

    def _get_period_price(self):
        """Return what one billing period of this line costs, as its price says.

        With taxes that are included in the price where there are such.
        """
        self.ensure_one()
        discount = 1 - (self.discount or 0.0) / 100.0
        return self.price_unit * self.product_uom_qty * discount

    def _note_billed_days(self, period):
        """Remember that these days were billed, whatever becomes of the document."""
        for line in self:
            known = line._get_billed_periods()
            if get_uncovered(period, [(one, 1) for one in known]):
                # sudo: whoever bills need not be allowed to change subscriptions.
                line.sudo().billed_days = [
                    [
                        fields.Date.to_string(one.start),
                        fields.Date.to_string(one.last_day),
                    ]
                    for one in unite([*known, period])
                ]

    def _get_billed_periods(self):
        """Return the days that were ever billed here, whatever became of it.

        Days that billing has left out, as somebody moved the next invoice date on or
        it stood still, are none of them.
        """
        self.ensure_one()
        return unite(
            Period.from_inclusive(*map(fields.Date.to_date, days))
            for days in self.billed_days or []
        )

    def _get_first_billed_day(self):
        """Return the first day that was ever billed here, ``None`` without one."""
        return min((one.start for one in self._get_billed_periods()), default=None)

    def _is_billed_from(self, period_start):
        """Return whether a period that starts on ``period_start`` is billed."""
        self.ensure_one()
        end = self._get_billing_end()
        return not end or period_start < end

    def _get_billing_end(self, moved=None):
        """Return the first day that regular billing leaves out, or ``None``.

        The end of service, or where extra days begin that are charged already.

        :param moved: ``subscription.cancellation`` whose date counts no more
        """
        own = self._get_open_cancellations()
        if moved and moved in own:
            return None
        days = [self.cancellation_date, *own.mapped("extension_start_date")]
        return min(filter(None, days), default=None)

    def _cut_at_end(self, period):
        """Return the days of a period before service is to end, also if that is late.

        :rtype: Period
        :return: it may have no days
        """
        return Period(period.start, min(period.end, self.cancellation_date or date.max))

    def _get_open_cancellations(self):
        """Return the cancellations that these lines wait to end with."""
        # sudo: whoever bills need not be allowed to read cancellations.
        return self.sudo().cancellation_line_ids.filtered("is_open").cancellation_id

    def _set_end(self, day):
        """Remember the first day without service, or that there is none any more."""
        let_write(self, LINES).write({"cancellation_date": day})

    def _deactivate(self):
        """Stop billing these lines: they are archived, never deleted."""
        active = self.filtered("active")
        let_write(active, LINES).write({"active": False})

    def _reactivate(self):
        """Bring deactivated lines back, without an end."""
        let_write(self, LINES).write({"active": True, "cancellation_date": False})
        # sudo: who brings a line back need not be allowed to change orders.
        self.env["sale.order.line"].sudo()._search_sold(self)._offer_again()
