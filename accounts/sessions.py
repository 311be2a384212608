"""Where sessions are kept: Django's database store, with whose each one is."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.models import User, UserSession


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[UserSession]:
        return UserSession

    def create_model_instance(self, data: dict[str, object]) -> UserSession:
        session = UserSession(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
        )
        user_id = data.get(SESSION_KEY)
        session.user_id = int(str(user_id)) if user_id is not None else None
        return session


def end_all(user: User) -> None:
    """Sign a user out of every browser."""
    user.sessions.all().delete()
