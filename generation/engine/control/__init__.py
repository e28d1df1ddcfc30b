"""ControlNets: found on disk, loaded beside their model, computed row by row."""
