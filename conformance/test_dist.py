"""A release's files, without a release build: the bootstrap is any bytes."""

import importlib.util
import json
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from pages import ROOT, every
from shell import run, shell

VERSION = "0.1.0"
BOOTSTRAP = b"\x7fELF and the rest"


@pytest.fixture
def dist(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """packaging/dist.py, whose parts that start cargo answer at once."""
    spec = importlib.util.spec_from_file_location("dist", ROOT / "packaging/dist.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "metadata", lambda _: {})
    monkeypatch.setattr(module, "linked", lambda _: ({"version": VERSION}, []))
    monkeypatch.setattr(module, "sbom", lambda path, _: path.write_text(json.dumps({"bomFormat": "CycloneDX"})))
    return module


@pytest.fixture
def made(dist: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that `make dist ARCH=arm64` makes."""
    bootstrap = tmp_path / "bootstrap"
    bootstrap.write_bytes(BOOTSTRAP)
    folder = tmp_path / "dist"
    given = ["--architecture", "arm64", "--bootstrap", str(bootstrap), "--destination", str(folder)]
    monkeypatch.setattr("sys.argv", ["dist.py", *given])
    dist.main()
    return folder


def checking() -> str:
    """The documented command that checks what was downloaded."""
    [line] = [line for block in every("sh") for line in block.text.splitlines() if line.startswith("sha256sum")]
    return line


def test_the_documented_command_checks_the_zip_alone(made: Path, tmp_path: Path) -> None:
    downloaded = tmp_path / "downloads"
    downloaded.mkdir()
    # as the page tells: the zip and its checksum, nothing else
    for path in made.glob("*.zip*"):
        path.rename(downloaded / path.name)
    assert shell(checking(), downloaded) == f"connect-attachment-policy-{VERSION}-arm64.zip: OK\n"


def test_the_documented_command_notices_another_zip(made: Path) -> None:
    [archive] = made.glob("*.zip")
    archive.write_bytes(archive.read_bytes() + b"\0")
    checked = run(checking(), made)
    assert (checked.returncode, checked.stdout) == (1, f"{archive.name}: FAILED\n")


def test_every_file_of_a_release_has_a_checksum_of_its_own(made: Path) -> None:
    files = {path.name for path in made.iterdir() if path.suffix != ".sha256"}
    assert files == {f"connect-attachment-policy-{VERSION}-arm64{end}" for end in (".zip", ".cdx.json")}
    for name in files:
        assert shell(f"sha256sum --check --strict {name}.sha256", made) == f"{name}: OK\n"


def test_the_same_bootstrap_gives_the_same_zip(made: Path, dist: ModuleType, tmp_path: Path) -> None:
    [archive] = made.glob("*.zip")
    dist.pack(tmp_path / "again.zip", tmp_path / "bootstrap", dist.licences([]))
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_the_zip_holds_a_bootstrap_that_lambda_can_start(made: Path) -> None:
    [archive] = made.glob("*.zip")
    with zipfile.ZipFile(archive) as opened:
        assert opened.namelist() == ["bootstrap", "LICENSE", "THIRD-PARTY-LICENSES.txt"]
        assert opened.read("bootstrap") == BOOTSTRAP
        assert opened.getinfo("bootstrap").external_attr >> 16 == 0o755
