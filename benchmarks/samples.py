"""Subscriptions as users make them: started, billed by upstream, posted, scheduled."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from odoo.fields import Command

#: Ten days of the period are over when service ends: the rest is credited.
DAYS_SERVED = 10


def create_billed(env, lines=1, periods=1, journal=None, paid=None):
    """Return a running subscription of a new customer, its invoices posted.

    :param int lines: lines of the subscription and of each invoice
    :param int periods: months that are billed, the last one still running
    :param str paid: how the invoices were paid, absent where they were not
    :param journal: ``account.journal``, the company's first one where absent
    """
    start = date.today() - timedelta(days=DAYS_SERVED + 31 * (periods - 1))
    product = _get_product(env)
    template = env["sale.subscription.template"].create({"name": "Benchmark"})
    subscription = env["sale.subscription"].create(
        {
            "partner_id": env["res.partner"].create({"name": "Benchmark"}).id,
            "pricelist_id": env["product.pricelist"].create({"name": "Benchmark"}).id,
            "template_id": template.id,
            "journal_id": (journal or get_journal(env)).id,
            "sale_subscription_line_ids": [
                Command.create({"product_id": product.id}) for _number in range(lines)
            ],
        }
    )
    subscription.action_start_subscription()
    subscription.write({"date_start": start, "recurring_next_date": start})
    for _number in range(periods):
        subscription.generate_invoice()
    subscription.invoice_ids._post()
    if paid:
        pay(subscription, paid)
    return subscription


def pay(subscription, how):
    """Let the customer pay all invoices: ``online``, or by ``bank``."""
    for invoice in subscription.invoice_ids:
        if how == "online":
            _pay_online(invoice)
        else:
            _pay_by_bank(invoice)
        assert not invoice.amount_residual, invoice.payment_state
    subscription.env.flush_all()


def _pay_online(invoice):
    """Pay through Odoo's demo provider, with a token of the customer's own."""
    env = invoice.env
    provider = env["payment.provider"].search(
        [("code", "=", "demo"), ("company_id", "=", invoice.company_id.id)], limit=1
    )
    provider.state = "test"
    method = provider.payment_method_ids[:1]
    token = env["payment.token"].create(
        {
            "provider_id": provider.id,
            "payment_method_id": method.id,
            "payment_details": "4242",
            "partner_id": invoice.partner_id.id,
            "provider_ref": "demo",
            "demo_simulated_state": "done",
        }
    )
    transaction = env["payment.transaction"].create(
        {
            "provider_id": provider.id,
            "payment_method_id": method.id,
            "token_id": token.id,
            "operation": "offline",
            "amount": invoice.amount_residual,
            "currency_id": invoice.currency_id.id,
            "partner_id": invoice.partner_id.id,
            "invoice_ids": [Command.set(invoice.ids)],
        }
    )
    transaction._charge_with_token()
    transaction._post_process()


def _pay_by_bank(invoice):
    """Register a payment, and match it with a line of a bank statement."""
    env = invoice.env
    register = env["account.payment.register"].with_context(
        active_model="account.move", active_ids=invoice.ids
    )
    payment = register.create({})._create_payments()
    line = env["account.bank.statement.line"].create(
        {
            "journal_id": payment.journal_id.id,
            "date": date.today(),
            "payment_ref": invoice.name,
            "partner_id": invoice.partner_id.id,
            "amount": payment.amount,
        }
    )
    _liquidity, suspense, _other = line._seek_for_lines()
    outstanding, *_others = payment._seek_for_lines()
    suspense.account_id = outstanding.account_id
    (suspense | outstanding).reconcile()


def _get_product(env):
    product = env["product.product"].search([("name", "=", "Benchmark")], limit=1)
    tax = env["account.tax"].search([("type_tax_use", "=", "sale")], limit=1)
    return product or product.create(
        {
            "name": "Benchmark",
            "type": "service",
            "subscribable": True,
            "list_price": 31.0,
            "taxes_id": [Command.set(tax.ids)],
            # Upstream leaves it to the product.
            "property_account_income_id": get_journal(env).default_account_id.id,
        }
    )


def get_journal(env, code="INV"):
    """Return the sales journal with this code, a copy of the first one if need be."""
    journals = env["account.journal"].search([("type", "=", "sale")])
    found = journals.filtered(lambda journal: journal.code == code)
    return found[:1] or journals[0].copy({"name": code, "code": code})


def schedule(subscription, **options):
    """Let service of a subscription end today; nothing is executed yet."""
    tomorrow = date.today() + timedelta(days=1)
    subscription.request_cancellation(
        timing="specific_date", requested_date=str(tomorrow), **options
    )
    subscription.env.flush_all()
    # As if it had been asked for a few days ago: asked for today it is not due yet.
    cr = subscription.env.cr
    cr.execute(
        "UPDATE subscription_cancellation SET effective_date = %s, due_at = %s"
        " WHERE subscription_id = %s",
        [date.today(), datetime.now() - timedelta(days=1), subscription.id],
    )
    cr.execute(
        "UPDATE sale_subscription SET cancellation_date = %s WHERE id = %s",
        [date.today(), subscription.id],
    )
    cr.execute(
        "UPDATE sale_subscription_line SET cancellation_date = %s"
        " WHERE sale_subscription_id = %s",
        [date.today(), subscription.id],
    )
    subscription.env.invalidate_all()
    return subscription


def create_scheduled(env, lines=1, periods=1, journal=None, paid=None, **options):
    """Return a subscription whose cancellation is due.

    Where it is paid, the credit goes back to where the money came from.
    """
    if paid:
        options["credit_settlement"] = "refund"
    return schedule(create_billed(env, lines, periods, journal, paid), **options)


def put_off(env):
    """Let no cancellation be due that exists by now."""
    env.cr.execute(
        "UPDATE subscription_cancellation SET due_at = '2100-01-01'"
        " WHERE state = 'scheduled'"
    )
    env.invalidate_all()
