"""From a bare machine to one that can run Everyway: ``.venv`` in the checkout, from the hashed requirements.

Standard library only, because it runs before anything else is there. Nothing is done, and nothing is written, where
the Python that runs this has everything already: that of ``.venv``, or one that somebody installed
``requirements.txt`` for. An install that was interrupted leaves a marker and is done afresh at the next start.
"""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
INSTALLER = "requirements-uv.txt"
DEVELOPMENT_COMMANDS = frozenset({"test", "bench", "chaos"})
"""The commands that need what developers need."""

MARKER = "installing"
ONCE = "EVERYWAY_PREPARED"
DEBUG = "EVERYWAY_DEBUG"
SIGN_OF_LIFE_SECONDS = 10


class CannotPrepare(Exception):
    """What is in the way and what to do about it, in one line for a person."""


def prepare(arguments: Sequence[str]) -> None:
    """Return where this Python can run ``hub`` with these arguments; else install what it needs and start again in it.

    Says what it does on stderr. Ends with status 1 and one line where it can't be done, 130 on Ctrl-C.
    """
    files = [ROOT / RUNTIME]
    if next((each for each in arguments if not each.startswith("-")), "") in DEVELOPMENT_COMMANDS:
        files.append(ROOT / DEVELOPMENT)
    if not (_inside() and _interrupted()) and not lacking(files, sys.path):
        return
    try:
        if _inside() or not _looks_ready():
            _install(files)
        _start_again()
    except CannotPrepare as problem:
        sys.exit(str(problem))
    except OSError as error:
        sys.exit(_os_problem(error))
    except KeyboardInterrupt:
        _say("Stopped. The next start goes on from here.")
        sys.exit(130)


def lacking(files: Sequence[Path], search_path: Sequence[str]) -> list[str]:
    """The names that the locked requirements ask for and ``search_path`` lacks, or has in another version.

    A requirement under a condition (``; python_version < …``) is not looked for: it comes with what needs it.
    """
    wanted = {
        _normal(name): (name, version.lower())
        for file in files
        for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+) *\\?$", file.read_text(), re.MULTILINE)
    }
    found: dict[str, str] = {}
    for folder in search_path:
        if folder and Path(folder).is_dir():
            for entry in os.listdir(folder):  # noqa: PTH208 - pathlib takes three times as long, at every start
                if entry.endswith(".dist-info"):
                    name, _, version = entry.removesuffix(".dist-info").partition("-")
                    found.setdefault(_normal(name), version.lower())
    return [name for normal, (name, version) in wanted.items() if found.get(normal) != version]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _inside() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def _interrupted() -> bool:
    return (VENV / MARKER).exists()


def _looks_ready() -> bool:
    return (VENV / "bin" / "python").exists() and not _interrupted()


def _start_again() -> NoReturn:
    # A framework build of Python on macOS would take the new interpreter for the old one.
    environment = {name: value for name, value in os.environ.items() if name != "__PYVENV_LAUNCHER__"}
    python = str(VENV / "bin" / "python")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(python, [python, *sys.orig_argv[1:]], environment)  # noqa: S606 - our own interpreter, our own arguments


def _install(files: list[Path]) -> None:
    if not os.access(ROOT, os.W_OK):
        raise CannotPrepare(NOT_WRITABLE)
    with _alone():
        if _looks_ready() and not lacking(files, [str(_site_packages())]):
            return  # another start has done it while this one waited
        if os.environ.get(ONCE) == str(os.getpid()):
            raise CannotPrepare(f"What is installed in {VENV} is not complete. Remove that folder, then start again.")
        os.environ[ONCE] = str(os.getpid())  # starting again keeps the process's number
        fresh = not _looks_ready() or not _site_packages().is_dir()
        if not fresh and not lacking([ROOT / DEVELOPMENT], [str(_site_packages())]):
            files = [ROOT / RUNTIME, ROOT / DEVELOPMENT]  # a developer's stays a developer's
        began = time.monotonic()
        _say(f"Installing what Everyway needs in {VENV} (only now; it takes a minute on a slow line) …")
        _install_into_venv(files, fresh=fresh)
        _say(f"Installed in {time.monotonic() - began:.0f} s.")


def _install_into_venv(files: list[Path], *, fresh: bool) -> None:
    if fresh:
        _make_venv()
    (VENV / MARKER).touch()
    arguments = ["--no-deps", "--require-hashes", *(part for file in files for part in ("-r", str(file)))]
    python = str(VENV / "bin" / "python")
    uv = _find_uv()
    # Compiled now, as pip does it, once and on all cores; else eight processes would each do it at the first start.
    compiled = [uv or "", "pip", "install", "--compile-bytecode", "--python", python, *arguments]
    if uv is None or _run(compiled) is not None:
        said = _run([python, "-m", "pip", "install", "--quiet", "--retries", "2", *arguments])
        if said is not None:
            raise CannotPrepare(_explain(said))
    (VENV / MARKER).unlink()


