"""Methods of views.*, and what a form remembers."""

from tests.fakes.slack.access import Caller, files_of
from tests.fakes.slack.blocks import check_view, elements_of
from tests.fakes.slack.messages import refuse_blocks
from tests.fakes.slack.state import STACK, Json, Refused, View, World

FIRST = {
    "initial_value": "value",
    "initial_option": "selected_option",
    "initial_options": "selected_options",
    "initial_channel": "selected_channel",
    "initial_conversation": "selected_conversation",
    "initial_user": "selected_user",
    "initial_date": "selected_date",
}
"""What an element starts with -> where a view's state has it."""


def open_view(world: World, caller: Caller, args: Json) -> Json:
    """views.open."""
    return _opened(world, caller, args, push=False)


def push_view(world: World, caller: Caller, args: Json) -> Json:
    """views.push: at most three on one another."""
    return _opened(world, caller, args, push=True)


def update_view(world: World, caller: Caller, args: Json) -> Json:
    """views.update: what was typed stays where block and action are still the same."""
    body = checked_view(world, caller.spaces[0].id, args.get("view"))
    wanted = args.get("view_id") or args.get("external_id") or ""
    view = world.views.get(str(wanted)) or _by_external(world, str(wanted))
    teams = {space.id for space in caller.spaces}
    if view is None or not view.open or view.team not in teams:
        raise Refused("not_found")
    if args.get("hash") and args["hash"] != view.hash:
        raise Refused("hash_conflict")
    change(world, view, body)
    return {"view": view_json(world, view)}


def publish_view(world: World, caller: Caller, args: Json) -> Json:
    """views.publish: a user's Home tab."""
    user = str(args.get("user_id", ""))
    space = next((s for s in caller.spaces if user in s.users), None)
    if space is None:
        raise Refused("invalid_arguments", response_metadata={"messages": ["no such user"]})
    body = checked_view(world, space.id, args.get("view"))
    if body["type"] != "home":
        raise Refused("invalid_arguments")
    old = world.homes.get((space.id, user))
    if args.get("hash") and (old is None or args["hash"] != old.hash):
        raise Refused("hash_conflict")
    if old is None:
        old = new_view(world, space.id, user, body)
        world.homes[(space.id, user)] = old
    else:
        change(world, old, body)
    return {"view": view_json(world, old)}


def checked_view(world: World, team: str, body: object) -> Json:
    """A view within all limits. Raises Refused."""
    wrong = check_view(body, files=files_of(world, team))
    if wrong and "blocks" not in wrong[0]:
        world.violated(f"invalid view: {wrong}")
        raise Refused("invalid_arguments", response_metadata={"messages": wrong})
    refuse_blocks(world, wrong)
    return _named_blocks(world, body) if isinstance(body, dict) else {}


def new_view(world: World, team: str, user: str, body: Json, *, on: View | None = None) -> View:
    """A view that is open now, with what its elements start with."""
    view = View(id=world.new_id("V"), team=team, user=user, body=body, hash=world.new_hash())
    view.root = on.root if on else view.id
    view.previous = on.id if on else ""
    view.values = first_values(body)
    world.views[view.id] = view
    return view


def change(world: World, view: View, body: Json) -> None:
    """Put another body in its place."""
    fresh = first_values(body)
    for block, actions in fresh.items():
        for action, first in actions.items():
            kept = view.values.get(block, {}).get(action)
            fresh[block][action] = kept if kept and kept["type"] == first["type"] else first
    view.body, view.values, view.errors = body, fresh, {}
    view.hash = world.new_hash()


def first_values(body: Json) -> dict[str, dict[str, Json]]:
    """What the elements of a view start with."""
    values: dict[str, dict[str, Json]] = {}
    for block in body.get("blocks", []):
        if block["type"] not in ("input", "section", "actions"):
            continue
        for element in elements_of(block):
            if element["type"] in ("button", "overflow", "image"):
                continue
            state: Json = {"type": element["type"], **_empty(element["type"])}
            for name, key in FIRST.items():
                if element.get(name) is not None:
                    state[key] = element[name]
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def view_json(world: World, view: View) -> Json:
    """A view as Slack gives it."""
    return {
        "close": None,
        "submit": None,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        **view.body,
        "id": view.id,
        "team_id": view.team,
        "app_installed_team_id": _installed(world, view.team),
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous or None,
        "app_id": world.app_id,
        "bot_id": world.workspaces[view.team].bot_id,
        "state": {"values": view.values},
    }


def _installed(world: World, team: str) -> str:
    """Where the app came to this workspace from: the whole enterprise's installation, or the
    first of its workspaces that has one, which need not be this one."""
    enterprise = world.workspaces[team].enterprise
    if not enterprise:
        return team
    tokens = [t for t in world.tokens.values() if t.kind == "bot" and t.enterprise == enterprise]
    return next((token.team or enterprise for token in tokens), team)


def _opened(world: World, caller: Caller, args: Json, *, push: bool) -> Json:
    team, user = world.use_trigger(str(args.get("trigger_id", "")))
    if team not in {space.id for space in caller.spaces}:
        raise Refused("invalid_trigger_id")
    body = checked_view(world, team, args.get("view"))
    if body["type"] != "modal":
        raise Refused("invalid_arguments")
    stack = world.stacks.setdefault((team, user), [])
    if push and not stack:
        raise Refused("not_found")
    if len(stack) >= STACK:
        raise Refused("push_limit_reached")
    view = new_view(world, team, user, body, on=stack[-1] if stack else None)
    stack.append(view)
    return {"view": view_json(world, view)}


def _by_external(world: World, external: str) -> View | None:
    known = (v for v in world.views.values() if external and v.body.get("external_id") == external)
    return next(known, None)


def _named_blocks(world: World, body: Json) -> Json:
    """Slack gives a name to every block and action that has none."""
    for block in body.get("blocks", []):
        block.setdefault("block_id", world.new_id("b"))
        for element in elements_of(block):
            if element.get("type") not in ("image", "plain_text", "mrkdwn"):
                element.setdefault("action_id", world.new_id("a"))
    return body


def _empty(kind: str) -> Json:
    if kind in ("plain_text_input", "number_input"):
        return {"value": None}
    if kind == "file_input":
        return {"files": []}
    if kind in ("checkboxes", "multi_static_select"):
        return {"selected_options": []}
    if kind == "datepicker":
        return {"selected_date": None}
    which = kind.removesuffix("s_select")
    named = which in ("channel", "conversation", "user")
    return {f"selected_{which}" if named else "selected_option": None}
