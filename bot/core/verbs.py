"""The verbs of the product: their names, how they are written, how what follows is read."""

from bot.core import commands
from bot.core.commands import Command
from bot.core.grammar_cursor import any_of, joined
from bot.core.grammar_imagine import read_imagine
from bot.core.grammar_mistakes import NOTHING_DONE, shown, unknown
from bot.core.grammar_values import Value
from bot.core.grammar_ways import read_sides
from bot.core.verb_args import (
    Args,
    Verb,
    brand_only,
    id_of,
    nothing_more,
    only_id,
    reason_of,
    rest_of,
    words_and_flags,
    wrong,
)
from bot.core.verbs_budget import BUDGET_VERBS
from bot.core.verbs_calendar import CALENDAR_VERBS
from bot.core.verbs_people import PEOPLE_VERBS
from brand.words import clean

FACTORS = ("2", "4")
TOPICS = ("all", "templates", "flags", "approval")
_SENT = {"sent": True, "arrived": True, "again": False, "lost": False}


def _imagine(args: Args) -> Command:
    return read_imagine(args.typed, args.first, args.vocabulary, args.attached)


def _vary(args: Args) -> Command:
    asset = id_of(args, "a picture")
    nothing_more(args, 2)
    how = args.tokens[1].text.casefold().strip("-") if len(args.tokens) > 1 else "subtle"
    if how not in ("strong", "strongly", "subtle"):
        raise wrong(args, f"`/{args.verb} ID` takes `strong` or nothing, not `{shown(how)}`.", 1)
    return commands.Vary(asset=asset, strong=how.startswith("strong"))


def _upscale(args: Args) -> Command:
    asset = id_of(args, "a picture")
    nothing_more(args, 2)
    factor = args.tokens[1].text.casefold().strip("x×") if len(args.tokens) > 1 else "2"
    if factor not in FACTORS:
        refused = wrong(args, f"A picture can be enlarged by {any_of(FACTORS)}.", 1)
        refused.allowed = FACTORS
        raise refused
    return commands.Upscale(asset=asset, factor=int(factor))


def _extend(args: Args) -> Command:
    asset = id_of(args, "a picture")
    nothing_more(args, 2)
    if len(args.tokens) < 2:
        return commands.Extend(asset=asset)
    token = args.tokens[1]
    typed = Value(flag="outpaint", text=token.text, position=args.typed.of(token))
    return commands.Extend(asset=asset, sides=read_sides(typed))


def _edit(args: Args) -> Command:
    asset = id_of(args, "a picture")
    if len(args.tokens) < 2:
        raise wrong(args, f"Say the new words after the id: `/{args.verb} ID a blue mug`.", 1)
    return commands.EditWords(asset=asset, text=args.typed.rest(args.tokens[1]))


def _send(args: Args) -> Command:
    asset = id_of(args, "a picture")
    channel, index = _channel(args)
    return commands.SendToApproval(asset=asset, channel=channel, caption=rest_of(args, index))


def _share(args: Args) -> Command:
    asset = id_of(args, "a picture")
    channel, index = _channel(args)
    return commands.Share(asset=asset, channel=channel, caption=rest_of(args, index))


def _channel(args: Args) -> tuple[str, int]:
    """The channel's name in the kit, if one is said, and the index of what follows it."""
    to = len(args.tokens) > 2 and args.tokens[1].text.casefold() == "to"
    index = 2 if to else 1
    if index >= len(args.tokens):
        return "", index
    typed = args.tokens[index].text
    found = args.vocabulary.channel(typed)
    if typed.startswith("#") and found is None:
        raise unknown(
            f"`{shown(typed)}` isn't a channel of {args.vocabulary.brand}.",
            args.typed.of(args.tokens[index]),
            typed=typed,
            allowed=tuple(item.name for item in args.vocabulary.channels),
            field="channel",
            none="Its kit lists none.",
            ending=NOTHING_DONE,
        )
    if found is not None and (to or typed.startswith("#")):
        return found.name, index + 1
    return "", 1


def _cancel(args: Args) -> Command:
    return commands.Cancel(job=_job_of(args))


def _job_of(args: Args) -> str:
    return only_id(args, "a job") if args.tokens else ""


def _find(args: Args) -> Command:
    words, flags = words_and_flags(args, ("state", "brand"))
    return commands.Find(
        text=clean(joined(words)), brand=flags.get("brand", ""), state=flags.get("state", "")
    )


def _settle(args: Args) -> Command:
    publication = id_of(args, "a post")
    nothing_more(args, 2)
    said = args.tokens[1].text.casefold() if len(args.tokens) > 1 else ""
    if said not in _SENT:
        raise wrong(args, "Say `sent` if the post is there, or `again` to post it again.", 1)
    return commands.Settle(publication=publication, sent=_SENT[said])


