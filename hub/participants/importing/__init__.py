"""From a contact file to people: reading it, understanding it, and reporting every row of it."""
