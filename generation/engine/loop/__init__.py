"""The step loop: who asks the model what, and when."""
