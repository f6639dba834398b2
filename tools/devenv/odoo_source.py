"""The Odoo 19 source: `ODOO_SRC`, or a copy in the download cache.

Debian packages Odoo 19 in its `sid` suite. The package is for another release's Python,
so it is unpacked beside the files it links to and not installed. Where there is no
Debian mirror, the source comes from Odoo's public repository.
"""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from .settings import Settings
from .shell import Failure, locked, output_of, require_disk_space, run_logged, say, warn

REPOSITORY = "https://github.com/odoo/odoo.git"
PACKAGES = (
    "odoo-19/sid",
    "libjs-jquery/sid",
    "libjs-underscore/sid",
    "libjs-jquery-form/sid",
    "fonts-roboto-unhinted/sid",
    "fonts-montserrat/sid",
    "fonts-ocr-b/sid",
    # Odoo links to the layout that these two had until Debian 12.
    "fonts-font-awesome/bookworm",
    "fonts-inconsolata/bookworm",
)
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Debian leaves this file out; without it the web client logs an error on every page.
MISSING_SCRIPT = Path(
    "addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
)
MISSING_SCRIPT_PACKAGE = "@mediapipe/selfie_segmentation@0.1.1675465747"


def ensure(settings: Settings) -> Path:
    """The folder to put on Python's path, with the `odoo` package in it."""
    if source := os.environ.get("ODOO_SRC"):
        return _given(Path(source).expanduser().resolve())
    tree = settings.cache / "odoo-19.0"
    if not tree.is_dir():
        with locked(settings.cache / "lock"):
            if not tree.is_dir():
                _fetch(settings, tree)
    return _python_root(tree)


def _given(source: Path) -> Path:
    """`ODOO_SRC`, checked."""
    if not _is_odoo_19(source):
        raise Failure(
            f"ODOO_SRC={source} is not an Odoo 19.0 checkout",
            "Point it at a folder with odoo/release.py of version 19.0, "
            "or unset it to have one fetched",
        )
    return source


def _is_odoo_19(source: Path) -> bool:
    """Whether the folder holds the `odoo` package, version 19.0, with its addons."""
    release = source / "odoo" / "release.py"
    if not release.is_file() or not re.search(
        r"^version_info\s*=\s*\(19,\s*0",
        release.read_text(encoding="utf-8"),
        re.MULTILINE,
    ):
        return False
    roots = (source / "addons", source / "odoo" / "addons")
    return any((root / "account" / "views").is_dir() for root in roots)


def _python_root(tree: Path) -> Path:
    """Where the `odoo` package is in Debian's layout or in a checkout."""
    debian = tree / "usr" / "lib" / "python3" / "dist-packages"
    return debian if debian.is_dir() else tree


def _fetch(settings: Settings, tree: Path) -> None:
    """Make `tree`, all or nothing: it appears under its name when it is complete."""
    require_disk_space(settings.cache, 3, "The Odoo source")
    for leftover in settings.cache.glob("fetching-*"):
        shutil.rmtree(leftover)
    work = Path(tempfile.mkdtemp(prefix="fetching-", dir=settings.cache))
    try:
        made = _fetch_odoo(settings, work)
        if not _is_odoo_19(_python_root(made)):
            raise Failure(
                "What was fetched is not Odoo 19.0", "Set ODOO_SRC to a checkout"
            )
        _add_missing_script(settings, work, _python_root(made) / "odoo")
        made.rename(tree)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fetch_odoo(settings: Settings, work: Path) -> Path:
    """Odoo's source from Debian where that is at hand, else from Odoo's repository."""
    if mirror := _debian_mirror():
        return _fetch_debian(settings, work, mirror)
    if not shutil.which("git"):
        raise Failure(
            "There is neither a Debian mirror nor git to fetch Odoo 19 with",
            "Install git, or set ODOO_SRC to an Odoo 19.0 checkout",
        )
    say("Fetching the Odoo 19.0 source with git (about 300 MB, once)")
    command = ["git", "clone", "--quiet", "--depth=1", "--branch=19.0", REPOSITORY]
    run_logged(
        [*command, work / "odoo"],
        settings.state / "setup.log",
        "Fetching the Odoo source",
        "Check the network and run it again, or set ODOO_SRC to an Odoo 19.0 checkout",
    )
    return work / "odoo"


def _debian_mirror() -> str | None:
    """The Debian mirror this machine uses for its own release, as apt tells it."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    if release.get("ID") != "debian":
        return None
    suites = {release.get("VERSION_CODENAME"), "stable", "testing", "unstable", "sid"}
    lines = output_of(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)"]
    )
    for line in lines.splitlines():
        site, suite, component = line.split()
        if suite in suites and component == "main":
            return site
    return None


def _fetch_debian(settings: Settings, work: Path, mirror: str) -> Path:
    """Download and unpack Debian's packages; needs no root."""
    say("Fetching the Odoo 19 source from Debian (132 MB, once)")
    log = settings.state / "setup.log"
    env = {**os.environ, "APT_CONFIG": str(_write_apt_folder(work / "apt", mirror))}
    downloads, tree = work / "packages", work / "tree"
    downloads.mkdir()
    run_logged(["apt-get", "update"], log, "Reading Debian's package list", env=env)
    command = ["apt-get", "download", *PACKAGES]
    run_logged(command, log, "Downloading Odoo from Debian", env=env, cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        run_logged(["dpkg-deb", "-x", package, tree], log, f"Unpacking {package.name}")
    return tree


def _write_apt_folder(folder: Path, mirror: str) -> Path:
    """A private apt set-up: two suites of the machine's mirror, lists of its own."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    signed = f"[signed-by={KEYRING}] " if KEYRING.is_file() else ""
    sources = "".join(
        f"deb {signed}{mirror} {suite} main\n" for suite in ("sid", "bookworm")
    )
    (folder / "sources.list").write_text(sources)
    options = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "",
    }
    config = folder / "apt.conf"
    config.write_text("".join(f'{key} "{value}";\n' for key, value in options.items()))
    return config


def _add_missing_script(settings: Settings, work: Path, odoo: Path) -> None:
    """Put back the script that Debian's copy lacks; an empty one without npm."""
    target = odoo / MISSING_SCRIPT
    if target.exists() or not target.parent.parent.is_dir():
        return
    target.parent.mkdir(exist_ok=True)
    try:
        command = ["npm", "pack", "--silent", MISSING_SCRIPT_PACKAGE]
        log = settings.state / "setup.log"
        run_logged(command, log, "Downloading a script with npm", cwd=work)
        target.write_bytes(_script_in(next(work.glob("*.tgz"))))
    except Failure:
        warn("npm could not fetch a script for video calls; the rest works without it.")
        target.write_text("// Left out: blurs the background of video calls.\n")


def _script_in(archive: Path) -> bytes:
    """The script in npm's archive."""
    with tarfile.open(archive) as package:
        return package.extractfile(f"package/{MISSING_SCRIPT.name}").read()
