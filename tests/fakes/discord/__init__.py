"""A strict Discord on loopback. `app.py` says what it can do."""
