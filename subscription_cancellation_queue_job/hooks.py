# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is left when the addon goes."""


def uninstall_hook(env):
    """Cancel what waits: the methods of these jobs are about to disappear.

    What they were about stays due, and the scheduled actions do it again.
    """
    env["queue.job"]._search_open_cancellation_jobs().button_cancelled()
