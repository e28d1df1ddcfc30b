"""What Slack's client does with an app's answers, and what it lets a person type."""

from tests.fakes.slack.blocks import elements_of
from tests.fakes.slack.delivery import Receipt
from tests.fakes.slack.elements import Wrong, check_groups, check_options
from tests.fakes.slack.filing import file_json
from tests.fakes.slack.state import STACK, File, Json, Message, Refused, View, World
from tests.fakes.slack.views import change, checked_view, new_view


def to_command(world: World, receipt: Receipt, user: str, channel: str) -> None:
    """A command's answer is a message, for that person alone unless it says otherwise."""
    body = receipt.body
    text = body.get("text", "") if isinstance(body, dict) else (body or "")
    if not text or receipt.error:
        return
    where = world.workspaces[receipt.team].channels[channel]
    alone = not (isinstance(body, dict) and body.get("response_type") == "in_channel")
    message = Message(
        team=receipt.team,
        channel=channel,
        ts=world.new_ts(),
        user=world.workspaces[receipt.team].bot_user,
        text=text,
        only_for=user if alone else "",
    )
    if alone:
        where.ephemerals.append(message)
    else:
        where.messages[message.ts] = message


def to_submission(world: World, view: View, receipt: Receipt) -> None:
    """Close the form, show its errors, or put another view there."""
    view.errors = {}
    if receipt.error:
        return
    body = receipt.body
    if not body:
        pop(world, view)
        return
    act = body.get("response_action") if isinstance(body, dict) else None
    if act == "errors":
        _show_errors(world, view, body.get("errors"))
    elif act == "clear":
        while world.stacks.get((view.team, view.user)):
            pop(world, world.stacks[(view.team, view.user)][-1])
    elif act in ("update", "push"):
        _put(world, view, act, body.get("view"))
    else:
        world.violated(f"a view_submission was answered with {str(body)[:120]}")


def to_suggestion(world: World, receipt: Receipt) -> None:
    """Options within the limits; nothing else is an answer."""
    if receipt.error:
        return
    body = receipt.body if isinstance(receipt.body, dict) else {}
    try:
        if "option_groups" in body:
            check_groups(body["option_groups"], "")
        else:
            check_options(body.get("options"), "", 100, least=0)
    except Wrong as exc:
        world.violated(f"an option load was answered wrong: {exc}")


def pop(world: World, view: View) -> None:
    """Take a form away; the one below is on top again."""
    view.open = False
    stack = world.stacks.get((view.team, view.user), [])
    if view in stack:
        stack.remove(view)


def typed(world: World, element: Json, value: object) -> Json:
    """What a form's state holds after someone typed or chose this."""
    kind = element["type"]
    if kind in ("plain_text_input", "number_input"):
        return {"type": kind, "value": None if value in ("", None) else str(value)}
    if kind == "file_input":
        files: list[File] = list(value) if isinstance(value, list | tuple) else [value]
        for file in files:
            file.granted = True
        return {"type": kind, "files": [file_json(world, file) for file in files]}
    if kind in ("checkboxes", "multi_static_select"):
        return {"type": kind, "selected_options": [option_of(element, v, "") for v in value]}
    if kind == "datepicker":
        return {"type": kind, "selected_date": value}
    which = kind.removesuffix("s_select")
    if which in ("channel", "conversation", "user"):
        return {"type": kind, f"selected_{which}": value}
    return {"type": kind, "selected_option": option_of(element, value, "") if value else None}


def option_of(element: Json, value: str, text: str) -> Json:
    """The option with this value; an external select's may be any."""
    if element["type"] == "external_select":
        return {"text": {"type": "plain_text", "text": text or value}, "value": value}
    groups = element.get("option_groups", [])
    options = element.get("options") or [o for group in groups for o in group["options"]]
    for option in options:
        if option["value"] == value:
            return dict(option)
    raise AssertionError(f"no option {value!r}; there are {[o['value'] for o in options]}")


def missing(view: View) -> list[str]:
    """Inputs that the client does not let a person leave empty, or as they are."""
    return [
        block["block_id"]
        for block in view.blocks()
        if block["type"] == "input" and not _enough(view, block)
    ]


def actions_of(where: Message | View) -> list[str]:
    """Action ids there, to tell of when one is missing."""
    blocks = where.blocks if isinstance(where, Message) else where.blocks()
    return [e["action_id"] for b in blocks for e in elements_of(b) if "action_id" in e]


def _enough(view: View, block: Json) -> bool:
    element = block["element"]
    state = view.values.get(block["block_id"], {}).get(element["action_id"], {})
    value = next((v for k, v in state.items() if k != "type" and v), None)
    if not value:
        return bool(block.get("optional"))
    if element["type"] == "plain_text_input":
        return element.get("min_length", 0) <= len(value) <= element.get("max_length", 3000)
    if element["type"] == "number_input":
        low, high = element.get("min_value", "-inf"), element.get("max_value", "inf")
        whole = element["is_decimal_allowed"] or value.lstrip("-").isdecimal()
        return bool(whole and float(low) <= float(value) <= float(high))
    return True


def _show_errors(world: World, view: View, errors: object) -> None:
    inputs = {b["block_id"] for b in view.blocks() if b["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        world.violated(f"errors {errors} do not name inputs of the view, which are {inputs}")
        return
    if not all(isinstance(words, str) and words for words in errors.values()):
        world.violated(f"errors {errors} are not all texts")
        return
    view.errors = errors


def _put(world: World, view: View, act: str, body: object) -> None:
    try:
        checked = checked_view(world, view.team, body)
    except Refused as exc:
        world.violated(f"a view_submission was answered with a bad view: {exc.more}")
        return
    if act == "update":
        change(world, view, checked)
        return
    stack = world.stacks.setdefault((view.team, view.user), [])
    if len(stack) >= STACK:
        world.violated("a fourth form was pushed")
        return
    stack.append(new_view(world, view.team, view.user, checked, on=view))
