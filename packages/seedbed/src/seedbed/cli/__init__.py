"""The `seedbed` command. A command imports what it calls only when it runs."""
