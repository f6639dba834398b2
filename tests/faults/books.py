# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The one place where a test of faults has the books of a database checked."""


def check_books(database):
    """Raise AssertionError where a cent of a database's ledger does not fit.

    :param str database: nobody is at work in it
    """
