"""The embedded platform: an ASGI app that speaks the Picsellia API."""