def _make_venv() -> None:
    major, minor = sys.version_info[:2]
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = "python3-venv" if _is_the_systems_python() else f"python{major}.{minor}-venv"
        raise CannotPrepare(
            f"Python {major}.{minor} is here without its venv module. On Debian or Ubuntu: apt install {package}. "
            "On macOS: brew install python3. Then start again."
        )
    VENV.mkdir(exist_ok=True)
    (VENV / MARKER).touch()
    for old in VENV.iterdir():
        if old.name != MARKER:  # which must outlive a stop at any moment
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    said = _run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(VENV)])
    if said is not None:
        raise CannotPrepare(_explain(said))


def _is_the_systems_python() -> bool:
    system = Path("/usr/bin/python3")
    return not system.exists() or system.resolve() == Path(sys.executable).resolve()


def _find_uv() -> str | None:
    """uv from the PATH, or one fetched into ``.venv``; None where there is none for this machine."""
    own = VENV / "bin" / "uv"
    if found := shutil.which("uv"):
        return found
    if not own.exists():
        arguments = ["--quiet", "--retries", "2", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        said = _run([str(VENV / "bin" / "python"), "-m", "pip", "install", *arguments, "-r", str(ROOT / INSTALLER)])
        if said is not None and _problem(said) is not None:
            raise CannotPrepare(_explain(said))
    return str(own) if own.exists() else None


def _run(command: list[str]) -> str | None:
    """Run a step. None: it worked; otherwise what it said."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "VIRTUAL_ENV": str(VENV)}
    environment.pop("PYTHONPATH", None)
    environment.pop("__PYVENV_LAUNCHER__", None)
    if _system_has_certificates():
        environment |= {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}  # the second is what older ones call it
    if os.environ.get(DEBUG):
        _say(" ".join(command))
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment,
        cwd=ROOT,
        start_new_session=True,  # so that it can be stopped with all that it has started
        close_fds=False,  # it shares the lock, which so lasts until the last of them is gone
    ) as step:
        said = _listen(step)
    if os.environ.get(DEBUG):
        _say(said)
    return None if step.returncode == 0 else said


def _listen(step: subprocess.Popen[bytes]) -> str:
    began = time.monotonic()
    while True:
        try:
            return step.communicate(timeout=SIGN_OF_LIFE_SECONDS)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            _say(f"… still installing ({time.monotonic() - began:.0f} s)")
        except BaseException:
            os.killpg(step.pid, signal.SIGKILL)
            raise


def _system_has_certificates() -> bool:
    # uv trusts its own list otherwise, which lacks an organisation's own certificate authority.
    import ssl  # here, because it is slow to load and not needed at most starts

    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile) or (paths.capath is not None and any(Path(paths.capath).iterdir()))


DISK_IS_FULL = "The disk is full. Everyway needs about 500 MB; free some and start again."
NOT_WRITABLE = f"This folder can't be written to: {ROOT}. Start Everyway as its owner, or copy it to a folder of yours."
NOT_GENUINE = (
    "A package that was downloaded is not the one that was checked, so it was not installed. "
    "Try again; if it stays so, ask whoever runs your package mirror or proxy."
)
NO_NETWORK = (
    "The package index can't be reached. Everyway needs the internet the first time it starts "
    "(HTTPS_PROXY is honoured). Check the connection and start again."
)
PROBLEMS = (
    (r"No space left|Disk quota exceeded|(os error|Errno) (28|122)\b", DISK_IS_FULL),
    (r"Permission denied|Read-only file system|Operation not permitted", NOT_WRITABLE),
    (r"Hash mismatch|DO NOT MATCH THE HASHES", NOT_GENUINE),
    (
        r"name resolution|resolve host|nodename nor servname|dns error|Network is unreachable|No route to host",
        NO_NETWORK,
    ),
    (r"Connection refused|NewConnectionError|[Tt]imed out|error sending request|ProxyError|Max retries", NO_NETWORK),
    (r"CERTIFICATE_VERIFY_FAILED|UnknownIssuer", NO_NETWORK),
)
"""What an installer says when something is in the way of it, and what that means for a person."""


def _problem(said: str) -> str | None:
    return next((meaning for pattern, meaning in PROBLEMS if re.search(pattern, said)), None)


def _explain(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "nothing"
    return _problem(said) or (
        f"What Everyway needs could not be installed. The installer said: {last} (set {DEBUG}=1 to see all of it)"
    )


def _os_problem(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DISK_IS_FULL
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return NOT_WRITABLE
    return f"What Everyway needs could not be installed: {error}"


def _site_packages() -> Path:
    """Where ``.venv`` keeps its packages; in it, where the Python that runs looks for them."""
    version = "python{}.{}".format(*sys.version_info) if _inside() else "python3.*"
    return next((VENV / "lib").glob(f"{version}/site-packages"), VENV / "none")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the checkout's lock, so that two starts at once install once. The folder itself is what is locked."""
    folder = os.open(ROOT, os.O_RDONLY)
    os.set_inheritable(folder, True)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another start is installing what Everyway needs. Waiting for it …")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
