# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The SQL of the ledger. Amounts come as text: drivers may turn them into floats."""

SUBSCRIPTION_IDS = """
    SELECT DISTINCT subscription_id
      FROM (SELECT subscription_id, company_id, executed_date AS day
              FROM subscription_cancellation
             UNION ALL
            SELECT subscription_id, company_id, paused_on
              FROM sale_subscription_pause
             UNION ALL
            SELECT id, company_id, NULL
              FROM sale_subscription
             WHERE is_paused) known
     WHERE subscription_id > %(after)s
       AND (%(companies)s::int[] IS NULL OR company_id = ANY(%(companies)s))
       AND (%(since)s::date IS NULL OR day >= %(since)s::date)
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
    SELECT cancellation.id, cancellation.name, subscription_id, company_id,
           partner_id, currency_id, state, next_date_before, extension_start_date,
           stage.type AS stage_type_before, is_open, is_whole, refund_mode, timing,
           requested_date, effective_date,
           cancel_day_billed, post_credit_memos, send_confirmation, request_date,
           executed_date, reactivated_date, cancellation.create_date,
           cancellation.write_date,
           credit_settlement, unpaid_invoices, unbilled_charges, apply_credits,
           failure_message,
           credit_untaxed::text, credit_tax::text, credit_total::text,
           reduces_invoices::text, refundable::text,
           COALESCE(paid_ahead, 0)::text AS paid_ahead
      FROM subscription_cancellation cancellation
      LEFT JOIN sale_subscription_stage stage
        ON stage.id = cancellation.stage_before_id
     WHERE subscription_id = ANY(%(ids)s)
     ORDER BY cancellation.id
"""

PAUSES = """
    SELECT pause.id, pause.subscription_id, pause.state, pause.date_from,
           pause.refund_mode, pause.post_credit_memos, pause.paused_on,
           LEAST(pause.date_to, ending.effective_date - 1) AS date_to,
           'Pause ' || pause.date_from AS name
      FROM sale_subscription_pause pause
      LEFT JOIN subscription_cancellation ending ON ending.id = pause.cancellation_id
     WHERE pause.subscription_id = ANY(%(ids)s)
     ORDER BY pause.id
"""

ROWS = """
    SELECT id, cancellation_id, subscription_line_id, origin_line_id, currency_id,
           discounted_line_id, paid_move_id, left_out::text,
           is_advance, period_start, period_end, period_days, unused_days,
           create_date, credit_untaxed::text, credit_rounding::text,
           credit_tax::text, reduces_invoice::text
      FROM subscription_cancellation_line
     WHERE cancellation_id = ANY(%(ids)s)
     ORDER BY id
"""

STEPS = """
    SELECT id, cancellation_id, kind, state, currency_id, source_move_id, move_id,
           payment_id, source_transaction_id, transaction_id, amount::text, done_date,
           sale_order_id
      FROM subscription_cancellation_step
     WHERE cancellation_id = ANY(%(ids)s)
     ORDER BY id
"""

SUBSCRIPTIONS = """
    SELECT subscription.id, subscription.name, subscription.recurring_next_date,
           COALESCE(subscription.is_paused, false) AS is_paused,
           stage.type AS stage_type, subscription.date_start,
           template.recurring_rule_type, template.recurring_interval,
           subscription.trial_end_date, template.recurring_rule_type AS interval_unit,
           GREATEST(template.recurring_interval, 1) AS interval,
           CASE WHEN NOT COALESCE(subscription.recurring_rule_boundary, false)
                THEN subscription.date END AS contract_end,
           ARRAY[customer.commercial_partner_id, payer.commercial_partner_id]
               AS customer_ids
      FROM sale_subscription subscription
      LEFT JOIN sale_subscription_stage stage ON stage.id = subscription.stage_id
      LEFT JOIN sale_subscription_template template
        ON template.id = subscription.template_id
      LEFT JOIN res_partner customer ON customer.id = subscription.partner_id
      LEFT JOIN res_partner payer ON payer.id = subscription.partner_invoice_id
     WHERE subscription.id = ANY(%(ids)s)
"""

SUBSCRIPTION_LINES = """
    SELECT id, name, sale_subscription_id AS subscription_id, active,
           cancellation_date, parent_line_id, billed_days,
           price_unit * product_uom_qty * (1 - COALESCE(discount, 0) / 100) AS price,
           price_subtotal::text,
           (price_unit < 0) <> (product_uom_qty < 0) AS is_rebate
      FROM sale_subscription_line
     WHERE sale_subscription_id = ANY(%(ids)s)
"""

