"""What differs between installations is in one place, and written down."""

from __future__ import annotations

import ast
import re

import pytest

from config.settings import Settings
from tests.architecture.tree import ROOT, modules

MAY_SPEAK_TO_THE_ENVIRONMENT = {
    "config/bootstrap.py": "runs before settings can be read",
    "channels/transport.py": "the proxy and the certificates have names of their own that everybody knows",
    "config/settings.py": "reads the settings",
    "hub/processes/running.py": "passes this process's environment on to those that it starts",
    "hub/processes/demo_settings.py": "the demo puts settings of its own in the place of the person's",
    "hub/cli_options.py": "--data sets DATA_DIR for this process and for those that it starts",
}


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    documented = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(set(documented)) == sorted(name.upper() for name in Settings.model_fields)
    assert len(documented) == len(set(documented))


def test_the_documented_values_are_those_of_a_name_that_is_not_set() -> None:
    lines = re.findall(r"^# ([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    given = {name.lower(): value for name, value in lines if value}
    documented = Settings.model_validate(given)
    wrong = {name: value for name, value in given.items() if getattr(documented, name) != _default(name)}
    assert wrong == {}


def _default(name: str) -> object:
    return Settings.model_fields[name].default


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    assert Settings.model_fields[name].description


def test_only_the_settings_read_the_environment() -> None:
    offenders = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"})
        or (isinstance(node, ast.alias) and node.name in {"environ", "getenv"})
    }
    assert offenders <= MAY_SPEAK_TO_THE_ENVIRONMENT.keys()
