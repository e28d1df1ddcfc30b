"""The generation service: renders a RenderSpec; runs alone on a GPU machine."""
