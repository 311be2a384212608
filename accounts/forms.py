"""Forms for signing in and for the first account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.translation import gettext_lazy as _

from accounts import setup
from accounts.models import User


class SetupForm(BaseUserCreationForm[User]):
    """The owner's name and password, and the set-up code where one is demanded."""

    code = forms.CharField(
        label=_("Set-up code"),
        help_text=_(
            "It proves that this installation is yours: SETUP_CODE of its settings or, when that "
            "is empty, the code that the server’s log shows."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autofocus": True, "spellcheck": "false"}
        ),
    )
    field_order = ["code", "username", "password1", "password2"]

    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if setup.demands_code():
            self.fields["username"].widget.attrs.pop("autofocus", None)
        else:
            del self.fields["code"]
        self.fields["username"].help_text = _("Letters, digits and @ . + - _ only.")
        self.fields["password1"].help_text = _("At least 8 characters, and not a common one.")
        self.fields["password2"].help_text = ""

    def clean_code(self) -> str:
        given: str = self.cleaned_data["code"]
        if not setup.is_right_code(given):
            raise forms.ValidationError(_("This is not the set-up code."))
        return given
