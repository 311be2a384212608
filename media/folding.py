"""What a search compares, kept beside the texts themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from media.wording import fold


class FoldedField(models.TextField[str, str]):
    """The texts of a row's other fields, folded, one a line: databases cannot fold themselves.

    It is filled whenever its row is saved; a save of some fields alone has to name it as well.
    """

    def __init__(self, *args: Any, of: Sequence[str] = (), **kwargs: Any) -> None:
        self.of = tuple(of)
        super().__init__(*args, **{"default": "", "editable": False, **kwargs})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = self.text_of(model_instance)
        setattr(model_instance, self.attname, folded)
        return folded

    def text_of(self, row: models.Model) -> str:
        """What the field holds for a row."""
        texts: list[str] = []
        for name in self.of:
            value: str | Mapping[str, str] = getattr(row, name)
            texts += [value] if isinstance(value, str) else value.values()
        return "\n".join(dict.fromkeys(fold(text) for text in texts if text))
