"""How the command line speaks: in plain words, with the right status, never with a traceback."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, exc, text

from config.settings import Settings
from hub import cli
from hub.cli_problems import in_plain_words
from hub.errors import NotFound
from tests.conftest import ROOT

RunHub = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hub(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process; gives its status, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.run(arguments)
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


Hub = Callable[..., tuple[int, str, str]]


def test_help_is_wanted_and_goes_to_stdout(hub: Hub) -> None:
    status, out, err = hub("--help")
    assert (status, err) == (0, "")
    for name in cli.COMMANDS:
        assert f"\n  {name} " in out


@pytest.mark.parametrize("arguments", [["nix"], ["--nix"], ["reach"], ["reach", "first"], ["migrate", "--data"]])
def test_wrong_usage_is_status_2_and_names_what_is_wrong(hub: Hub, arguments: list[str]) -> None:
    status, out, err = hub(*arguments)
    assert (status, out) == (2, "")
    assert "Error: " in err


def test_a_fresh_database_is_made_once(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "a group's data"
    assert hub("migrate", "--data", str(folder)) == (0, "The database is ready.\n", "")
    assert (folder / "everyway.sqlite3").exists()
    status, out, _ = hub("migrate", "--data", str(folder))
    assert (status, out) == (0, "The database is up to date. Nothing was changed.\n")


def test_every_wrong_setting_is_named_in_a_line_of_its_own(hub: Hub, settings_for: Callable[..., Settings]) -> None:
    with pytest.raises(ValueError, match="port"):
        settings_for(
            port="eighty", public_url="my-group.org", database_url="mysql://here", redis_url="here", time_zone="Moon",
            country="uk", email_provider="post", sandbox="perhaps", text_part_price="-1", secret_key="short",
        )  # fmt: skip
    status, _, err = hub("migrate")
    assert status == 1
    lines = err.splitlines()
    assert {line.split()[0] for line in lines} == {
        "PORT", "PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "TIME_ZONE",
        "COUNTRY", "EMAIL_PROVIDER", "SANDBOX", "TEXT_PART_PRICE", "SECRET_KEY",
    }  # fmt: skip
    assert all(line.endswith("Change it in the environment or in the file .env.") for line in lines)
    assert "mysql" not in err  # an address may hold a password


def test_a_database_that_was_never_made_is_one_line(hub: Hub) -> None:
    status, _, err = hub("reach", "1")
    assert status == 1
    assert (
        err == "There is no database here yet. Make it with: python3 -m hub migrate (or name its folder with --data).\n"
    )


def test_a_database_of_an_older_version_is_one_line(hub: Hub, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE announcements RENAME TO something_else"))
    status, _, err = hub("reach", "1")
    assert (status, err) == (1, "The database is not ready for this version. Run: python3 -m hub migrate\n")


def test_a_database_of_a_newer_version_is_one_line(hub: Hub, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    status, _, err = hub("migrate")
    assert (status, err) == (
        1,
        "The database was made by a newer version of Everyway than this one. Update Everyway.\n",
    )


def test_a_file_that_is_no_database_is_one_line(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "everyway.sqlite3").write_text("Dear diary, " * 100)
    status, _, err = hub("migrate")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("The database file is damaged")


def test_a_database_server_that_is_not_there_is_one_line(hub: Hub, settings_for: Callable[..., Settings]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings_for(database_url=f"postgresql://everyway:secret@127.0.0.1:{port}/everyway")
    status, _, err = hub("migrate")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("The database at DATABASE_URL can't be reached.")
    assert "secret" not in err


def test_a_folder_that_is_a_file_is_one_line(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "var").touch()
    status, _, err = hub("migrate")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("This is a file where a folder is needed")


def test_debugging_shows_where_a_problem_comes_from(hub: Hub) -> None:
    _, _, err = hub("--debug", "reach", "1")
    assert "Traceback" in err


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (NotFound("There is no group “Tenants”."), "There is no group “Tenants”."),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full."),
        (OSError(errno.EADDRINUSE, "Address already in use"), "The port is in use."),
        (PermissionError(errno.EACCES, "Permission denied", "var/x"), "This may not be read or written: var/x."),
        (exc.OperationalError("INSERT", {}, Exception("database is locked")), "The database is busy"),
        (exc.OperationalError("INSERT", {}, Exception("database or disk is full")), "The disk is full."),
        (exc.OperationalError("x", {}, Exception('FATAL: database "a" does not exist')), "PostgreSQL has no database"),
        (exc.OperationalError("x", {}, Exception('FATAL: role "a" does not exist')), "PostgreSQL refuses the user"),
        (exc.OperationalError("x", {}, Exception("FATAL: sorry, too many clients already")), "PostgreSQL is full."),
    ],
)
def test_what_went_wrong_is_said_in_plain_words(problem: Exception, words: str) -> None:
    assert in_plain_words(problem).startswith(words)


def test_values_that_a_database_refuses_are_not_repeated() -> None:
    refused = exc.IntegrityError(
        "INSERT", {"address": "ann@example.org"}, Exception("duplicate key\nDETAIL: (ann@example.org)")
    )
    assert "ann@example.org" not in in_plain_words(refused)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "--help"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_ctrl_c_ends_a_command_without_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://everyway@127.0.0.1:{silent.getsockname()[1]}/everyway"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": address}
        with subprocess.Popen(
            [sys.executable, "-m", "hub", "migrate"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
        ) as process:
            connection, _ = silent.accept()  # now it waits for an answer that never comes
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            assert process.stderr is not None
            assert process.stderr.read().strip() == b""
            connection.close()


def test_the_tests_command_passes_on_what_follows_and_ends_as_pytest_does(run_hub: RunHub) -> None:
    found = run_hub("test", "--collect-only", "-q", "tests/architecture/test_processes.py", "-k", "clock")
    assert found.returncode == 0, found.stderr
    assert "1/3 tests collected" in found.stdout
    assert run_hub("test", "tests/no_such_file.py").returncode == 2


def test_a_command_starts_from_the_shell(run_hub: RunHub, sqlite_database: Engine) -> None:
    result = run_hub("migrate")
    assert (result.returncode, result.stdout, result.stderr) == (
        0,
        "The database is up to date. Nothing was changed.\n",
        "",
    )
