"""What went wrong, in words for whoever started a command: one line that says what to do."""

from __future__ import annotations

import errno
import os
import re

from alembic.util import CommandError
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from redis import RedisError
from sqlalchemy import exc

from config.settings import Settings
from hub.errors import HubError

MIGRATE = "python3 -m hub migrate"

DATABASE_PROBLEMS = (
    (r"database is locked", "The database is busy with another program's work. Try again in a moment."),
    (r"disk is full|No space left|could not extend file", "The disk is full. Free some space, then try again."),
    (r"readonly database|attempt to write", "The database can't be written to: its file belongs to another user."),
    (r"not a database|malformed", "The database file is damaged or is not Everyway's. Put a backup in its place."),
    (
        r"no such (table|column)|(relation|column) .* does not exist",
        f"The database is not ready for this version. Run: {MIGRATE}",
    ),
    (
        r"unable to open database file",
        f"There is no database here yet. Make it with: {MIGRATE} (or name its folder with --data).",
    ),
    (
        r"password authentication failed|no password supplied|role .* does not exist",
        "PostgreSQL refuses the user name or the password in DATABASE_URL.",
    ),
    (
        r"database .* does not exist",
        "PostgreSQL has no database of the name in DATABASE_URL. Make it with: createdb NAME",
    ),
    (
        r"Connection refused|could not translate|resolve host|No such file or directory|timeout expired",
        "The database at DATABASE_URL can't be reached. Is PostgreSQL running, and is the address right?",
    ),
    (r"too many (clients|connections)|connection slots", "PostgreSQL is full. Raise its max_connections."),
    (r"server closed the connection|terminating connection|connection is lost", "The database has gone away."),
)
"""What a database says, and what that means for a person."""

SYSTEM_PROBLEMS = {
    errno.ENOSPC: "The disk is full. Free some space, then try again.",
    errno.EDQUOT: "Your share of the disk is full. Free some space, then try again.",
    errno.EADDRINUSE: "The port is in use. Choose another with --port.",
}


def in_plain_words(problem: Exception) -> str:
    """What a person is told about ``problem``. Never holds what was being written or read."""
    match problem:
        case HubError():
            return str(problem)
        case ValidationError() if problem.title == Settings.__name__:
            return "\n".join(_wrong_setting(error) for error in problem.errors(include_url=False))
        case exc.ArgumentError() | exc.NoSuchModuleError():
            return "DATABASE_URL can't be read. It looks like this: postgresql://user:password@host/name"
        case exc.DBAPIError():
            return _database_problem(str(problem.orig))
        case CommandError() if "Can't locate revision" in str(problem):
            return "The database was made by a newer version of Everyway than this one. Update Everyway."
        case RedisError():
            return f"The queue can't be used: {problem}. Is the server at REDIS_URL running, and is the address right?"
        case OSError():
            return _system_problem(problem)
    first_line = next(iter(str(problem).splitlines()), "")
    return (
        f"Something happened that Everyway is not ready for ({type(problem).__name__}: {first_line}). "
        "Start the command again as “python3 -m hub --debug …” to see where, and tell us."
    )


def _wrong_setting(error: ErrorDetails) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    limits = error.get("ctx", {})
    message = {
        "int_parsing": "must be a whole number",
        "float_parsing": "must be a number",
        "bool_parsing": "must be 1 or 0",
        "enum": f"must be {limits.get('expected')}",
        "greater_than_equal": f"must be {limits.get('ge')} or more",
        "less_than_equal": f"must be {limits.get('le')} or less",
        "string_too_long": f"must have at most {limits.get('max_length')} characters",
        "string_pattern_mismatch": "is not written as it should be",
        "url_parsing": "must be an address that begins with https:// or http://",
        "url_scheme": "must be an address that begins with https:// or http://",
    }.get(error["type"], re.sub(r"^Value error, ", "", error["msg"]))
    field = Settings.model_fields.get(name)
    purpose = f" ({field.description.rstrip('.')})" if field and field.description else ""
    return f"{name.upper()} {message}{purpose}. Change it in the environment or in the file .env."


def _database_problem(said: str) -> str:
    for pattern, meaning in DATABASE_PROBLEMS:
        if re.search(pattern, said, re.DOTALL):
            return meaning
    first_line = next(iter(said.splitlines()), "")  # the lines after it hold values
    return f"The database refused: {first_line}"


def _system_problem(problem: OSError) -> str:
    where = f": {problem.filename}" if problem.filename else ""
    if problem.errno in SYSTEM_PROBLEMS:
        return SYSTEM_PROBLEMS[problem.errno]
    if problem.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"This may not be read or written{where}. Use a place of yours, or name another with --data."
    if problem.errno in {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}:
        return f"This is a file where a folder is needed, or the other way round{where}"
    return f"{os.strerror(problem.errno) if problem.errno else problem}{where}"
