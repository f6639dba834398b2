# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Contexts that a client may send, and that must change nothing."""

#: What dialogs, imports and programs put there.
CONTEXTS = (
    {"active_test": False},
    {"default_name": "X", "default_state": "done", "default_move_type": "entry"},
    {"default_subscription_id": 1, "default_cancellation_id": 1},
    {"skip_invoice_sync": True},
    {"check_move_validity": False, "skip_account_move_synchronization": True},
    {"move_reverse_cancel": True},
    {"tracking_disable": True, "mail_notrack": True},
    {"cancellation_engine": True},
    {"cancellation_engine": ["records", "stages", "lines", "dates", "pauses"]},
)
