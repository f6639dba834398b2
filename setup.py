# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Install the main addon beside a pip-installed Odoo: ``pip install .``

Name, version and dependencies are those of its manifest, read as OCA's builds do.
"""

from pathlib import Path

from manifestoo_core.metadata import metadata_from_addon_dir
from setuptools import setup

ADDON = "subscription_cancellation"
ROOT = Path(__file__).parent
PACKAGE = f"odoo.addons.{ADDON}"

metadata = metadata_from_addon_dir(
    ROOT / ADDON, options={"post_version_strategy_override": "none"}
)
folders = {path.parent for path in (ROOT / ADDON).rglob("__init__.py")}

setup(
    name=metadata["Name"],
    version=metadata["Version"],
    description=metadata["Summary"],
    license=metadata["License"],
    url=metadata["Home-page"],
    python_requires=metadata["Requires-Python"],
    install_requires=metadata.get_all("Requires-Dist"),
    package_dir={PACKAGE: ADDON},
    packages=sorted(
        ".".join(("odoo", "addons", *folder.relative_to(ROOT).parts))
        for folder in folders
    ),
    # Views, translations, pictures: what Odoo reads is no code.
    package_data={PACKAGE: ["**/*"]},
    zip_safe=False,
)
