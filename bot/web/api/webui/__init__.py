"""AUTOMATIC1111's API on top of the house: its words in, the same Brief that a chat makes."""
