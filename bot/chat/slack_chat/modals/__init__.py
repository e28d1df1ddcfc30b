"""The form for a picture, and the questions that buttons ask."""
