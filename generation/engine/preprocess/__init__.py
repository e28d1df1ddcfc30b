"""From a picture to the map that a ControlNet is led by."""
