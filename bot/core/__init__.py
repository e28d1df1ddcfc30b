"""The platform-neutral application: use cases, values, ports; no SDK, SQL, torch or web."""