def _help(args: Args) -> Command:
    topic = clean(joined(list(args.tokens))).casefold().removeprefix("/")
    if not topic:
        return commands.Help()
    verb = BY_NAME.get(topic)
    template = args.vocabulary.template(topic)
    if verb or template or topic in TOPICS:
        return commands.Help(topic=verb.name if verb else template.name if template else topic)
    names = tuple(item.name for item in args.vocabulary.templates)
    raise unknown(
        f"There is no help on `{shown(topic)}`.",
        args.typed.of(args.tokens[0]),
        typed=topic,
        allowed=(*(verb.name for verb in VERBS), *TOPICS, *names),
        field="topic",
        ending="`/help all` lists all there is.",
    )


VERBS = (
    Verb(name="imagine", takes="WORDS", about="make pictures", read=_imagine),
    Verb(
        name="vary",
        takes="ID [strong]",
        about="new pictures near this one",
        read=_vary,
        aliases=("variation",),
    ),
    Verb(
        name="reroll",
        takes="ID",
        about="the same words with a new seed",
        read=lambda a: commands.Reroll(target=only_id(a, "a picture or job")),
        aliases=("re-roll",),
    ),
    Verb(name="upscale", takes="ID [2|4]", about="the same picture, larger", read=_upscale),
    Verb(
        name="extend",
        takes="ID [SIDE=PIXELS]",
        about="the same picture, on over its edges",
        read=_extend,
    ),
    Verb(
        name="edit",
        takes="ID WORDS",
        about="the same recipe with other words",
        read=_edit,
        aliases=("edit-words",),
    ),
    Verb(name="send", takes="ID [#CHANNEL] [CAPTION]", about="ask for approval", read=_send),
    Verb(
        name="share",
        takes="ID [#CHANNEL] [CAPTION]",
        about="post what is approved, else ask for approval",
        read=_share,
    ),
    Verb(
        name="use",
        takes="ID",
        about="get the finished file to take away",
        read=lambda a: commands.Use(asset=only_id(a, "a picture")),
    ),
    Verb(
        name="approve",
        takes="ID",
        about="approve a picture",
        read=lambda a: commands.Approve(review=only_id(a, "a review or picture")),
    ),
    Verb(
        name="reject",
        takes="ID REASON",
        about="reject a picture and say why",
        read=lambda a: commands.Reject(review=id_of(a, "a review or picture"), reason=reason_of(a)),
    ),
    Verb(
        name="change",
        takes="ID WISH",
        about="ask for a change",
        read=lambda a: commands.AskChange(
            review=id_of(a, "a review or picture"), reason=reason_of(a)
        ),
    ),
    Verb(
        name="take-back",
        takes="ID",
        about="take back your vote, while others still have to vote",
        read=lambda a: commands.TakeBack(review=only_id(a, "a review or picture")),
        aliases=("unvote",),
    ),
    Verb(
        name="withdraw",
        takes="ID",
        about="take back what you sent to approval",
        read=lambda a: commands.Withdraw(asset=only_id(a, "a picture")),
    ),
    Verb(
        name="cancel", takes="[ID]", about="stop a job, your newest if you name none", read=_cancel
    ),
    Verb(
        name="pause-job",
        takes="[ID]",
        about="let a job wait, your newest if you name none",
        read=lambda a: commands.PauseJob(job=_job_of(a)),
    ),
    Verb(
        name="resume-job",
        takes="[ID]",
        about="let a paused job go on",
        read=lambda a: commands.ResumeJob(job=_job_of(a)),
    ),
    Verb(
        name="queue",
        takes="",
        about="what runs and what waits",
        read=lambda a: commands.Queue(brand=brand_only(a)),
    ),
    Verb(
        name="show",
        takes="ID",
        about="one picture, job or review",
        read=lambda a: commands.Show(target=only_id(a, "a picture, job or review")),
    ),
    Verb(name="find", takes="WORDS [--state STATE]", about="search the archive", read=_find),
    Verb(
        name="usage",
        takes="",
        about="pictures, device time and cost of this month",
        read=lambda a: commands.Usage(brand=brand_only(a)),
    ),
    Verb(
        name="settle",
        takes="ID sent|again",
        about="say whether a doubtful post arrived",
        read=_settle,
    ),
    *CALENDAR_VERBS,
    *PEOPLE_VERBS,
    *BUDGET_VERBS,
    Verb(name="help", takes="[TOPIC]", about="how to say things", read=_help),
)
BY_NAME = {name: verb for verb in VERBS for name in (verb.name, *verb.aliases)}
