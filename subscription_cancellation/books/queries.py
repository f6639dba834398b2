# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The SQL of the ledger. Amounts come as text: drivers may turn them into floats."""

SUBSCRIPTION_IDS = """
    SELECT DISTINCT subscription_id
      FROM subscription_cancellation
     WHERE subscription_id > %(after)s
       AND (%(companies)s::int[] IS NULL OR company_id = ANY(%(companies)s))
       AND (%(since)s::date IS NULL OR executed_date >= %(since)s::date)
     ORDER BY subscription_id
     LIMIT %(limit)s
"""

CURRENCIES = "SELECT id, name, rounding::text FROM res_currency"

TAXES = """
    SELECT tax.id, tax.name->>'en_US' AS name, tax.amount_type,
           tax.include_base_amount,
           array_agg(refund.account_id) AS refund_account_ids,
           (SELECT array_agg(member.parent_tax)
              FROM account_tax_filiation_rel member
             WHERE member.child_tax = tax.id) AS group_ids
      FROM account_tax tax
      LEFT JOIN account_tax_repartition_line refund
        ON refund.tax_id = tax.id
       AND refund.document_type = 'refund'
       AND refund.repartition_type = 'tax'
     GROUP BY tax.id
"""

#: The last day that is closed for a company, by it or by one above it.
LOCK_DATES = """
    SELECT company.id AS company_id,
           max(GREATEST(above.fiscalyear_lock_date, above.tax_lock_date,
                        above.sale_lock_date, above.hard_lock_date)) AS day
      FROM res_company company
      JOIN res_company above ON company.parent_path LIKE above.parent_path || '%%'
     GROUP BY company.id
"""

CANCELLATIONS = """
    SELECT id, name, subscription_id, company_id, partner_id, currency_id, state,
           is_open, is_whole, refund_mode, timing, requested_date, effective_date,
           cancel_day_billed, post_credit_memos, send_confirmation, request_date,
           executed_date, reactivated_date, create_date, write_date,
           credit_settlement, unpaid_invoices, unbilled_charges, apply_credits,
           failure_message,
           credit_untaxed::text, credit_tax::text, credit_total::text,
           reduces_invoices::text, refundable::text
      FROM subscription_cancellation
     WHERE subscription_id = ANY(%(ids)s)
     ORDER BY id
"""

ROWS = """
    SELECT id, cancellation_id, subscription_line_id, origin_line_id, currency_id,
           is_advance, period_start, period_end, period_days, unused_days,
           create_date, credit_untaxed::text, credit_rounding::text,
           credit_tax::text, reduces_invoice::text
      FROM subscription_cancellation_line
     WHERE cancellation_id = ANY(%(ids)s)
     ORDER BY id
"""

STEPS = """
    SELECT id, cancellation_id, kind, state, currency_id, source_move_id, move_id,
           payment_id, source_transaction_id, transaction_id, amount::text
      FROM subscription_cancellation_step
     WHERE cancellation_id = ANY(%(ids)s)
     ORDER BY id
"""

SUBSCRIPTIONS = """
    SELECT subscription.id, subscription.name, subscription.recurring_next_date,
           stage.type AS stage_type
      FROM sale_subscription subscription
      LEFT JOIN sale_subscription_stage stage ON stage.id = subscription.stage_id
     WHERE subscription.id = ANY(%(ids)s)
"""

SUBSCRIPTION_LINES = """
    SELECT id, name, sale_subscription_id AS subscription_id, active,
           cancellation_date
      FROM sale_subscription_line
     WHERE sale_subscription_id = ANY(%(ids)s)
"""

#: The documents of some cancellations, and all that bill lines of theirs.
MOVE_IDS = """
    SELECT line.move_id
      FROM subscription_cancellation_line row
      JOIN account_move_line line ON line.id = row.origin_line_id
     WHERE row.cancellation_id = ANY(%(cancellations)s)
     UNION
    SELECT id FROM account_move WHERE cancellation_id = ANY(%(cancellations)s)
     UNION
    SELECT move_id
      FROM account_move_line
     WHERE subscription_line_id = ANY(%(lines)s)
     UNION
    SELECT unnest(ARRAY[source_move_id, move_id])
      FROM subscription_cancellation_step
     WHERE cancellation_id = ANY(%(cancellations)s)
"""

#: What these reverse, and what reverses these.
RELATED_MOVE_IDS = """
    SELECT id FROM account_move WHERE reversed_entry_id = ANY(%(ids)s)
     UNION
    SELECT reversed_entry_id FROM account_move WHERE id = ANY(%(ids)s)
     UNION
    SELECT refund.move_id
      FROM account_move_line line
      JOIN account_move_line refund ON refund.origin_line_id = line.id
     WHERE line.move_id = ANY(%(ids)s)
       AND line.display_type = 'product'
"""

MOVES = """
    SELECT move.id, COALESCE(move.name, move.ref, '#' || move.id) AS name,
           move.move_type, move.state, move.payment_state, move.company_id,
           move.partner_id, move.commercial_partner_id, move.currency_id,
           move.journal_id, move.fiscal_position_id, move.reversed_entry_id,
           move.cancellation_id, move.date, move.create_date, move.write_date,
           COALESCE(move.is_taken_back, false) AS is_taken_back,
           move.amount_untaxed::text, move.amount_tax::text,
           move.amount_total::text, move.invoice_currency_rate::text,
           company.currency_id AS company_currency_id
      FROM account_move move
      JOIN res_company company ON company.id = move.company_id
     WHERE move.id = ANY(%(ids)s)
     ORDER BY move.id
"""

