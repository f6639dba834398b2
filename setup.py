"""Packages the addon as `odoo.addons.subscription_cancellation`.

A pip-installed Odoo finds it there without an addons path. Other addon folders of this
repository are not part of the wheel.
"""

import ast
from pathlib import Path

import setuptools

ROOT = Path(__file__).resolve().parent
ADDON = "subscription_cancellation"
PACKAGE = f"odoo.addons.{ADDON}"
# Addons that come with Odoo itself need no distribution of their own.
CORE = {"account", "account_payment", "mail", "payment", "portal", "product", "sale"}


def manifest():
    """The addon's manifest."""
    return ast.literal_eval((ROOT / ADDON / "__manifest__.py").read_text("utf-8"))


def long_description():
    """The README, where there is one."""
    readme = ROOT / "README.rst"
    return readme.read_text("utf-8") if readme.is_file() else manifest()["summary"]


def requirements():
    """Odoo 19.0, and the 19.0 releases of the addons that are not part of it."""
    addons = [name for name in manifest()["depends"] if name not in CORE]
    return ["odoo==19.0.*", *(f"odoo-addon-{name}==19.0.*" for name in addons)]


def packages():
    """Every folder of Python modules in the addon, mapped to where it is."""
    below = setuptools.find_packages(str(ROOT / ADDON))
    folders = {PACKAGE: ADDON}
    folders |= {
        f"{PACKAGE}.{name}": f"{ADDON}/{name.replace('.', '/')}" for name in below
    }
    return folders


def data_files():
    """Everything else in the addon: views, data, translations, pictures."""
    files = (path for path in (ROOT / ADDON).rglob("*") if path.is_file())
    names = (path.relative_to(ROOT / ADDON) for path in files)
    return [
        str(name)
        for name in names
        if name.suffix not in (".py", ".pyc") or "migrations" in name.parts
    ]


setuptools.setup(
    name="odoo-addon-subscription-cancellation",
    version=manifest()["version"],
    description=manifest()["summary"],
    long_description=long_description(),
    long_description_content_type="text/x-rst",
    author=manifest()["author"],
    url=manifest()["website"],
    license="AGPL-3.0-or-later",
    license_files=["LICENSE"],
    packages=list(packages()),
    package_dir=packages(),
    package_data={PACKAGE: data_files()},
    include_package_data=False,
    python_requires=">=3.10",
    install_requires=requirements(),
    classifiers=[
        "Framework :: Odoo",
        "Framework :: Odoo :: 19.0",
        "Programming Language :: Python",
    ],
    zip_safe=False,
)
