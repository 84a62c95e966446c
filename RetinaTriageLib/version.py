"""Version of the library; packaging and every result read it here."""

VERSION = "0.1.0"
