"""Client: the program that asks, by its API key; and what its key is for."""

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import (
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
)

from bot.core.api_keys import KeyUse, Scope
from bot.core.caller import Caller
from bot.core.house import House
from bot.core.messages import Actor, ChannelRef
from bot.core.people import Person
from bot.web.visitor import PLATFORM, local_user

OPENAPI = "/v1/openapi.json"
OPEN = (OPENAPI,)
"""What anybody may read."""

BEARER = HTTPBearer(
    scheme_name="apiKey",
    bearerFormat="hs_ID_SECRET",
    description="An API key of a member: what it may do is what its scopes name and the member's "
    "roles allow.",
    auto_error=False,
)
BASIC = HTTPBasic(
    scheme_name="apiKeyAsPassword",
    description="For clients of AUTOMATIC1111: any user name, the API key as the password.",
    auto_error=False,
)


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program with a valid key."""

    house: House
    use: KeyUse
    person: Person
    text: str = field(repr=False)
    """The key itself, to look later whether it still holds."""

    @property
    def actor(self) -> Actor:
        """The key's member as the one who gives a command: in their own direct line, so that
        drafts go to nobody else."""
        user = local_user(self.person)
        return Actor(
            platform=PLATFORM,
            user=user,
            name=self.person.name,
            person=self.person.id,
            channel=ChannelRef(platform=PLATFORM, channel=f"@{user}"),
        )

    @property
    def caller(self) -> Caller:
        """The same for what only looks."""
        return Caller(person=self.person, actor=self.actor)


def client_of(request: Request) -> Client:
    """Who asks; the guard has checked the key."""
    return cast("Client", request.scope["state"]["client"])


class Needs:
    """A dependency: the client, whose key must have this scope."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __call__(
        self,
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    ) -> Client:
        """Raises NotAllowed."""
        client = client_of(request)
        client.use.need(self._scope)
        return client


class NeedsEither(Needs):
    """The same where Basic counts too."""

    async def __call__(  # type: ignore[override]
        self,
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
        __: Annotated[HTTPBasicCredentials | None, Security(BASIC)],
    ) -> Client:
        """Raises NotAllowed."""
        return await super().__call__(request, None)


Reading = Annotated[Client, Depends(Needs(Scope.READ))]
Submitting = Annotated[Client, Depends(Needs(Scope.SUBMIT))]
Reviewing = Annotated[Client, Depends(Needs(Scope.REVIEW))]
ReadingUi = Annotated[Client, Depends(NeedsEither(Scope.READ))]
SubmittingUi = Annotated[Client, Depends(NeedsEither(Scope.SUBMIT))]
