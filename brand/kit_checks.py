"""What must fit together inside a kit: names that name something, limits in order, sums."""

import re
from collections.abc import Iterator, Sequence

from brand.kit import ROLES, BrandKit, Template
from brand.kit_check_access import check_access
from brand.kit_reader import ProblemLog
from brand.templates import VARIABLE, WORDS_VARIABLE
from brand.toml_lines import KeyPath
from brand.words import find_banned, nearest, one_of

PARTS = ("base", "style", "lighting", "composition", "quality")
_PRINCIPAL = re.compile(r"(role|person):([A-Za-z0-9_.@-]{1,80})")


def check_kit(kit: BrandKit, log: ProblemLog) -> None:
    """Note everything that does not fit together, each at its own line."""
    for check in (
        _check_palette,
        _check_tone,
        _check_own_words,
        _check_templates,
        _check_loras,
        _check_embeddings,
        _check_channels,
        _check_people,
        _check_access,
        _check_generation,
        _check_recipes,
    ):
        check(kit, log)


def _check_unique(names: Sequence[str], table: str, key: str, log: ProblemLog) -> None:
    for index, name in enumerate(names):
        if name and name in names[:index]:
            where: KeyPath = (*table.split("."), index, key)
            log.add(where, f'"{name}" stands in [{table}] twice', f"Give each its own {key}.")


def _check_palette(kit: BrandKit, log: ProblemLog) -> None:
    if not kit.palette:
        message = "the kit has no palette, so the palette gate judges nothing"
        log.add((), message, "Add [[palette]] colours.", severity="warning")
    _check_unique([color.name for color in kit.palette], "palette", "name", log)
    _check_unique([color.hex for color in kit.palette], "palette", "hex", log)
    for index, color in enumerate(kit.palette):
        where: KeyPath = ("palette", index, "min_share")
        if color.key and not color.min_share:
            message = f'the key colour "{color.name}" has no quota'
            log.add(where, message, "Add `min_share`, for example 0.05.", severity="warning")
        if color.min_share and not color.key:
            message = f'"{color.name}" has a quota but is no key colour, so nothing asks for it'
            log.add(where, message, "Add `key = true`.", severity="warning")
    total = sum(color.min_share for color in kit.palette if color.key)
    if total > 1:
        message = (
            f"the quotas of the key colours add up to {total:.2f}, more than the whole picture"
        )
        log.add(("palette",), message, "Lower `min_share`.")


def _check_tone(kit: BrandKit, log: ProblemLog) -> None:
    numbers = [rule.number for rule in kit.tone]
    for index, number in enumerate(numbers):
        if number in numbers[:index]:
            where = ("tone", "rules", index, "number")
            log.add(where, f"there are two tone rules {number}", "Number them apart.")
    for index, term in enumerate(kit.banned):
        if term.rule not in numbers:
            have = one_of([str(number) for number in numbers]) or "none yet"
            message = f"there is no tone rule {term.rule}"
            log.add(("banned", index, "rule"), message, f"[[tone.rules]] has {have}.")
        found = find_banned(term.alternative, kit)
        if found:
            message = f'the alternative "{term.alternative}" is itself banned'
            log.add(("banned", index, "alternative"), message, "Choose another word.")


def _check_own_words(kit: BrandKit, log: ProblemLog) -> None:
    """The kit's own texts keep its own rules: or every brief would be refused for them."""
    for where, text in _own_texts(kit):
        found = find_banned(text, kit)
        if found:
            word, term = found
            message = f"the kit itself bans '{word}' (tone rule {term.rule})"
            log.add(where, message, f"Try '{term.alternative}'.")


def _own_texts(kit: BrandKit) -> Iterator[tuple[KeyPath, str]]:
    for part in PARTS:
        yield ("formula", part), getattr(kit.formula, part)
    for index, template in enumerate(kit.templates):
        where: KeyPath = ("templates", index)
        for part in ("text", *PARTS):
            yield (*where, part), getattr(template, part) or ""
        for variable in template.variables:
            yield (*where, "variables", variable.name, "default"), variable.default
            for number, value in enumerate(variable.values):
                yield (*where, "variables", variable.name, "values", number), value


