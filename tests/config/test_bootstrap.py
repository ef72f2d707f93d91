"""From a bare Python to one that can run Everyway, in a checkout that needs one small package."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import bootstrap

ROOT = Path(bootstrap.__file__).resolve().parents[1]
PROGRAM = "import sys; from config import bootstrap; bootstrap.prepare(sys.argv[1:]); import tiny; print(sys.prefix)"

INTERRUPT = "signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT)); "


class Checkout:
    """A checkout with the real bootstrap, and an index of packages that is a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.index = folder / "index"
        self.venv = self.folder / ".venv"
        (self.folder / "config").mkdir(parents=True)
        self.index.mkdir()
        (self.folder / "config" / "__init__.py").touch()
        (self.folder / "config" / "bootstrap.py").write_bytes(Path(bootstrap.__file__).read_bytes())
        (self.folder / "requirements-uv.txt").write_text(f"uv==0.0.0 --hash=sha256:{'0' * 64}\n")
        self.require("1.0")

    def require(self, version: str, *, digest: str = "") -> None:
        """Make the checkout need this version of its package."""
        wheel = self.index / f"tiny-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("tiny.py", f"VERSION = {version!r}\n")
            archive.writestr(
                f"tiny-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
            )
            archive.writestr(
                f"tiny-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"tiny-{version}.dist-info/RECORD", "")
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.folder / "requirements.txt").write_text(f"tiny=={version} \\\n    --hash=sha256:{digest}\n")
        (self.folder / "requirements-dev.txt").write_text("")

    def start(self, *arguments: str, before: str = "", index: bool = True) -> subprocess.CompletedProcess[str]:
        """Start the program on a machine that has nothing but Python."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder.parent)}
        environment |= {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "UV_OFFLINE": "1", "PIP_CONFIG_FILE": os.devnull}
        if index:
            environment |= {"PIP_FIND_LINKS": str(self.index), "UV_FIND_LINKS": str(self.index)}
        python = getattr(sys, "_base_executable", sys.executable)
        return subprocess.run(
            [python, "-c", before + PROGRAM, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout that was never started."""
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, subprocess.CompletedProcess[str]]:
    """A checkout that was started once, and how that went. Not to be changed."""
    made = Checkout(tmp_path_factory.mktemp("started"))
    return made, made.start()


@pytest.fixture
def started(checkout: Checkout, first_start: tuple[Checkout, object]) -> Checkout:
    """A checkout that was started once."""
    shutil.copytree(first_start[0].venv, checkout.venv, symlinks=True)
    return checkout


def test_a_bare_python_gets_a_place_of_its_own(
    first_start: tuple[Checkout, subprocess.CompletedProcess[str]],
) -> None:
    checkout, result = first_start
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(checkout.venv)
    assert result.stderr.startswith("Installing what Everyway needs")


def test_the_next_start_says_and_does_nothing(started: Checkout) -> None:
    result = started.start()
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, str(started.venv), "")


def test_two_starts_at_once_install_a_newer_version_once(started: Checkout) -> None:
    started.require("2.0")
    with ThreadPoolExecutor() as both:
        results = list(both.map(lambda _: started.start(), range(2)))
    assert [result.returncode for result in results] == [0, 0], results
    assert sum("Installed in" in result.stderr for result in results) == 1
    assert bootstrap.lacking([started.folder / "requirements.txt"], [str(_packages(started))]) == []


def test_an_install_that_was_interrupted_is_done_afresh(started: Checkout) -> None:
    (started.venv / bootstrap.MARKER).touch()
    (_packages(started) / "tiny.py").unlink()
    assert started.start().returncode == 0
    assert (_packages(started) / "tiny.py").exists()


@pytest.mark.parametrize("seconds", [0.2, 0.6])
def test_ctrl_c_while_installing_leaves_nothing_half_done(checkout: Checkout, seconds: float) -> None:
    result = checkout.start(before=f"import signal; signal.setitimer(signal.ITIMER_REAL, {seconds}); {INTERRUPT}")
    assert result.returncode == 130, result.stderr
    assert result.stderr.splitlines()[-1].startswith("Stopped.")
    assert (checkout.venv / bootstrap.MARKER).exists()


def test_a_package_that_is_not_the_one_that_was_checked_is_not_installed(started: Checkout) -> None:
    started.require("2.0", digest="0" * 64)
    result = started.start()
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == bootstrap.NOT_GENUINE
    assert "Traceback" not in result.stderr
    assert (started.venv / bootstrap.MARKER).exists()


def test_a_python_without_venv_is_told_what_to_install(checkout: Checkout) -> None:
    result = checkout.start(before="import sys; sys.modules['ensurepip'] = None; ")
    assert result.returncode == 1
    assert "apt install python3" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert not checkout.venv.exists()


def test_a_python_that_has_everything_is_left_alone(checkout: Checkout) -> None:
    result = checkout.start(before=f"import sys; sys.path.append({str(_installed_elsewhere(checkout))!r}); ")
    assert result.returncode == 0, result.stderr
    assert not checkout.venv.exists()


def _packages(checkout: Checkout) -> Path:
    return next((checkout.venv / "lib").glob("python3*/site-packages"))


def _installed_elsewhere(checkout: Checkout) -> Path:
    folder = checkout.folder.parent / "elsewhere"
    with zipfile.ZipFile(next(checkout.index.iterdir())) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            bootstrap.DISK_IS_FULL,
        ),
        ("error: failed to create directory: No space left on device (os error 28)", bootstrap.DISK_IS_FULL),
        ("PermissionError: [Errno 13] Permission denied: '.venv'", bootstrap.NOT_WRITABLE),
        ("error: Hash mismatch for `flask==3.1.0`", bootstrap.NOT_GENUINE),
        (
            "NewConnectionError: Failed to establish a new connection: [Errno 111] Connection refused",
            bootstrap.NO_NETWORK,
        ),
        ("Temporary failure in name resolution", bootstrap.NO_NETWORK),
        ("error: dns error\n  failed to lookup address information", bootstrap.NO_NETWORK),
    ],
)
def test_what_an_installer_says_is_put_in_plain_words(said: str, meaning: str) -> None:
    assert bootstrap._explain(f"something\n{said}\nsomething else") == meaning


def test_what_nobody_expected_is_quoted() -> None:
    assert "the moon is full" in bootstrap._explain("first\nthe moon is full\n\n")


def test_every_requirement_of_the_project_is_looked_for() -> None:
    files = [ROOT / bootstrap.RUNTIME, ROOT / bootstrap.DEVELOPMENT]
    locked = {
        line.split("==")[0].split("[")[0]
        for file in files
        for line in file.read_text().splitlines()
        if "==" in line and line[0] not in " #" and ";" not in line
    }
    assert set(bootstrap.lacking(files, [])) == locked
    assert len(locked) > 80


def test_the_first_file_that_python_reads_can_be_read_by_an_old_one() -> None:
    source = (ROOT / "hub" / "__main__.py").read_text()
    ast.parse(source, feature_version=(3, 5))
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_module('hub', run_name='__main__')",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("Everyway needs Python 3.11 or newer, and this is Python 3.9.")
    assert result.stderr.count("\n") == 1
