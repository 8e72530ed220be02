"""Your tables, one model a file. A file in this folder is found by being here: there is no list to edit."""
