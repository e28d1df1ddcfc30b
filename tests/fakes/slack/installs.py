"""OAuth: who installs the app, codes, tokens that expire and are renewed."""

import base64
import secrets
from dataclasses import dataclass, field

from tests.fakes.slack.state import Json, Refused, Token, World

CODE_S, ACCESS_S = 600, 43_200


@dataclass(kw_only=True)
class Code:
    """What a person agreed to, good for one exchange within ten minutes."""

    team: str
    user: str
    scopes: tuple[str, ...]
    redirect_uri: str
    at: float
    org_wide: bool
    used: bool = False


@dataclass
class Consents:
    """What the next person on the consent page chooses, and what came of it."""

    team: str = "T1"
    user: str = "U0MIA"
    org_wide: bool = False
    denies: bool = False
    rotating: bool = True
    """Whether tokens expire."""
    codes: dict[str, Code] = field(default_factory=dict)
    refresh: dict[str, Token] = field(default_factory=dict)
    """Refresh token, not yet used -> the token it renews."""
    refreshed: int = 0

    def agree(self, world: World, scopes: str, redirect_uri: str) -> str:
        """The code for someone who pressed Allow."""
        code = f"{world.client_id}.{secrets.token_hex(16)}"
        self.codes[code] = Code(
            team=self.team,
            user=self.user,
            scopes=tuple(s for s in scopes.split(",") if s),
            redirect_uri=redirect_uri,
            at=world.now(),
            org_wide=self.org_wide,
        )
        return code

    def access(self, world: World, args: Json, authorization: str) -> Json:
        """oauth.v2.access: a code, or a refresh token, for tokens. Raises Refused."""
        _check_client(world, args, authorization)
        if args.get("grant_type") == "refresh_token":
            return self._renewed(world, str(args.get("refresh_token", "")))
        code = self.codes.get(str(args.get("code", "")))
        if code is None or world.now() - code.at > CODE_S:
            raise Refused("invalid_code")
        if code.used:
            raise Refused("code_already_used")
        if str(args.get("redirect_uri") or "") != code.redirect_uri:
            raise Refused("bad_redirect_uri")
        code.used = True
        space = world.workspaces[code.team]
        token = Token(
            value="",
            kind="bot",
            team="" if code.org_wide else space.id,
            enterprise=space.enterprise,
            scopes=frozenset(code.scopes),
        )
        self._take_back(world, token)
        return self._issued(world, token, code.user)

    def _take_back(self, world: World, new: Token) -> None:
        """Who installs again voids what was given before, and Slack tells the app so: its word
        may come after the new token."""
        place = (new.team, new.enterprise)
        given = [each for each in world.tokens.values() if each.refresh and not each.revoked]
        old = [each for each in given if (each.team, each.enterprise) == place]
        for each in old:
            each.revoked = "token_revoked"
            self.refresh.pop(each.refresh, None)
        if old:
            space = world.spaces_of(new)[0]
            tokens = {"oauth": [], "bot": [space.bot_user]}
            world.told(space.id, {"type": "tokens_revoked", "tokens": tokens})

    def _renewed(self, world: World, refresh: str) -> Json:
        old = self.refresh.pop(refresh, None)
        if old is None or old.revoked:
            raise Refused("invalid_refresh_token")
        self.refreshed += 1
        token = Token(
            value="", kind="bot", team=old.team, enterprise=old.enterprise, scopes=old.scopes
        )
        return self._issued(world, token, "")

    def _issued(self, world: World, token: Token, user: str) -> Json:
        token.value = f"xoxb-{secrets.token_hex(12)}"
        spaces = world.spaces_of(token)
        answer: Json = {
            "token_type": "bot",
            "scope": ",".join(sorted(token.scopes)),
            "bot_user_id": spaces[0].bot_user,
            "app_id": world.app_id,
            "team": {"id": spaces[0].id, "name": spaces[0].name} if token.team else None,
            "enterprise": {"id": token.enterprise, "name": "Org"} if token.enterprise else None,
            "is_enterprise_install": not token.team,
            "authed_user": {"id": user},
        }
        if self.rotating:
            token.value = f"xoxe.{token.value}"
            token.expires_at = world.now() + ACCESS_S
            token.refresh = f"xoxe-1-{secrets.token_hex(16)}"
            self.refresh[token.refresh] = token
            answer |= {"refresh_token": token.refresh, "expires_in": ACCESS_S}
        world.tokens[token.value] = token
        return answer | {"access_token": token.value}


def _check_client(world: World, args: Json, authorization: str) -> None:
    client, secret = str(args.get("client_id") or ""), str(args.get("client_secret") or "")
    if authorization.startswith("Basic "):
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        client, _, secret = pair.partition(":")
    if client != world.client_id:
        raise Refused("invalid_client_id")
    if secret != world.client_secret:
        raise Refused("bad_client_secret")
