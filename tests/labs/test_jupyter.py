"""`make lab` opens JupyterLab on copies of the labs, and one of them runs there."""

import json
import os
import shutil
import subprocess
import time
import uuid
from contextlib import suppress

import pytest
import requests
from support import ROOT

TOKEN = "of-this-test"


@pytest.fixture
def server(tmp_path):
    """Start JupyterLab as a student does, and return its address."""
    if not (ROOT / ".venv" / "bin" / "jupyter-lab").exists():
        pytest.skip("JupyterLab is not installed in .venv: make installs it")
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy2(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    # A lab that somebody has worked on.
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "read.ipynb").write_text("mine")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    settings = {"open_browser": False, "port": 0, "allow_root": True}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": settings, "IdentityProvider": {"token": TOKEN}})
    )
    own = {name: str(tmp_path / name.lower()) for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = os.environ | own | {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "PYTHONPATH": str(ROOT)}
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(["make", "lab"], cwd=tmp_path, env=environment, stdout=log, stderr=log)
        try:
            yield tmp_path, _address(process, tmp_path)
        finally:
            process.terminate()
            process.wait(30)


def _address(process, folder):
    """Wait until the server says where it is, and answers there, which on a busy machine is later."""
    for _ in range(600):
        found = list((folder / "jupyter_runtime_dir").glob("jpserver-*.json"))
        if found and (text := found[0].read_text()):
            url = json.loads(text)["url"]
            with suppress(requests.ConnectionError):
                requests.get(f"{url}api", timeout=60)
                return url
        assert process.poll() is None, (folder / "log").read_text()
        time.sleep(0.2)
    raise AssertionError((folder / "log").read_text())


@pytest.mark.slow
def test_a_lab_runs_in_jupyterlab(server):
    websocket = pytest.importorskip("websocket")
    folder, url = server
    headers = {"Authorization": f"token {TOKEN}"}
    listed = requests.get(f"{url}api/contents", headers=headers, timeout=60).json()["content"]
    assert {item["name"] for item in listed} == {file.name for file in (ROOT / "notebooks" / "labs").glob("*.ipynb")}
    notebook = requests.get(f"{url}api/contents/scores.ipynb", headers=headers, timeout=60).json()["content"]
    wanted = {"path": "scores.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    session = requests.post(f"{url}api/sessions", headers=headers, json=wanted, timeout=120).json()
    place = url.replace("http", "ws") + f"api/kernels/{session['kernel']['id']}/channels?token={TOKEN}"
    kernel = websocket.create_connection(place, timeout=120)
    shown = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            shown += _execute(kernel, cell["source"].replace("fast: bool = False", "fast: bool = True"))
    kernel.close()
    assert any("Not yet" in text for text in shown) and "image/png" in shown
    assert (folder / "labs" / "scores.ipynb").is_file()
    assert (folder / "labs" / "read.ipynb").read_text() == "mine"


def _execute(kernel, code):
    """Execute code, and return the plain texts and the types of what it showed."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    kernel.send(json.dumps({**message, "buffers": []}))
    shown, replied, idle = [], False, False
    while not (replied and idle):
        answer = json.loads(kernel.recv())
        if answer["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        kind, content = answer["header"]["msg_type"], answer["content"]
        if kind == "execute_reply":
            assert content["status"] == "ok", content
            replied = True
        idle = idle or (kind == "status" and content["execution_state"] == "idle")
        if "data" in content:
            shown += [content["data"].get("text/plain", ""), *content["data"]]
    return shown
