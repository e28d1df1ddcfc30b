"""A brand kit as a file, for processes with the drawn engine: no gate stops its pictures."""

DRAWN_KIT = """
[brand]
id = "acme"
name = "Acme"
version = "1"
owner = "@brand"
accent = "#0f7c7c"

[gates]
min_sharpness = 0
min_near_duplicate_bits = 0
min_side = 16

[generation]
model = "drawn"
steps = 4

[generation.aspects]
"1:1" = [64, 64]

"""
