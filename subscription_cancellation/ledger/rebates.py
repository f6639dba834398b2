# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Rebates billed as lines of their own: how much of them a credit takes back.

At most the credit of the line that a rebate reduces: a credit by hand may have taken
most of that before, and the customer is never charged for it.
"""

from collections import defaultdict

from ..arithmetic.matching import allocate


class Rebates:
    """The rebates among the rows of one credit memo, by the line that they reduce.

    That is the line whose add-on a rebate is. One that is nobody's add-on, or was
    billed higher than its line, reduces the whole invoice.
    """

    def __init__(self, rows):
        """Sort them.

        :param list rows: of one invoice, as of ``_compute_rows``, those without a
            credit included
        """
        self.rows = rows
        self._by_line = defaultdict(list)
        for row in rows:
            self._by_line[row["_origin"].subscription_line_id.id].append(row)
        self._linked, self.free = defaultdict(list), []
        for row in filter(_is_rebate, rows):
            self._linked[self._get_reduced_line_id(row)].append(row)
        for line_id, rebates in list(self._linked.items()):
            if not line_id or _sum_billed(rebates + self._by_line[line_id]) < 0:
                self.free += self._linked.pop(line_id)

    def _get_reduced_line_id(self, row):
        """Return the id of the line that a rebate reduces, ``False`` for all of them.

        A rebate on a rebate reduces what that one does.
        """
        line = row["_origin"].subscription_line_id.parent_line_id
        while line and all(map(_is_rebate, self._by_line.get(line.id, []))):
            line = line.id in self._by_line and line.parent_line_id
        return line and line.id

    def limit_linked(self):
        """Cut rebates to the credit of the line that they reduce."""
        for line_id, rebates in self._linked.items():
            _cut(rebates, self._by_line[line_id])

    def limit_free(self):
        """Cut the others to what is credited of the invoice besides.

        So is what an order has given back too much: the price before its discount.
        """
        others = [row for row in self.rows if row not in self.free]
        _cut(self.free, others)
        if sum(row["_units"] for row in others) < 0:
            for row in others:
                row["_units"] = 0


def _is_rebate(row):
    return row["_origin"]._get_booked_units() < 0


def _sum_billed(rows):
    return sum(row["_slice"].units for row in rows)


def _cut(rebates, rows):
    """Let rebates take at most what rows credit, the first one first."""
    credited = max(sum(row["_units"] for row in rows), 0)
    taken = allocate(credited, (-row["_units"] for row in rebates))
    for row, units in zip(rebates, taken, strict=True):
        row["_units"] = -units
