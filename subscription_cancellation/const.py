# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Words that are stored or shared: options, kinds of steps, states, limits.

Importing them registers no model.
"""

# === OPTIONS OF A CANCELLATION === #

#: The doors that a cancellation comes through.
CHANNELS = [
    ("backend", "Back Office"),
    ("api", "API"),
    ("portal", "Customer Portal"),
    ("scheduled", "Scheduled Action"),
    ("system", "System"),
]
#: Where a person asked for it, maybe for the customer, who then waits for an answer.
CHANNELS_OF_PEOPLE = ("backend", "api", "portal")
TIMINGS = [
    ("immediate", "Immediately"),
    ("end_of_period", "At the end of the current period"),
    ("end_of_billed", "At the end of what is billed"),
    ("end_of_term", "At the end of the contract term"),
    ("earliest", "At the earliest possible date"),
    ("specific_date", "On a specific date"),
]
REFUND_MODES = [
    ("none", "No Refund"),
    ("prorated", "Issue Credit Memo (prorated)"),
    ("full", "Full credit of the latest period"),
]
UNPAID_INVOICES = [
    ("keep", "Keep as they are"),
    ("collect", "Attempt collection"),
    ("write_off", "Write off"),
]
UNBILLED_CHARGES = [
    ("invoice", "Invoice them"),
    ("drop", "Drop them"),
]
CREDIT_SETTLEMENTS = [
    ("keep", "Keep on the customer's account"),
    ("refund", "Refund"),
]
ADVANCE_CREDITS = [
    ("at_end", "When service ends"),
    ("at_scheduling", "When it is scheduled"),
]
#: Options of a cancellation that a policy has a default for.
POLICY_OPTIONS = (
    "timing",
    "refund_mode",
    "cancel_day_billed",
    "unpaid_invoices",
    "unbilled_charges",
    "credit_settlement",
    "apply_credits",
    "send_confirmation",
)
REACTIVATION_MODES = [
    ("resume", "Go on as before"),
    ("new_term", "Start a new term today"),
]

# === STEPS === #

#: What a step does, in the order in which steps are taken.
STEP_KINDS = [
    ("unbilled", "Unbilled charges"),
    ("reduce", "Reduce invoice"),
    ("apply_credits", "Apply credits"),
    ("collect", "Collect"),
    ("write_off", "Write off"),
    ("refund", "Refund"),
    ("keep", "Keep"),
    ("await_payment", "Payment on its way"),
    ("confirm", "Confirmation"),
]
STEP_ORDER = {kind: number for number, (kind, _label) in enumerate(STEP_KINDS)}

# === ACCOUNTING === #

#: Payment states of an invoice in which nothing is left to be paid.
PAID = {"paid", "in_payment"}
#: States of payments whose money is there.
STANDING = ("in_process", "paid")
#: States of those whose money is gone, or came back.
LOST = ("canceled", "rejected")
RECEIVABLE = "asset_receivable"
#: Items of these accounts are reconciled, too, whatever the account says.
CASH = ("asset_cash", "liability_credit_card")

# === LIMITS === #

#: How often in a row something is tried again after a conflict with somebody else.
MAX_CONFLICTS = 10
#: Ten years; what is longer is a typing error.
MAX_TRIAL_DAYS = 3650
#: Longest comment to a reason that wants one (Subotiz: "Other").
REASON_COMMENT_LENGTH = 200
#: Longest comment of a customer.
CUSTOMER_COMMENT_LENGTH = 1000
#: The longest entries of the public page, in characters.
DECLARATION_LIMITS = {
    "customer_name": 120,
    "contract_reference": 200,
    "contract_email": 254,
    "extraordinary_reason": 2000,
    "desired_date": 40,
    "confirmation_email": 254,
}

# === OTHERS === #

#: Months in one unit of a billing interval; a year has 365 days.
MONTHS = {"days": 12 / 365, "weeks": 7 * 12 / 365, "months": 1, "years": 12}
APPROVAL_ACTIVITY = "subscription_cancellation.mail_activity_type_approval"
#: The document that goes with the confirmation.
SUMMARY = "subscription_cancellation.cancellation_summary"
