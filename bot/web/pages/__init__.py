"""The portal's pages, one module each: thin handlers that read the house and fill a template."""
