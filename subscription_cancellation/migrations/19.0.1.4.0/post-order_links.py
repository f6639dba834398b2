# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Credit memos of what orders sold are among the invoices of these orders now."""

from odoo import SUPERUSER_ID, api

#: Not those that were taken back: together with what did so they change no amount.
LINK = """
    INSERT INTO sale_order_line_invoice_rel (invoice_line_id, order_line_id)
    SELECT item.id, sold.order_line_id
      FROM account_move_line item
      JOIN account_move memo ON memo.id = item.move_id
      JOIN sale_order_line_invoice_rel sold
        ON sold.invoice_line_id = item.origin_line_id
     WHERE memo.move_type = 'out_refund'
       AND COALESCE(memo.cancellation_id, memo.pause_id) IS NOT NULL
       AND NOT EXISTS (
           SELECT FROM account_move other
            WHERE other.reversed_entry_id = memo.id
              AND other.move_type = 'out_invoice')
        ON CONFLICT DO NOTHING
 RETURNING order_line_id
"""
#: What follows from the links: amounts, not quantities.
AMOUNTS = ("untaxed_amount_invoiced", "amount_invoiced", "untaxed_amount_to_invoice")


def migrate(cr, version):
    """Link them, and compute anew what the orders have invoiced."""
    cr.execute(LINK)
    ids = {line_id for [line_id] in cr.fetchall()}
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.invalidate_all()
    lines = env["sale.order.line"].browse(ids)
    for name in AMOUNTS:
        field = lines._fields[name]
        if field.store:
            env.add_to_compute(field, lines)
    env.flush_all()
