"""RSUA is downloaded whole or not at all. A local server answers as the publisher does."""

import hashlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from PIL import Image
from support import archive, rsua_members
from typer.testing import CliRunner

from cxrseg.cli import app
from cxrseg.config import DataConfig
from cxrseg.data.prepare import prepare
from cxrseg.data.sources import rsua
from cxrseg.phantom import phantom

NAME = "Data Chest X-Ray RSUA (Validated).zip"


class Publisher:
    """What the server has, what it was asked, and how it misbehaves."""

    def __init__(self, content: bytes):
        self.content = content
        self.listed = content  # the listing speaks of this one
        self.names = ["Split_Data_RSUA_Paths.xlsx", NAME]
        self.break_after = None  # bytes sent before the connection drops, once
        self.ranges = True
        self.listing = None  # what to answer instead of the listing
        self.status = 200
        self.requests: list[tuple[str, str | None]] = []

    def rows(self, url: str) -> list[dict]:
        return [
            {
                "filename": name,
                "id": f"file-{place}",
                "metrics": {"downloads": 1, "previews": 0, "file_id": f"file-{place}"},
                "content_details": {
                    "id": f"content-{place}",
                    "content_type": "application/zip",
                    "size": len(self.listed) if name.endswith(".zip") else 3,
                    "sha256_hash": hashlib.sha256(self.listed if name.endswith(".zip") else b"abc").hexdigest(),
                    "download_url": f"{url}/files/{place}/file_downloaded",
                },
            }
            for place, name in enumerate(self.names)
        ]


