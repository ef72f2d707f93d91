"""`hub people import` and `hub people export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from hub.cli import main
from tests.participants.importing.importer import DEMO

SMALL = "Name,Prefers,Email\nAnn Dale,email,ann@example.org\nBen Hall,pigeon,ben@example.org\n"


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["people", *arguments])


@pytest.fixture
def small(tmp_path: Path) -> str:
    file = tmp_path / "small.csv"
    file.write_text(SMALL)
    return str(file)


def test_a_dry_run_tells_and_changes_nothing(database: Engine, small: str) -> None:
    result = hub("import", small, "--dry-run")
    assert result.exit_code == 0
    assert "small.csv: 2 rows" in result.stdout
    assert "1 imported" in result.stdout
    assert "row 3, Ben Hall (imported): Prefers: it is not clear what “pigeon” means" in result.stdout
    assert "nothing has been changed" in result.stdout
    assert json.loads(hub("export", "--json").stdout) == []


def test_the_json_report_has_every_row(sqlite_database: Engine) -> None:
    report = json.loads(hub("import", str(DEMO), "--json").stdout)
    assert (report["rows"], report["people_added"], report["applied"]) == (646, 639, True)
    assert len(report["report"]) == 646
    parts = ("imported", "updated", "unchanged", "needs_a_look", "skipped")
    assert sum(report[part] for part in parts) == 646
    assert report["report"][0] == {
        "row": 2,
        "name": "Joan Scott",
        "outcome": "imported",
        "change": "imported",
        "look": [],
        "notes": [],
        "participant_id": 1,
    }


def test_an_export_goes_to_a_file_or_to_standard_output(sqlite_database: Engine, small: str, tmp_path: Path) -> None:
    hub("import", small)
    out = tmp_path / "out.csv"
    result = hub("export", "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 people exported" in result.stderr
    assert out.read_bytes() == hub("export").stdout_bytes
    assert out.read_bytes().startswith(b"\xef\xbb\xbfEveryway number,")
    again = hub("import", str(out))
    assert "People: 0 added, 0 updated." in again.stdout
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".export")] == []


def test_what_was_updated_is_printed(sqlite_database: Engine, small: str) -> None:
    hub("import", small)
    Path(small).write_text(SMALL.replace("email,ann", "email,annie"))
    assert "row 2" in hub("import", small).stdout


def test_columns_can_be_named(sqlite_database: Engine, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("Wer,Wie,Wo\nAnn,email,ann@example.org\n")
    result = hub("import", str(file), "--column", "Wer=full name", "--column", "Wie=preferred")
    assert "1 imported" in result.stdout
    person = json.loads(hub("export", "--json").stdout)[0]
    assert person["Order of contact"] == "1. email ann@example.org"


def test_a_list_of_opt_outs_adds_nobody(sqlite_database: Engine, small: str) -> None:
    hub("import", small)
    result = hub("import", small, "--opt-outs")
    assert "nobody is added" in result.stdout
    assert "People: 0 added, 2 updated." in result.stdout


@pytest.mark.parametrize(
    ("content", "arguments", "status", "message"),
    [
        (b"", (), 1, "This file is empty."),
        (b"%PDF-1.4", (), 1, "This is a PDF."),
        (b"a,b\n1,2\n", (), 1, "No column was recognised"),
        (b"Name\nAnn\n", ("--column", "Nmae=email"), 1, "no column “Nmae”"),
        (b"Name\nAnn\n", ("--column", "Name"), 2, "write it as HEADING=MEANING"),
        (b"Name\nAnn\n", ("--colour",), 2, "No such option"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(
    sqlite_database: Engine, tmp_path: Path, content: bytes, arguments: tuple[str, ...], status: int, message: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    result = hub("import", str(file), *arguments)
    assert result.exit_code == status
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert hub("import", str(tmp_path / "nothing.csv")).exit_code == 2


def test_an_export_that_cannot_be_finished_leaves_no_file(sqlite_database: Engine, tmp_path: Path) -> None:
    result = hub("export", "--out", str(tmp_path / "missing" / "out.csv"))
    assert result.exit_code == 1
    assert list(tmp_path.glob("**/*.csv")) == []


@pytest.mark.parametrize("command", ["import", "export"])
def test_help_has_an_example(command: str) -> None:
    assert f"python3 -m hub people {command}" in hub(command, "--help").stdout
