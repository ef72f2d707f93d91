"""Every command explains itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from hub.cli import COMMANDS, main


def _commands(name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and, where it is a group, all that it holds, each under the name that a person types."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    yield name, command
    if isinstance(command, click.Group):
        yield from ((f"{name} {each}", inner) for each, inner in command.commands.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    for typed, command in _commands(name):
        text = command.get_help(click.Context(command, info_name=typed))
        assert "Example" in text, typed
        assert f"python3 -m hub {typed}" in text, typed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_folder_of_its_data(name: str) -> None:
    for typed, command in _commands(name):
        if not isinstance(command, click.Group):
            assert any("--data" in parameter.opts for parameter in command.params), typed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    for typed, command in _commands(name):
        silent = [each.opts for each in command.params if isinstance(each, click.Option) and not each.help]
        assert silent == [], typed


def test_the_commands_that_others_rely_on_are_there() -> None:
    promised = "demo test start migrate doctor people announce reach call-list account"
    assert set(promised.split()) <= COMMANDS.keys()
