"""Samplers as data: coefficients read off the installed diffusers schedulers."""
