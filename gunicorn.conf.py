"""How gunicorn serves watchlog; it reads this file by itself.

WEB_CONCURRENCY sets the number of processes (gunicorn's own variable, default 1).
"""

from __future__ import annotations

worker_class = "gthread"
threads = 8
timeout = 60
# A deploy or Ctrl-C waits this many seconds for requests under way.
graceful_timeout = 8
