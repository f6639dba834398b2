# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The addon comes to a company that has a past, is upgraded, and leaves again."""

from odoo.tests import BaseCase, get_db_name, tagged

from .lifecycle import ADDON, Life


@tagged("post_install", "-at_install")
class TestLifecycle(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.life = Life(f"{get_db_name()}_life")
        cls.addClassCleanup(cls.life.end)
        cls.life.begin()
        cls.before = cls.life.do("sell")
        cls.life.odoo("--init", ADDON)
        cls.installed = cls.life.do("read")

    def test_x(self):
        import pprint

        pprint.pprint(self.installed, width=200)