def _check_templates(kit: BrandKit, log: ProblemLog) -> None:
    _check_unique([template.name for template in kit.templates], "templates", "name", log)
    for part in PARTS:
        for name in VARIABLE.findall(getattr(kit.formula, part)):
            message = f"[{name}] can only stand in a template"
            log.add(("formula", part), message, "Move it into a template's own part.")
    aspects = [aspect.name for aspect in kit.generation.aspects]
    for index, template in enumerate(kit.templates):
        where: KeyPath = ("templates", index)
        _check_variables_used(template, where, log)
        _check_variable_values(template, where, log)
        if template.aspect and template.aspect not in aspects:
            message = f'the kit has no aspect "{template.aspect}"'
            log.add((*where, "aspect"), message, f"It has {one_of(aspects)}.")


def _check_variables_used(template: Template, where: KeyPath, log: ProblemLog) -> None:
    defined = [variable.name for variable in template.variables]
    used: set[str] = set()
    for part in ("text", *PARTS):
        for name in VARIABLE.findall(getattr(template, part) or ""):
            used.add(name)
            if name == WORDS_VARIABLE and part == "text":
                continue
            if name not in defined:
                suggestion = nearest(name, defined)
                ask = f"Did you mean [{suggestion}]? " if suggestion else ""
                fix = f"{ask}Or define it under [templates.variables.{name}]."
                log.add((*where, part), f"[{name}] is not defined", fix)
    for name in defined:
        if name not in used:
            message = f"the variable {name} stands nowhere in the template"
            fix = f"Write [{name}] into its text, or delete it."
            log.add((*where, "variables", name), message, fix, severity="warning")


def _check_variable_values(template: Template, where: KeyPath, log: ProblemLog) -> None:
    for variable in template.variables:
        path = (*where, "variables", variable.name)
        folded = [value.casefold() for value in variable.values]
        for index, value in enumerate(folded):
            if value in folded[:index]:
                message = f'"{variable.values[index]}" differs from another value only in case'
                log.add((*path, "values", index), message, "Delete one.")
        if variable.default and folded and variable.default not in variable.values:
            suggestion = nearest(variable.default, variable.values)
            ask = f"Did you mean `{suggestion}`? " if suggestion else ""
            message = f'the default "{variable.default}" is not among the values'
            log.add((*path, "default"), message, f"{ask}It can be {one_of(variable.values)}.")


def _check_loras(kit: BrandKit, log: ProblemLog) -> None:
    approved = kit.lora.approved
    names = [f"{lora.name}@{lora.version}" for lora in approved]
    _check_unique(names, "lora.approved", "version", log)
    _check_unique([lora.sha256 for lora in approved], "lora.approved", "sha256", log)
    for index, lora in enumerate(approved):
        if not lora.min_weight <= lora.weight <= lora.max_weight:
            message = (
                f"the weight {lora.weight:g} is outside {lora.min_weight:g} to {lora.max_weight:g}"
            )
            fix = "Keep min_weight <= weight <= max_weight."
            log.add(("lora", "approved", index, "weight"), message, fix)
    if kit.lora.default and not kit.lora.find(kit.lora.default):
        suggestion = nearest(kit.lora.default, [lora.name for lora in approved])
        fix = f"Did you mean `{suggestion}`?" if suggestion else "Add it as [[lora.approved]]."
        message = f'the default "{kit.lora.default}" is not on the approved list'
        log.add(("lora", "default"), message, fix)
    if kit.lora.required and not kit.lora.default:
        message = "a LoRA is required, but there is no default"
        log.add(("lora", "required"), message, "Add `default`, or delete `required`.")


