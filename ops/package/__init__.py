"""The deployable folder: the function's files, its dependencies, bytecode and bill of materials."""
