# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What somebody was asked to do, and need not do any more."""


def drop_activities(records, *xmlids):
    """Remove the activities of some types that were made automatically.

    Where somebody has deleted a type, Odoo has given them another one: then all that
    were made automatically.
    """
    records.activity_unlink(list(xmlids))
    if not all(records.env.ref(xmlid, raise_if_not_found=False) for xmlid in xmlids):
        records.activity_ids.filtered("automated").unlink()
