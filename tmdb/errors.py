"""What can go wrong with TMDB. No text of these errors holds a key or a series' name."""

from __future__ import annotations


class TmdbError(Exception):
    """TMDB gave no usable answer. Says nothing about whether a series exists."""


class TmdbNotConfigured(TmdbError):
    """No key is set, so TMDB was not asked."""


class TmdbAuthError(TmdbError):
    """TMDB does not accept the key (401, 403), or did not a moment ago."""


class TmdbNotFound(TmdbError):
    """TMDB has no record of this id (404). The one error that is an answer."""


class TmdbRateLimited(TmdbError):
    """TMDB asks for fewer requests (429), also after waiting.

    `retry_after` is the number of seconds TMDB asked to wait, None when it named none.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TmdbUnavailable(TmdbError):
    """TMDB is down, too slow, out of reach, or could not be asked."""


class TmdbBadAnswer(TmdbUnavailable):
    """TMDB's answer is not what its documentation describes: HTML, cut off, another shape."""


class TmdbInterrupted(TmdbUnavailable):
    """This process is shutting down and gave up waiting."""