#: The periods that sales orders have sold.
SOLD_PERIODS = """
    SELECT sold.id, sold.subscription_line_id,
           sold.subscription_period_start AS first_day,
           sold.subscription_period_end AS last_day,
           template.invoice_policy,
           ARRAY(
               SELECT invoice_line_id
                 FROM sale_order_line_invoice_rel
                WHERE order_line_id = sold.id
           ) AS item_ids
      FROM sale_order_line sold
      JOIN sale_subscription_line line ON line.id = sold.subscription_line_id
      JOIN product_product product ON product.id = sold.product_id
      JOIN product_template template ON template.id = product.product_tmpl_id
     WHERE line.sale_subscription_id = ANY(%(ids)s)
       AND sold.subscription_period_start IS NOT NULL
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
    SELECT id FROM account_move WHERE pause_id = ANY(%(pauses)s)
     UNION
    SELECT move_id
      FROM account_move_line
     WHERE subscription_line_id = ANY(%(lines)s)
     UNION
    SELECT unnest(ARRAY[source_move_id, move_id])
      FROM subscription_cancellation_step
     WHERE cancellation_id = ANY(%(cancellations)s)
"""

#: What these reverse, and what reverses these; the invoices of down payments.
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
     UNION
    SELECT other.move_id
      FROM account_move_line line
      JOIN sale_order_line_invoice_rel deducted ON deducted.invoice_line_id = line.id
      JOIN sale_order_line_invoice_rel paid
        ON paid.order_line_id = deducted.order_line_id
      JOIN account_move_line other ON other.id = paid.invoice_line_id
     WHERE line.move_id = ANY(%(ids)s)
       AND line.is_downpayment
"""

#: The invoices that took down payments, by the invoice that deducts them.
DOWN_PAYMENTS = """
    SELECT DISTINCT line.move_id AS invoice_id, other.move_id AS paid_move_id
      FROM account_move_line line
      JOIN sale_order_line_invoice_rel deducted ON deducted.invoice_line_id = line.id
      JOIN sale_order_line_invoice_rel paid
        ON paid.order_line_id = deducted.order_line_id
      JOIN account_move_line other ON other.id = paid.invoice_line_id
      JOIN account_move move ON move.id = other.move_id
     WHERE line.move_id = ANY(%(ids)s)
       AND line.is_downpayment
       AND line.amount_currency > 0
       AND other.amount_currency < 0
       AND move.move_type = 'out_invoice'
       AND move.state = 'posted'
"""

MOVES = """
    SELECT move.id, COALESCE(move.name, move.ref, '#' || move.id) AS name,
           move.move_type, move.state, move.payment_state, move.company_id,
           move.partner_id, move.commercial_partner_id, move.currency_id,
           move.journal_id, move.fiscal_position_id, move.reversed_entry_id,
           move.cancellation_id, move.pause_id, move.date, move.create_date,
           move.write_date,
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
           line.discounted_line_id, COALESCE(line.is_downpayment, false)
               AS is_downpayment,
           line.subscription_line_id, line.create_date, line.write_date,
           line.balance::text, line.amount_currency::text,
           line.amount_residual_currency::text, line.price_subtotal::text
      FROM account_move_line line
      LEFT JOIN account_account account ON account.id = line.account_id
     WHERE line.move_id = ANY(%(ids)s)
       AND line.display_type NOT IN ('line_section', 'line_subsection', 'line_note')
     ORDER BY line.id
"""

#: Whether an addon is there that this one does not need.
HAS_LOYALTY = """
    SELECT count(*) = 2 AS is_true
      FROM information_schema.columns
     WHERE table_schema = current_schema()
       AND (table_name, column_name) IN (
               ('sale_order_line', 'reward_id'),
               ('loyalty_reward', 'discount_applicability')
           )
"""

#: Discounts and payments that come from a loyalty program.
REWARDS = """
    SELECT billed.invoice_line_id AS line_id, reward.id AS reward_id,
           reward.discount_applicability, program.program_type,
           reward.discount_product_category_id IS NOT NULL
               OR reward.discount_product_tag_id IS NOT NULL
               OR COALESCE(reward.discount_product_domain, '[]') <> '[]'
               OR reward.discount_applicability = 'cheapest' AS is_unknown
      FROM sale_order_line_invoice_rel billed
      JOIN sale_order_line sold ON sold.id = billed.order_line_id
      JOIN loyalty_reward reward ON reward.id = sold.reward_id
      JOIN loyalty_program program ON program.id = reward.program_id
     WHERE billed.invoice_line_id = ANY(%(ids)s)
