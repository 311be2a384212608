"""The upload form, and the questions that an import asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from imports.importing import ImportOptions
from imports.options import usual_minutes
from media.sentences import in_words


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """One or more files, none of them larger than IMPORT_MAX_BYTES."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data or [None]
        return [self._bounded(super(ManyFilesField, self).clean(file, initial)) for file in files]

    def _bounded(self, file: UploadedFile[bytes]) -> UploadedFile[bytes]:
        if (file.size or 0) > settings.IMPORT_MAX_BYTES:
            raise forms.ValidationError(
                _("%(name)s is larger than the %(limit)s that this watchlog takes.")
                % {"name": file.name, "limit": filesizeformat(settings.IMPORT_MAX_BYTES)}
            )
        return file


class UploadForm(forms.Form):
    """Files to import, and how to read them where watchlog shall not work it out itself."""

    file = ManyFilesField(
        label=gettext_lazy("Netflix files"),
        error_messages={
            "required": gettext_lazy("Choose a file first."),
            "empty": gettext_lazy("This file is empty. Download it again and hand in the new one."),
        },
        widget=ManyFilesInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,.zip,.jsonl,text/csv"}),
    )
    profile = forms.CharField(
        label=gettext_lazy("Profile"),
        max_length=200,
        required=False,
        help_text=gettext_lazy(
            "The name of one Netflix profile, or “all”. Empty: watchlog asks when the file has "
            "several."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    date_order = forms.ChoiceField(
        label=gettext_lazy("Dates"),
        choices=[
            ("auto", gettext_lazy("Work it out from the file")),
            ("dmy", gettext_lazy("Day, month, year (31/12/24)")),
            ("mdy", gettext_lazy("Month, day, year (12/31/24)")),
            ("ymd", gettext_lazy("Year, month, day (24/12/31)")),
        ],
        required=False,
    )
    min_minutes = forms.FloatField(
        label=gettext_lazy("Shortest play that counts, in minutes"),
        min_value=0,
        max_value=600,
        required=False,
        help_text=gettext_lazy(
            "Only ViewingActivity.csv tells how long something ran. 0 counts everything."
        ),
    )

    # Its button hands the form in beside the one that imports at once.
    preview = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = usual_minutes(self.initial.get("min_minutes"))
        self.fields["min_minutes"].widget.attrs["placeholder"] = f"{usual:g}"

    def options(self) -> ImportOptions:
        given = self.cleaned_data
        return ImportOptions(
            profile=given["profile"] or None,
            date_order=given["date_order"] or "auto",
            min_minutes=given["min_minutes"],
        )


class Act(models.TextChoices):
    """What the page of an import can be asked to do; undoing has a page of its own."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    TRY_AGAIN = "try-again"
    FORGET_FILE = "forget-file"


class ActForm(forms.Form):
    act = forms.ChoiceField(choices=Act.choices)


LEGENDS = {
    "profile": gettext_lazy("Whose history is this?"),
    "date_order": gettext_lazy("Which way round are the dates?"),
}


class AnswerForm(forms.Form):
    """One choice for each question of an import."""

    def __init__(
        self, questions: Sequence[Mapping[str, Any]], data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data)
        for question in questions:
            self.fields[question["kind"]] = forms.ChoiceField(
                label=LEGENDS.get(question["kind"], pgettext_lazy("question", "Please choose")),
                help_text=in_words(question["text"]),
                choices=[
                    (choice["value"], in_words(choice["label"])) for choice in question["choices"]
                ],
                widget=forms.RadioSelect,
                error_messages={"required": gettext_lazy("Choose one of these.")},
            )
