"""A customer in the portal, through Odoo's web application but without a network."""

from __future__ import annotations

import re

from werkzeug.test import Client

from odoo import http
from odoo.service.server import load_server_wide_modules
from odoo.tools import config

LIST = "/my/subscriptions"


class Visitor:
    """A portal user who is logged in; the password is the login."""

    def __init__(self, database: str, login: str) -> None:
        # The host names the database.
        config["dbfilter"] = "^%d$"
        load_server_wide_modules()
        self.url = f"http://{database}.localhost"
        self.client = Client(http.root)
        page = self._get("/web/login")
        [token] = re.findall(r'name="csrf_token" value="(\w+)"', page)[:1]
        data = {"login": login, "password": login, "csrf_token": token}
        self.client.post("/web/login", data=data, base_url=self.url)
        self.open_list()

    def open_list(self) -> None:
        """Open the first page of the list."""
        assert "Benchmark" in self._get(LIST)

    def _get(self, path: str) -> str:
        response = self.client.get(path, base_url=self.url)
        assert response.status_code == 200, (path, response.status)
        return response.text
