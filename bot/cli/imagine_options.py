"""What can be typed behind `housestyle imagine`."""

from pathlib import Path
from typing import Annotated

import typer

_Text = str | None

Words = Annotated[
    list[str], typer.Argument(help="What the picture shows; also template:NAME and NAME=value.")
]
No = Annotated[_Text, typer.Option("--no", help="What must not be in it.")]
Shape = Annotated[_Text, typer.Option("--ar", help="The shape, as in 3:2.")]
Count = Annotated[_Text, typer.Option("--n", help="How many pictures.")]
Seed = Annotated[_Text, typer.Option("--seed", help="The same seed starts the same.")]
Steps = Annotated[_Text, typer.Option("--steps", help="Steps that the model takes.")]
Guidance = Annotated[_Text, typer.Option("--cfg", help="How closely the words are followed.")]
Sampler = Annotated[_Text, typer.Option("--sampler", help="The step method.")]
Reference = Annotated[
    _Text, typer.Option("--ref", help="A picture to start from: a file, or an id.")
]
Strength = Annotated[
    _Text, typer.Option("--strength", help="How far the reference is left, 0 to 1.")
]
ImageWeight = Annotated[
    _Text, typer.Option("--iw", help="How much the reference counts, 0 to 3; 1 as usual.")
]
Stylize = Annotated[
    _Text, typer.Option("--stylize", help="How strongly the LoRA shows, 0 to 1000; 100 as usual.")
]
Tile = Annotated[bool, typer.Option("--tile", help="It goes on seamlessly over its edges.")]
Lora = Annotated[_Text, typer.Option("--lora", help="NAME[:WEIGHT], or none.")]
HighRes = Annotated[
    _Text, typer.Option("--highres", help="A second pass at so many times the size.")
]
Outpaint = Annotated[_Text, typer.Option("--outpaint", help="On over the edges: left=64,right=64.")]
Recipe = Annotated[_Text, typer.Option("--recipe", help="One of the kit's recipes.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Render also what the archive has already.")]
Private = Annotated[bool, typer.Option("--private", help="The draft is shown to you alone.")]
Out = Annotated[Path | None, typer.Option("--out", help="A file, or a folder for several.")]
