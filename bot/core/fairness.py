"""Fair turns: one person's hundreds of jobs don't keep another's single one waiting.

Start-time fair queueing (Goyal, Vin and Cheng, 1996) with pictures as the cost and people as the
flows: a job's turn is the virtual time at which it may start, its finish is that plus its
pictures, and the waiting job with the smallest turn goes next. The virtual time is the smallest
turn that waits; when nothing waits, the largest finish given so far, so that nobody pays later
for what they used while nobody else wanted it.
"""


def virtual_time(waiting: int | None, largest_finish: int) -> int:
    """The time at which a newcomer starts. `waiting` is the smallest turn that waits, or None."""
    return largest_finish if waiting is None else waiting


def fair_turn(virtual: int, last_finish: int) -> int:
    """The turn of a person's next job, whose job before finishes at `last_finish`."""
    return max(virtual, last_finish)
