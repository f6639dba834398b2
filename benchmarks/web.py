"""A browser as the server sees it: Odoo's web application without a network."""

from __future__ import annotations

import re

from werkzeug.test import Client

from odoo import http
from odoo.service.server import load_server_wide_modules
from odoo.tools import config


class Browser:
    """Somebody who is logged in; the password is the login."""

    def __init__(self, database: str, login: str) -> None:
        # The host names the database.
        config["dbfilter"] = "^%d$"
        load_server_wide_modules()
        self.client = Client(http.root)
        self.options = {
            "base_url": f"http://{database}.localhost",
            "environ_base": {"REMOTE_ADDR": "127.0.0.1"},
        }
        [token] = re.findall(r'name="csrf_token" value="(\w+)"', self.get("/web/login"))
        data = {"login": login, "password": login, "csrf_token": token}
        self.client.post("/web/login", data=data, **self.options)

    def get(self, path: str) -> str:
        """Open a page."""
        response = self.client.get(path, **self.options)
        assert response.status_code == 200, (path, response.status)
        return response.text

    def call(self, path: str, **params):
        """Call a route as the web client does."""
        request = {"jsonrpc": "2.0", "method": "call", "params": params}
        answer = self.client.post(path, json=request, **self.options).json
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def call_method(self, model: str, method: str, *args, **kwargs):
        """Call a method of a model."""
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self.call(path, model=model, method=method, args=args, kwargs=kwargs)
