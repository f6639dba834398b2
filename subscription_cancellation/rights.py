# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who may do what: the two groups, asked for in one place."""

USER_GROUP = "subscription_cancellation.subscription_cancellation_group_user"
MANAGER_GROUP = "subscription_cancellation.subscription_cancellation_group_manager"


def is_user(env):
    """Return whether the user of ``env`` may cancel subscriptions."""
    return env.su or env.user.has_group(USER_GROUP)


def is_manager(env):
    """Return whether the user of ``env`` sets policies, approves and overrides."""
    return env.su or env.user.has_group(MANAGER_GROUP)
