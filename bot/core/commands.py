"""Every command that a person can give, as plain values: text, forms and buttons all end here."""

from dataclasses import dataclass
from datetime import date, time

from bot.core.messages import ChannelRef
from brand.templates import Brief
from brand.ways import Outpaint


@dataclass(frozen=True, kw_only=True)
class Imagine:
    """Make pictures of a brief. `brand` empty: the channel's brand, else the only one."""

    brief: Brief
    brand: str = ""
    target: ChannelRef | None = None
    """Where the picture is meant to be posted, if said."""
    as_job: str = ""
    """The id that the job gets; empty: a new one. For who must know it before the answer."""


@dataclass(frozen=True, kw_only=True)
class Vary:
    """New pictures near an asset: `strong` changes more."""

    asset: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Reroll:
    """The same brief again with a new seed. `target` is a job or an asset id."""

    target: str


@dataclass(frozen=True, kw_only=True)
class Upscale:
    """The same picture with more pixels: a plain, whole factor."""

    asset: str
    factor: int = 2


@dataclass(frozen=True, kw_only=True)
class Extend:
    """The same picture going on over its edges. `sides` None: a quarter to the left and right."""

    asset: str
    sides: Outpaint | None = None


@dataclass(frozen=True, kw_only=True)
class EditWords:
    """The same recipe and seed with other words. `text` is read by the grammar."""

    asset: str
    text: str


@dataclass(frozen=True, kw_only=True)
class SendToApproval:
    """Ask for approval of an asset, to be posted to `channel` (a kit channel's name)."""

    asset: str
    channel: str = ""
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Share:
    """Publish what is approved, else ask for approval: for `channel`, a kit channel's name."""

    asset: str
    channel: str = ""
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Use:
    """The finished file of an asset, to take away."""

    asset: str


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Approve a review (or the open review of an asset)."""

    review: str
    reaction: str = ""
    """The chat's id of the message whose emoji this is, or empty: while it stands, the vote
    does."""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """Reject a review, with the reason that the requester reads."""

    review: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AskChange:
    """Close a review with a wish for a change."""

    review: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class TakeBack:
    """Take one's own vote back, while its review (or the asset's newest) is open."""

    review: str


@dataclass(frozen=True, kw_only=True)
class Withdraw:
    """Take back one's own open review or approved asset (undo of sending)."""

    asset: str


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop a job. `job` empty: the person's newest job that has not ended."""

    job: str = ""


@dataclass(frozen=True, kw_only=True)
class PauseJob:
    """Let a job wait. `job` empty: the person's newest that runs or waits for its turn."""

    job: str = ""


@dataclass(frozen=True, kw_only=True)
class ResumeJob:
    """Let a paused job go on. `job` empty: the person's newest that is paused."""

    job: str = ""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What runs and what waits."""

    brand: str = ""


@dataclass(frozen=True, kw_only=True)
class Show:
    """One job, asset or review by id."""

    target: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that reproduces a picture. `target` is an asset, or a job, review or publication, whose
    pictures are meant then."""

    target: str


@dataclass(frozen=True, kw_only=True)
class DeleteCard:
    """Take a job's card out of a chat; the job and its pictures stay in the archive."""

    job: str


@dataclass(frozen=True, kw_only=True)
class Find:
    """Search the archive."""

    text: str = ""
    brand: str = ""
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What was used this month: pictures, device seconds, cost."""

    brand: str = ""


@dataclass(frozen=True, kw_only=True)
class Settle:
    """Settle an ambiguous publication: it did (`sent`) or did not arrive (send again)."""

    publication: str
    sent: bool


@dataclass(frozen=True, kw_only=True)
class AddSchedule:
    """A weekly rule of the calendar: "every Monday 9:00 Europe/Berlin theme innovation in
    #social". Empty fields take the kit's first choice; the zone, that of the brand's newest
    schedule, else UTC."""

    weekdays: tuple[int, ...]
    """0 is Monday."""
    at: time
    """Local wall-clock time."""
    zone: str = ""
    theme: str = ""
    templates: tuple[str, ...] = ()
    channel: str = ""
    every_weeks: int = 1
    name: str = ""
    brand: str = ""
    fallback: str = ""
    """Asset that goes out where a slot would be missed, or empty."""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """What happens in the next weeks."""

    weeks: int = 1
    brand: str = ""


@dataclass(frozen=True, kw_only=True)
class PauseSchedule:
    """No new slots and nothing posted until it is resumed."""

    schedule: str


@dataclass(frozen=True, kw_only=True)
class ResumeSchedule:
    """Go on with a paused schedule."""

    schedule: str


@dataclass(frozen=True, kw_only=True)
class EndSchedule:
    """End a schedule; its slots that are not posted are skipped."""

    schedule: str


@dataclass(frozen=True, kw_only=True)
class SkipSlot:
    """Leave one slot out."""

    slot: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RestoreSlot:
    """Undo of skipping, as long as its time has not come."""

    slot: str


@dataclass(frozen=True, kw_only=True)
class MoveSlot:
    """Another day or time for one slot, in the schedule's zone. `at` None keeps the time."""

    slot: str
    day: date
    at: time | None = None


