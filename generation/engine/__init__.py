"""The diffusers engine: models, samplers, prompts, LoRAs, previews. Only here is torch loaded."""
