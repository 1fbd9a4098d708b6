"""The Python backend: readable source, and numbers as machines compute them."""
