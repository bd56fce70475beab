"""What the printing says where it cannot print; the PDF itself is read in `tests/browser/test_pdf.py`."""

import pytest

from cxrseg.report import pdf


def test_without_a_browser_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(pdf, "PROGRAMS", ("chromium",))
    with pytest.raises(FileNotFoundError, match="apt install chromium"):
        pdf.browser()


def test_without_a_report_it_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf.paths, "root", lambda: tmp_path)
    (tmp_path / "_toc.yml").write_text("root: book/index\n")
    with pytest.raises(FileNotFoundError, match="make book"):
        pdf.make()


def test_a_browser_that_prints_nothing_is_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"false did not print .*report\.html"):
        pdf.print_to("false", tmp_path / "report.html", tmp_path / "report.pdf")
