"""Serving for hours: whether anything grows, leaks or fails.

Three deployments on a Jupyter server predict all the time, 200,000 predictions in four hours,
each recorded in a real local platform, some with their image. One kernel after the other is
restarted through Jupyter, every twenty minutes. All processes are looked at all the time.

Goals: no error, nothing lost or doubled, memory of no process grows by 1 MiB an hour or more (the
median of the slopes between all pairs of samples, its warm-up left out), file descriptors flat,
the database a fixed number of bytes a prediction, the spool bounded and empty at the end.

`python -m benchmarks.soak [--hours 4 | --minutes N]`; a shorter run makes as many restarts, and as
many predictions a second. Less than an hour says nothing of slopes: they are shown, not judged.
"""
