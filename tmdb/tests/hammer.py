"""A process that asks TMDB as fast as it may: `python -m tmdb.tests.hammer REQUESTS THREADS`.

Prints one line of JSON: how many requests were answered, and the names of the errors.
"""

from __future__ import annotations

import json
import sys
import threading

import django


def main() -> None:
    django.setup()
    from django.db import connection

    from tmdb import client
    from tmdb.errors import TmdbError

    requests, threads = int(sys.argv[1]), int(sys.argv[2])
    numbers = iter(range(requests))
    guard = threading.Lock()
    answered: list[int] = []
    errors: list[str] = []

    def ask() -> None:
        while True:
            with guard:
                number = next(numbers, None)
            if number is None:
                break
            try:
                client.fetch("/tv/1396", {}, lambda body: body, subject="id=1396")
                answered.append(number)
            except TmdbError as error:
                errors.append(type(error).__name__)
        connection.close()

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    client.reset()
    sys.stdout.write(json.dumps({"answered": len(answered), "errors": errors}) + "\n")


if __name__ == "__main__":
    main()
