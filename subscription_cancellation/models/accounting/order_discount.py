# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which lines of an invoice its discount lines reduce, and by how much.

Odoo discounts an order by lines of their own: one for each combination of taxes, that
reduces what has exactly these taxes. No ORM, no clock; amounts are currency units.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ...arithmetic.proration import clamp


class Priced(NamedTuple):
    """A line of an invoice, as far as discounts ask for it."""

    key: Hashable
    units: int
    taxes: Hashable


def spread(units: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion; the largest remainders take what is left.

    :param weights: none negative, at least one positive
    """
    total, sign = sum(weights), -1 if units < 0 else 1
    quotients = [divmod(abs(units) * weight, total) for weight in weights]
    shares = [quotient for quotient, _rest in quotients]
    by_rest = sorted(range(len(weights)), key=lambda index: -quotients[index][1])
    for index in by_rest[: abs(units) - sum(shares)]:
        shares[index] += 1
    return [sign * share for share in shares]


def get_reduced(
    discount: Priced, lines: Sequence[Priced], rewarded: Collection = ()
) -> list[Priced]:
    """Return the lines that a discount reduces.

    Those with exactly its taxes, and all where there are none: an amount that was
    typed without taxes.

    :param rewarded: keys of the only lines that a reward is for, empty for all
    """
    priced = [line for line in lines if line.units > 0]
    alike = [line for line in priced if line.taxes == discount.taxes] or priced
    return [line for line in alike if line.key in rewarded] or alike


def spread_discount(
    discount: Priced, lines: Sequence[Priced], rewarded: Collection = ()
) -> dict[Hashable, int]:
    """Return the share of each line in a discount, by key; none is zero."""
    reduced = get_reduced(discount, lines, rewarded)
    if not reduced:
        return {}
    shares = spread(discount.units, [line.units for line in reduced])
    return {
        line.key: share for line, share in zip(reduced, shares, strict=True) if share
    }


def fit_parts(amounts: Sequence[int], left: Sequence[int], whole: int) -> list[int]:
    """Return a line's amount and its shares of discounts, changed to make up a whole.

    The largest share takes the difference, then the others, then the line.

    :param amounts: of the line, and of each share (none positive)
    :param left: what is left of each
    :param whole: what they come to together; zero: none of them is credited
    """
    if not whole:
        return [0] * len(amounts)
    fitted = list(amounts)
    shares = sorted(range(1, len(fitted)), key=lambda index: fitted[index])
    for index in (*shares, 0):
        difference = whole - sum(fitted)
        fitted[index] = clamp(fitted[index] + difference, left[index])
    return fitted


class Beside(NamedTuple):
    """What is on a document beside the lines that it charges."""

    #: ``account.payment.term``
    payment_term: Any
    #: Tuples of a line, and the values in which its base line differs.
    others: Collection = ()
    #: By charged line, what each discount takes off it: dicts of currency units.
    discounts: Mapping = MappingProxyType({})


def share_discounts(discounts, whole):
    """Return what discounts take off some lines, as others are on a document.

    :param dict discounts: by line, dicts of currency units by discount
    :param dict whole: all of each discount, in currency units
    :return: list of tuples of a discount and values
    """
    taken = Counter()
    for units in discounts.values():
        taken.update(units)
    return [
        (discount, {"price_unit": discount.price_unit * units / whole[discount]})
        for discount, units in taken.items()
        if units
    ]
