"""What marks a data folder as the demo's, so that made-up people and real ones never meet."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from config.settings import Settings
from hub.errors import Conflict

FILE = "demo.json"
DATABASE = "everyway.sqlite3"


class WrongFolder(Conflict):
    """409: a folder of real data for the demo, or the demo's for real use."""


@dataclass(slots=True)
class DemoFolder:
    """What the demo remembers from one start to the next."""

    folder: Path
    passwords: dict[str, str] = field(default_factory=dict)
    """Email address -> password of the made-up accounts."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """What is remembered in ``folder``. Raises :class:`WrongFolder` where somebody's real data is in it."""
        try:
            remembered = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            if (folder / DATABASE).exists():
                raise WrongFolder(
                    f"There is a database in {folder} already, and the demo must not mix with real people. "
                    "Give it a folder of its own: python3 -m hub demo --data var/demo"
                ) from None
            return cls(folder)
        except ValueError:
            raise WrongFolder(f"{folder / FILE} is damaged. Name another folder with --data.") from None
        return cls(folder, **remembered)

    def save(self) -> None:
        """Remember, readable by this user alone; whole or not at all."""
        fresh = self.folder / f"{FILE}.new"
        fresh.touch(mode=0o600)
        remembered = {name: value for name, value in asdict(self).items() if name != "folder"}
        fresh.write_text(json.dumps(remembered, indent=2), encoding="utf-8")
        fresh.replace(self.folder / FILE)


def refuse_demo_folder(chosen: Settings) -> None:
    """Raises :class:`WrongFolder` where real sending would begin with the demo's made-up people."""
    if (chosen.data_dir / FILE).exists() and not chosen.sandbox and not chosen.database_url:
        raise WrongFolder(
            f"{chosen.data_dir} holds the demo. Name another folder for real use: python3 -m hub start --data DIR"
        )