@pytest.fixture
def publisher(tmp_path):
    content = archive(tmp_path / "made.zip", rsua_members({"Covid": 40, "Non_Covid": 6, "Non_Covid_Pneumonia": 9}))
    state = Publisher(content.read_bytes())
    assert len(state.content) > 20_000  # room for an interruption

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            asked = self.headers.get("Range")
            state.requests.append((self.path, asked))
            if self.path.startswith("/listing"):
                assert self.headers["Accept"] == "application/vnd.mendeley-public-dataset.1+json"
                body = json.dumps(state.rows(state.url)).encode() if state.listing is None else state.listing
                self.send_response(state.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
            if start >= len(state.content):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = state.content[start:]
            self.send_response(206 if asked and state.ranges else 200)
            if asked and state.ranges:
                self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.break_after is not None:
                body, state.break_after = body[: state.break_after], None
                self.close_connection = True
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def fetch(publisher, folder):
    return rsua.fetch(f"{publisher.url}/listing?folder_id=root&version=1", folder)


def downloads(publisher) -> list[str | None]:
    return [asked for path, asked in publisher.requests if not path.startswith("/listing")]


def one_line(error) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_fetched_once_then_only_checked(publisher, tmp_path):
    path = fetch(publisher, tmp_path / "cache")
    assert path.read_bytes() == publisher.content
    assert fetch(publisher, tmp_path / "cache") == path
    assert downloads(publisher) == [None]
    assert [file.name for file in path.parent.iterdir()] == [rsua.ARCHIVE]


def test_fetched_archive_yields_cases(publisher, tmp_path, monkeypatch):
    monkeypatch.setattr(rsua.paths, "cache", lambda: tmp_path / "cache")
    fetch(publisher, None)
    assert len(rsua.cases(DataConfig(source="rsua"))) == 55


def test_interrupted_download_goes_on_where_it_stopped(publisher, tmp_path):
    publisher.break_after = 12_000
    with pytest.raises(ConnectionError, match="run the command again") as error:
        fetch(publisher, tmp_path / "cache")
    one_line(error)
    (part,) = (tmp_path / "cache").iterdir()
    assert part.name.endswith(".part") and 0 < part.stat().st_size <= 12_000
    have = part.stat().st_size
    path = fetch(publisher, tmp_path / "cache")
    assert path.read_bytes() == publisher.content
    assert downloads(publisher) == [None, f"bytes={have}-"]
    assert list(path.parent.iterdir()) == [path]


def test_server_that_ignores_ranges_is_asked_from_the_start(publisher, tmp_path):
    publisher.break_after, publisher.ranges = 12_000, False
    with pytest.raises(ConnectionError):
        fetch(publisher, tmp_path)
    assert fetch(publisher, tmp_path).read_bytes() == publisher.content


def test_whole_part_is_not_asked_for_again(publisher, tmp_path):
    digest = hashlib.sha256(publisher.content).hexdigest()
    (tmp_path / f"{rsua.ARCHIVE}.{digest[:8]}.part").write_bytes(publisher.content)
    assert fetch(publisher, tmp_path).read_bytes() == publisher.content
    assert downloads(publisher) == []


@pytest.mark.parametrize("wrong", ["flipped", "longer"])
def test_wrong_content_leaves_nothing(publisher, tmp_path, wrong):
    content = bytearray(publisher.content)
    if wrong == "flipped":
        content[1000] ^= 255
    else:
        content += b"more"
    publisher.content = bytes(content)
    with pytest.raises(ValueError, match="SHA-256 is not" if wrong == "flipped" else "more than") as error:
        fetch(publisher, tmp_path / "cache")
    assert one_line(error).startswith(f"{publisher.url}/files/1/file_downloaded: ")
    assert list((tmp_path / "cache").iterdir()) == []


def test_part_that_was_damaged_is_thrown_away(publisher, tmp_path):
    publisher.break_after = 12_000
    with pytest.raises(ConnectionError):
        fetch(publisher, tmp_path / "cache")
    (part,) = (tmp_path / "cache").iterdir()
    part.write_bytes(bytes(part.stat().st_size))
    with pytest.raises(ValueError, match="SHA-256"):
        fetch(publisher, tmp_path / "cache")
    assert fetch(publisher, tmp_path / "cache").read_bytes() == publisher.content


def test_server_with_a_shorter_file_than_listed(publisher, tmp_path):
    publisher.content = publisher.content[:3000]
    for _ in range(3):  # too short, then no such range, then too short again: never a success, never stuck
        with pytest.raises(ConnectionError):
            fetch(publisher, tmp_path / "cache")
    assert not (tmp_path / "cache" / rsua.ARCHIVE).exists()
    publisher.content = publisher.listed
    assert fetch(publisher, tmp_path / "cache").read_bytes() == publisher.listed


def test_old_archive_is_replaced_only_by_a_good_one(publisher, tmp_path):
    (tmp_path / rsua.ARCHIVE).write_bytes(b"old")
    publisher.content = publisher.content[:-1] + b"?"
    with pytest.raises(ValueError):
        fetch(publisher, tmp_path)
    assert (tmp_path / rsua.ARCHIVE).read_bytes() == b"old"
    publisher.content = publisher.listed
    assert fetch(publisher, tmp_path).read_bytes() == publisher.listed


@pytest.mark.parametrize(
    ("listing", "problem"),
    [
        (b"<html>maintenance</html>", "not the publisher's list"),
        (b'{"message": "moved"}', "not the publisher's list"),
        (b'["a.zip"]', "not the publisher's list"),
        (b'[{"filename": "a.zip"}]', "not the publisher's list"),
        (b"null", "not the publisher's list"),
        (b"[]", "lists nothing; expected one file"),
        (b'[{"filename": "raw.zip", "content_details": {}}]', "lists raw.zip; expected one file"),
        (b'[{"filename": "x (Validated).zip", "content_details": {"size": 3}}]', "no usable 'download_url'"),
        (b'[{"filename": "x (Validated).zip", "content_details": null}]', "usable"),
        (b'[{"filename": null, "content_details": {}}]', "lists None; expected one file"),
    ],
)
def test_listing_that_cannot_be_used(publisher, tmp_path, listing, problem):
    publisher.listing = listing
    with pytest.raises(ValueError, match=problem) as error:
        fetch(publisher, tmp_path / "cache")
    assert "cxrseg run paper --data FILE" in one_line(error)
    assert not (tmp_path / "cache").exists()


def test_among_several_names_the_known_size_decides(publisher, tmp_path, monkeypatch):
    publisher.names = [NAME, "RSUA (not validated) preview.zip"]
    with pytest.raises(ValueError, match="expected one file"):
        fetch(publisher, tmp_path)
    rows = publisher.rows(publisher.url)
    rows[1]["content_details"]["size"] = 5
    publisher.listing = json.dumps(rows).encode()
    monkeypatch.setattr(rsua, "SIZE", len(publisher.content))
    assert fetch(publisher, tmp_path).read_bytes() == publisher.content


def test_publisher_that_answers_with_an_error(publisher, tmp_path):
    publisher.status = 503
    with pytest.raises(ConnectionError, match="503"):
        fetch(publisher, tmp_path)


def test_publisher_that_cannot_be_reached(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionError, match="cannot be reached") as error:
        rsua.fetch(f"http://127.0.0.1:{port}/listing", tmp_path)
    assert "cxrseg run paper --data FILE" in one_line(error)


def test_from_the_publisher_to_a_dataset_under_the_papers_class_names(publisher, tmp_path, monkeypatch):
    counts = {"Covid": 12, "Non_Covid": 6, "Non_Covid_Pneumonia": 7}
    path = archive(tmp_path / "chests.zip", rsua_members(counts) | chests(counts))
    publisher.content = publisher.listed = path.read_bytes()
    monkeypatch.setattr("cxrseg.paths.cache", lambda: tmp_path / "cache")
    done = CliRunner().invoke(app, ["fetch", "rsua", "--listing", f"{publisher.url}/listing"])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip().startswith(str(tmp_path / "cache"))
    dataset = prepare(DataConfig(source="rsua", image_size=64), tmp_path / "data", workers=1)
    # Non_Covid is what the paper calls Normal.
    assert dataset.record["classes"] == {"COVID": 12, "Non-COVID": 7, "Normal": 6}


def chests(counts):
    """Give the archive pictures that can be told apart and learnt from."""
    members = {}
    for place, (name, count) in enumerate(counts.items()):
        for number in range(1, count + 1):
            made = phantom(seed=9, index=100 * place + number, label="Normal", size=64)
            for kind, pixels in (("images", made.image), ("masks", made.lungs.astype("uint8") * 255)):
                suffix = "_mask" if kind == "masks" else ""
                file = BytesIO()
                Image.fromarray(pixels).save(file, "BMP")
                members[f"Data Chest X-Ray RSUA (Validated)/{name}/{kind}/{name}_{number}{suffix}.bmp"] = (
                    file.getvalue()
                )
    return members
