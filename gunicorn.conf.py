"""How gunicorn serves watchlog; it reads this file by itself.

WEB_CONCURRENCY sets the number of processes (gunicorn's own variable, default 1).
"""

from __future__ import annotations

# Threads as gunicorn's gthread, which only requests get that have arrived.
worker_class = "watchlog.serving.Worker"
threads = 8
# Open connections of one process, well below the files it may open.
worker_connections = 500
timeout = 60
# A deploy or Ctrl-C waits this many seconds for requests under way.
graceful_timeout = 8
