"""What `housestyle init` writes: a settings file and a brand kit to start from."""

import json
import re
import unicodedata
from string import Template

MAX_ID = 40

SETTINGS = """\
# Settings of Housestyle; docs/settings.md explains every one. What stands here is overruled by
# the environment (HOUSESTYLE_PORT) and by flags (--port). Secrets never stand here.

data_dir = "data"
brands_dir = "brands"
port = 8600

[generation]
engine = "diffusers"             # or "drawn": simple drawings, without torch
models_dir = "models"            # diffusers folders and safetensors files
"""

_KIT = Template("""\
# Brand kit of $comment. `housestyle brand lint` explains mistakes.

[brand]
id = $id
name = $name
version = "1.0"
owner = "@brand"                 # whom people are told to ask
accent = "main"                  # a palette colour, or #rrggbb

# A key colour must cover at least `min_share` of every picture:
#   key = true
#   min_share = 0.05

[[palette]]
name = "main"
hex = "#0f6c7c"
role = "primary"

[[palette]]
name = "light"
hex = "#f6f1e7"
role = "background"

[gates]
min_palette_share = 0            # raise it, as to 0.5, once the palette above is yours
min_sharpness = 8
min_near_duplicate_bits = 3      # of 64: fewer differing bits are the same picture again
min_side = 128

[tone]
voice = "Plain and friendly."

[[tone.rules]]
number = 1
text = "Talk of worth, never of being low in price."

[[banned]]
words = ["cheap"]
reason = "we talk of worth, not of price"
rule = 1
alternative = "affordable"

[negatives]                      # go into every picture
quality = ["blurry", "low quality"]
technical = ["noisy"]
unwanted = ["watermark", "text"]

# Base + Subject + Style + Lighting + Composition + Quality. The subject is what people ask for.
[formula]
style = "product photo"
composition = "centered"
quality = "sharp focus"

[[templates]]
name = "product"
description = "One product in its place."
text = "a [COLOR] [PRODUCT] [PLACE]"

[templates.variables.PRODUCT]
values = ["mug", "bottle", "chair", "lamp", "teapot", "backpack"]
default = "mug"

[templates.variables.COLOR]
values = ["red", "orange", "yellow", "green", "blue", "white", "black"]
default = "blue"

[templates.variables.PLACE]
values = ["on a wooden table", "in a white studio", "on the beach", "in a kitchen"]
default = "on a wooden table"

[generation]
model = "demo"                   # the small model that comes along; or one of your models folder
steps = 20
max_steps = 50
cfg = 4
max_cfg = 12
sampler = "dpmpp_2m_karras"
samplers = ["dpmpp_2m_karras", "ddim", "euler"]
strength = 0.6
count = 1
max_count = 8

[generation.aspects]             # the first one is the default
"1:1" = [128, 128]
"4:5" = [128, 160]
"3:2" = [192, 128]

# LoRAs that may serve are listed as [[lora.approved]] with the sha256 of their file.
[lora]
required = false

[review]
may_request = ["role:requester", "role:approver", "role:brand_manager", "role:admin"]
may_approve = ["role:approver", "role:brand_manager"]
quorum = 1
four_eyes = true                 # nobody approves their own request
expires_days = 7

[[channels]]
name = "#social"
audience = "public"              # approved pictures only

[[channels]]
name = "#brand-drafts"
audience = "working"             # drafts may be seen here

[label]
prompt_in_published_file = false
creator = $name
renditions = ["png", "jpeg"]
""")


def brand_id(name: str) -> str:
    """An id made of a name: `acme-tea` for "Acme Tea!"; empty where no letter or digit is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_ID].strip("-")


def kit_text(identifier: str, name: str) -> str:
    """The kit's TOML. A JSON string is a TOML string, whatever stands in the name."""
    return _KIT.substitute(
        id=json.dumps(identifier),
        name=json.dumps(name, ensure_ascii=False),
        comment=" ".join(name.split()),
    )
