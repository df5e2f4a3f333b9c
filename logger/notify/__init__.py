"""Messages to people: what needs somebody, whether it was told, and sending it."""
