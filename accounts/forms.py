"""Forms for accounts: the first one, signing up, and what is changed only with the password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import (
    PasswordChangeForm,
    PasswordResetForm,
    UserCreationForm,
)
from django.utils.translation import gettext_lazy as _

from accounts import setup
from accounts.limits import allow, forget
from accounts.models import ApiToken, User

PASSWORD_TRIES_PER_HOUR = 10


class SignUpForm(UserCreationForm[User]):
    """Name and password of a new account."""

    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _("Letters, digits and @ . + - _ only.")
        self.fields["password1"].help_text = _("At least 8 characters, and not a common one.")
        self.fields["password2"].help_text = ""


class SetupForm(SignUpForm):
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if setup.demands_code():
            self.fields["username"].widget.attrs.pop("autofocus", None)
        else:
            del self.fields["code"]

    def clean_code(self) -> str:
        given: str = self.cleaned_data["code"]
        if not setup.is_right_code(given):
            raise forms.ValidationError(_("This is not the set-up code."))
        return given


class PasswordForm(forms.Form):
    """The user's own password again, before something that a borrowed session must not do."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        given: str = self.cleaned_data["password"]
        check_password(self.user, given)
        return given


def check_password(user: User, given: str) -> None:
    """Raises ValidationError unless it is the user's password, and after too many tries."""
    if not allow(f"password:{user.pk}", PASSWORD_TRIES_PER_HOUR, 3600):
        raise forms.ValidationError(_("Too many tries. Wait an hour, or sign in anew."))
    if not user.check_password(given):
        raise forms.ValidationError(_("This is not your password."))


def forget_tries(user: User) -> None:
    """Whoever signs in knows the password, so that earlier tries count no more."""
    forget(f"password:{user.pk}")


class OldPasswordForm(PasswordChangeForm):
    """Django's form, with bounded guessing."""

    def clean_old_password(self) -> str:
        given: str = self.cleaned_data["old_password"]
        check_password(self.user, given)
        return given


class EmailForm(PasswordForm):
    """Where to send the link for a forgotten password."""

    email = forms.EmailField(label=_("E-mail address"), required=False, max_length=254)
    field_order = ["email", "password"]


class TokenForm(forms.ModelForm[ApiToken]):
    """What a new API token is for."""

    class Meta:
        model = ApiToken
        fields = ("name",)


class ForgottenForm(PasswordResetForm):
    """An e-mail address; the link goes out in the background, to whoever has it or nobody."""

    def user_ids(self) -> list[int]:
        return [user.pk for user in self.get_users(self.cleaned_data["email"])]
