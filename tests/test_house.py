# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The walls of the house: no floor calls a higher one, and no heap grows."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from devenv import house  # noqa: E402


class TestHouse(unittest.TestCase):
    """Read from the source: no database, no Odoo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.house = house.House.read(ROOT / "subscription_cancellation")

    def test_no_floor_calls_a_higher_one(self):
        """Where it has to, it calls a hook of its own that the higher one overrides."""
        self.assertEqual([str(call) for call in self.house.get_upward()], [])

    def test_exceptions_are_needed(self):
        """One that nothing needs any more is taken off the list."""
        made = {(call.caller, call.name) for call in self.house.calls}
        self.assertEqual(set(house.EXCEPTIONS) - made, set())

    def test_every_folder_is_on_a_floor(self):
        """A new one is put where it belongs."""
        folders = {str(Path(name).parent) for name in self.house.names}
        known = {*house.FLOORS, "models", "books/rules"}
        self.assertEqual(folders - known, set())

    def test_models_are_not_spread_any_further(self):
        """What is spread over more files says why, and may only become less."""
        wide = {
            model.name: len(model.files)
            for model in self.house.models
            if len(model.files) > house.MOST_FILES
        }
        allowed = {name: number for name, (number, _why) in house.WIDE_MODELS.items()}
        self.assertEqual(wide, allowed)

    def test_files_stay_small(self):
        """Fewer files do not mean bigger heaps."""
        self.assertEqual(self.house.get_long_files(), [])

    def test_a_call_of_a_higher_floor_is_found(self):
        """The check sees what it is there for; a hook makes it right."""
        low, high = "models/accounting/low.py", "models/settlement/high.py"
        call = "def pay(steps):\n    steps._wake()\n"
        model = (
            "class Step(Model):\n    _name = 'step'\n\n    def _wake(self):\n        "
        )
        sources = [house.Source(low, call), house.Source(high, f"{model}pass\n")]
        [found] = house.House(sources).get_upward()
        self.assertEqual((found.caller, found.name), (low, "_wake"))
        hook = house.Source("models/common/hook.py", f"{model}pass\n")
        self.assertEqual(house.House([*sources, hook]).get_upward(), [])
        extends = house.Source(high, f"{model}super()._wake()\n")
        self.assertEqual(house.House([sources[0], extends]).get_upward(), [])