"""

#: The lines with products that a reward is only for, named one by one.
REWARDED = """
    SELECT line.id AS line_id, products.loyalty_reward_id AS reward_id, line.move_id
      FROM account_move_line line
      JOIN loyalty_reward_product_product_rel products
        ON products.product_product_id = line.product_id
     WHERE line.id = ANY(%(ids)s)
       AND products.loyalty_reward_id = ANY(%(rewards)s)
"""

LINE_TAXES = """
    SELECT account_move_line_id AS line_id, array_agg(account_tax_id) AS tax_ids
      FROM account_move_line_account_tax_rel
     WHERE account_move_line_id = ANY(%(ids)s)
     GROUP BY account_move_line_id
"""

#: ``owed``, ``liquid``: what plain entries book on receivables, and on the bank or what
#: is on the way to or from it.
PARTIALS = """
    SELECT partial.id, partial.create_date,
           debit.move_id AS debit_move_id, credit.move_id AS credit_move_id,
           partial.debit_amount_currency::text, partial.credit_amount_currency::text,
           debit_move.name AS debit_move_name,
           debit_partner.commercial_partner_id AS debit_customer_id,
           credit_partner.commercial_partner_id AS credit_customer_id,
           debit_move.origin_payment_id AS debit_payment_id,
           debit_move.statement_line_id AS debit_statement_line_id,
           credit_move.origin_payment_id AS credit_payment_id,
           credit_move.statement_line_id AS credit_statement_line_id,
           credit_move.move_type AS credit_move_type,
           credit_move.name AS credit_name,
           credit_move.reversed_entry_id AS credit_reversed_entry_id,
           debit_entry.owed::text AS debit_owed,
           debit_entry.liquid::text AS debit_liquid,
           credit_entry.owed::text AS credit_owed,
           credit_entry.liquid::text AS credit_liquid
      FROM account_partial_reconcile partial
      JOIN account_move_line debit ON debit.id = partial.debit_move_id
      JOIN account_move_line credit ON credit.id = partial.credit_move_id
      JOIN account_move debit_move ON debit_move.id = debit.move_id
      JOIN account_move credit_move ON credit_move.id = credit.move_id
      LEFT JOIN res_partner debit_partner ON debit_partner.id = debit.partner_id
      LEFT JOIN res_partner credit_partner ON credit_partner.id = credit.partner_id
      LEFT JOIN LATERAL (
           SELECT sum(item.balance) FILTER (
                      WHERE account.account_type = 'asset_receivable') AS owed,
                  sum(item.balance) FILTER (
                      WHERE account.account_type IN ('asset_cash',
                                                     'liability_credit_card')
                         OR (account.account_type = 'asset_current'
                             AND account.reconcile)) AS liquid
             FROM account_move_line item
             JOIN account_account account ON account.id = item.account_id
            WHERE item.move_id = debit_move.id
              AND debit_move.move_type = 'entry'
           ) debit_entry ON true
      LEFT JOIN LATERAL (
           SELECT sum(item.balance) FILTER (
                      WHERE account.account_type = 'asset_receivable') AS owed,
                  sum(item.balance) FILTER (
                      WHERE account.account_type IN ('asset_cash',
                                                     'liability_credit_card')
                         OR (account.account_type = 'asset_current'
                             AND account.reconcile)) AS liquid
             FROM account_move_line item
             JOIN account_account account ON account.id = item.account_id
            WHERE item.move_id = credit_move.id
              AND credit_move.move_type = 'entry'
           ) credit_entry ON true
     WHERE partial.debit_move_id = ANY(%(ids)s)
        OR partial.credit_move_id = ANY(%(ids)s)
"""

#: ``receivable``: what a payment takes off a customer's account, discount included;
#: ``open``: what of that nothing is reconciled with, negative of money that came in.
PAYMENTS = """
    SELECT payment.id, COALESCE(payment.name, '#' || payment.id) AS name,
           payment.state, payment.payment_type, payment.amount::text, payment.move_id,
           payment.currency_id, payment.create_date, payment.write_date,
           transaction.create_date AS started, move.state AS move_state,
           (SELECT sum(item.amount_residual_currency)
              FROM account_move_line item
              JOIN account_account account ON account.id = item.account_id
             WHERE item.move_id = payment.move_id
               AND account.account_type = 'asset_receivable')::text AS open,
           (SELECT abs(sum(item.amount_currency))
              FROM account_move_line item
              JOIN account_account account ON account.id = item.account_id
             WHERE item.move_id = payment.move_id
               AND account.account_type = 'asset_receivable')::text AS receivable
      FROM account_payment payment
      LEFT JOIN account_move move ON move.id = payment.move_id
      LEFT JOIN payment_transaction transaction
        ON transaction.id = payment.payment_transaction_id
     WHERE payment.id = ANY(%(ids)s)
