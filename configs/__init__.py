"""Configurations. Each file with ``get_config`` is one run, and its docstring the run card.

``parts`` and ``default_*`` hold what several share, as functions. They are imported as
``from configs.parts...`` from any directory: a configuration file inside packages (folders with an
``__init__.py``) finds what is beside it.
"""