@dataclass(frozen=True, kw_only=True)
class RerollSlot:
    """Render one slot anew with another seed; what waits in review is withdrawn."""

    slot: str


@dataclass(frozen=True, kw_only=True)
class Invite:
    """A new member with a one-time link. `roles` are role words; `brand` empty: all brands."""

    name: str
    roles: tuple[str, ...] = ("requester",)
    brand: str = ""
    team: str = ""
    account: str = ""
    """Theirs in a chat, as `slack:USER/WORKSPACE`: they are in at once, without a link."""


@dataclass(frozen=True, kw_only=True)
class ListPeople:
    """The members with their roles and accounts."""

    brand: str = ""


@dataclass(frozen=True, kw_only=True)
class SetRole:
    """Give a role to a member or take it away."""

    person: str
    role: str
    on: bool = True
    brand: str = ""


@dataclass(frozen=True, kw_only=True)
class SetTeam:
    """Put a member into a team (a name), or into none."""

    person: str
    team: str = ""


@dataclass(frozen=True, kw_only=True)
class SetActive:
    """Let a member who left no longer in, or let them in again."""

    person: str
    active: bool


@dataclass(frozen=True, kw_only=True)
class BlockPerson:
    """Put a member on the block list with a reason that they read, or take them off it."""

    person: str
    blocked: bool = True
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ErasePerson:
    """Take a person's name, accounts and words out of all records; their id stays."""

    person: str
    sure: bool = False
    """Without it, the answer says what would go and asks."""


@dataclass(frozen=True, kw_only=True)
class LinkAccount:
    """Join this account with a member's: without a code one is given; with it, the code's owner
    is asked to confirm."""

    code: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfirmLink:
    """The code's owner says whether the other account is theirs."""

    key: str
    yes: bool


@dataclass(frozen=True, kw_only=True)
class UnlinkAccount:
    """Take an account off a member: one's own, or as an admin another's."""

    platform: str
    """`slack`, or exactly `slack:USER`."""
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class SetBudget:
    """Limits of a calendar month, or of a day; None takes a limit away."""

    scope: str
    """person, team, brand, role or place."""
    key: str
    """Person id, team name or brand id; a platform's role or place as `discord:ID`."""
    brand: str = ""
    """Whose pictures count; empty: those of all brands."""
    pictures: int | None = None
    cost: float | None = None
    """In the tariff's currency."""
    daily: bool = False
    """Of a day; the limits of the month stay as they are."""


@dataclass(frozen=True, kw_only=True)
class Help:
    """How to say things; `topic` narrows it. `brand` empty: the channel's, else the only one."""

    topic: str = ""
    brand: str = ""


Command = (
    Imagine
    | Vary
    | Reroll
    | Upscale
    | Extend
    | EditWords
    | SendToApproval
    | Share
    | Use
    | Approve
    | Reject
    | AskChange
    | TakeBack
    | Withdraw
    | Cancel
    | PauseJob
    | ResumeJob
    | Queue
    | Show
    | Recipe
    | DeleteCard
    | Find
    | Usage
    | Settle
    | AddSchedule
    | Calendar
    | PauseSchedule
    | ResumeSchedule
    | EndSchedule
    | SkipSlot
    | RestoreSlot
    | MoveSlot
    | RerollSlot
    | Invite
    | ListPeople
    | SetRole
    | SetTeam
    | SetActive
    | BlockPerson
    | ErasePerson
    | LinkAccount
    | ConfirmLink
    | UnlinkAccount
    | SetBudget
    | Help
)
