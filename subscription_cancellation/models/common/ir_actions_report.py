# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""PDFs of summaries: cheap ones, and many at once."""

import io
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from odoo import models
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

from odoo.addons.base.models.ir_actions_report import _wkhtml

from ...const import SUMMARY
from .customer_mail import PRINT_LATER

#: Context key: what is printed needs neither scripts nor style sheets of the server.
SELF_CONTAINED = "cancellation_self_contained"


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _is_summary(self, report_ref):
        """Return whether a report is the summary of a cancellation."""
        return self._get_report(report_ref).report_name == SUMMARY

    # === ONE === #

    def _pre_render_qweb_pdf(self, report_ref, res_ids=None, data=None):
        if self.env.context.get(PRINT_LATER) and self._is_summary(report_ref):
            return self._render_qweb_html(report_ref, res_ids, data=data)
        return super()._pre_render_qweb_pdf(report_ref, res_ids=res_ids, data=data)

    def _get_layout(self):
        if self.report_name != SUMMARY:
            return super()._get_layout()
        return self.env.ref("subscription_cancellation.cancellation_print")

    def _prepare_html(self, html, report_model=False):
        prepared = super()._prepare_html(html, report_model=report_model)
        if self.report_name != SUMMARY:
            return prepared
        bodies, res_ids, _header, _footer, paper = prepared
        # Header and footer are part of the document.
        return bodies, res_ids, None, None, paper

    def _run_wkhtmltopdf(
        self,
        bodies,
        report_ref=False,
        header=None,
        footer=None,
        landscape=False,
        specific_paperformat_args=None,
        set_viewport_size=False,
    ):
        if report_ref and self._is_summary(report_ref):
            self = self.with_context(**{SELF_CONTAINED: True})
        return super()._run_wkhtmltopdf(
            bodies,
            report_ref=report_ref,
            header=header,
            footer=footer,
            landscape=landscape,
            specific_paperformat_args=specific_paperformat_args,
            set_viewport_size=set_viewport_size,
        )

    def _build_wkhtmltopdf_args(self, *args, **kwargs):
        arguments = super()._build_wkhtmltopdf_args(*args, **kwargs)
        if self.env.context.get(SELF_CONTAINED):
            # By default a second, in which nothing happens here.
            delay = arguments.index("--javascript-delay") + 1
            arguments[delay] = "0"
        return arguments

    # === MANY === #

    def _print_many(self, documents):
        """Return the PDFs of some rendered documents of this report.

        In one call where wkhtmltopdf can do that (the patched one); else several
        processes at once.

        :param list documents: HTML of a single record each, as bytes
        :return: list of bytes
        :raise RuntimeError: wkhtmltopdf failed
        """
        self.ensure_one()
        pages, paper = [], None
        for document in documents:
            [body], _ids, _header, _footer, paper = self._prepare_html(
                document, report_model=self.model
            )
            pages.append(body)
        arguments = self.with_context(**{SELF_CONTAINED: True})._build_wkhtmltopdf_args(
            self.get_paperformat(), False, specific_paperformat_args=paper
        )
        if _wkhtml().is_patched_qt and len(pages) > 1:
            parts = _split(_print(arguments, pages), len(pages))
            if parts:
                return parts
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda page: _print(arguments, [page]), pages))


def _print(arguments, pages):
    """Return one PDF of some pages of HTML.

    Without the database, so that several threads may do it at once.

    :raise RuntimeError: wkhtmltopdf failed
    """
    with TemporaryDirectory(prefix="cancellation.") as folder:
        files = []
        for number, page in enumerate(pages):
            file = Path(folder, f"{number}.html")
            file.write_text(page, encoding="utf-8")
            files.append(str(file))
        target = Path(folder, "printed.pdf")
        process = subprocess.run(
            [_wkhtml().bin, *arguments, *files, str(target)],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        # 1: something was not found, or an option is not known.
        content = target.read_bytes() if target.exists() else b""
        if process.returncode not in (0, 1) or not content:
            raise RuntimeError(f"wkhtmltopdf: {process.stderr[-1000:]}")
        return content


def _split(content, number):
    """Return the documents of a PDF; nothing where it is not clear what is whose.

    Each begins with its only heading of the first order.
    """
    reader = PdfFileReader(io.BytesIO(content))
    root = reader.trailer["/Root"]
    starts = []
    node = root["/Outlines"]["/First"] if "/First" in root.get("/Outlines", {}) else {}
    while node:
        starts.append(root["/Dests"][node["/Dest"]][0])
        node = node.get("/Next")
    if len(set(starts)) != number or starts[0] != 0:
        return []
    ends = [*starts[1:], reader.numPages]
    return [_cut(reader, *span) for span in zip(starts, ends, strict=True)]


def _cut(reader, start, end):
    """Return some pages of a PDF as one of its own."""
    writer, stream = PdfFileWriter(), io.BytesIO()
    for number in range(start, end):
        writer.addPage(reader.getPage(number))
    writer.write(stream)
    return stream.getvalue()
