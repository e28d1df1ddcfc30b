"""The `housestyle` command: one module per group of commands, nothing heavy loaded before use."""
