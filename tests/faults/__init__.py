# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the tests of faults share: a short form for the suite, a long one on request."""
