"""Signing in with an account elsewhere: OpenID Connect for any issuer and Slack, OAuth 2.0 for
Discord. The flow is the authorization code with PKCE (RFC 6749, RFC 7636, OpenID Connect Core)."""
