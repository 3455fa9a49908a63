"""A real Asterisk with real phones on loopback: what the demonstration, the story tests and the captures run on."""
