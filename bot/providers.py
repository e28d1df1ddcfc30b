"""Which providers people may sign in with: from the settings, checked at the start."""

from bot.settings import Settings, SettingsInvalid
from bot.web.signing_in.providers import Provider, discord, oidc, slack


def sign_in_providers(settings: Settings) -> list[Provider]:
    """Those that are configured. Raises SettingsInvalid for half a configuration and for a plain
    http address elsewhere: better at the start than before the first person who signs in."""
    given = settings.signin
    _whole("oidc", issuer=given.oidc_issuer, client_id=given.oidc_client_id)
    _whole("slack", client_id=given.slack_client_id, client_secret=given.slack_client_secret)
    _whole("discord", client_id=given.discord_client_id, client_secret=given.discord_client_secret)
    found = []
    if given.oidc_client_id:
        found.append(
            oidc(
                issuer=given.oidc_issuer,
                client_id=given.oidc_client_id,
                client_secret=given.oidc_client_secret,
                label=given.oidc_label,
                hosts=frozenset(given.oidc_hosts),
            )
        )
    if given.slack_client_id:
        found.append(
            slack(
                client_id=given.slack_client_id,
                client_secret=given.slack_client_secret,
                issuer=given.slack_issuer,
            )
        )
    if given.discord_client_id:
        found.append(
            discord(
                client_id=given.discord_client_id,
                client_secret=given.discord_client_secret,
                address=given.discord_address,
            )
        )
    for provider in found:
        _secure(provider)
    return found


def _whole(name: str, **parts: str) -> None:
    lacking = [f"signin.{name}_{part}" for part, value in parts.items() if not value]
    if lacking and len(lacking) < len(parts):
        raise SettingsInvalid(
            f"Signing in is set up by half: {' and '.join(lacking)} is missing.",
            fix=f"Set it, or take the other settings `signin.{name}_…` out.",
        )


def _secure(provider: Provider) -> None:
    if not provider.allows(provider.issuer):
        raise SettingsInvalid(
            f"Signing in with {provider.label} needs an address that starts with https://, "
            f"not {provider.issuer}.",
            fix="Only a provider on this very machine may be spoken to by http.",
        )
