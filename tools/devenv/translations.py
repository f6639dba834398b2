"""The .pot file from a database with the addon, and the .po files brought up to it."""

from __future__ import annotations

from pathlib import Path

from .settings import Settings
from .shell import run_logged, say


def update(settings: Settings, database: str, addon: str) -> None:
    """Export what there is to translate; keep the translations, add empty ones."""
    folder = settings.root / addon / "i18n"
    folder.mkdir(exist_ok=True)
    pot = folder / f"{addon}.pot"
    odoo = [settings.venv / "bin" / "odoo", "i18n", "export", "-c", settings.conf]
    run_logged(
        [*odoo, "-d", database, "-l", "pot", "-o", pot, addon],
        settings.state / "setup.log",
        "Exporting the terms to translate",
    )
    _drop_dates(pot)
    for path in sorted(folder.glob("*.po")):
        _merge(path, pot)


def _drop_dates(path: Path) -> None:
    """Else the file changes with every export."""
    import polib

    file = polib.pofile(str(path))
    file.metadata.pop("POT-Creation-Date", None)
    file.metadata.pop("PO-Revision-Date", None)
    file.save()


def _merge(path: Path, pot: Path) -> None:
    """Give a .po file the entries of the .pot file, with the translations it has."""
    import polib

    source = polib.pofile(str(pot))
    known = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))}
    metadata = polib.pofile(str(path)).metadata
    merged = polib.POFile()
    merged.header, merged.metadata = source.header, metadata
    merged.metadata.pop("POT-Creation-Date", None)
    merged.metadata.pop("PO-Revision-Date", None)
    for entry in source:
        entry.msgstr = known.get(entry.msgid, "")
        merged.append(entry)
    merged.save(str(path))
    empty = len(merged.untranslated_entries())
    say(f"{path.relative_to(path.parents[2])}: {len(merged)} terms, {empty} to do")
