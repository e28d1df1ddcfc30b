"""The named points of a run: where exactly a process is killed or frozen."""

KILLING = (
    "worker: between post and record",
    "bot: between inbox and ack",
    "worker: between send and record",
    "worker: between look-up and record",
    "worker: publications update to ambiguous, before the commit",
    "bot: jobs add, before the commit",
    "worker: between blob and row",
    "worker: publications update to ambiguous, after the commit",
    "generation: while it renders",
    "bot: jobs add, after the commit",
    "worker: before a look-up",
    "scheduler: after a look into the store",
    "worker: jobs claim, before the commit",
    "worker: jobs claim, after the commit",
    "bot: before the inbox",
    "worker: between submission and picture",
    "worker: between gates and files",
    "sequencer: ledger chain, before the commit",
    "worker: assets add, before the commit",
    "worker: assets add, after the commit",
    "bot: between commit and done",
    "worker: between claim and send",
    "worker: outbox update to sent, before the commit",
    "worker: outbox update to sent, after the commit",
    "worker: publications claim, after the commit",
    "bot: reviews update to decided, before the commit",
    "bot: reviews update to decided, after the commit",
    "worker: between the last look at the lease and the post",
    "sequencer: ledger chain, after the commit",
    "worker: publications update to sending, after the commit",
    "worker: publications update to sent, before the commit",
    "worker: publications update to sent, after the commit",
)
"""In the order in which they are armed: rare ones early."""

SURE = (
    "worker: between post and record",
    "bot: between inbox and ack",
    "worker: between blob and row",
    "worker: between send and record",
    "bot: reviews update to decided, before the commit",
    "sequencer: ledger chain, before the commit",
    "worker: publications claim, after the commit",
)
"""Those that every picture comes by: for runs that are too short for all."""

WORST = "worker: between the last look at the lease and the post"
"""Where a freeze posts twice, whatever the product does: it can only be repaired."""

FREEZING = (
    WORST,
    "worker: between post and record",
    "worker: publications claim, after the commit",
    WORST,
    "worker: between claim and send",
    "worker: publications update to sent, before the commit",
    WORST,
    "worker: jobs claim, after the commit",
    "worker: between send and record",
    WORST,
)
"""The same for freezes; the worst place several times."""
