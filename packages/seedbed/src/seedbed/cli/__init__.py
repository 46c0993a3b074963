"""The `seedbed` command: a thin module a group of commands, each of which imports what it calls only when it runs."""
