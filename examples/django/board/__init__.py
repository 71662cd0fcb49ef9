"""The example's one application."""
