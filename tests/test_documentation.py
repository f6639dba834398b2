# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the documentation names is there: menus, labels, messages, methods, tests."""

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

from odoo.tests import TransactionCase, tagged

from .documents import ADDON, DOC, README, ROOT, read_sections, read_table
from .events import PAYLOAD

GUIDES = [
    ROOT / "README.rst",
    *sorted(README.glob("*.md")),
    *sorted(DOC.glob("*.md")),
]
#: Menus that are no menu items of Odoo's: what a form prints, and the user's own.
OTHER_MENUS = ("Print", "Preferences")
#: Every promise of the addon.
PROMISES = [
    f"{group}{number}"
    for group, count in (("A", 7), ("B", 16), ("C", 12), ("D", 8), ("E", 4))
    for number in range(1, count + 1)
]
#: The guide is read in one go, and its README is one page.
MAX_WORDS, MAX_LINES = 2_500, 300
#: Stands where the text about something is still to come.
TO_COME = "<!--"


def flatten(text):
    """Return a text with single spaces."""
    return " ".join(text.split())


def read_prose(path):
    """Return a guide without code, and without the bullets of lists."""
    text = path.read_text("utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"::\n\n(?:    .*\n)+", "", text)
    text = re.sub(r"^ *[*-] ", "", text, flags=re.MULTILINE)
    text = re.sub(r"``?[^`]+``?_?", "", text)
    return re.sub(r"\*\*(.+?)\*\*", r"\1", text, flags=re.DOTALL)


def read_labels(path):
    """Return what a guide has in italics: what people read on their screens."""
    found = re.findall(r"(?<!\*)\*([^*]+?)\*", read_prose(path))
    return [flatten(label).rstrip(".,:") for label in found]


def without_placeholders(text):
    """Return a message as the guides write it, with … for what is filled in."""
    return flatten(re.sub(r"%\(\w+\)s|%s|\{\w*\}", "…", text))


def read_messages():
    """Return every text of the addon that somebody may read."""
    texts = []
    for path in ADDON.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        texts += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    for path in (ADDON / "views").glob("*.xml"):
        texts += ElementTree.parse(path).getroot().itertext()
    return {without_placeholders(text) for text in texts}


@tagged("post_install", "-at_install")
class TestDocumentedLabels(TransactionCase):
    """The guides name menus, buttons and settings as the screens do (E1)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.labels = {flatten(label) for label in cls.collect_labels() if label}
        menus = cls.env["ir.ui.menu"].with_context(**{"ir.ui.menu.full_list": True})
        paths = menus.search([]).mapped("complete_name")
        cls.menus = {path.replace("/", " > ") for path in paths}

    @classmethod
    def collect_labels(cls):
        """Yield the names and texts of everything on a screen."""
        for model, field in (
            ("ir.model.fields", "field_description"),
            ("ir.model.fields.selection", "name"),
            ("ir.ui.menu", "name"),
            ("ir.actions.actions", "name"),
            ("ir.cron", "name"),
            ("mail.template", "name"),
            ("mail.activity.type", "name"),
            ("sale.subscription.close.reason", "name"),
            ("sale.subscription.stage", "name"),
            ("res.groups", "name"),
            ("ir.module.module", "shortdesc"),
            ("ir.filters", "name"),
            ("base.automation", "name"),
        ):
            records = cls.env[model].with_context(active_test=False).search([])
            yield from records.mapped(field)
        for group in cls.env["res.groups"].search([]):
            yield f"{group.privilege_id.name}: {group.name}"
        for view in cls.env["ir.ui.view"].search([]):
            yield view.name
            yield from cls.collect_view_labels(view.arch_db or "")

    @classmethod
    def collect_view_labels(cls, arch):
        """Yield the texts of one view."""
        arch = arch.replace("&gt;", ">").replace("&amp;", "&")
        yield from re.findall(r'(?:string|title|placeholder|help)="([^"]*)"', arch)
        yield from re.findall(r">([^<>]+)<", arch)

    def test_every_menu_is_there(self):
        """E1: each path is one that people can click."""
        for path in GUIDES:
            for label in read_labels(path):
                if " > " not in label:
                    continue
                with self.subTest(guide=path.name, menu=label):
                    if label.startswith(OTHER_MENUS):
                        self.assertLessEqual(set(label.split(" > ")[1:]), self.labels)
                    else:
                        self.assertIn(label, self.menus)

    def test_every_label_is_there(self):
        """E1: what is in italics is on a screen."""
        for path in GUIDES:
            for label in read_labels(path):
                if " > " not in label:
                    with self.subTest(guide=path.name, label=label):
                        self.assertIn(label, self.labels)

    def test_every_method_to_override_is_there(self):
        """E3: with the parameters that the guide names."""
        lines = read_sections(DOC / "api.md")["Methods to override"]
        for row in read_table(lines):
            model = self.env[row["Model"].strip("`")]
            for name, parameters in re.findall(r"`(\w+)\((.*?)\)`", row["Method"]):
                with self.subTest(model=model._name, method=name):
                    code = getattr(type(model), name).__code__
                    names = code.co_varnames[1 : code.co_argcount]
                    self.assertEqual(", ".join(names), parameters)

    def test_every_field_of_an_event_is_there(self):
        """D8: the table is what is sent, in its order."""
        rows = read_table(read_sections(DOC / "api.md")["Events"])
        names = [name for row in rows for name in re.findall(r"`(\w+)`", row["Field"])]
        self.assertEqual(names, list(PAYLOAD))

    def test_every_message_is_one_of_the_addon(self):
        """E1: troubleshooting quotes what people really read."""
        messages = read_messages()
        for heading, lines in read_sections(DOC / "troubleshooting.md").items():
            for row in read_table(lines):
                first_cell = next(iter(row.values()))
                for quoted in re.findall(r"`([^`]+)`", first_cell):
                    if " " not in quoted:
                        continue
                    with self.subTest(section=heading, message=quoted):
                        self.assertTrue(any(quoted in text for text in messages))


@tagged("post_install", "-at_install")
class TestDocumentedBriefly(TransactionCase):
    """The guide is short; the reference is apart (E1)."""

    def test_the_guide_is_short(self):
        """E1: words of the guide, lines of the README that is made of it."""
        guide = (README / "USAGE.md").read_text("utf-8")
        self.assertLessEqual(len(guide.split()), MAX_WORDS)
        lines = (ADDON / "README.rst").read_text("utf-8").splitlines()
        self.assertLessEqual(len(lines), MAX_LINES)

    def test_every_picture_is_shown(self):
        """E1: none is left over, and each has a text of its own."""
        shown = {}
        for path in GUIDES:
            text = path.read_text("utf-8")
            for alt, name in re.findall(r"!\[(.+?)\]\(\S*?(\w+\.png)\)", text):
                self.assertNotIn(alt, shown.values())
                shown[name] = alt
        shown.update(dict.fromkeys(re.findall(r"(\w+\.png)", self.read_readme())))
        pictures = {path.name for path in ADDON.glob("static/description/*.png")}
        self.assertEqual(pictures - {"icon.png"}, set(shown))

    def read_readme(self):
        return (ROOT / "README.rst").read_text("utf-8")


@tagged("post_install", "-at_install")
class TestDocumentedPromises(TransactionCase):
    """The comparison: every promise once, and proved."""

    def read_rows(self):
        sections = read_sections(DOC / "comparison.md").values()
        return [row for lines in sections for row in read_table(lines)]

    def test_every_promise_has_a_row(self):
        """A1-E4: in order, each once."""
        self.assertEqual([row["ID"] for row in self.read_rows()], PROMISES)

    def test_every_promise_is_named_by_the_tests_of_its_row(self):
        """A1-E4: in a docstring or the name of a test."""
        for row in self.read_rows():
            if TO_COME in row["Proved by"]:
                continue
            names = re.findall(r"`(\w+\.py)`", row["Proved by"])
            self.assertTrue(names, row["ID"])
            for name in names:
                with self.subTest(promise=row["ID"], test=name):
                    text = (Path(__file__).parent / name).read_text("utf-8")
                    self.assertRegex(text, rf"\b{row['ID']}\b")


@tagged("post_install", "-at_install")
class TestDocumentedLinks(TransactionCase):
    """Nothing leads nowhere."""

    def get_anchors(self, path):
        """Return the anchors of a guide's headings, as web sites of code make them."""
        headings = [heading or "" for heading in read_sections(path)]
        plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
        return {heading.replace(" ", "-") for heading in plain}

    def read_links(self, path):
        """Return the links of a guide to files, and to headings."""
        text = path.read_text("utf-8")
        if path.suffix == ".rst":
            links = re.findall(r"<([^<>:]+)>`_|(?:image|figure):: (\S+)", text)
            return [flatten("".join(link)) for link in links]
        return [link for link in re.findall(r"\]\(([^)]+)\)", text) if ":" not in link]

    def test_every_link_leads_somewhere(self):
        """E1: files, pictures, and headings within them."""
        for path in GUIDES:
            for link in self.read_links(path):
                with self.subTest(guide=path.name, link=link):
                    name, _hash, anchor = link.partition("#")
                    target = path.parent / name if name else path
                    self.assertTrue(target.is_file())
                    if anchor:
                        self.assertIn(anchor, self.get_anchors(target))
