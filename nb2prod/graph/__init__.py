"""Draws the stage graph; `nb2prod.graph.render` writes each format."""
