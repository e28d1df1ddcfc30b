"""Why somebody could not sign in with an account elsewhere.

SignInFailed
├── BackFromNowhere      the answer does not belong to a sign-in of this browser, or came twice
├── SaidNo               the person or the provider declined
├── NotProven            what the provider sent does not prove who it is
├── ProviderSilent       it could not be reached, or answered with an error
└── ProviderMisset       it is set up in a way that cannot work: for an admin
"""

from bot.core.errors import HousestyleError


class SignInFailed(HousestyleError):
    """Nobody was signed in. `status` is the page's; `reason` the word for the records."""

    title = "You are not signed in"
    status = 403
    reason = "failed"


class BackFromNowhere(SignInFailed):
    """Forged, replayed, too late, or started in another browser."""

    reason = "state"

    def __init__(self) -> None:
        super().__init__(
            "This answer doesn't belong to a sign-in that was started in this browser, or it was "
            "used already.",
            fix="Start again from the sign-in page, and finish within ten minutes.",
        )


class SaidNo(SignInFailed):
    """The provider answered with an error instead of a code."""

    reason = "declined"

    def __init__(self, label: str, word: str) -> None:
        super().__init__(
            f"{label} didn't confirm who you are ({word}).",
            fix="Start again if that was a slip; else ask an admin which account to use.",
        )


class NotProven(SignInFailed):
    """A token or an answer that fails a check; `reason` names the check."""

    def __init__(self, label: str, reason: str) -> None:
        super().__init__(
            f"The answer of {label} doesn't prove who you are (check: {reason}).",
            fix="Start again. If it stays, an admin finds the check in the log.",
        )
        self.reason = reason


class ProviderSilent(SignInFailed):
    """Later it may work."""

    status = 502
    reason = "unreachable"

    def __init__(self, label: str, why: str) -> None:
        super().__init__(
            f"{label} can't be asked now: {why}.",
            fix="Try again in a minute, or use a one-time link instead.",
        )


class ProviderMisset(SignInFailed):
    """It never will, until an admin changes a setting."""

    status = 502
    reason = "settings"

    def __init__(self, label: str, why: str, fix: str) -> None:
        super().__init__(f"Signing in with {label} is not set up rightly: {why}.", fix=fix)