LINES = """
    SELECT line.id, line.move_id, line.display_type, line.account_id,
           account.account_type, line.product_id, line.tax_line_id,
           line.partner_id, line.parent_state, line.date,
           line.analytic_distribution::text AS analytics,
           line.currency_id, line.start_date, line.end_date, line.origin_line_id,
           line.subscription_line_id, line.create_date, line.write_date,
           line.balance::text, line.amount_currency::text,
           line.amount_residual_currency::text, line.price_subtotal::text
      FROM account_move_line line
      LEFT JOIN account_account account ON account.id = line.account_id
     WHERE line.move_id = ANY(%(ids)s)
       AND line.display_type NOT IN ('line_section', 'line_subsection', 'line_note')
     ORDER BY line.id
"""

LINE_TAXES = """
    SELECT account_move_line_id AS line_id, array_agg(account_tax_id) AS tax_ids
      FROM account_move_line_account_tax_rel
     WHERE account_move_line_id = ANY(%(ids)s)
     GROUP BY account_move_line_id
"""

PARTIALS = """
    SELECT partial.id, partial.create_date,
           debit.move_id AS debit_move_id, credit.move_id AS credit_move_id,
           partial.debit_amount_currency::text, partial.credit_amount_currency::text,
           debit_move.origin_payment_id AS debit_payment_id,
           debit_move.statement_line_id AS debit_statement_line_id,
           credit_move.origin_payment_id AS credit_payment_id,
           credit_move.statement_line_id AS credit_statement_line_id,
           credit_move.move_type AS credit_move_type,
           credit_move.reversed_entry_id AS credit_reversed_entry_id
      FROM account_partial_reconcile partial
      JOIN account_move_line debit ON debit.id = partial.debit_move_id
      JOIN account_move_line credit ON credit.id = partial.credit_move_id
      JOIN account_move debit_move ON debit_move.id = debit.move_id
      JOIN account_move credit_move ON credit_move.id = credit.move_id
     WHERE partial.debit_move_id = ANY(%(ids)s)
        OR partial.credit_move_id = ANY(%(ids)s)
"""

#: ``receivable``: what a payment takes off a customer's account, discount included.
PAYMENTS = """
    SELECT payment.id, COALESCE(payment.name, '#' || payment.id) AS name,
           payment.state, payment.payment_type, payment.amount::text, payment.move_id,
           move.state AS move_state,
           (SELECT abs(sum(item.amount_currency))
              FROM account_move_line item
              JOIN account_account account ON account.id = item.account_id
             WHERE item.move_id = payment.move_id
               AND account.account_type = 'asset_receivable')::text AS receivable
      FROM account_payment payment
      LEFT JOIN account_move move ON move.id = payment.move_id
     WHERE payment.id = ANY(%(ids)s)
"""

LINKED_PAYMENTS = """
    SELECT linked.invoice_id, payment.id AS payment_id, payment.state
      FROM account_move__account_payment linked
      JOIN account_payment payment ON payment.id = linked.payment_id
     WHERE linked.invoice_id = ANY(%(ids)s)
"""

TRANSACTIONS = """
    SELECT transaction.id, transaction.reference, transaction.state,
           transaction.operation, transaction.source_transaction_id,
           transaction.cancellation_step_id, transaction.currency_id,
           transaction.payment_id, transaction.amount::text,
           payment.amount::text AS payment_amount
      FROM payment_transaction transaction
      LEFT JOIN account_payment payment ON payment.id = transaction.payment_id
     WHERE transaction.id IN (
               SELECT transaction_id
                 FROM subscription_cancellation_step
                WHERE id = ANY(%(steps)s)
                UNION
               SELECT source_transaction_id
                 FROM subscription_cancellation_step
                WHERE id = ANY(%(steps)s)
                UNION
               SELECT id
                 FROM payment_transaction
                WHERE cancellation_step_id = ANY(%(steps)s)
                UNION
               SELECT child.id
                 FROM subscription_cancellation_step step
                 JOIN payment_transaction child
                   ON child.source_transaction_id = step.source_transaction_id
                WHERE step.id = ANY(%(steps)s)
           )
     ORDER BY transaction.id
"""

MESSAGES = """
    SELECT message.res_id AS cancellation_id, recipient.res_partner_id AS partner_id,
           count(*) AS number
      FROM mail_message message
      JOIN mail_message_res_partner_rel recipient
        ON recipient.mail_message_id = message.id
     WHERE message.model = 'subscription.cancellation'
       AND message.res_id = ANY(%(ids)s)
     GROUP BY message.res_id, recipient.res_partner_id
"""

REPEATED_KEYS = """
    SELECT idempotency_key, array_agg(id ORDER BY id) AS ids,
           array_agg(name ORDER BY id) AS names
      FROM subscription_cancellation
     WHERE idempotency_key IS NOT NULL
       AND (%(companies)s::int[] IS NULL OR company_id = ANY(%(companies)s))
     GROUP BY company_id, idempotency_key
    HAVING count(*) > 1
"""
