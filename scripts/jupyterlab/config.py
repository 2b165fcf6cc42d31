"""JupyterLab for ``make lab``: opens the start page; ``overrides.json`` holds defaults that a user's settings outrank.

Fonts that have every Vietnamese letter, the theme of the system, and no request for news or updates.
"""

from pathlib import Path

here = Path(__file__).resolve().parent

c = get_config()  # noqa: F821 - given by JupyterLab, which runs this file
c.ServerApp.root_dir = str(here.parent.parent)
c.LabApp.default_url = "/lab/tree/notebooks/bat-dau.ipynb"
c.LabApp.app_settings_dir = str(here)
