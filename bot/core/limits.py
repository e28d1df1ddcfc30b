"""What one person may have waiting, and what the process holds at once, of pictures from outside.

Settings fill it; these are the values where nothing is said.
"""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    """Of one person: pictures that no finished picture was made of yet. Of all: memory."""

    files: int = 300
    mib: int = 1024
    memory_mib: int = 256
    """Of request bodies with pictures that are in memory at once, of everybody's."""

    @property
    def bytes(self) -> int:
        """Of one person's files in all."""
        return self.mib * MIB

    @property
    def memory_bytes(self) -> int:
        """Of request bodies."""
        return self.memory_mib * MIB
