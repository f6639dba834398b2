# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a smart button opens."""


def show_records(action, records):
    """Return an action for these records: their list, the form for just one.

    :param dict action: an ``ir.actions.act_window``
    :rtype: dict
    """
    action = {**action, "domain": [("id", "in", records.ids)]}
    if len(records) != 1:
        return action
    forms = [view for view in action.get("views") or () if view[1] == "form"]
    return {**action, "views": forms or [(False, "form")], "res_id": records.id}