"""

#: What customers got, by a payment, the bank or an entry, that is matched with nothing.
UNMATCHED_BACK = """
    SELECT item.id, partner.commercial_partner_id AS customer_id, item.company_id,
           item.currency_id, move.name, move.create_date,
           item.amount_residual_currency::text AS open,
           move.origin_payment_id AS payment_id, move.statement_line_id,
           entry.owed::text, entry.liquid::text
      FROM account_move_line item
      JOIN account_account account ON account.id = item.account_id
      JOIN account_move move ON move.id = item.move_id
      JOIN res_partner partner ON partner.id = item.partner_id
      LEFT JOIN account_payment payment ON payment.id = move.origin_payment_id
      LEFT JOIN payment_transaction transaction
        ON transaction.id = payment.payment_transaction_id
      LEFT JOIN LATERAL (
           SELECT sum(other.balance) FILTER (
                      WHERE kind.account_type = 'asset_receivable') AS owed,
                  sum(other.balance) FILTER (
                      WHERE kind.account_type IN ('asset_cash',
                                                  'liability_credit_card')
                         OR (kind.account_type = 'asset_current'
                             AND kind.reconcile)) AS liquid
             FROM account_move_line other
             JOIN account_account kind ON kind.id = other.account_id
            WHERE other.move_id = move.id
           ) entry ON true
     WHERE partner.commercial_partner_id = ANY(%(customers)s)
       AND account.account_type = 'asset_receivable'
       AND item.parent_state = 'posted'
       AND item.reconciled IS NOT TRUE
       AND item.amount_residual_currency > 0
       AND move.move_type = 'entry'
       AND transaction.operation IS DISTINCT FROM 'refund'
     ORDER BY item.id
"""

LINKED_PAYMENTS = """
    SELECT linked.invoice_id, payment.id AS payment_id, payment.state
      FROM account_move__account_payment linked
      JOIN account_payment payment ON payment.id = linked.payment_id
     WHERE linked.invoice_id = ANY(%(ids)s)
"""

#: How the payment state of invoices has changed, as Odoo writes it in the chatter: in
#: the words of whoever's language.
PAYMENT_CHANGES = """
    SELECT message.res_id AS invoice_id, message.date,
           tracking.old_value_char = ANY(due.labels) AS was_due,
           tracking.new_value_char = ANY(due.labels) AS is_due
      FROM mail_message message
      JOIN mail_tracking_value tracking ON tracking.mail_message_id = message.id
      JOIN ir_model_fields field ON field.id = tracking.field_id
     CROSS JOIN LATERAL (
               SELECT array_agg(label.value) AS labels
                 FROM ir_model_fields_selection state, jsonb_each_text(state.name) label
                WHERE state.field_id = field.id
                  AND state.value IN ('not_paid', 'partial')
           ) due
     WHERE message.model = 'account.move'
       AND message.res_id = ANY(%(ids)s)
       AND field.name = 'payment_state'
     ORDER BY tracking.id
"""

#: When documents were posted first, as far as Odoo has written it in the chatter.
POSTINGS = """
    SELECT message.res_id AS move_id, min(message.date) AS date
      FROM mail_message message
      JOIN mail_tracking_value tracking ON tracking.mail_message_id = message.id
      JOIN ir_model_fields field ON field.id = tracking.field_id
     WHERE message.model = 'account.move'
       AND message.res_id = ANY(%(ids)s)
       AND field.name = 'state'
       AND EXISTS (
           SELECT
             FROM ir_model_fields_selection state,
                  jsonb_each_text(state.name) label
            WHERE state.field_id = field.id
              AND state.value = 'posted'
              AND label.value = tracking.new_value_char)
     GROUP BY message.res_id
"""

TRANSACTIONS = """
    SELECT transaction.id, transaction.reference, transaction.state,
           transaction.operation, transaction.source_transaction_id,
           transaction.cancellation_step_id, transaction.currency_id,
           transaction.payment_id, transaction.create_date, transaction.amount::text,
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