def _check_embeddings(kit: BrandKit, log: ProblemLog) -> None:
    found = kit.embeddings
    _check_unique([f"{item.name}@{item.version}" for item in found], "embeddings", "version", log)
    _check_unique([item.sha256 for item in found], "embeddings", "sha256", log)
    _check_unique([item.token.casefold() for item in found], "embeddings", "token", log)
    loras = {lora.sha256: lora.name for lora in kit.lora.approved}
    for index, item in enumerate(found):
        where: KeyPath = ("embeddings", index)
        if item.sha256 in loras:
            message = f'"{loras[item.sha256]}" is the LoRA of this hash'
            log.add((*where, "sha256"), message, "Give the embedding's own file.")
        if banned := find_banned(item.token, kit):
            message = f"the kit itself bans '{banned[0]}' (tone rule {banned[1].rule})"
            log.add((*where, "token"), message, "Choose another word.")
        if item.token.isalpha() and item.token.islower():
            message = f'"{item.token}" is a word that briefs may hold without meaning the embedding'
            fix = f'Write for example "{item.token}-style".'
            log.add((*where, "token"), message, fix, severity="warning")


def _check_channels(kit: BrandKit, log: ProblemLog) -> None:
    _check_unique([channel.name for channel in kit.channels], "channels", "name", log)
    places = [f"{one.platform}:{one.team}:{one.channel_id}" for one in kit.channels]
    _check_unique(places, "channels", "id", log)
    if not kit.publish_channels:
        message = "the kit has no public channel, so nothing can be posted"
        fix = 'Add [[channels]] with audience = "public".'
        log.add(("channels",), message, fix, severity="warning")


def _check_access(kit: BrandKit, log: ProblemLog) -> None:
    _check_unique([rule.name for rule in kit.access], "access", "name", log)
    check_access(kit, log)


def _check_people(kit: BrandKit, log: ProblemLog) -> None:
    review = kit.review
    for key, principals in (
        ("may_request", review.may_request),
        ("may_approve", review.may_approve),
    ):
        if not principals:
            log.add(("review", key), f"`{key}` names nobody", 'Add for example "role:approver".')
        for index, principal in enumerate(principals):
            _check_principal(principal, ("review", key, index), log)
    people = {name for name in review.may_approve if name.startswith("person:")}
    if people != set(review.may_approve) or not people:
        return
    if len(people) < review.quorum:
        message = f"{review.quorum} votes are needed, but only {len(people)} may approve"
        log.add(("review", "quorum"), message, "Lower `quorum` or name more people.")
    if review.four_eyes and len(people) == 1 and people == set(review.may_request):
        message = "the only one who may ask is the only one who may approve"
        log.add(
            ("review", "may_approve"), message, "Name a second person: four eyes are asked for."
        )


def _check_principal(principal: str, where: KeyPath, log: ProblemLog) -> None:
    match = _PRINCIPAL.fullmatch(principal)
    if match is None:
        message = f'"{principal}" names neither a role nor a person'
        log.add(where, message, 'Write "role:approver" or "person:ID".')
    elif match[1] == "role" and match[2] not in ROLES:
        suggestion = nearest(match[2], ROLES)
        ask = f"Did you mean `role:{suggestion}`? " if suggestion else ""
        log.add(where, f'there is no role "{match[2]}"', f"{ask}Roles are {one_of(ROLES)}.")


def _check_generation(kit: BrandKit, log: ProblemLog) -> None:
    settings = kit.generation
    for key, value, limit in (
        ("steps", settings.steps, settings.max_steps),
        ("cfg", settings.cfg, settings.max_cfg),
        ("count", settings.count, settings.max_count),
    ):
        if value > limit:
            message = f"`{key}` is {value:g}, above max_{key} = {limit:g}"
            log.add(("generation", key), message, f"Lower it, or raise max_{key}.")
    if settings.sampler not in settings.samplers:
        message = f'the sampler "{settings.sampler}" is not among `samplers`'
        log.add(("generation", "sampler"), message, f"It can be {one_of(settings.samplers)}.")


def _check_recipes(kit: BrandKit, log: ProblemLog) -> None:
    _check_unique([recipe.name for recipe in kit.recipes], "recipes", "name", log)
    for index, recipe in enumerate(kit.recipes):
        if any(stage.mask for stage in recipe.stages) and not kit.ways.inpaint:
            message = f'the recipe "{recipe.name}" paints parts anew, which [ways] does not allow'
            log.add(("recipes", index), message, "Write `inpaint = true` under [ways].")
        _check_unique(
            [stage.name for stage in recipe.stages], f"recipes.{index}.stages", "name", log
        )
